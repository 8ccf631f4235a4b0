"""
The broker from here: line and TLS by a handshake, the login by what the service itself says.

The doctor never logs in: with the service's certificate it would take the service's client id, and
the broker would end the running session (``use_username_as_clientid``, config/mosquitto).
"""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterable, Iterator

from agent.doctor.configs import gateway_of, historian_of
from agent.mqtt import BrokerConfig
from drivers.doctor import NOTHING, Finding, Given, Text
from drivers.language import in_both, why
from drivers.tls import refusal_of, told_of_us

ALERT_S = 1.0  # TLS 1.3: what a broker says of our certificate comes after the handshake


def check(given: Given) -> Iterable[Finding]:
    """Of both configs: is the broker there, is it the right one, is the service logged in."""
    gateway, historian = gateway_of(given), historian_of(given)
    if gateway is not None:
        yield _line(gateway.mqtt, given.limit_s)
        yield from _session("smelter-agent", gateway.health.listen, given.limit_s)
    if historian is not None:
        yield _line(historian.mqtt, given.limit_s)
        yield from _session("smelter-historian", historian.health.listen, given.limit_s)


def _line(broker: BrokerConfig, limit_s: float) -> Finding:
    """TCP, and the handshake of TLS with our certificate; not a byte of MQTT."""
    try:
        with contextlib.ExitStack() as stack:
            address = broker.host, broker.port
            line = stack.enter_context(socket.create_connection(address, timeout=limit_s))
            if (context := broker.tls_context()) is not None:
                line = stack.enter_context(context.wrap_socket(line, server_hostname=broker.host))
                _hear(line, min(ALERT_S, limit_s))
    except (OSError, ValueError) as error:
        return _unreachable(broker, error)
    if broker.tls:
        told = Text("可连接，双方证书有效（TLS）", "there, TLS with both certificates accepted")
        if broker.cert is None:
            told = Text("可连接，服务器证书有效（TLS）", "there, its certificate is right (TLS)")
    else:
        told = Text("可连接，未加密", "there, not encrypted")
    return Finding("ok", "broker", told, where=broker.url)


def _hear(line: socket.socket, limit_s: float) -> None:
    """A broker waits for our first word; what comes before is an alert, or the end."""
    line.settimeout(limit_s)
    try:
        if not line.recv(1):
            raise ConnectionResetError
    except TimeoutError:
        return


def _unreachable(broker: BrokerConfig, error: OSError | ValueError) -> Finding:
    address = f"{broker.host}:{broker.port}"

    def reason() -> str:
        if refusal := refusal_of(error, address):
            return str(refusal)
        if isinstance(error, ssl.SSLError) and (ours := told_of_us(error)):
            return ours
        return why(error) if isinstance(error, OSError) else str(error)

    zh, en = in_both(reason)
    return Finding(
        "bad",
        "broker",
        Text(f"无法连接：{zh}", f"cannot be reached: {en}"),
        Text(
            "检查地址、端口、防火墙与证书；消息服务器是否运行：systemctl status mosquitto",
            "look at address, port, firewall and certificates; is it running: "
            "systemctl status mosquitto",
        ),
        broker.url,
    )


def _session(unit: str, listen: str, limit_s: float) -> Iterator[Finding]:
    """What the running service says of its own session."""
    host, _, port = listen.rpartition(":")
    if not listen or port == "0":
        told = Text(
            f"{unit} 未开放 /healthz，登录是否成功不得而知",
            f"{unit} serves no /healthz: whether it is logged in is not known",
        )
        todo = Text("以“待送数据”一节为准", "see what is said of the backlog")
        yield Finding("note", "broker", told, todo)
        return
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - read
    try:
        health, said = _get(host, int(port), "/healthz", limit_s)
        _, metrics = _get(host, int(port), "/metrics", limit_s)
    except (OSError, http.client.HTTPException):
        told = Text(
            f"{unit} 未应答，未登录消息服务器试验（会挤掉正在运行的会话）",
            f"{unit} does not answer; no login was tried: it would end a session that runs",
        )
        todo = Text(
            f"启动后再检查：systemctl start {unit}",
            f"start it, then look again: systemctl start {unit}",
        )
        yield Finding("note", "broker", told, todo, listen)
        return
    if "smelter_broker_up 1" in metrics.splitlines():
        told = Text(f"{unit} 已登录", f"{unit} is logged in")
        yield Finding("ok", "broker", told, where=listen)
    else:
        yield Finding(
            "bad",
            "broker",
            Text(f"{unit} 正在运行，但未登录消息服务器", f"{unit} runs, but is not logged in"),
            Text(
                f"核对 [mqtt] 的用户或证书 CN 与消息服务器的用户和 acl 文件；原因见 "
                f"journalctl -u {unit} -n 50",
                f"compare user or CN of the certificate in [mqtt] with the broker's users and acl; "
                f"the reason: journalctl -u {unit} -n 50",
            ),
            listen,
        )
    remark = said.strip()
    if health != http.client.OK:
        told = Text(f"{unit} 报告异常：{remark}", f"{unit} says: {remark}")
        yield Finding("bad", "broker", told, NOTHING, listen)
    elif remark != "ok":
        yield Finding(
            "note", "broker", Text(f"{unit}：{remark}", f"{unit}: {remark}"), where=listen
        )


def _get(host: str, port: int, path: str, limit_s: float) -> tuple[int, str]:
    asked = http.client.HTTPConnection(host, port, timeout=limit_s)
    try:
        asked.request("GET", path)
        answer = asked.getresponse()
        return answer.status, answer.read(1 << 22).decode("utf-8", "replace")
    finally:
        asked.close()
