"""The line from each gateway to the store as one picture: what is well, what is not, since when."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

from drivers.language import say
from reports.console.live import Snapshot
from reports.console.web import when

LATE_S: Final = 90.0  # a gateway closes a batch each few seconds
MANY: Final = 60  # batches waiting: then the gateway itself speaks of a backlog
VIEW_LATE_S: Final = 180.0
BADNESS: Final = ("good", "unknown", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Part:
    """One box of the picture: a state, its word, and what is to be known of it."""

    name: str
    state: str  # good, warn, bad, unknown
    word: str
    facts: tuple[str, ...] = ()


@dataclass(slots=True)
class Way:
    """One gateway with its devices."""

    gateway: Part
    devices: list[Part] = field(default_factory=list)
    well: int = 0  # devices with nothing to tell
    import_: bool = False


@dataclass(slots=True)
class Line:
    """From left to right; ``troubles``: every part that is not well, in words."""

    ways: list[Way]
    broker: Part
    historian: Part
    views: list[Part]
    state: str
    word: str
    troubles: list[str]


def picture(known: Snapshot, trouble: str) -> Line:
    """Of what the historian said last; ``trouble``: why it says nothing."""
    if not known.reachable:
        return _dark(known, trouble)
    ways = [_way(each, known) for each in known.gateways]
    historian = Part(say("历史库", "historian"), "good", say("接收正常", "receiving"))
    broker = (
        Part(say("消息代理", "broker"), "good", say("已连接", "connected"))
        if known.broker_up
        else Part(
            say("消息代理", "broker"),
            "bad",
            say("历史库连不上消息代理", "the historian cannot reach it"),
            (say("数据暂存在网关，恢复后补传", "gateways keep the data and send it later"),),
        )
    )
    views = [_view(each) for each in known.views]
    if not ways:
        broker = Part(broker.name, broker.state, broker.word, (say("没有网关", "no gateway yet"),))
    parts = [broker, historian, *views]
    parts += [part for way in ways if not way.import_ for part in (way.gateway, *way.devices)]
    return _whole(ways, broker, historian, views, parts)


def _whole(
    ways: list[Way], broker: Part, historian: Part, views: list[Part], parts: list[Part]
) -> Line:
    worst = max((part.state for part in parts), key=BADNESS.index, default="unknown")
    wrong = [part for part in parts if part.state in {"bad", "warn"}]
    troubles = [
        f"{part.name}{say('：', ': ')}{say('，', ', ').join([part.word, *part.facts])}"
        for part in wrong
    ]
    if not any(not way.import_ for way in ways):
        worst, word = "unknown", say("还没有网关的数据", "no gateway has sent anything yet")
    elif wrong:
        word = say(f"{len(wrong)} 处异常", f"{len(wrong)} in trouble")
    elif worst == "unknown":
        word = say("部分状态未知", "some of it is not known")
    else:
        word = say("全线正常", "all is well")
    return Line(ways, broker, historian, views, worst, word, troubles)


def _dark(known: Snapshot, trouble: str) -> Line:
    """Nothing is known but that the historian does not answer."""
    unknown = say("未知", "not known")
    word = say("没有应答", "does not answer") if trouble else say("正在连接…", "connecting …")
    state = "bad" if trouble else "unknown"
    facts = (_since(known.since_s),) if trouble and known.since_s else ()
    historian = Part(say("历史库", "historian"), state, word, facts)
    ways = [
        Way(Part(each["name"], "unknown", unknown), import_=not each["devices"])
        for each in known.gateways
    ]
    views = [Part(_view_name(each["name"]), "unknown", unknown) for each in known.views]
    broker = Part(say("消息代理", "broker"), "unknown", unknown)
    said = trouble or say("正在连接历史库…", "connecting to the historian …")
    return Line(ways, broker, historian, views, state, word, [said] if trouble else [])


def _since(at_s: float | None) -> str:
    return "" if at_s is None else say(f"自 {when(at_s)} 起", f"since {when(at_s)}")


def _way(gateway: dict[str, Any], known: Snapshot) -> Way:
    devices = [_device(each) for each in gateway["devices"]]
    shown = [part for part in devices if part.state != "good"]
    streams = gateway["streams"]
    import_ = "raw" not in streams and not devices
    return Way(
        _import(gateway) if import_ else _gateway(gateway, known),
        shown,
        len(devices) - len(shown),
        import_,
    )


def _import(gateway: dict[str, Any]) -> Part:
    """A run of ``smelter import``: it comes and goes."""
    word = (
        say("正在导入", "importing now")
        if gateway["online"]
        else say("导入已结束", "import is over")
    )
    return Part(gateway["name"], "good", word)


def _gateway(gateway: dict[str, Any], known: Snapshot) -> Part:
    name, since_ms = gateway["name"], gateway["since_ms"]
    since_s = None if since_ms is None else since_ms / 1000
    streams = gateway["streams"].values()
    newest = max((each["closed_ms"] or 0 for each in streams), default=0) / 1000
    lag_s = time.time() + known.ahead_s - newest if newest else None
    waiting = sum(each["waiting"] or 0 for each in streams)
    facts = []
    if waiting > MANY:
        facts.append(say(f"{waiting} 批待补传", f"{waiting} batches wait to be sent"))
    if gateway["online"] is False:
        last = say(f"最后数据 {when(newest)}", f"last data {when(newest)}") if newest else ""
        return Part(name, "bad", say("离线", "offline"), _facts(_since(since_s), last, *facts))
    if lag_s is not None and lag_s > LATE_S:
        last = say(f"最后数据 {when(newest)}", f"last data {when(newest)}")
        return Part(name, "bad", say("没有新数据", "nothing new comes"), _facts(last, *facts))
    if waiting > MANY:
        return Part(name, "warn", say("正在补传", "catching up"), _facts(*facts))
    if gateway["online"] is None:
        return Part(name, "unknown", say("状态未知", "state not known"), _facts(*facts))
    return Part(name, "good", say("在线", "online"), _facts(_since(since_s)))


def _facts(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _device(device: dict[str, Any]) -> Part:
    since = _since(device["since_ms"] / 1000)
    reason = str(device["reason"])
    if device["up"] is None:
        return Part(device["name"], "unknown", say("收不到数据", "not heard"), _facts(since))
    if not device["up"]:
        return Part(device["name"], "bad", say("无应答", "no answer"), _facts(since, reason))
    if device["bad"]:
        bad, points = device["bad"], device["points"]
        word = say(f"{bad}/{points} 个点无效", f"{bad} of {points} points are not good")
        return Part(device["name"], "warn", word, _facts(reason))
    return Part(device["name"], "good", say("正常", "well"))


def _view_name(name: str) -> str:
    return say("数据湖", "data lake") if name == "lake" else name


def _view(view: dict[str, Any]) -> Part:
    name, lag_s, behind = _view_name(view["name"]), view["lag_s"], view["behind"]
    late = lag_s is not None and lag_s > VIEW_LATE_S
    facts = _facts(say(f"落后 {behind} 批", f"{behind} batches behind") if behind > MANY else "")
    if view["trouble"]:
        word = say("写入失败，正在重试", "cannot be written, trying again")
        return Part(name, "bad", word, _facts(str(view["trouble"]), *facts))
    if late:
        word = say("写入停滞", "stands still")
        return Part(name, "warn", word, _facts(_since(time.time() - float(lag_s)), *facts))
    if behind > 10 * MANY:
        return Part(name, "warn", say("正在追赶", "catching up"), facts)
    return Part(name, "good", say("正常", "well"), facts)
