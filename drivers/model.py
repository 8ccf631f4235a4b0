"""
The words every room shares: Quality, Unit, Kind, Equipment, Point, Frame and the driver errors.

Values are frozen and refuse bad input when they are made; nothing downstream checks again.
Times are integers: nanoseconds since 1970-01-01 UTC (``_ns``). Values are float64 in the unit of
the quantity; a value that is not there is NaN *and* carries a Quality that says why.
"""

import re
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from drivers.language import say

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

Mode = Literal["poll", "subscribe", "report"]  # report: a device sums up by itself (Summary)


class Quality(IntEnum):
    """Good, or why not. The lower-case name is what travels on the wire (``voltage_q="stuck"``)."""

    GOOD = 0
    NO_DATA = 1  # nothing came: connection lost, no answer in time, broken reply
    REFUSED = 2  # the device answered, but refused this point (Modbus exception, bad node)
    NOT_AVAILABLE = 3  # the device's own code for "no value", or NaN
    UNDECODABLE = 4  # bytes that are no value of the declared type (BCD nibble > 9, int > 2**53)
    OVERLOAD = 5  # the poll was due, but the device or this gateway could not keep up
    OUT_OF_RANGE = 6
    STUCK = 7
    JUMP = 8  # changed faster than the point can
    DEVICE_FAULT = 9
    CALIBRATION = 10
    MAINTENANCE = 11
    UNCERTAIN = 12  # OPC UA "uncertain"
    SUBSTITUTED = 13
    IMPORTED = 14
    STOPPED = 15  # the source stood still, says the instrument (HJ 212 flag F)
    SET_BY_HAND = 16  # a person typed it into the instrument (HJ 212 flag S)

    @property
    def has_value(self) -> bool:
        """True when a value travels with it, though it must not be used as good."""
        return self is Quality.GOOD or self >= Quality.OUT_OF_RANGE

    @property
    def wire(self) -> str:
        return self.name.lower()


class Kind(StrEnum):
    """How a quantity behaves in time, and so how a minute of it is summarised."""

    GAUGE = "gauge"  # time-weighted mean, min, max, last
    COUNTER = "counter"  # increment and last
    STATE = "state"  # a number standing for a state; mean of a 0/1 flag is its share of the time


class Unit(StrEnum):
    """The closed list of units. A quantity has exactly one; point tables scale into it."""

    ONE = "1"
    PERCENT = "%"
    VOLT = "V"
    MILLIVOLT = "mV"
    VOLT_SECOND = "V.s"
    KILOAMPERE = "kA"
    AMPERE = "A"
    MICRO_OHM = "uOhm"
    MICRO_OHM_PER_HOUR = "uOhm/h"
    KILOWATT = "kW"
    KILOWATT_PER_KELVIN = "kW/K"
    KILOWATT_HOUR = "kWh"
    KILOVAR = "kvar"
    KILOVAR_HOUR = "kvarh"
    MEGAJOULE = "MJ"
    GIGAJOULE = "GJ"
    CELSIUS = "degC"
    PASCAL = "Pa"
    KILOPASCAL = "kPa"
    METRE_PER_SECOND = "m/s"
    CUBIC_METRE = "m3"
    CUBIC_METRE_PER_HOUR = "m3/h"
    NORMAL_CUBIC_METRE = "Nm3"
    NORMAL_CUBIC_METRE_PER_HOUR = "Nm3/h"
    MILLIGRAM_PER_CUBIC_METRE = "mg/m3"
    KILOGRAM = "kg"
    KILOGRAM_PER_HOUR = "kg/h"
    KILOGRAM_PER_SECOND = "kg/s"
    TONNE = "t"
    CENTIMETRE = "cm"
    SECOND = "s"
    HERTZ = "Hz"
    BYTE = "B"


class DataClass(StrEnum):
    """Class of industrial data (一般 / 重要 / 核心) that decides storage, access and export."""

    GENERAL = "general"
    IMPORTANT = "important"
    CORE = "core"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An entry of ``quantities.toml``: ``pot.voltage`` is field ``voltage`` of ``pot``."""

    name: str
    unit: Unit
    kind: Kind
    zh: str
    en: str
    low: float  # plausible range in `unit`; outside it a value is OUT_OF_RANGE
    high: float
    data_class: DataClass

    @property
    def measurement(self) -> str:
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        return self.name.partition(".")[2]


_PART = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True, order=True)
class Equipment:
    """
    One thing in the plant, always ``area/unit``: ``line1/pot007``, ``line1/ac1``, ``gtc1/stack1``.

    Raises ValueError for anything else, so that no name ever needs escaping on the wire.
    """

    line: str
    unit: str

    def __post_init__(self) -> None:
        for part in (self.line, self.unit):
            if not _PART.fullmatch(part):
                name = str(self) if self.unit else self.line
                raise ValueError(
                    say(
                        f"{name}：请写成 区域/设备，只用字母、数字、'_' 和 '-'，各以字母开头，"
                        "例如 line1/pot007",
                        f"equipment {name}: write area/unit with letters, digits, '_' and '-' "
                        "only, a letter first in each, e.g. line1/pot007",
                    )
                )

    @classmethod
    def parse(cls, text: str) -> "Equipment":
        line, _, unit = text.strip().partition("/")
        return cls(line, unit)

    def __str__(self) -> str:
        return f"{self.line}/{self.unit}"


@dataclass(frozen=True, slots=True)
class Point:
    """
    What to read: one quantity of one piece of equipment, at an address of a device.

    ``address``, ``type`` and ``order`` are the driver's words (``drivers/points.py``). The value
    is ``raw * scale + offset`` in the unit of the quantity. ``not_available`` are raw codes by
    which the device says "no value". ``counter_modulus`` and ``counter_max_per_s`` let a rollover
    be told from a reset; ``original`` makes the raw registers travel beside the value.
    """

    equipment: Equipment
    quantity: Quantity
    device: str
    address: str
    type: str
    order: str = "ABCD"
    scale: float = 1.0
    offset: float = 0.0
    interval_s: float = 1.0
    low: float = float("-inf")
    high: float = float("inf")
    not_available: tuple[float, ...] = ()
    counter_modulus: float = 0.0  # in the unit of the quantity; 0 = never rolls over
    counter_max_per_s: float = float("inf")
    stuck_after_s: float = 0.0  # 0 = never called stuck
    deadband: float = 0.0  # raw stream only; windows always see every sample
    original: bool = False
    mode: Mode = "poll"
    where: str = ""  # file:line, for messages

    @property
    def id(self) -> str:
        """Plant-wide unique: ``line1/pot007 pot.voltage``."""
        return f"{self.equipment} {self.quantity.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Points of a device read together, at one interval, in one mode. A driver compiles it once."""

    device: str
    interval_s: float
    points: tuple[Point, ...]

    @property
    def mode(self) -> Mode:
        return self.points[0].mode if self.points else "poll"


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """
    What a device itself made of a period: entry ``k`` belongs to ``group.points[index[k]]``.

    ``low`` and ``high`` are NaN where it gave none; ``values`` is the mean, of a counter the
    increment. ``late``: it was not sent when it fell due but after a gap.
    """

    start_ns: int
    period_s: int
    index: Indices
    values: Floats
    low: Floats
    high: Floats
    quality: Codes
    words: dict[int, bytes] = field(default_factory=dict)  # position in the group -> text as sent
    late: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a driver noticed that people must see: becomes an event of that kind."""

    kind: str  # a kind of agent/wire/events.py: conflict, cems_gap, bad_frame …
    start_ns: int
    text: str
    end_ns: int | None = None
    amount: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """
    What one poll of one group brought: arrays, never an object per sample.

    Dense (polls): ``index`` is None, ``values[i]`` belongs to ``group.points[i]`` at ``slot_ns``.
    Sparse (subscriptions): sample ``k`` belongs to ``group.points[index[k]]`` at ``times_ns[k]``; a
    point may have no or several samples, each later than the one before; a point without one is
    still what it was, up to ``complete_ns``. ``values`` is NaN wherever the quality has no value.
    """

    group: Group
    slot_ns: int  # the instant the poll was due, UTC; the time stamp on the wire
    read_ns: int  # gateway wall clock when the answer was complete
    values: Floats
    quality: Codes
    index: Indices | None = None
    times_ns: Indices | None = None  # time of each sample on the wire (sparse frames)
    device_ns: Indices | None = None  # device's own time of each sample; 0: it gave none
    complete_ns: int = 0  # sparse: no sample older than this will follow (0: use slot_ns)
    lost: int = 0  # changes the server lost since the last frame, at least (sparse)
    words: dict[int, bytes] = field(default_factory=dict)  # raw registers of `original` points
    texts: dict[int, str] = field(default_factory=dict)  # values of ASCII points
    reason: str = ""  # why the frame is not complete, in words: "timeout after 0.5 s"
    summaries: tuple[Summary, ...] = ()  # groups of mode "report" only
    remarks: tuple[Remark, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)  # of anything odd, since the last frame

    @classmethod
    def missing(
        cls, group: Group, slot_ns: int, read_ns: int, quality: Quality, reason: str
    ) -> "Frame":
        """A frame in which no point has a value, and why."""
        n = len(group.points)
        return cls(
            group=group,
            slot_ns=slot_ns,
            read_ns=read_ns,
            values=np.full(n, np.nan),
            quality=np.full(n, quality, dtype=np.uint8),
            reason=reason,
        )


class DriverError(Exception):
    """The device as a whole could not be used. Subclasses answer "what do I do now?"."""


class UnreachableError(DriverError):
    """Nobody answers: check cable, address, port, power. Retried with back-off."""


class NonsenseError(DriverError):
    """An answer that breaks the protocol; the session is dropped. Carries the bytes received."""

    def __init__(self, message: str, received: bytes = b"") -> None:
        super().__init__(message)
        self.received = received


class RefusedError(DriverError):
    """The device understood and said no (rights, certificate, policy): a person must act."""


class ConfigError(Exception):
    """Everything that is wrong with what a person wrote, all at once; one line per mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Driver(Protocol):
    """
    How the poller asks the devices of one line (one connection or one serial bus).

    Made from ``(tuple[DeviceConfig, ...], tuple[Group, ...])``; ``group.device`` names the device.

    * Entering and leaving are cheap and never touch the network: a driver connects when ``read``
      needs it and reconnects by itself on the next ``read`` after it dropped a session.
    * ``read`` is called by one task, never concurrently for one line, once per slot of a group.
      It returns a Frame with every point of the group (polls) or all samples since the last call
      (subscriptions). It raises DriverError only when the *device* could not be asked at all; the
      session is then already dropped. A point that failed is a quality, never an exception.
    * It never waits longer than the device's ``timeout_s`` per request and never retries: pace,
      back-off and counting belong to the poller.
    """

    async def __aenter__(self) -> Self: ...

    async def read(self, group: Group, slot_ns: int) -> Frame: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
