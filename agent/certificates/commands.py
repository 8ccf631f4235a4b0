"""``smelter agent certificates``: make, show, renew and install this machine's certificates."""

import datetime as dt
import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.certificates.authority_commands import Again, authority_app, refuse_taken
from agent.certificates.named import Named, named_in
from agent.certificates.watch import Watched, look
from drivers.audit import note_act
from drivers.audit_config import trail_of
from drivers.language import say, why
from drivers.model import ConfigError

if TYPE_CHECKING:  # cryptography is loaded only by the commands that need it
    from agent.certificates.place import Place

Use = Literal["mqtt", "modbus", "opcua"]
USES: tuple[Use, ...] = ("mqtt", "modbus", "opcua")
DAYS = 825
Wanted = Literal["mqtt", "modbus", "opcua", "all"]
OWN_DAYS = 1825  # self-signed: somebody must carry it to every server that lists it

certificates_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say("证书：生成、查看、更新、安装", "certificates: create, show, renew, install"),
)
certificates_app.add_typer(authority_app, name="authority")
Config = Annotated[
    Path, typer.Option("--config", "-c", help=say("gateway.toml 或 historian.toml", "config file"))
]
For = Annotated[Wanted, typer.Option("--for", help=say("用途", "what for"))]
Folder = Annotated[
    Path | None,
    typer.Option("--authority", help=say("证书机构目录，立即签发", "sign with the one in here")),
]
Days = Annotated[int, typer.Option(min=1, max=7300, help=say("有效天数", "valid for, days"))]
Host = Annotated[str, typer.Option(help=say("本机名称", "name of this machine"))]
Role = Annotated[str, typer.Option(help=say("Modbus 角色", "role for Modbus/TCP Security"))]
Own = Annotated[bool, typer.Option("--self-signed", help=say("自签名", "sign it itself"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]


@certificates_app.command(
    help=say("生成密钥和证书（或待签请求）", "make keys and certificates, or requests to be signed")
)
def create(  # noqa: PLR0913 - options of a command
    config: Config,
    wanted: For = "all",
    authority: Folder = None,
    days: Days = DAYS,
    host: Host = "",
    role: Role = "",
    *,
    own: Own = False,
    same: Again = False,
) -> None:
    """Exit code 2 where there is one already: ``renew`` replaces it."""
    from agent.certificates.place import Place

    named = named_in(config)
    uses = _uses(wanted)
    taken = [use for use in uses if Place(named.folder, use).there]
    if taken:
        told = "已有证书；请用 renew", "has a certificate already; use renew"
        raise ConfigError([f"{Place(named.folder, use).current}: {say(*told)}" for use in taken])
    if authority is not None and not any(Place(named.folder, use).there for use in USES):
        from drivers.authority import Authority

        refuse_taken(Authority(authority).valid(named.name), same=same)
    for use in uses:
        _make(named, use, authority, (days, own, host or socket.gethostname(), role), "made")


@certificates_app.command(
    help=say(
        "换新密钥和证书；旧的保留到新的完整为止，运行中的网关重连或 SIGHUP 后采用",
        "new keys and certificates; the old stay until the new are complete. A running agent "
        "takes them at its next connection, or at once with SIGHUP",
    )
)
def renew(
    config: Config,
    wanted: For = "all",
    authority: Folder = None,
    days: Days = DAYS,
    host: Host = "",
    role: Role = "",
    *,
    own: Own = False,
) -> None:
    """With "all": those that are there."""
    from agent.certificates.place import Place

    named = named_in(config)
    there = [use for use in _uses(wanted) if Place(named.folder, use).there]
    if not there:
        told = "还没有证书；请用 create", "no certificate yet; use create"
        raise ConfigError([f"{named.folder}: {say(*told)}"])
    for use in there:
        _make(named, use, authority, (days, own, host or socket.gethostname(), role), "renewed")


@certificates_app.command(
    help=say("安装由证书机构签回的证书", "put into use what an authority has signed")
)
def install(
    config: Config,
    file: Annotated[Path, typer.Argument(help=say("签回的证书", "the signed certificate"))],
    wanted: Annotated[Use, typer.Option("--for", help=say("用途", "what for"))],
) -> None:
    """Exit code 2 when it is not of the key that waits for it."""
    from agent.certificates.place import Place, certificates_in

    named = named_in(config)
    try:
        chain = certificates_in(file.read_bytes())
    except (OSError, ValueError) as error:
        told = why(error) if isinstance(error, OSError) else str(error)
        raise ConfigError([f"{file}: {told}"]) from None
    place = Place(named.folder, wanted)
    deed = "renewed" if place.there else "made"
    place.complete(chain)
    _tell(named, place, deed, chain[0].not_valid_after_utc)


@certificates_app.command(
    help=say("列出证书、吊销列表及剩余天数", "certificates, revocation lists and their days left")
)
def show(config: Config, *, as_json: AsJson = False) -> None:
    """Exit code 1 when one is over, or cannot be read."""
    from agent.certificates.place import Place

    named = named_in(config)
    now = dt.datetime.now(dt.UTC)
    files = dict(named.files)
    for use in USES:
        path = Place(named.folder, use).current / "cert.pem"
        if path.exists() and path.resolve() not in {each.resolve() for each in files.values()}:
            files[f"certificates/{use}"] = path
    found = look(files)
    if as_json:
        rows = [_row(each, now) for each in found]
        table = {"name": named.name, "certificates": rows}
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        typer.echo(named.name)
        for each in found:
            mark = {"good": " ", "soon": "!"}.get(each.state(now), "✗")
            typer.echo(f" {mark} {each.text(now)}")
        if not found:
            typer.echo(say("  没有证书", "  no certificates"))
    if any(each.state(now) in {"over", "unreadable"} for each in found):
        raise typer.Exit(1)


def _row(each: Watched, now: dt.datetime) -> dict[str, object]:
    return {
        "name": each.name,
        "path": str(each.path),
        "subject": each.subject,
        "issuer": each.issuer,
        "until": each.until.isoformat() if each.until else None,
        "days_left": each.days_left(now),
        "state": each.state(now),
        "trouble": each.trouble,
    }


def _uses(wanted: Wanted) -> tuple[Use, ...]:
    return USES if wanted == "all" else (wanted,)


def _make(
    named: Named,
    use: Use,
    authority: Path | None,
    how: tuple[int, bool, str, str],
    deed: str,
) -> None:
    """``how``: days, self-signed, host, role."""
    from cryptography import x509

    from agent.certificates.place import Place, issued_use
    from drivers.authority import Authority, self_signed

    days, own, host, role = how
    opened = Authority(authority) if authority is not None else None
    place = Place(named.folder, use)
    owner = named.owner(host, role if use == "modbus" else "")
    key, request = place.begin(owner)
    if opened is not None:  # with its list of revoked ones, which mosquitto and we ask for
        csr = x509.load_pem_x509_csr(request.read_bytes())
        certificates = [opened.sign(csr, issued_use(use), days)]
        place.complete(certificates)
        shutil.copyfile(opened.path, named.folder / "authority.pem")
        shutil.copyfile(opened.crl, named.folder / "crl.pem")
    elif own or use == "opcua":
        certificates = [self_signed(key, owner, issued_use(use), days if own else OWN_DAYS)]
        place.complete(certificates)
    else:
        typer.echo(
            say(
                f"{use}：请求 {request}\n  请由证书机构签发，然后 install --for {use} 签回的文件",
                f"{use}: request {request}\n  have it signed, then install --for {use} FILE",
            )
        )
        return
    _tell(named, place, deed, certificates[0].not_valid_after_utc)


def _tell(named: Named, place: "Place", deed: str, until: dt.datetime) -> None:
    note_act(
        trail_of(named.path),
        f"certificate.{deed}",
        f"{named.name} {place.use}",
        details={"file": str(place.current.resolve() / "cert.pem"), "until": until.isoformat()},
    )
    typer.echo(f"{place.use}: {place.current}/cert.pem, key.pem  ({until:%Y-%m-%d})")
    typer.echo(_hint(place, named.folder))


def _hint(place: "Place", folder: Path) -> str:
    """What goes into the config."""
    inside = place.current
    if place.use == "opcua":
        keys = {"certificate": inside / "cert.der", "key": inside / "key.pem"}
        head = say("  写入 [[device]]：", "  into [[device]]:")
    else:
        keys = {"ca": folder / "authority.pem", "cert": inside / "cert.pem"}
        keys |= {"key": inside / "key.pem", "crl": folder / "crl.pem"}
        table = "[mqtt]" if place.use == "mqtt" else "[device.tls]"
        head = say(f"  写入 {table}：", f"  into {table}:")
    rows = (f'    {key} = "{path.absolute()}"' for key, path in keys.items())
    return "\n".join([head, *rows])
