"""
Faults of the simulated plant: named, scheduled or switched by hand, applied on purpose.

Line faults hit the answer to a request; value faults change what the device believes.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LINE_FAULTS = {
    "drop": "closes the connection instead of answering",
    "stall": "never answers",
    "late": "answers `amount` seconds late (default 1)",
    "exception": "answers with Modbus exception `amount` (default 4)",
    "short": "answers with one register less than asked, byte count to match",
    "cut": "stops in the middle of the answer",
    "crossed": "answers with the transaction id of another request",
    "foreign": "answers with another unit id",
    "echo": "sends the request back",
    "garbage": "answers with random bytes",
    "split": "sends the answer in two pieces, `amount` seconds apart (default 0.02)",
    "crc": "breaks the checksum (serial framing)",
    "stale": "answers with the previous answer first, then the right one",
}
VALUE_FAULTS = {
    "stuck": "values stop changing",
    "nan": "values become NaN or the device's own code for no value",
    "torn": "second words of 32-bit values come from the tick before",
    "rollover": "counters are moved close to the end of their register",
    "reset": "counters start again from zero",
    "clock_step": "device clock jumps by `amount` seconds (default 3600)",
    "link_lost": "pot controllers' link is lost: zeros with link = 1",
}
LOGGER_FAULTS = {  # of a CEMS logger; `target` is its name, `%` the share of packets
    "modbus_crc": "sends the CRC of Modbus",
    "swapped_crc": "sends the CRC of Modbus, low byte first",
    "lower_crc": "sends the right CRC in small letters",
    "bit_flip": "flips one bit of the data after the CRC was made",
    "short_qn": "sends a QN of 13 digits",
    "water_st": "sends ST=32, surface water",
    "commas": "puts commas between all items",
    "flag_zero": "sends Flag=0",
    "no_flags": "leaves the data flags out",
    "pascal": "sends the pressure in Pa where kPa is due",
    "cut_packet": "sends half a packet and closes the connection",
    "twice": "sends a packet twice",
    "half_open": "neither sends nor reads any more, the connection stays open",
    "burst": "sends everything at once that an outage held back, without RF",
    "wrong_mn": "names itself by another MN",
    "wrong_pw": "sends another password",
    "disorder": "sends a packet after the one that follows it",
    "slow_bytes": "sends byte by byte",
    "deaf": "answers no request",
}
NAMES = LINE_FAULTS | VALUE_FAULTS | LOGGER_FAULTS
_TEXT = re.compile(
    r"(?P<name>[a-z_]+)(?::(?P<target>[^@=%]+))?(?:@(?P<start>[\d.]+))?(?:\+(?P<length>[\d.]+))?"
    r"(?:%(?P<share>[\d.]+))?(?:=(?P<amount>-?[\d.]+))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault: ``target`` is a device name, an equipment, or ``*`` for all.

    It holds from ``start_s`` to ``end_s`` after the plant began to serve; ``share`` is the part of
    requests that a line fault hits.
    """

    name: str
    target: str = "*"
    start_s: float = 0.0
    end_s: float = float("inf")
    share: float = 1.0
    amount: float | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"unknown fault {self.name!r}; known: {', '.join(NAMES)}")
        if not 0 < self.share <= 1:
            raise ValueError(f"fault {self.name}: share {self.share} is not in 0 … 1")

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """From ``NAME[:TARGET][@START][+SECONDS][%PERCENT][=AMOUNT]``."""
        found = _TEXT.fullmatch(text.strip())
        if not found:
            raise ValueError(
                f"fault {text!r}: write NAME[:TARGET][@START][+SECONDS][%PERCENT][=AMOUNT], "
                "e.g. late:cems@30+60=0.8"
            )
        start = float(found["start"] or 0)
        return cls(
            name=found["name"],
            target=found["target"] or "*",
            start_s=start,
            end_s=start + float(found["length"]) if found["length"] else float("inf"),
            share=float(found["share"]) / 100 if found["share"] else 1.0,
            amount=float(found["amount"]) if found["amount"] else None,
        )


class Faults:
    """The faults of one plant, and how often each was applied."""

    def __init__(
        self,
        plan: Iterable[Fault] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = list(plan)
        self._random = random.Random(seed)
        self._clock = clock
        self._begin = clock()
        self.applied: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        self._plan.append(fault)

    def remove(self, name: str, target: str = "*") -> None:
        """Ends all faults of that name; ``*`` means for every target."""
        self._plan = [
            fault
            for fault in self._plan
            if fault.name != name or (target not in {"*", fault.target})
        ]

    def any(self) -> bool:
        """True when any fault is planned."""
        return bool(self._plan)

    def active(self, name: str, *targets: str) -> Fault | None:
        """The fault of that name that holds now for one of the targets."""
        if not self._plan:
            return None
        now = self._clock() - self._begin
        for fault in self._plan:
            if fault.name == name and _holds(fault, now, targets):
                return fault
        return None

    def of_request(self, *targets: str) -> Fault | None:
        """The line fault that hits this request; draws for faults with a share."""
        if not self._plan:
            return None
        now = self._clock() - self._begin
        for fault in self._plan:
            if (
                fault.name in LINE_FAULTS
                and _holds(fault, now, targets)
                and (fault.share >= 1 or self._random.random() < fault.share)
            ):
                self.applied[fault.name] += 1
                return fault
        return None

    def hits(self, name: str, *targets: str) -> bool:
        """True when the fault of that name holds and, by its share, hits this time; counted."""
        fault = self.active(name, *targets)
        if fault is None or (fault.share < 1 and self._random.random() >= fault.share):
            return False
        self.applied[name] += 1
        return True

    def below(self, most: int) -> int:
        """A seeded whole number from 0 to ``most - 1``, for faults that must choose a place."""
        return self._random.randrange(most)

    def noise(self, count: int) -> bytes:
        """Random bytes for the garbage fault; seeded."""
        return self._random.randbytes(count)


def _holds(fault: Fault, now_s: float, targets: tuple[str, ...]) -> bool:
    return fault.start_s <= now_s < fault.end_s and (fault.target == "*" or fault.target in targets)
