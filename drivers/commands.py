"""``smelter browse``: the variables of an OPC UA server as a point table ready to edit."""

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer
from pydantic import ValidationError

from drivers.config import DeviceConfig
from drivers.language import say
from drivers.model import ConfigError, DriverError
from drivers.tables import write_points

if TYPE_CHECKING:
    from drivers.browse import Variable, Walk

Security = Literal["none", "Basic256Sha256", "Aes256Sha256RsaPss"]


def browse(  # noqa: PLR0913, PLR0917 - one per option of the command
    url: Annotated[str, typer.Argument(help=say("服务器地址", "server, opc.tcp://host:4840"))],
    root: Annotated[
        str, typer.Option(help=say("从哪个节点开始", "node to start from, nsu=<URI>;s=<name>"))
    ] = "i=85",
    out: Annotated[
        Path | None,
        typer.Option(
            help=say("点表文件（UTF-8，Excel 可打开）；不给则输出到屏幕", "file; else the screen")
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help=say("设备名，用于配置示例", "name in the printed [[device]] table"))
    ] = "opcua1",
    depth: Annotated[int, typer.Option(min=1, help=say("最多几层", "levels at most"))] = 20,
    most: Annotated[int, typer.Option(min=1, help=say("最多多少节点", "nodes at most"))] = 100_000,
    security: Annotated[Security, typer.Option(help=say("加密策略", "security policy"))] = "none",
    server_certificate: Annotated[
        Path | None, typer.Option(help=say("服务器证书（固定）", "the server's certificate"))
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help=say("本机证书", "our certificate"))
    ] = None,
    key: Annotated[Path | None, typer.Option(help=say("本机私钥", "our private key"))] = None,
    username: Annotated[str, typer.Option(help=say("用户名", "user name"))] = "",
    password_file: Annotated[
        Path | None, typer.Option(help=say("密码文件", "file that holds the password"))
    ] = None,
    save_server_certificate: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "只取服务器证书存为文件并显示指纹，须在现场核对",
                "only fetch the server's certificate, to be checked on site by its fingerprint",
            )
        ),
    ] = None,
    timeout_s: Annotated[float, typer.Option(help=say("应答时限，秒", "seconds to wait"))] = 5.0,
) -> None:
    """Print a point table of what an OPC UA server has. 浏览 OPC UA 服务器，输出点表。"""
    try:
        settings = DeviceConfig(
            name=device,
            driver="opcua",
            address=url,
            points=Path(f"points/{device}.csv"),
            timeout_s=timeout_s,
            security=security,
            server_certificate=server_certificate,
            certificate=certificate,
            key=key,
            username=username,
            password_file=password_file,
        )
    except ValidationError as error:
        raise ConfigError([str(each["msg"]) for each in error.errors()]) from None
    try:
        if save_server_certificate is not None:
            asyncio.run(_save_certificate(settings, save_server_certificate))
            return
        found, variables = asyncio.run(_walk(settings, root, depth, most))
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    except (ValueError, LookupError) as error:
        raise ConfigError([f"--root: {error}"]) from None
    stream = nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8-sig")
    with stream as file:
        _write(variables, file)
    _conclude(settings, found, variables)


async def _walk(
    settings: DeviceConfig, root: str, depth: int, most: int
) -> "tuple[Walk, list[Variable]]":
    from drivers.browse import describe, walk
    from drivers.opcua_session import open_session

    session = await open_session(settings)
    try:
        found = await walk(session, root, depth=depth, most=most)
        return found, list(await describe(session, found))
    finally:
        await session.drop()


def _write(variables: "list[Variable]", file: TextIO) -> None:
    write_points((variable.row() for variable in variables), file)


def _conclude(settings: DeviceConfig, found: "Walk", variables: "list[Variable]") -> None:
    """What to do next, beside the table and not in it."""
    ready = sum(not variable.row()["equipment"].startswith("#") for variable in variables)
    total = len(variables)
    lines = [
        say(
            f"{total} 个变量，其中 {ready} 个已猜出设备和量，请核对；其余行以 # 开头，"
            "填好 equipment 和 quantity 并删去 # 后才会读取。",
            f"{total} variables; {ready} with a guessed equipment and quantity, to be checked. The "
            "others begin with #: fill in equipment and quantity and remove the # to read them.",
        )
    ]
    if found.cut:
        lines.append(say(f"未浏览完：{found.cut}", f"not everything: {found.cut}"))
    lines += [
        "",
        "[[device]]",
        f'name    = "{settings.name}"',
        'driver  = "opcua"',
        f'address = "{settings.address}"',
        f'points  = "points/{settings.name}.csv"',
    ]
    sys.stderr.write("\n".join(lines) + "\n")


async def _save_certificate(settings: DeviceConfig, path: Path) -> None:
    from cryptography import x509

    from drivers.browse import endpoints
    from drivers.certificates import fingerprint

    offered = await endpoints(settings.address, settings.timeout_s)
    certificates = {point.ServerCertificate for point in offered if point.ServerCertificate}
    for point in offered:
        policy = str(point.SecurityPolicyUri).rpartition("#")[2]
        sys.stderr.write(f"{policy} {point.SecurityMode.name}\n")
    if len(certificates) != 1:
        count = len(certificates)
        told = say(f"有 {count} 个证书，应为一个", f"{count} certificates, not one")
        raise ConfigError([f"{settings.address}: {told}"])
    (data,) = certificates
    certificate = x509.load_der_x509_certificate(data)
    await asyncio.to_thread(path.write_bytes, data)
    print_line = say("指纹（须在服务器上核对）", "fingerprint, to be compared at the server")
    sys.stderr.write(f"{path}: {print_line}: SHA-256 {fingerprint(certificate)}\n")
