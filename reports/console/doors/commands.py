"""``smelter users``: accounts of the console from the server's own terminal."""

import json
import sys
from datetime import datetime
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from drivers.audit import current_person, note_act
from drivers.language import say
from drivers.model import ConfigError
from reports.acts import trail_of
from reports.console.doors import passwords
from reports.console.doors.roles import NAMES, RIGHT_NAMES, Right, Role
from reports.console.doors.sessions import Sessions
from reports.console.doors.store import Store, User
from reports.console.doors.tokens import Tokens
from reports.console.doors.tries import Tries
from reports.console.office import Office
from reports.periods import PLANT_TIME

users_app = typer.Typer(
    help=say("网页控制台的账户", "accounts of the web console"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Config = Annotated[
    Path, typer.Option("--config", "--site", help=say("厂区配置 site.toml", "site.toml"))
]
SITE = Path("site.toml")
Name = Annotated[str, typer.Argument(help=say("账户名", "name of the account"))]
Roles = Annotated[
    list[str],
    typer.Option("--role", help="viewer | officer | engineer | administrator"),
]
Stdin = Annotated[
    bool,
    typer.Option("--stdin", help=say("从标准输入读取密码", "read the password from stdin")),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]


def _open(config: Path) -> tuple[Office, Store]:
    office = Office(config)
    return office, Store(office.data)


def _note(office: Office, what: str, target: str, **details: str) -> None:
    note_act(trail_of(office.site), what, target, details=details)


def _found(store: Store, name: str) -> User:
    user = store.user(name)
    if user is None:
        known = ", ".join(each.name for each in store.users()) or say("无", "none")
        raise ConfigError(
            [
                say(
                    f"没有账户 {name}；现有：{known}",
                    f"there is no account {name}; there are: {known}",
                )
            ]
        )
    return user


def _roles(given: list[str]) -> frozenset[Role]:
    wrong = [each for each in given if each not in set(Role)]
    if wrong or not given:
        names = "、".join(Role), ", ".join(Role)
        told = " ".join(wrong)
        raise ConfigError([say(f"--role {told}：可选 {names[0]}", f"--role {told}: {names[1]}")])
    return frozenset(Role(each) for each in given)


def _password(user: str, person: str, *, stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made up here. Raises ConfigError for a bad one."""
    if stdin:
        given = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        given = getpass(say("密码（直接回车则自动生成）：", "password (nothing: one is made up): "))
        if given and getpass(say("再输入一次：", "once more: ")) != given:
            raise ConfigError([say("两次输入不一致", "the two are not the same")])
    else:
        given = ""
    if not given and not stdin:
        return passwords.first_password(), True
    if found := passwords.problems(given, name=user, person=person):
        raise ConfigError(found)
    return given, False


def _told_password(password: str, *, made_up: bool) -> None:
    if made_up:
        typer.echo(say(f"初始密码：{password}", f"first password: {password}"))
    typer.echo(say("首次登录后须自行更改密码。", "It must be changed at the first log-in."))


@users_app.command("add", help=say("新建账户", "make an account"))
def add(
    name: Name,
    roles: Roles,
    config: Config = SITE,
    person: Annotated[
        str, typer.Option(help=say("姓名，署于记录和报告", "as records and reports name him"))
    ] = "",
    *,
    stdin: Stdin = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--own-password",
            help=say(
                "本人设定的密码，首次登录无须更改", "he typed it himself: need not be changed"
            ),
        ),
    ] = False,
) -> None:
    """A new account; the first one is an administrator's."""
    office, store = _open(config)
    wanted = _roles(roles)
    password, made_up = _password(name, person, stdin=stdin)
    must_change = made_up or not keep
    user = store.add_user(
        name,
        person or name,
        wanted,
        passwords.hashed(password),
        current_person(),
        must_change=must_change,
    )
    _note(office, "user.added", user.name, roles=",".join(sorted(wanted)), person=user.person)
    typer.echo(say(f"已建立账户 {user.name}（{user.person}）", f"made {user.name} ({user.person})"))
    if must_change:
        _told_password(password, made_up=made_up)


@users_app.command("list", help=say("列出账户", "list accounts"))
def list_users(config: Config = SITE, *, as_json: AsJson = False) -> None:
    """Exit 1 when nobody administers."""
    _, store = _open(config)
    tries, users = Tries(store), store.users()
    if as_json:
        typer.echo(json.dumps([_table(each, tries) for each in users], ensure_ascii=False))
    for each in users if not as_json else ():
        roles = "、".join(say(NAMES[r].zh, NAMES[r].en) for r in Role if r in each.roles)
        state = _state(each, tries)
        typer.echo(f"{each.name:<20} {each.person:<16} {roles:<30} {_when(each.came):<17} {state}")
    if not store.administrators():
        sys.stderr.write(
            say(
                "没有管理员：smelter users add 账户名 --role administrator\n",
                "nobody administers: smelter users add NAME --role administrator\n",
            )
        )
        raise typer.Exit(1)


def _table(user: User, tries: Tries) -> dict[str, object]:
    return {
        "name": user.name,
        "person": user.person,
        "roles": [role.value for role in Role if role in user.roles],
        "must_change": user.must_change,
        "closed": user.closed,
        "locked_until": tries.locked_until(user.name),
        "single_sign_on": user.subject is not None,
        "last_login": user.came,
    }


def _state(user: User, tries: Tries) -> str:
    if user.closed:
        return say("已停用", "closed")
    if until := tries.locked_until(user.name):
        return say(f"锁定至 {_when(until)}", f"locked until {_when(until)}")
    return say("须改初始密码", "has a first password") if user.must_change else ""


def _when(wall_s: float | None) -> str:
    if wall_s is None:
        return "—"
    return datetime.fromtimestamp(wall_s, PLANT_TIME).strftime("%Y-%m-%d %H:%M")


@users_app.command("passwd", help=say("重设密码", "set a new password"))
def passwd(name: Name, config: Config = SITE, *, stdin: Stdin = False) -> None:
    """Ends his sessions; he must change it when he comes in."""
    office, store = _open(config)
    user = _found(store, name)
    password, made_up = _password(user.name, user.person, stdin=stdin)
    store.set_hash(user.name, passwords.hashed(password), must_change=True)
    Sessions(store, 0, 0).end_all(user.name)
    Tries(store).forget(user.name)
    _note(office, "user.password", user.name, by="administrator")
    _told_password(password, made_up=made_up)


@users_app.command("roles", help=say("更改角色", "change roles"))
def roles_of(name: Name, roles: Roles, config: Config = SITE) -> None:
    """All roles he shall have; counts at his next click."""
    office, store = _open(config)
    user = _found(store, name)
    wanted = _roles(roles)
    store.set_roles(user.name, wanted)
    before = ",".join(sorted(user.roles))
    _note(office, "user.roles", user.name, roles=",".join(sorted(wanted)), before=before)


@users_app.command("lock", help=say("停用账户", "close an account"))
def lock(name: Name, config: Config = SITE) -> None:
    """His sessions end, his tokens are refused."""
    office, store = _open(config)
    user = _found(store, name)
    store.set_closed(user.name, closed=True)
    _note(office, "user.closed", user.name)


@users_app.command("unlock", help=say("启用账户、解除锁定", "open an account again"))
def unlock(name: Name, config: Config = SITE) -> None:
    """Also forgets his failed tries."""
    office, store = _open(config)
    user = _found(store, name)
    store.set_closed(user.name, closed=False)
    Tries(store).forget(user.name)
    _note(office, "user.opened", user.name)


@users_app.command("tokens", help=say("列出或吊销令牌", "list tokens, revoke one"))
def tokens(
    config: Config = SITE,
    revoke: Annotated[str, typer.Option(help=say("令牌编号", "id of the token"))] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Secrets are not kept, so none is shown; tokens are made on the console's own page."""
    office, store = _open(config)
    kept = Tokens(store)
    if revoke:
        ended = kept.end(revoke)
        if ended is None:
            raise ConfigError([say(f"没有有效令牌 {revoke}", f"no living token {revoke}")])
        _note(office, "token.revoked", ended.id, account=ended.name, label=ended.label)
        return
    found = kept.known()
    if as_json:
        table = [
            {
                "id": each.id,
                "account": each.name,
                "label": each.label,
                "rights": sorted(each.rights),
                "living": each.living,
                "ends": each.ends,
                "used": each.used,
                "used_from": each.used_from,
            }
            for each in found
        ]
        typer.echo(json.dumps(table, ensure_ascii=False))
        return
    for each in found:
        rights = "、".join(
            say(RIGHT_NAMES[r].zh, RIGHT_NAMES[r].en) for r in Right if r in each.rights
        )
        ended_text = say("已失效", "ended") if not each.living else ""
        dates = f"→ {_when(each.ends)}  {say('最近使用', 'used')} {_when(each.used)}"
        typer.echo(f"{each.id}  {each.name:<16} {each.label:<24} {rights}  {dates} {ended_text}")


@users_app.command(
    "rights", help=say("列出各角色可用的页面与操作", "what each role may open and do")
)
def rights() -> None:
    """The page docs/console-roles.md."""
    from reports.console import app
    from reports.console.doors.roles_page import page

    typer.echo(page(app.rights()), nl=False)
