"""What is elsewhere: broker, stores, devices. One try each, reading only, under an own name."""

import asyncio
import secrets
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.doctor.configs import gateway_of, historian_of
from agent.edge.config import GatewayConfig
from agent.edge.reading import Reading, read_once
from agent.influx.config import InfluxConfig
from agent.mqtt import BrokerConfig, topic
from drivers.config import DeviceConfig
from drivers.doctor import NOTHING, Finding, Given, Text
from drivers.model import DriverError, Quality

NOT_AUTHORISED = {134, 135}  # MQTT 5: bad user name or password, not authorized


def broker(given: Given) -> Iterable[Finding]:
    """Can one connect with what the config says, and is one let write below one's own name."""
    gateway, historian = gateway_of(given), historian_of(given)
    if gateway is not None:
        probe = topic(gateway.plant, gateway.gateway, "doctor")
        yield from _broker(gateway.mqtt, probe, given.limit_s)
    if historian is not None:
        yield from _broker(historian.mqtt, "", given.limit_s)


class _Probe:
    """One connection by MQTT 5, which says why something is refused."""

    def __init__(self, broker: BrokerConfig) -> None:
        self.connected: int | None = None
        self.published: int | None = None
        self.done = threading.Event()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            f"smelter-doctor-{secrets.token_hex(4)}",
            protocol=paho.MQTTv5,
        )
        if (context := broker.tls_context()) is not None:
            self.client.tls_set_context(context)
        if broker.username:
            self.client.username_pw_set(broker.username, broker.password())
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish

    def _on_connect(self, *said: object) -> None:
        self.connected = _code(said[3])
        self.done.set()

    def _on_publish(self, *said: object) -> None:
        self.published = _code(said[3])
        self.done.set()

    def wait(self, limit_s: float) -> bool:
        answered = self.done.wait(limit_s)
        self.done.clear()
        return answered


def _code(reason: object) -> int:
    value = getattr(reason, "value", reason)
    return value if isinstance(value, int) else -1


def _broker(broker: BrokerConfig, probe_topic: str, limit_s: float) -> Iterator[Finding]:
    probe = _Probe(broker)
    try:
        probe.client.connect_timeout = limit_s
        probe.client.connect(broker.host, broker.port, keepalive=30)
        probe.client.loop_start()
        answered = probe.wait(limit_s)
    except (OSError, ValueError) as error:
        yield Finding(
            "bad",
            "broker",
            Text(f"无法连接：{error}", f"cannot be reached: {error}"),
            Text(
                "检查地址、端口、防火墙与证书；消息服务器是否运行：systemctl status mosquitto",
                "look at address, port, firewall and certificates; is it running: "
                "systemctl status mosquitto",
            ),
            broker.url,
        )
        return
    try:
        yield from _judged(probe, broker, probe_topic, limit_s, answered=answered)
    finally:
        probe.client.disconnect()
        probe.client.loop_stop()


def _judged(
    probe: _Probe, broker: BrokerConfig, probe_topic: str, limit_s: float, *, answered: bool
) -> Iterator[Finding]:
    where = broker.url
    if not answered or probe.connected:
        code = probe.connected
        refused = code in NOT_AUTHORISED
        yield Finding(
            "bad",
            "broker",
            Text(
                "拒绝登录：用户名、口令或证书名不被接受" if refused else f"没有接受连接（{code}）",
                "login refused: user, password or name of the certificate"
                if refused
                else f"did not accept the connection ({code})",
            ),
            Text(
                "核对 [mqtt] 的用户或证书 CN 与消息服务器的用户和 acl 文件",
                "compare user or CN of the certificate in [mqtt] with the broker's users and acl",
            ),
            where,
        )
        return
    how = Text("TLS", "TLS") if broker.tls else Text("未加密", "not encrypted")
    yield Finding("ok", "broker", Text(f"已连接，{how.zh}", f"connected, {how.en}"), where=where)
    if not probe_topic:
        return
    probe.client.publish(probe_topic, b"", qos=1)
    if not probe.wait(limit_s):
        told = Text("没有答复试发布", "no answer to a publish on trial")
        yield Finding("warn", "broker", told, NOTHING, f"{where} {probe_topic}")
    elif probe.published in NOT_AUTHORISED:
        yield Finding(
            "note",
            "broker",
            Text(
                "试发布主题未被放行，无法证实发布权限", "the trial topic is not allowed: no proof"
            ),
            Text(
                f"acl 中加一行 topic write {probe_topic}；数据是否送达以“待送数据”一节为准",
                f"add to the acl: topic write {probe_topic}; whether data arrive: see Backlog",
            ),
            f"{where} {probe_topic}",
        )
    else:
        told = Text("允许在本网关名下发布", "may publish below its own name")
        yield Finding("ok", "broker", told, where=f"{where} {probe_topic}")


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
        told = Text(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}")
        todo = Text("请以服务用户或 root 运行", "run as the service's user or root")
        return Finding("note", "stores", told, todo, str(path))
    names = ", ".join(name for name in tables if "." not in name)
    return Finding("ok", "stores", Text(f"数据湖：{names}", f"lake: {names}"), where=str(path))


def _influx(config: InfluxConfig, limit_s: float) -> Finding:
    import urllib3

    where = f"{config.name} {config.url}"
    pool = urllib3.PoolManager(
        timeout=limit_s, retries=False, ca_certs=str(config.ca) if config.ca else None
    )
    try:
        answer = pool.request("GET", f"{config.url.rstrip('/')}/ping")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return Finding(
            "bad",
            "stores",
            Text(f"InfluxDB 没有应答：{error}", f"InfluxDB does not answer: {error}"),
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
        return _silent(where, str(error) or "timeout")
    good, points = _good(readings)
    reasons = sorted({each.reason for each in readings if each.reason})
    if not any(each.answered for each in readings):
        return _silent(where, "; ".join(reasons))
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


def _silent(where: str, reason: str) -> Finding:
    return Finding(
        "bad",
        "devices",
        Text(f"没有应答：{reason}", f"does not answer: {reason}"),
        Text(
            "检查网线、地址、站号；有的设备只接受一个连接（网关正占用时不算故障，见 /metrics）",
            "look at cable, address, unit; some devices take one connection only (then it is "
            "no fault while the gateway has it: see /metrics)",
        ),
        where,
    )
