"""The web console of a demo: a login for each role, and where to open it."""

import secrets

from drivers.language import say
from simulators.stage import Stage, healthy

PEOPLE = (  # name, role, person
    ("officer", "officer", "李雪（仿真）"),
    ("engineer", "engineer", "周强（仿真）"),
    ("admin", "administrator", "吴磊（仿真）"),
)


async def open_console(stage: Stage, listen: str) -> str:
    """Makes the logins, with a password of this demo alone, serves, and returns the password."""
    site, password = str(stage.folder.site), secrets.token_urlsafe(12)
    for name, role, person in PEOPLE:
        await stage.children.run(
            f"users-{name}",
            *("users", "add", name, "--role", role, "--person", person),
            *("--config", site, "--stdin", "--own-password"),
            typed=f"{password}\n",
        )
    await stage.children.start("console", "serve", "--config", site)
    await healthy(stage, {"console": listen})
    return password


def tell_console(stage: Stage, listen: str, password: str) -> None:
    """Where to open it, and who may."""
    names = say("、", ", ").join(name for name, _, _ in PEOPLE)
    stage.console.print(
        say(
            f"  网页控制台：http://{listen}/  账户 {names}，密码 {password}",
            f"  web console: http://{listen}/  log in as {names}, password {password}",
        ),
        markup=False,
    )
