"""The page of all roles and routes, docs/console-roles.md: who may open and do what."""

from collections.abc import Iterator, Mapping

from reports.console.doors.roles import NAMES, RIGHT_NAMES, RIGHTS, Right, Role

HEAD = """# Roles of the console / 控制台的角色

Made by `smelter users rights`; do not edit. A test walks through every row with every role.
本页由 `smelter users rights` 生成，请勿手改；测试以每个角色逐行核对。
"""
ROUTES = """
## Routes / 地址

● may; empty: refused with 403. Not logged in: 401, or /login. A token reaches /api only.
● 可以；空白以 403 拒绝；未登录为 401 或转到登录页；令牌只能访问 /api。
"""


def page(rights: Mapping[tuple[str, str], str | None]) -> str:
    """``rights`` as ``reports.console.app.rights()`` says. Markdown."""
    return "\n".join(_lines(rights)) + "\n"


def _lines(rights: Mapping[tuple[str, str], str | None]) -> Iterator[str]:
    yield HEAD
    names = " | ".join(f"{NAMES[role].en} {NAMES[role].zh}" for role in Role)
    yield f"| right 权限 | {names} |"
    yield "|---|" + "---|" * len(Role)
    for right in Right:
        marks = " | ".join("●" if right in RIGHTS[role] else "" for role in Role)
        yield f"| `{right}` {RIGHT_NAMES[right].en} / {RIGHT_NAMES[right].zh} | {marks} |"
    yield ROUTES
    yield f"| method 方法 | address 地址 | right 权限 | {names} |"
    yield "|---|---|---|" + "---|" * len(Role)
    for (method, path), asked in sorted(rights.items(), key=lambda each: (each[0][1], each[0][0])):
        if asked is None:
            yield f"| {method} | `{path}` | open to all / 无须登录 |" + " ● |" * len(Role)
            continue
        marks = " | ".join("●" if Right(asked) in RIGHTS[role] else "" for role in Role)
        yield f"| {method} | `{path}` | `{asked}` | {marks} |"
