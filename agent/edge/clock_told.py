"""What events about clocks say, in Chinese and English."""

from datetime import UTC, datetime, timedelta, timezone

from agent.edge.clock_state import LOCKED_NS, kernel_clock
from agent.wire.events import Retimed
from drivers.language import say

_PLANT_TIME = timezone(timedelta(hours=8))


def plant_time(ns: int) -> str:
    """``2026-11-23 18:00:00`` of plant time (UTC+8)."""
    at = datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone(_PLANT_TIME)
    return f"{at:%Y-%m-%d %H:%M:%S}"


def unsynced_text() -> str:
    """Nobody sets the gateway's clock."""
    return say(
        "网关系统时钟未同步，数据照常保存并标记；请检查 NTP/北斗对时",
        "the gateway's clock is not synchronised; data is kept and flagged: "
        "check NTP or the time receiver",
    )


def here_unsynced() -> str:
    """What an engineer should know of the clock of the machine this runs on; mostly nothing."""
    kernel = kernel_clock()
    if kernel.synced and (kernel.maxerror_ns or 0) <= LOCKED_NS:
        return ""
    return say(
        "提示：本机系统时钟未同步；网关运行前请启用 NTP（chrony）或北斗对时，"
        "否则数据将标记为未对时",
        "note: the clock of this machine is not synchronised; enable NTP (chrony) or a time "
        "receiver before the gateway runs, or its data is flagged as unsynced",
    )


def retimed_text(retimed: Retimed) -> str:
    """Which stamps were wrong, and by how much."""
    shift_s = retimed.shift_ns / 1e9
    start, end = plant_time(retimed.start_ns), plant_time(retimed.end_ns)
    return say(
        f"未对时期间网关时间 {start} 至 {end} 的数据按单调时钟改正 {shift_s:+.1f} 秒，"
        f"原始时间不变（启动 {retimed.boot}）",
        f"data stamped {start} to {end} while the clock was not set is re-timed by "
        f"{shift_s:+.1f} s along the monotonic clock of boot {retimed.boot}; originals stay",
    )


def off_text(device: str, offset_s: float, limit_s: float) -> str:
    """A device's clock is far from the gateway's."""
    return say(
        f"{device}：设备时钟与网关相差 {offset_s:+.1f} 秒，超过 {limit_s:g} 秒",
        f"{device}: its clock is {offset_s:+.1f} s from the gateway's, more than {limit_s:g} s",
    )


def back_text(device: str, size_s: float) -> str:
    """A device's time stamps went back."""
    return say(
        f"{device}：设备时钟倒退 {size_s:.1f} 秒",
        f"{device}: its clock ran back by {size_s:.1f} s",
    )


def frozen_text(device: str, at_ns: int) -> str:
    """A device's time stamps stand still."""
    return say(
        f"{device}：设备时钟停在 {plant_time(at_ns)}，数值仍在变化",
        f"{device}: its clock stands still at {plant_time(at_ns)} while values change",
    )
