"""A stack read from two devices, minutes at a time, and what the gateway made of it."""

import math
from collections.abc import Mapping

from agent.minutes.quality import Judge
from agent.minutes.windows import Minutes
from agent.stacks.settings import StackConfig
from agent.stacks.stacks import Stacks
from agent.wire.events import Event, Happening, Told
from drivers.model import Group, Quality
from tests.agent.points import frame, group, point

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_790_000_000 * SECOND // HOUR * HOUR  # 2026-09-21 22:00 of the plant
NAME = "gtc1/stack1"
GASES = ("so2", "nox", "instrument_state")
DUCT = ("pm", "o2", "velocity", "temperature", "pressure", "humidity")
HOT = {  # the worked vector: 20 mg/m3 wet → 31.8688 dry → 50.3191 at 15 % O2; 332,111.74 Nm3/h
    "so2": 20.0,
    "nox": 10.0,
    "pm": 2.0,
    "o2": 15.824,
    "velocity": 11.2,
    "temperature": 120.0,
    "pressure": -500.0,
    "humidity": 8.0,
    "instrument_state": 0.0,
}
TO_DRY = 31.868792 / 20
LIMIT = {"pollutant": "so2", "hour_mg_m3": 35.0, "from": "2026-01-01", "source": "permit p. 12"}


def config(**more: object) -> StackConfig:
    given: dict[str, object] = {
        "equipment": NAME,
        "area_m2": 12.5,
        "velocity_coefficient": 1.05,
        "ambient_pa": 100_000,
        "wet": True,
        "limits": [LIMIT],
    }
    return StackConfig.model_validate(given | more)


def of(names: tuple[str, ...], device: str, interval_s: float, unit: str = NAME) -> Group:
    points = (point(f"stack.{name}", unit, device=device) for name in names)
    return group(*points, interval_s=interval_s, device=device)


class Bench:
    """Frames of each group through the gateway's own judge and windows."""

    def __init__(
        self, settings: StackConfig | None = None, *groups: Group, interval_s: float = 5.0
    ) -> None:
        usual = of(GASES, "cems", interval_s), of(DUCT, "duct", interval_s)
        self.groups = groups or usual
        self.stacks = Stacks("demo", [settings or config()])
        self.stacks.exchange(self.groups, START)
        self.judges = {each: Judge(each) for each in self.groups}
        self.minutes = {each: Minutes(each) for each in self.groups}
        self.grace = dict.fromkeys(self.groups, 2 * SECOND)
        self.events: list[Event] = []
        self.lines: list[str] = []

    def hear(self, told: Told) -> None:
        self.events += told.events
        self.lines += [line for block in told.lines for line in block.decode().split("\n")]

    def send(self, each: Group, at_ns: int, values: Mapping[str, float]) -> None:
        """One reading of a group; NaN is no data."""
        row = [values[p.quantity.field] for p in each.points]
        codes = [int(Quality.NO_DATA) if math.isnan(v) else 0 for v in row]
        sent = self.judges[each].judge(frame(each, at_ns, row, codes))
        self.stacks.hear(sent)
        for windows in self.minutes[each].add(sent):
            self.hear(self.stacks.take(each, windows))

    def minute(self, number: int, *silent: Group, **other: float) -> None:
        for each in self.groups:
            step = round(each.interval_s * SECOND)
            for k in range(0, MINUTE, step) if each not in silent else ():
                self.send(each, START + number * MINUTE + k, HOT | other)

    def run(self, since: int, count: int, **other: float) -> int:
        for number in range(since, since + count):
            self.minute(number, **other)
        return since + count

    def flush(self, number: int) -> None:
        """The first readings of a minute close the one before."""
        for each in self.groups:
            self.send(each, START + number * MINUTE, HOT)

    def window(self, number: int) -> dict[str, str]:
        """Fields of the derived window of a minute."""
        stamp = f" {START + number * MINUTE}"
        (line,) = [line for line in self.lines if line.endswith(stamp)]
        assert line.startswith("stack_1m,plant=demo,line=gtc1,unit=stack1 ")
        return dict(part.split("=") for part in line.split(" ")[1].split(","))

    def of(self, kind: Happening) -> list[Event]:
        return [event for event in self.events if event.kind is kind]
