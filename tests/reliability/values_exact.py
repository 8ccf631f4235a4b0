"""B5 and B7: special values and counters, from registers through the whole way, to the bit."""

import asyncio
import json
import math
import random
import struct
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from pydantic import TypeAdapter

from agent.edge.pipeline import GroupPipeline
from agent.lake.lake import Lake
from agent.minutes.counters import Step
from drivers.decode import PAD, Decoder, Place
from drivers.model import Equipment, Frame, Group, Point, Quality
from drivers.quantities import quantities
from reports.series.lake import open_lake
from reports.site import Meter
from reports.values import Number
from tests import servers
from tests.agent.batches import RAW, RECORD, batch
from tests.agent.influx_tools import view
from tests.agent.points import MINUTE_NS, START_NS
from tests.reliability.cases import Outcome, Setting, case

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
TYPES = (
    *("uint16", "int16", "uint32", "int32", "uint48", "int48", "uint64", "int64"),
    *("float32", "float64", "bcd16", "bcd32", "bcd48", "bcd64"),
)
SECOND = 10**9


def octets_of(kind: str) -> int:
    """Bytes of a type, by the number in its name."""
    return int("".join(filter(str.isdigit, kind))) // 8


def on_the_wire(plain: bytes, order: str) -> bytes:
    """Most significant byte first → as a device of that order sends it."""
    words = [plain[at : at + 2] for at in range(0, len(plain), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


def meant(plain: bytes, kind: str) -> float | None:
    """The number as float64, None where there is none that a float64 holds exactly."""
    if kind.startswith("float"):
        value = struct.unpack(">f" if kind == "float32" else ">d", plain)[0]
        return float(value) if math.isfinite(value) else None
    if kind.startswith("bcd"):
        digits = plain.hex()
        whole = int(digits) if digits.isdecimal() else -1
        return float(whole) if 0 <= whole <= 2**53 else None
    whole = int.from_bytes(plain, "big", signed=kind.startswith("int"))
    return float(whole) if abs(whole) <= 2**53 else None


def special(kind: str) -> list[bytes]:
    """Ends of the range, and what breaks programs."""
    size = octets_of(kind)
    if kind.startswith("float"):
        form, tiny = (">f", 1e-45) if kind == "float32" else (">d", 5e-324)
        numbers = [0.0, -0.0, math.nan, math.inf, -math.inf, tiny, -tiny, 0.1, 1 / 3, 4.012]
        numbers += [3.4028234663852886e38, 1.1754943508222875e-38, 16777217.0, 123456789.0]
        return [struct.pack(form, number) for number in numbers]
    if kind.startswith("bcd"):
        texts = ["0", "1", "9" * 2 * size, "9" * (2 * size - 1), "A", "9A" * size, "F" * 2 * size]
        return [bytes.fromhex(text.rjust(2 * size, "0")) for text in texts]
    signed = kind.startswith("int")
    top = 2 ** (8 * size - signed)
    wholes = [0, 1, top - 1, *((2**53, 2**53 - 1, 2**53 + 1) if size == 8 else (top // 2,))]
    wholes += [-1, -top, -top // 2] if signed else []
    return [whole.to_bytes(size, "big", signed=signed) for whole in wholes]


@dataclass(frozen=True)
class Sent:
    """One value: what a device sends and what it means."""

    point: Point
    plain: bytes
    wire: bytes
    value: float | None

    @property
    def unit(self) -> str:
        return self.point.equipment.unit


def all_sent(dice: random.Random, more: int) -> list[Sent]:
    made: list[Sent] = []
    for kind in TYPES:
        plains = special(kind) + [dice.randbytes(octets_of(kind)) for _ in range(more)]
        for order in ORDERS:
            for plain in plains:
                value = meant(plain, kind)
                counts = value is not None and 0 <= value <= 1e13 and value.is_integer()
                name = "energy_import" if counts and dice.random() < 0.5 else "voltage"
                point = Point(
                    Equipment("line1", f"u{len(made)}"), quantities()[f"meter.{name}"], "plc",
                    "holding:0", kind, order=order, original=True,
                )  # fmt: skip
                made.append(Sent(point, plain, on_the_wire(plain, order), value))
    return made


def through_the_edge(sent: list[Sent]) -> tuple[list[str], list[str]]:
    """Raw lines of one frame and record lines of its minute, as the gateway makes them."""
    places, at = list[Place | None](), len(PAD)
    for each in sent:
        places.append(Place(at))
        at += len(each.wire)
    group = Group("plc", 1.0, tuple(each.point for each in sent))
    decoder = Decoder(group.points, places, at)
    found = decoder.decode(PAD + b"".join(each.wire for each in sent))
    pipeline = GroupPipeline("demo", "gw1", group)
    frame = Frame(group, START_NS, START_NS, found.values, found.quality, words=found.words)
    raw = pipeline.take(frame).raw.decode().split("\n")
    (closed,) = pipeline.close_until(START_NS + MINUTE_NS, 0)
    return raw, closed.lines.decode().split("\n")


Found = dict[tuple[str, str], tuple[float | None, str | None]]  # (unit, quantity) -> value, reason


def in_the_lake(folder: Path, raw: list[str], record: list[str]) -> Found:
    lake = Lake(folder / "lake")
    lake.open()
    lake.write([batch(RAW, 1, raw), batch(RECORD, 1, record)])
    lake.close()
    rows = duckdb.read_parquet(f"{folder}/lake/raw/*/*/*.parquet", hive_partitioning=False)
    told = rows.project("equipment, quantity, value, q").fetchall()
    return {(place.partition("/")[2], quantity): (value, q) for place, quantity, value, q in told}


async def in_influxdb(folder: Path, raw: list[str], record: list[str]) -> Found:
    (folder / "influx").mkdir()
    server = servers.influxd(folder / "influx")
    await asyncio.to_thread(server.start)
    try:
        async with view(server, folder / "dead") as mine:
            await mine.write([batch(RAW, 1, raw), batch(RECORD, 1, record)])
        return await asyncio.to_thread(_asked, server.port)
    finally:
        await asyncio.to_thread(server.end)


def _asked(port: int) -> Found:
    fields = ("voltage", "voltage_q", "energy_import", "energy_import_q")
    columns = ",".join(f'"{name}"' for name in ("unit", *fields))
    query = f'select {columns} from "meter"'  # noqa: S608 - of a test
    form = urllib.parse.urlencode({"db": "plant", "q": query, "epoch": "ns"}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/query", form, timeout=30) as answer:
        said = json.load(answer, parse_int=float)  # -0 is written without a point
    found: Found = {}
    for row in said["results"][0]["series"][0]["values"]:
        for name, at in (("voltage", 2), ("energy_import", 4)):
            if row[at] is not None or row[at + 1] is not None:
                found[row[1], f"meter.{name}"] = (row[at], row[at + 1])
    return found


def bits(value: float, kind: str) -> bytes:
    """A float32 reading is written with nine digits, which only that float32 has."""
    if kind == "float32":
        return np.float32(value).tobytes()
    return struct.pack(">d", value)


def judged(sent: list[Sent], found: Found) -> Counter[str]:
    """Exact, or explicit: no value and a reason, or the value with a reason; else wrong."""
    tally: Counter[str] = Counter()
    for each in sent:
        value, reason = found.get((each.unit, each.point.quantity.name), (None, None))
        if each.value is None:
            tally["explicit" if value is None and reason else "invented"] += 1
        elif value is None:
            tally["lost"] += 1
        elif bits(value, each.point.type) == bits(each.value, each.point.type):
            tally["exact"] += 1
        else:
            tally["changed"] += 1
    return tally


def reported(folder: Path, sent: list[Sent]) -> Counter[str]:
    """Windows as reports read them, and a figure out to JSON and back."""
    tally: Counter[str] = Counter()
    figure = TypeAdapter(Number)
    with open_lake("demo", folder / "lake") as series:
        for each in sent:
            meter = Meter(str(each.point.equipment), each.point.quantity.name)
            rows = series.windows(meter, START_NS, START_NS + MINUTE_NS)
            shown = float(rows.last[0] if math.isnan(rows.mean[0]) else rows.mean[0])
            assert rows.raw[0] == each.wire.hex(), "the registers themselves"
            if math.isnan(shown):
                tally["explicit" if rows.reason[0] else "lost"] += 1
                continue
            out = figure.validate_json(figure.dump_json(figure.validate_python(shown)))
            same = each.value is not None and bits(shown, each.point.type) == bits(
                each.value, each.point.type
            )
            exported = out == figure.validate_python(shown) and float(out) == shown
            tally["exact" if same and exported else "changed"] += 1
    return tally


@case(
    "B5",
    fault="NaN, infinities, -0, denormals, integers above 2^53, BCD nibbles above 9, each order",
    procedure="registers of 14 types in 4 orders → decoder → gateway → lake, InfluxDB 1.x, windows "
    "as reports read them, figure in report.json; against an own reading of the bytes "
    "(float32 compared as float32)",
    mark="bit-exact, or no value and a reason; none changed, lost or invented",
)
def special_values(setting: Setting) -> Outcome:
    sent = all_sent(setting.chance, setting.size(cut=2, full=60))
    raw, record = through_the_edge(sent)
    lake = judged(sent, in_the_lake(setting.folder, raw, record))
    influx = judged(sent, asyncio.run(in_influxdb(setting.folder, raw, record)))
    windows = reported(setting.folder, setting.chance.sample(sent, setting.size(cut=80, full=600)))
    told = {"lake": lake, "InfluxDB": influx, "windows and report.json": windows}
    bad = sum(each[word] for each in told.values() for word in ("changed", "lost", "invented"))
    whole = all(each["exact"] and each["explicit"] for each in told.values())
    figure = "; ".join(
        f"{name}: {each['exact']} exact, {each['explicit']} explicit" for name, each in told.items()
    )
    return Outcome(
        not bad and whole, f"{len(sent)} values; {figure}; {bad} changed, lost, invented"
    )


# --- B7


@dataclass
class Register:
    """A meter that counts, turns over, is reset or replaced; in the form its type says."""

    point: Point
    modulus: int
    value: int
    truth: int = 0  # what passed between readings that belong together
    unread: int = 0  # since the last good reading

    @property
    def wire(self) -> bytes:
        size = octets_of(self.point.type)
        if self.point.type.startswith("bcd"):
            return on_the_wire(
                bytes.fromhex(str(self.value).rjust(2 * size, "0")), self.point.order
            )
        return on_the_wire(self.value.to_bytes(size, "big"), self.point.order)


RATE = 5  # per second; 900 s of it is less than half of 10,000


def registers(dice: random.Random, *, turning: bool) -> list[Register]:
    made: list[Register] = []
    for kind, modulus in (("uint16", 2**16), ("uint32", 2**32), ("bcd16", 10**4), ("bcd32", 10**8)):
        for order in ORDERS:
            point = Point(
                Equipment("line1", f"m{len(made)}"), quantities()["meter.energy_import"], "plc",
                "holding:0", kind, order=order, counter_max_per_s=RATE,
                counter_modulus=modulus if turning else 0.0,
            )  # fmt: skip
            first = modulus - dice.randrange(1, 300) if turning else dice.randrange(500, 900)
            made.append(Register(point, modulus, first))
    return made


def counted(seed: int, *, turning: bool) -> tuple[float, Counter[str]]:
    """A quarter of an hour of readings: how far off the totals are, and what was told."""
    dice, tally = random.Random(seed), Counter[str]()
    meters = registers(dice, turning=turning)
    group = Group("plc", 1.0, tuple(meter.point for meter in meters))
    places, at = list[Place | None](), len(PAD)
    for meter in meters:
        places.append(Place(at))
        at += octets_of(meter.point.type)
    decoder, pipeline = Decoder(group.points, places, at), GroupPipeline("demo", "gw1", group)
    breaks = {} if turning else {meter.point: dice.randrange(100, 700) for meter in meters}
    total, told = np.zeros(len(meters)), list[Step]()
    off_until = 0
    for second in range(900):
        if dice.random() < 0.01 and second > off_until:  # no gap follows another unread: after
            off_until = second + dice.randrange(1, 120)  # minutes a reset looks like consumption
        lost = second and second < 880 and (dice.random() < 0.05 or second < off_until)
        lost = lost and second != off_until
        for meter in meters:
            used = dice.randrange(RATE + 1) if second else 0
            meter.unread += used
            meter.value = (meter.value + used) % meter.modulus
            if breaks.get(meter.point) == second:
                meter.value = 0 if dice.random() < 0.5 else meter.value + 4600
                meter.unread = 0
                tally["breaks"] += 1
                breaks[meter.point] = -1  # what passes before it is read again is unknown
            if not lost:
                meter.truth += 0 if breaks.get(meter.point) == -1 else meter.unread
                meter.unread = 0
                breaks.pop(meter.point, None) if breaks.get(meter.point) == -1 else None
        found = decoder.decode(PAD + b"".join(meter.wire for meter in meters))
        frame = Frame(group, START_NS + second * SECOND, 0, found.values, found.quality)
        if lost:
            frame = Frame.missing(group, frame.slot_ns, 0, Quality.NO_DATA, "lost")
        outcome = pipeline.take(frame)
        told += [step.step for step in outcome.steps]
        for closed in outcome.closed:
            total += np.nan_to_num(closed.windows.increment)
    total += np.nan_to_num(pipeline.minutes.close().increment)
    tally.update(step.name.lower() for step in told)
    return float(np.abs(total - [meter.truth for meter in meters]).sum()), tally


@case(
    "B7",
    fault="rollover, reset, replacement of counters",
    procedure="uint16, uint32, bcd16, bcd32 in 4 orders, 15 minutes each with lost readings and "
    "gaps up to 2 minutes; totals of the windows against what passed; one reset or replacement "
    "per counter in every second run",
    mark="total error 0; one event per reset or replacement, no invented consumption",
)
def counters(setting: Setting) -> Outcome:
    error, tally, runs = 0.0, Counter[str](), setting.size(cut=6, full=400)
    for k in range(runs):
        off, told = counted(setting.seed + k, turning=k % 2 == 0)
        error, tally = error + off, tally + told
    broken = tally["reset"] + tally["replacement"]
    figure = (
        f"{runs * 16} counters: total error {error:g}; {tally['rollover']} rollovers; "
        f"{tally['breaks']} resets and replacements made, {broken} told"
    )
    passed = not error and broken == tally["breaks"] > 0 and tally["rollover"] > 0
    return Outcome(passed, figure)
