"""What is elsewhere: stores and devices. One try each, reading only."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from agent.doctor.configs import gateway_of, historian_of
from agent.edge.config import GatewayConfig
from agent.edge.reading import Reading, read_once
from agent.influx.config import InfluxConfig
from drivers.config import DeviceConfig
from drivers.doctor import Finding, Given, Text
from drivers.language import in_both, why
from drivers.model import DriverError, Quality
from drivers.tls import refusal_of


def stores(given: Given) -> Iterable[Finding]:
    """The lake on this disk, each InfluxDB over HTTP."""
    config = historian_of(given)
    if config is None:
        return
    yield _lake(config.lake_path)
    for each in config.influxdb:
        yield _influx(each, given.limit_s)


def _lake(path: Path) -> Finding:
    try:
        tables = sorted(each.name for each in path.iterdir() if not each.name.startswith("."))
    except FileNotFoundError:
        told = Text("尚未建立，收到数据后自动生成", "not there yet, the first data make it")
        return Finding("note", "stores", told, where=str(path))
    except OSError as error:
        reason = _said(error)
        told = Text(f"无法读取：{reason.zh}", f"cannot be read: {reason.en}")
        todo = Text("请以服务用户或 root 运行", "run as the service's user or root")
        return Finding("note", "stores", told, todo, str(path))
    names = ", ".join(name for name in tables if "." not in name)
    return Finding("ok", "stores", Text(f"数据湖：{names}", f"lake: {names}"), where=str(path))


def _influx(config: InfluxConfig, limit_s: float) -> Finding:
    import urllib3

    where = f"{config.name} {config.url}"
    try:
        context = config.tls_context()
        pool = urllib3.PoolManager(timeout=limit_s, retries=False, ssl_context=context)
    except OSError as error:
        told = _said(error)
        return Finding("bad", "stores", told, Text("检查证书文件", "look at the files"), where)
    try:
        answer = pool.request("GET", f"{config.url.rstrip('/')}/ping")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        reason = _said(error, where)
        return Finding(
            "bad",
            "stores",
            Text(f"InfluxDB 没有应答：{reason.zh}", f"InfluxDB does not answer: {reason.en}"),
            Text(
                "数据都在历史库，恢复后自动补写；检查 influxdb 服务、地址与证书",
                "nothing is lost, it is written later; look at the service, address, certificate",
            ),
            where,
        )
    finally:
        pool.clear()
    version = answer.headers.get("X-Influxdb-Version", "?")
    if answer.status in {401, 403}:
        told = Text("InfluxDB 要求登录才答复 /ping", "InfluxDB answers /ping only after a login")
        return Finding("note", "stores", told, where=where)
    if answer.status >= 300:
        told = Text(f"InfluxDB 答复 {answer.status}", f"InfluxDB answered {answer.status}")
        return Finding("bad", "stores", told, Text("检查地址", "look at the address"), where)
    return Finding(
        "ok", "stores", Text(f"InfluxDB {version} 应答", f"InfluxDB {version} answers"), where=where
    )


def _said(error: BaseException, address: str = "") -> Text:
    """The reason in both languages, from the innermost error: libraries wrap it."""
    if refusal := refusal_of(error, address):
        return Text(*in_both(lambda: str(refusal)))
    inner: BaseException | None = error
    for _ in range(10):
        if inner is None or (isinstance(inner, OSError) and (inner.errno or not inner.args)):
            break
        inner = inner.__cause__ or inner.__context__
    found = inner if isinstance(inner, OSError) else None
    return Text(*in_both(lambda: why(found) if found else str(error)))


def devices(given: Given) -> Iterable[Finding]:
    """One poll of each, reading only: does it answer, who is it, how many points are good."""
    config = gateway_of(given)
    if config is None:
        return
    if not given.devices:
        yield Finding("note", "devices", Text("按要求未访问设备", "not asked, as you wished"))
        return
    for device in config.devices:
        if device.driver in {"hj212", "modbus-rtu"}:
            yield _left_alone(device)
        else:
            yield asyncio.run(_device(config, device, given.limit_s))


def _left_alone(device: DeviceConfig) -> Finding:
    listens = device.driver == "hj212"
    return Finding(
        "note",
        "devices",
        Text(
            "数采仪主动上报，不由体检访问；见网关 /metrics 的 device_up"
            if listens
            else "串口总线由网关独占，未访问；见网关 /metrics 的 device_up",
            "it reports by itself; see device_up in the gateway's /metrics"
            if listens
            else "the bus belongs to the gateway: not asked; see device_up in its /metrics",
        ),
        where=f"{device.name} {device.address}",
    )


async def _device(config: GatewayConfig, device: DeviceConfig, limit_s: float) -> Finding:
    where = f"{device.name} {device.address}"
    try:
        async with asyncio.timeout(limit_s * 4):
            readings = await read_once(config, device.name)
            who = await _identity(device)
    except (TimeoutError, DriverError, OSError) as error:
        return _silent(where, _said(error))
    good, points = _good(readings)
    reasons = sorted({each.reason for each in readings if each.reason})
    if not any(each.answered for each in readings):
        return _silent(where, Text("；".join(reasons), "; ".join(reasons)))
    told = Text(f"{points} 个测点中 {good} 个正常{who}", f"{good} of {points} points are good{who}")
    if good == points:
        return Finding("ok", "devices", told, where=where)
    more = "; ".join(reasons)[:200]
    return Finding(
        "warn",
        "devices",
        Text(told.zh + (f"（{more}）" if more else ""), told.en + (f" ({more})" if more else "")),
        Text(
            f"逐点查看：smelter agent read {config.path} --device {device.name}",
            f"point by point: smelter agent read {config.path} --device {device.name}",
        ),
        where,
    )


async def _identity(device: DeviceConfig) -> str:
    """Maker and product, where the device tells them."""
    if device.driver != "modbus-tcp":
        return ""
    from drivers.identify import identify

    try:
        async with asyncio.timeout(2.0):
            found = await identify(device)
    except (DriverError, OSError, TimeoutError):
        return ""
    said = (
        " ".join(x for x in (found.vendor, found.product_code, found.revision) if x)
        if found
        else ""
    )
    return f", {said}" if said else ""


def _good(readings: list[Reading]) -> tuple[int, int]:
    good = sum(int((each.frame.quality == Quality.GOOD).sum()) for each in readings)
    return good, sum(len(each.group.points) for each in readings)


def _silent(where: str, reason: Text) -> Finding:
    return Finding(
        "bad",
        "devices",
        Text(f"没有应答：{reason.zh}", f"does not answer: {reason.en}"),
        Text(
            "检查网线、地址、站号；有的设备只接受一个连接（网关正占用时不算故障，见 /metrics）",
            "look at cable, address, unit; some devices take one connection only (then it is "
            "no fault while the gateway has it: see /metrics)",
        ),
        where,
    )
