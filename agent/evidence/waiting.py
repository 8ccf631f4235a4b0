"""How long batches that are safe at the historian have been without a cosignature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

LATE_S = 600.0  # checkpoints are signed each minute: ten of them went unanswered
LOOK_S = 15.0


class Turn(Enum):
    """What a look found that people should know."""

    LATE = auto()
    AGAIN = auto()  # cosignatures come again


@dataclass(slots=True)
class _Lane:
    cosigned: int
    wanted: int
    since_s: float | None  # batches wait for a cosignature since then
    grew_s: float  # when the newest of them came


@dataclass(slots=True)
class CosignatureWatch:
    """
    Of the logs of one gateway; ``late_s`` without progress while batches go on is a stall.

    Where no batches come either, the link is the trouble, and others tell of it.
    """

    late_s: float = LATE_S
    age_s: float = 0.0
    late: bool = False
    _lanes: dict[str, _Lane] = field(default_factory=dict)

    def look(self, sizes: Mapping[str, tuple[int, int]], now_s: float) -> Turn | None:
        """
        By log: the newest batch that should be under a cosigned head, and the one that is.

        ``now_s`` is of a monotonic clock.
        """
        self._lanes = {name: lane for name, lane in self._lanes.items() if name in sizes}
        ages = [self._age(name, *pair, now_s) for name, pair in sizes.items()]
        self.age_s = max((age for age, _ in ages), default=0.0)
        stalled = any(stuck for _, stuck in ages)
        if stalled and not self.late:
            self.late = True
            return Turn.LATE
        if self.late and self.age_s < self.late_s:
            self.late = False
            return Turn.AGAIN
        return None

    def _age(self, name: str, wanted: int, cosigned: int, now_s: float) -> tuple[float, bool]:
        lane = self._lanes.setdefault(name, _Lane(cosigned, wanted, None, now_s))
        if wanted > lane.wanted:
            lane.wanted, lane.grew_s = wanted, now_s
        if wanted <= cosigned:
            lane.since_s = None
        elif lane.since_s is None or cosigned > lane.cosigned:
            lane.since_s = now_s
        lane.cosigned = cosigned
        age_s = 0.0 if lane.since_s is None else now_s - lane.since_s
        return age_s, age_s >= self.late_s and now_s - lane.grew_s < self.late_s


def gateway_text(age_s: float) -> str:
    """What the gateway's people should do; events are read in either language."""
    minutes = age_s / 60
    return (
        f"历史库已 {minutes:.0f} 分钟未会签检查点，而批次仍在确认：数据不受影响，但暂无第三方佐证；"
        "请查看历史库 /healthz 和 smelter historian checkpoints（密钥、磁盘、是否拒绝） / "
        f"no cosignature of the historian for {minutes:.0f} minutes while batches are receipted: "
        "no data is lost, but nobody vouches for it; look at the historian's /healthz and at "
        "smelter historian checkpoints (keys, disk, refusals)"
    )


def historian_text(gateway: str, age_s: float, wrong: str) -> str:
    """The same at the historian; ``wrong`` is what stops it, where it knows."""
    minutes = age_s / 60
    zh, en = (f"（{wrong}）", f" ({wrong})") if wrong else ("", "")
    return (
        f"{gateway}：已 {minutes:.0f} 分钟没有可会签的检查点{zh}，而批次仍在到达；"
        "请查看该网关 /healthz、其密钥，及 smelter historian checkpoints / "
        f"{gateway}: nothing of it was cosigned for {minutes:.0f} minutes{en} while its batches "
        "come; look at the gateway's /healthz, its keys, and smelter historian checkpoints"
    )


def again_text(gateway: str) -> str:
    """It is over."""
    return f"{gateway}：会签已恢复 / {gateway}: cosignatures come again"
