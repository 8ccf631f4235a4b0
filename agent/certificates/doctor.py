"""`smelter doctor`: how long certificates are good, and connections that anybody can read."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.certificates.named import named_in
from agent.certificates.watch import State, Watched, look
from agent.mistakes import read_toml
from drivers.doctor import NOTHING, Finding, Given, Level, Text
from drivers.model import ConfigError
from drivers.tls import loopback

TOPIC = "certificates"
_LEVELS: dict[State, Level] = {"good": "ok", "soon": "warn", "over": "bad", "unreadable": "note"}
_WEAK = {"none", "Basic256", "Basic128Rsa15"}
_ACT = Text(
    "更新：smelter agent certificates renew（docs/certificates.zh-CN.md）；"
    "机构证书或吊销列表请从证书机构重新取得",
    "renew: smelter agent certificates renew (docs/certificates.md); an authority's certificate or "
    "revocation list comes from the authority",
)


def check(given: Given) -> Iterable[Finding]:
    """Each certificate and revocation list that a config names, then what is not encrypted."""
    for path in (given.gateway, given.historian):
        if path is None:
            continue
        try:
            files, parsed = named_in(path).files, read_toml(path)[0]
        except ConfigError:
            continue  # told by the check of configs
        now = dt.datetime.fromtimestamp(given.now_ns / 1e9, dt.UTC)
        yield from (_finding(each, now) for each in look(files))
        yield from _open(parsed, path)


def _finding(each: Watched, now: dt.datetime) -> Finding:
    days, state = each.days_left(now), each.state(now)
    if days is None:
        what = Text(f"无法读取：{each.trouble}", f"cannot be read: {each.trouble}")
        return Finding("note", TOPIC, what, where=f"{each.name}: {each.path}")
    until = f"{each.until:%Y-%m-%d}"
    what = Text(
        f"{each.subject}：有效期至 {until}，剩余 {days} 天",
        f"{each.subject}: until {until}, {days} days left",
    )
    if days < 0:
        what = Text(f"{each.subject}：已于 {until} 过期", f"{each.subject}: expired on {until}")
    act = NOTHING if state == "good" else _ACT
    return Finding(_LEVELS[state], TOPIC, what, act, f"{each.name}: {each.path}")


def _open(parsed: dict[str, Any], path: Path) -> Iterable[Finding]:
    """What another on the same network could read."""
    url = urlsplit(str((parsed.get("mqtt") or {}).get("url", "")))
    if url.scheme == "mqtt" and not loopback(url.hostname):
        yield Finding(
            "warn",
            TOPIC,
            Text("到消息服务器的连接未加密", "the connection to the broker is not encrypted"),
            Text(
                '改用 url = "mqtts://…:8883" 和证书', 'use url = "mqtts://…:8883" and certificates'
            ),
            f"{path.name}: mqtt.url",
        )
    for table in parsed.get("device", []):
        if isinstance(table, dict) and table.get("security") in _WEAK:
            yield Finding(
                "warn",
                TOPIC,
                Text(
                    f'OPC UA 安全策略为 "{table["security"]}"',
                    f'the OPC UA security policy is "{table["security"]}"',
                ),
                Text(
                    "若服务器支持，请改用 Basic256Sha256 或更强",
                    "use Basic256Sha256 or better if the server has it",
                ),
                f"{path.name}: device {table.get('name', '')}",
            )
