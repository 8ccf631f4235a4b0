"""``smelter agent certificates authority``: the site's own authority, on a stick in a safe."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from drivers.audit import note_act
from drivers.language import say, visible, why
from drivers.model import ConfigError

if TYPE_CHECKING:  # cryptography is loaded only by the commands that need it
    from cryptography import x509

    from drivers.authority import Issued

Use = Literal["client", "server", "opcua"]
AUTHORITY_DAYS, DAYS = 3650, 825

authority_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say("本厂证书机构：签发、吊销", "the site's authority: sign and revoke"),
)
Folder = Annotated[Path, typer.Option("--folder", help=say("证书机构目录", "its folder"))]
For = Annotated[Use, typer.Option("--for", help=say("用途", "what for"))]
Days = Annotated[int, typer.Option(min=1, max=7300, help=say("有效天数", "valid for, days"))]
Out = Annotated[Path | None, typer.Option("--out", help=say("写到哪里", "where to write"))]
Again = Annotated[
    bool,
    typer.Option(
        "--same-machine",
        help=say("同名证书尚有效：属于同一台设备", "the name is taken: it is the same machine"),
    ),
]
HERE = Path("authority")


@authority_app.command(help=say("建立证书机构", "make the authority"))
def create(
    folder: Folder = HERE,
    name: Annotated[str, typer.Option(help=say("名称", "its name"))] = "smelter site authority",
    days: Days = AUTHORITY_DAYS,
) -> None:
    """Never replaces one."""
    from drivers.authority import NAME, Authority

    if not NAME.fullmatch(name):
        raise ConfigError([f"--name {name!r}: [A-Za-z0-9 ._@-]"])
    made = Authority.create(folder, name, days)
    note_act(folder / "audit", "certificate.made", name, details={"file": str(made.path)})
    typer.echo(
        say(
            f"{made.path}  分发给网关、消息服务器和设备\n"
            f"{made.crl}  吊销列表，每次 revoke 后重新分发\n"
            f"{folder}/authority.key  私钥：离线保管，不要放在网关上",
            f"{made.path}  give it to gateways, brokers and devices\n"
            f"{made.crl}  revocation list: give it out again after each revoke\n"
            f"{folder}/authority.key  private key: keep it offline, never on a gateway",
        )
    )


@authority_app.command(
    help=say(
        "为没有本程序的对端（消息服务器、设备、只读客户端）生成密钥和证书",
        "key and certificate for what does not run this program: a broker, a device, a reader",
    )
)
def issue(  # noqa: PLR0913 - options of a command
    name: Annotated[str, typer.Argument(help=say("名称（CN）", "its name (CN)"))],
    wanted: For = "server",
    host: Annotated[
        list[str] | None, typer.Option(help=say("主机名或地址，可多次", "host or address, repeat"))
    ] = None,
    uri: Annotated[str, typer.Option(help="ApplicationUri (OPC UA)")] = "",
    folder: Folder = HERE,
    days: Days = DAYS,
    out: Out = None,
    *,
    same: Again = False,
) -> None:
    """Writes NAME.pem and NAME.key (0600)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from drivers.authority import NAME, Authority, Owner, key_bytes, new_key, request_of, write_file

    opened = Authority(folder)
    if not NAME.fullmatch(name):
        raise ConfigError([f"{name!r}: [A-Za-z0-9 ._@-]"])
    if wanted == "server" and not host:
        told = "服务器证书须有 --host", "a server's certificate needs --host"
        raise ConfigError([say(*told)])
    if wanted == "opcua" and not uri:
        raise ConfigError([say("OPC UA 证书须有 --uri", "for OPC UA --uri is needed")])
    refuse_taken(opened.valid(name), same=same)
    place = out or folder / "issued"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = new_key(wanted)
    csr = request_of(key, Owner(name, tuple(host or ()), uri))
    certificate = opened.sign(csr, wanted, days)
    write_file(place / f"{name}.key", key_bytes(key), 0o600)
    write_file(place / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
    _told(folder, name, place / f"{name}.pem", certificate)


@authority_app.command(help=say("签发一个请求", "sign a request made on another machine"))
def sign(
    request: Annotated[Path, typer.Argument(help=say("请求文件 .csr", "the request, .csr"))],
    wanted: For,
    name: Annotated[
        str,
        typer.Option(
            help=say(
                "您预期的名称（CN），如 <厂>-<网关>", "the name (CN) you expect, PLANT-GATEWAY"
            )
        ),
    ],
    folder: Folder = HERE,
    days: Days = DAYS,
    out: Out = None,
    *,
    same: Again = False,
) -> None:
    """Whoever holds the certificate is that name to the broker: no other than --name is signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    from drivers.authority import Authority, names_of, write_file

    opened = Authority(folder)
    try:
        csr = x509.load_pem_x509_csr(request.read_bytes())
    except (OSError, ValueError) as error:
        told = why(error) if isinstance(error, OSError) else str(error)
        raise ConfigError([f"{request}: {told}"]) from None
    asked, others = names_of(csr)
    for each in [f"CN {asked}", *others]:
        typer.echo(say("  请求的名称：", "  it asks for ") + visible(each))
    if asked != name:
        told = say(
            f"请求的名称是 {visible(asked)!r}，不是 {name!r}：未签发",
            f"it asks for {visible(asked)!r}, not for {name!r}: not signed",
        )
        _refused(folder, asked, f"{request}: {told}")
    refuse_taken(opened.valid(name), same=same)
    certificate = opened.sign(csr, wanted, days)
    path = out or request.with_suffix(".pem")
    write_file(path, certificate.public_bytes(Encoding.PEM))
    _told(folder, name, path, certificate)


def _refused(folder: Path, name: str, told: str) -> None:
    note_act(folder / "audit", "certificate.made", name, result="refused", reason=told)
    raise ConfigError([told])


def refuse_taken(issued: "Issued | None", *, same: bool) -> None:
    """Of one name only one machine: gateway c of plant a-b and gateway b-c of plant a are alike."""
    if issued is None or same:
        return
    told = say(
        f"{issued.name} 已有有效证书（{issued.serial}，至 {issued.until[:10]}）："
        "同一台设备请加 --same-machine，旧证书失窃请先 revoke，另一台设备请改用别的名称",
        f"{issued.name} has a valid certificate ({issued.serial}, until {issued.until[:10]}): "
        "add --same-machine for the same machine, revoke it first if it was stolen, and give "
        "another machine another name",
    )
    raise ConfigError([told])


@authority_app.command(
    help=say("吊销并更新吊销列表 crl.pem", "revoke, and write the list crl.pem anew")
)
def revoke(
    wanted: Annotated[str, typer.Argument(help=say("名称或序列号", "name or serial number"))],
    why_: Annotated[str, typer.Option("--why", help=say("原因", "reason"))],
    folder: Folder = HERE,
) -> None:
    """Exit code 1 when there is nothing of that name left to revoke."""
    from drivers.authority import Authority

    done = Authority(folder).revoke(wanted, why_)
    for each in done:
        note_act(folder / "audit", "certificate.revoked", each.name, reason=why_)
        typer.echo(say(f"已吊销 {each.name} {each.serial}", f"revoked {each.name} {each.serial}"))
    if not done:
        typer.echo(say(f"没有可吊销的 {wanted}", f"nothing to revoke: {wanted}"), err=True)
        raise typer.Exit(1)
    text = f"{folder}/crl.pem"
    typer.echo(say(f"请分发新的 {text}", f"give out the new {text}"))


@authority_app.command(help=say("列出签发的证书", "what it has signed"))
def show(
    folder: Folder = HERE,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
) -> None:
    """All of them, revoked ones too."""
    from drivers.authority import Authority

    opened = Authority(folder)
    rows = opened.issued()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
        return
    until = f"{opened.certificate.not_valid_after_utc:%Y-%m-%d}"
    typer.echo(f"{opened.certificate.subject.rfc4514_string()}  {until}")
    for row in rows:
        gone = say(f"  已吊销 {row.revoked}：{row.why}", f"  revoked {row.revoked}: {row.why}")
        typer.echo(
            f"  {row.name}  {row.use}  {row.until[:10]}  {row.serial}" + gone * bool(row.revoked)
        )


def _told(folder: Path, name: str, path: Path, certificate: "x509.Certificate") -> None:
    details = {"file": str(path), "serial": f"{certificate.serial_number:x}"}
    note_act(folder / "audit", "certificate.made", name, details=details)
    typer.echo(f"{path}  ({name}, {certificate.not_valid_after_utc:%Y-%m-%d})")
