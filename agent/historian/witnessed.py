"""What the witness knows while it runs: counts, gateways, and the logs of each."""

from dataclasses import dataclass, field
from enum import Enum, auto

from agent.evidence.growth import LogTree
from agent.evidence.heads import HeadStore
from agent.evidence.messages import Message
from agent.evidence.pins import Pins


@dataclass(slots=True)
class WitnessCounts:
    """Since the start; for /metrics."""

    messages: int = 0
    cosigned: int = 0
    same: int = 0
    waiting: int = 0  # heads of batches that had not come yet
    older: int = 0
    forks: int = 0
    unsigned: int = 0  # heads without a signature of the pinned key
    unreadable: int = 0
    keys_refused: int = 0
    failures: int = 0


class Judged(Enum):
    """What became of a head."""

    COSIGNED = auto()
    SAME = auto()
    WAITS = auto()  # for batches
    WANTS = auto()  # hashes of batches that the gateway no longer has
    REFUSED = auto()


@dataclass(slots=True, eq=False)
class WitnessedLog:
    """One log of one gateway."""

    tree: LogTree
    store: HeadStore
    ready: bool = False  # the tree was opened at the known head
    wanted: tuple[tuple[int, int], ...] = ()
    refused: str = ""


@dataclass(slots=True, eq=False)
class Client:
    """One gateway."""

    pins: Pins
    lanes: dict[str, WitnessedLog] = field(default_factory=dict)
    message: Message | None = None  # with heads not yet judged
