"""
The register maps of the simulated devices: what lies where, and the point tables that say so.

Each line PLC speaks another dialect (type, word order, area), as the devices of real plants do.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.model import Kind
from drivers.quantities import quantities
from simulators.plant import POT_FIELDS, Plant, Section
from simulators.registers import WIDTHS, Bank

URN = "urn:smelter:simulator"
COUNTER_FIELDS = ("feed_shots", "anode_effect_count")
STATE_FIELDS = ("feed_state", "mode")
FLAG_FIELDS = ("anode_effect", "link")
PER_PLC = 36
HEADER = (
    "equipment",
    "quantity",
    "address",
    "type",
    "stride",
    "order",
    "scale",
    "unit",
    "interval_s",
    "not_available",
    "counter_modulus",
    "counter_max_per_s",
    "original",
    "note",
)
_SCALES = {  # of 16-bit PLCs: one count is this much in the unit of the quantity
    "voltage": 0.001,
    "set_voltage": 0.001,
    "target_voltage": 0.001,
    "resistance": 0.001,
    "noise_lf": 0.1,
    "noise_hf": 0.1,
    "bath_temperature": 0.1,
    "metal_level": 0.1,
    "bath_level": 0.1,
    "alf3_excess": 0.01,
    "feed_interval": 0.1,
    "anode_position": 0.01,
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one make of PLC lays out its numbers."""

    area: str
    gauge: str  # float32, or int16 with scale
    order: str
    flags: str  # bits of a status "word", or the area "discrete" or "coil"


DIALECTS = (
    Dialect("holding", "float32", "ABCD", "word"),
    Dialect("input", "float32", "CDAB", "discrete"),
    Dialect("holding", "int16", "ABCD", "coil"),
    Dialect("holding", "float32", "DCBA", "word"),
    Dialect("input", "float32", "BADC", "word"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One row of a point table: a quantity of one or of many like pieces of equipment."""

    equipment: str  # may end in {001..036}
    quantity: str
    area: str
    address: int
    type: str
    order: str = "ABCD"
    scale: float = 1.0
    stride: int = 0
    bit: int | None = None
    interval_s: float | None = None
    max_per_s: float = 0.0
    original: bool = False
    first: int = 0  # pots: index of the first, and how many
    count: int = 1
    note: str = ""

    @property
    def modulus(self) -> float:
        counter = quantities()[self.quantity].kind is Kind.COUNTER
        return 2.0 ** (16 * WIDTHS[self.type]) * self.scale if counter else 0.0

    def row(self) -> dict[str, str]:
        """As it stands in the CSV."""
        bit = "" if self.bit is None else f".{self.bit}"
        return {
            "equipment": self.equipment,
            "quantity": self.quantity,
            "address": f"{self.area}:{self.address}{bit}",
            "type": self.type,
            "stride": str(self.stride or ""),
            "order": "" if WIDTHS[self.type] < 2 else self.order,
            "scale": "" if self.scale == 1 else f"{self.scale:g}",
            "unit": quantities()[self.quantity].unit.value,
            "interval_s": "" if self.interval_s is None else f"{self.interval_s:g}",
            "not_available": "-32768" if self.type == "int16" else "",
            "counter_modulus": f"{self.modulus:.12g}" if self.modulus else "",
            "counter_max_per_s": f"{self.max_per_s:.6g}" if self.max_per_s else "",
            "original": "yes" if self.original else "",
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the plant: its columns, and how the gateway reaches it."""

    name: str
    driver: str
    columns: tuple[Column, ...]
    unit: int = 1
    interval_s: float = 1.0
    section: int | None = None  # index of the potline whose pots it holds
    product: str = ""

    def bank(self) -> Bank:
        """An empty bank that fits the columns."""
        size: Counter[str] = Counter()
        for column in self.columns:
            last = column.address + column.stride * (column.count - 1)
            end = last + max(WIDTHS[column.type], 1)
            size[column.area] = max(size[column.area], end)
        return Bank(
            holding=size["holding"],
            input=size["input"],
            coil=size["coil"],
            discrete=size["discrete"],
            identity=("Smelter simulator", self.product or self.name, "1.0"),
        )


def pot_columns(section: Section, first: int, count: int, dialect: Dialect) -> tuple[Column, ...]:
    """The map of one line PLC: all points of ``count`` pots from index ``first`` on."""
    equipment = f"{section.name}/pot{{{first + 1:03d}..{first + count:03d}}}"
    stride = 20 if dialect.gauge == "int16" else 36
    columns: list[Column] = []
    offset = 0
    flags = 0
    for name in POT_FIELDS:
        kind = dialect.gauge
        if name in FLAG_FIELDS:
            columns.append(_flag(equipment, name, flags, stride, dialect, (first, count)))
            flags += 1
            continue
        if name in COUNTER_FIELDS:
            kind = "uint32"
        elif name in STATE_FIELDS:
            kind = "uint16"
        columns.append(
            Column(
                equipment,
                f"pot.{name}",
                dialect.area,
                100 + offset,
                kind,
                dialect.order if WIDTHS[kind] > 1 else "ABCD",  # swapping is for wide values
                scale=_SCALES.get(name, 1.0) if kind == "int16" else 1.0,
                stride=stride,
                first=first,
                count=count,
            )
        )
        offset += WIDTHS[kind]
    if offset >= stride:
        raise ValueError(f"the map needs {offset + 1} registers a pot, the stride is {stride}")
    return tuple(columns)


def _flag(
    equipment: str, name: str, number: int, stride: int, dialect: Dialect, pots: tuple[int, int]
) -> Column:
    first, count = pots
    quantity = f"pot.{name}"
    if dialect.flags == "word":  # the last register of each pot's block is its status word
        at = 100 + stride - 1
        return Column(
            equipment,
            quantity,
            dialect.area,
            at,
            "bool",
            stride=stride,
            bit=number,
            first=first,
            count=count,
        )
    return Column(
        equipment,
        quantity,
        dialect.flags,
        200 * number,
        "bool",
        stride=1,
        first=first,
        count=count,
    )


def _singles(names: list[str], area: str, kind: str, order: str) -> tuple[Column, ...]:
    """Gauges one after the other from address 0; ``names`` are point ids."""
    columns = []
    for k, name in enumerate(names):
        equipment, _, quantity = name.partition(" ")
        state = quantities()[quantity].kind is Kind.STATE
        columns.append(
            Column(
                equipment,
                quantity,
                area,
                2 * k,
                "uint16" if state else kind,
                "ABCD" if state else order,
            )
        )
    return tuple(columns)


def line_plcs(plant: Plant) -> Iterator[Device]:
    """Two or more PLCs a line, at most ``PER_PLC`` pots each, dialects in turn."""
    number = 0
    for index, section in enumerate(plant.sections):
        total = section.pots.count
        plcs = max(2, -(-total // PER_PLC))
        each, more = divmod(total, plcs)
        first = 0
        for k in range(plcs):
            count = each + (k < more)
            dialect = DIALECTS[number % len(DIALECTS)]
            yield Device(
                f"{section.name}-plc{k + 1}",
                "modbus-tcp",
                pot_columns(section, first, count, dialect),
                section=index,
                product=f"PLC-{dialect.gauge}-{dialect.order}",
            )
            first += count
            number += 1


def meters(plant: Plant, steps: dict[str, float]) -> Iterator[Device]:
    """Electricity meters on one RTU-over-TCP bus: a unit id each, counters uint32."""
    names = sorted({point.partition(" ")[0] for point in steps if " meter." in point})
    for k, equipment in enumerate(names):
        order = "CDAB" if k % 3 == 2 else "ABCD"
        at = 0
        columns = []
        for point in sorted(set(plant.gauges) | set(steps)):
            if not point.startswith(f"{equipment} meter."):
                continue
            step = steps.get(point)
            columns.append(
                Column(
                    equipment,
                    point.partition(" ")[2],
                    "holding",
                    at,
                    "uint32" if step else "float32",
                    order,
                    scale=step or 1.0,
                    max_per_s=5 * plant.counter_nominal.get(point, 0.0),
                    original=step is not None,
                )
            )
            at += 2
        name = "meter-" + equipment.replace("/", "-")
        yield Device(
            name, "modbus-rtu-over-tcp", tuple(columns), unit=11 + k, interval_s=5.0, product="EM3"
        )


def cems(plant: Plant) -> Iterator[Device]:
    """One data logger per stack, Modbus TCP, word-swapped floats."""
    for section in plant.sections:
        area = section.stack.area
        names = sorted(point for point in plant.gauges if point.startswith(f"{area}/stack1 "))
        yield Device(
            f"{area}-cems",
            "modbus-tcp",
            _singles(names, "holding", "float32", "CDAB"),
            interval_s=5.0,
            product="CEMS-LOGGER",
        )


def on_opcua(plant: Plant) -> list[str]:
    """Points of the control system's OPC UA server: all that no Modbus device holds."""
    points = sorted(set(plant.gauges) | set(plant.counters))
    return [p for p in points if " meter." not in p and " stack." not in p]


def node_id(point: str) -> str:
    """``nsu=…;s=line1.rect1.dc_current`` of ``line1/rect1 rectifier.dc_current``."""
    equipment, _, quantity = point.partition(" ")
    return f"nsu={URN};s={equipment.replace('/', '.')}.{quantity.partition('.')[2]}"


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    """A point table as CSV, only the columns that say something."""
    used = [name for name in HEADER if any(row.get(name) for row in rows) or name == "type"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, used, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def modbus_devices(plant: Plant) -> list[Device]:
    """All Modbus devices of a plant that has made its first step."""
    return [*line_plcs(plant), *meters(plant, plant.counter_steps), *cems(plant)]


def opcua_rows(plant: Plant) -> list[dict[str, str]]:
    """The point table of the OPC UA server."""
    return [
        {
            "equipment": point.partition(" ")[0],
            "quantity": point.partition(" ")[2],
            "address": node_id(point),
            "unit": quantities()[point.partition(" ")[2]].unit.value,
        }
        for point in on_opcua(plant)
    ]
