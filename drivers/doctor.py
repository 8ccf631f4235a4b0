"""
``smelter doctor``: what a room finds out about an installation, and running all such checks.

A check is a function ``(Given) -> Iterable[Finding]``, registered under the entry-point group
``smelter.doctor``. It looks only: it never writes to a device nor to data, takes no lock for
writing, and works where half of the installation is on another machine. What it cannot see from
here (no config given, no right to read) is a ``note``, never ``bad``. A check that raises is told
as a finding of its own, so one fault never hides the rest.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from drivers.language import language
from drivers.model import ConfigError

GROUP = "smelter.doctor"

Level = Literal["ok", "note", "warn", "bad"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence in both languages: a finding is also sent to a machine, in both."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh if language() == "zh" else self.en


NOTHING = Text("", "")

# In the order in which they are told; another topic comes after these under its own name.
TOPICS = {
    "program": Text("程序", "Program"),
    "config": Text("配置", "Configuration"),
    "clock": Text("时钟", "Clock"),
    "disk": Text("磁盘", "Disk"),
    "permissions": Text("权限", "Permissions"),
    "certificates": Text("证书", "Certificates"),
    "broker": Text("消息服务器", "Broker"),
    "historian": Text("历史库", "Historian"),
    "stores": Text("数据存储", "Stores"),
    "devices": Text("设备", "Devices"),
    "backlog": Text("待送数据", "Backlog"),
    "log": Text("批次日志", "Batch log"),
    "evidence": Text("证据链", "Evidence"),
    "audit": Text("审计日志", "Audit log"),
    "retention": Text("数据分类", "Data classes"),
    "site": Text("企业配置", "Site file"),
    "entries": Text("人工录入", "Entries"),
    "console": Text("网页控制台", "Console"),
    "rules": Text("法规参数", "Rules"),
    "duties": Text("履约日历", "Duties"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it stands, and what to do where it should stand otherwise."""

    level: Level
    topic: str  # a key of TOPICS
    what: Text
    what_to_do: Text = NOTHING
    where: str = ""  # file, address, device

    def as_json(self) -> dict[str, object]:
        return {
            "level": self.level,
            "topic": self.topic,
            "where": self.where,
            "what": {"zh": self.what.zh, "en": self.what.en},
            "what_to_do": {"zh": self.what_to_do.zh, "en": self.what_to_do.en},
        }


@dataclass(frozen=True, slots=True)
class Given:
    """What the person named; a check looks only at configs that are not None."""

    gateway: Path | None = None  # gateway.toml
    historian: Path | None = None  # historian.toml
    site: Path | None = None  # site.toml
    devices: bool = True  # may devices be asked, once, reading only?
    limit_s: float = 5.0  # for each answer over the network
    now_ns: int = field(default_factory=time.time_ns)


Check = Callable[[Given], Iterable[Finding]]


def checks() -> dict[str, Check]:
    """All checks that are installed, by name. A room that is not installed has none."""
    found: dict[str, Check] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            found[entry.name] = entry.load()
        except ImportError as error:  # a gateway is installed without what reports need
            found[entry.name] = _absent(entry.name, error.name or str(error))
    return found


def _absent(name: str, library: str) -> Check:
    def say_so(_given: Given) -> Iterable[Finding]:
        yield Finding(
            "note",
            "program",
            Text(
                f"检查项 {name} 未执行：本机未安装 {library}",
                f"check {name} was not made: {library} is not installed here",
            ),
        )

    return say_so


def examine(given: Given, made: dict[str, Check] | None = None) -> list[Finding]:
    """Every finding, in the order of TOPICS and, within one, as its checks told it."""
    findings: list[Finding] = []
    for name, check in (checks() if made is None else made).items():
        try:
            findings += check(given)
        except ConfigError as error:
            findings += (_mistake(problem) for problem in error.problems)
        except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
            findings.append(_failed(name, error))
    order = {topic: at for at, topic in enumerate(TOPICS)}
    once = {(each.level, each.topic, each.what, each.where): each for each in findings}
    return sorted(once.values(), key=lambda each: order.get(each.topic, len(order)))


def _mistake(problem: str) -> Finding:
    return Finding(
        "bad", "config", Text(problem, problem), Text("请改正后重新检查", "mend it, then run again")
    )


def _failed(name: str, error: Exception) -> Finding:
    reason = f"{type(error).__name__}: {error}"
    return Finding(
        "bad",
        "program",
        Text(f"检查项 {name} 自身出错：{reason}", f"the check {name} itself failed: {reason}"),
        Text("请连同此信息报告", "report it with this text"),
    )


def worst(findings: Iterable[Finding]) -> Level:
    """``ok`` when there is none."""
    return max((each.level for each in findings), key=LEVELS.index, default="ok")
