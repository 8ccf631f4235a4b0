"""
``smelter browse``: the variables of an OPC UA server as a point table ready to edit.

A Modbus device is only asked who it is: its registers stand in its manual, and nowhere else.
"""

import asyncio
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO
from urllib.parse import parse_qsl, urlsplit

import typer
from pydantic import ValidationError

from drivers.config import DeviceConfig
from drivers.language import say
from drivers.model import ConfigError, DriverError
from drivers.tables import write_points

if TYPE_CHECKING:
    from drivers.opcua.browse import Variable, Walk

Security = Literal["none", "Basic256Sha256", "Aes256Sha256RsaPss"]


def browse(  # noqa: PLR0913, PLR0917 - one per option of the command
    url: Annotated[
        str, typer.Argument(help="opc.tcp://host:4840 | modbus-tcp://host:502[?unit=1]")
    ],
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
    ] = "",
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
    """Point table of an OPC UA server; who a Modbus device is. 浏览 OPC UA，识别 Modbus 设备。"""
    if url.startswith("modbus"):
        _browse_modbus(url, device or "plc1", out, timeout_s)
        return
    name = device or "opcua1"
    try:
        settings = DeviceConfig(
            name=name,
            driver="opcua",
            address=url,
            points=Path(f"points/{name}.csv"),
            timeout_s=timeout_s,
            security=security,
            server_certificate=server_certificate,
            certificate=certificate,
            key=key,
            username=username,
            password_file=password_file,
        )
    except ValidationError as error:
        raise _wrong(error) from None
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
    with _stream(out) as file:
        _write(variables, file)
    _conclude(settings, found, variables)


def _wrong(error: ValidationError) -> ConfigError:
    told = (str(each["msg"]).removeprefix("Value error, ") for each in error.errors())
    return ConfigError([line for text in told for line in text.splitlines()])


def _stream(out: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8-sig")


def _browse_modbus(url: str, name: str, out: Path | None, timeout_s: float) -> None:
    """Who the device is, and the head of a point table to be filled in from its manual."""
    from drivers.identify import identify

    settings = _modbus_settings(url, name, timeout_s)
    try:
        identity = asyncio.run(identify(settings))
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    with _stream(out) as file:
        write_points([_EXAMPLE_ROW], file)
    if identity is None:
        lines = [
            say(
                "设备有应答，但不提供设备标识（功能码 43/14）。",
                "The device answers, but has no identification (function 43/14).",
            )
        ]
    else:
        labels = _labels()
        lines = [f"{labels[k]}: {text}" for k, text in asdict(identity).items() if text]
    lines += [
        say(
            "Modbus 没有可浏览的地址空间：寄存器只写在设备手册里。请按手册填写上面的点表"
            "（以 # 开头的是示例行）。",
            "Modbus has no address space to browse: registers stand in the device's manual only. "
            "Fill in the table above from it (the row that begins with # is an example).",
        ),
        *_device_table(settings),
    ]
    sys.stderr.write("\n".join(lines) + "\n")


_EXAMPLE_ROW = {
    "equipment": "# line1/pot{001..036}",
    "quantity": "pot.voltage",
    "address": "holding:100",
    "type": "float32",
    "stride": "20",
    "order": "ABCD",
    "unit": "V",
}


def _labels() -> dict[str, str]:
    return {
        "vendor": say("厂商", "vendor"),
        "product_code": say("产品代码", "product code"),
        "revision": say("版本", "revision"),
        "url": say("网址", "web site"),
        "product": say("产品", "product"),
        "model": say("型号", "model"),
        "application": say("用途", "application"),
    }


def _modbus_settings(url: str, name: str, timeout_s: float) -> DeviceConfig:
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    unit = asked.pop("unit", "1")
    good = parts.scheme == "modbus-tcp" and not parts.path.strip("/") and not asked
    if not good or not unit.isdecimal() or int(unit) > 255:
        form = "modbus-tcp://192.0.2.10:502?unit=1"
        raise ConfigError([say(f"{url!r}：请写成 {form}", f"{url!r}: write {form}")])
    try:
        return DeviceConfig(
            name=name,
            driver=parts.scheme,
            address=parts.netloc,
            unit=int(unit),
            points=Path(f"points/{name}.csv"),
            timeout_s=timeout_s,
        )
    except ValidationError as error:
        raise _wrong(error) from None


def _device_table(settings: DeviceConfig) -> list[str]:
    """The ``[[device]]`` table that goes with the point table."""
    unit = [f"unit    = {settings.unit}"] if settings.driver.startswith("modbus") else []
    return [
        "",
        "[[device]]",
        f'name    = "{settings.name}"',
        f'driver  = "{settings.driver}"',
        f'address = "{settings.address}"',
        *unit,
        f'points  = "points/{settings.name}.csv"',
    ]


async def _walk(
    settings: DeviceConfig, root: str, depth: int, most: int
) -> "tuple[Walk, list[Variable]]":
    from drivers.opcua.browse import describe, walk
    from drivers.opcua.session import open_session

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
    lines += _device_table(settings)
    sys.stderr.write("\n".join(lines) + "\n")


async def _save_certificate(settings: DeviceConfig, path: Path) -> None:
    from cryptography import x509

    from drivers.opcua.browse import endpoints
    from drivers.opcua.certificates import fingerprint

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
