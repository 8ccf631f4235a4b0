"""A plant with a month of history on disk: originals and lake as a historian leaves them, a site.

Meters are written by hand from the contract; originals and lake by the historian's own classes.
October 2026: ``line1/ac1`` (float register, rolls over once), ``line1/ac2`` (two hours not read,
bridged by its register), ``line1/aux1``, and ``line2/ac1`` brought in as hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.batches.batch import Batch
from agent.lake.lake import Lake
from agent.views import Source, StoredBatch
from reports.periods import Period

OCTOBER = Period.month(2026, 10)
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
GATEWAY = Source("demo", "gw1", "record", "3f9a000000000001")
IMPORT = Source("demo", "import", "record", "3f9a000000000002")
MODULUS = 429_496_729.6  # kWh of a 32-bit register that counts 0.1 kWh

SITE = """
plant = "demo"
name = { zh = "示例铝业有限公司", en = "Example Aluminium Co., Ltd." }
province = "henan"
lake = "lake"
originals = "originals"
entries = "entries.jsonl"

[[potline]]
id = "line1"
name = { zh = "一系列", en = "Potline 1" }
process = "1"
capacity_t_per_year = 250000
design_current_ka = 400
design_voltage_v = 4.0
pots = 240
rectifiers = 6
started = 2015-06-01
ac_meters = ["line1/ac1", "line1/ac2"]
aux_meters = ["line1/aux1"]

[[potline]]
id = "line2"
name = { zh = "二系列", en = "Potline 2" }
process = "2"
capacity_t_per_year = 120000
design_current_ka = 300
design_voltage_v = 4.0
pots = 150
rectifiers = 5
started = 2010-01-01
ac_meters = ["line2/ac1"]
"""

ENTRIES = """项目,工序,期间,数值,单位,凭证编号,凭证文件
铝液产量,line1,2026-10,21050.25,t,CL-2026-10-1,weighing.txt
阳极消耗量,line1,2026-10,9876.40,t,YJ-2026-10-1,
铝液产量,line2,2026-10,10012.50,t,CL-2026-10-2,weighing.txt
阳极期初库存量,line2,2026-10,1200,t,YJ-2026-10-2,
阳极入库量,line2,2026-10,4650.5,t,YJ-2026-10-3,
阳极期末库存量,line2,2026-10,1150,t,YJ-2026-10-4,
净购入电量,plant,2026-10,41200.5,万kWh,DL-2026-10,
"""


@dataclass(frozen=True)
class Step:
    """One window of a counter: what it counted, the register at its end, and why not all good."""

    start_ns: int
    inc: float
    register: float
    reason: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Truth:
    """Energy that passed each meter in the month, kWh."""

    ac1: float
    ac2: float
    aux1: float
    line2: float


def ticks(period_ns: int) -> range:
    """Starts of the windows of October, an hour more on either side."""
    return range(OCTOBER.start_ns - HOUR_NS, OCTOBER.end_ns + HOUR_NS, period_ns)


def steady(kwh: float, period_ns: int, first: float) -> Iterator[Step]:
    register = first
    for start_ns in ticks(period_ns):
        register = round(register + kwh, 3)
        yield Step(start_ns, kwh, register)


def rolling(kwh: float) -> Iterator[Step]:
    """A register that reaches its modulus in the middle of the month, with its raw words."""
    register = MODULUS - kwh * 20_000.5
    for start_ns in ticks(MINUTE_NS):
        register = round(register + kwh, 3)
        if register >= MODULUS:
            register = round(register - MODULUS, 3)
        yield Step(start_ns, kwh, register, raw=f"{round(register * 10):08x}")


GAP_FROM_NS = OCTOBER.start_ns + 9 * 24 * HOUR_NS + 10 * HOUR_NS  # 10 October, 10:00
GAP_TO_NS = GAP_FROM_NS + 2 * HOUR_NS


def gapped(kwh: float) -> Iterator[Step]:
    """Not read for two hours; the window after holds what passed meanwhile."""
    for step in steady(kwh, MINUTE_NS, 5_000_000.0):
        if GAP_FROM_NS <= step.start_ns < GAP_TO_NS:
            continue
        if step.start_ns == GAP_TO_NS:
            yield Step(step.start_ns, kwh * 121, step.register, "no_data")
        else:
            yield step


def line_of(equipment: str, step: Step, ending: str = "1m") -> str:
    line, _, unit = equipment.partition("/")
    fields = [f"energy_import_inc={step.inc!r}", f"energy_import_last={step.register!r}"]
    fields.append("energy_import_n=60i")
    if step.reason:
        fields += ["energy_import_good=0.9", f'energy_import_q="{step.reason}"']
    if step.raw:
        fields.append(f'energy_import_raw="{step.raw}"')
    tags = f"plant=demo,line={line},unit={unit}"
    return f"meter_{ending},{tags} {','.join(fields)} {step.start_ns}"


def batches(
    source: Source, lines: dict[int, list[str]], start: int = 1, prev: str = "0" * 64
) -> list[StoredBatch]:
    """Chained batches, one per key, closed just after the time of the key."""
    found: list[StoredBatch] = []
    for seq, (closed_ns, part) in enumerate(sorted(lines.items()), start):
        head = (
            f"batch,plant={source.plant},gateway={source.gateway},stream={source.stream} "
            f'log="{source.log}",seq={seq}i,lines={len(part) + 1}i,config="9c1e9c1e9c1e9c1e",'
            f'prev="{prev}" {closed_ns}'
        )
        payload = "".join(f"{line}\n" for line in (head, *part)).encode()
        made = Batch.of(seq, closed_ns, len(part) + 1, payload)
        prev = made.digest.hex()
        found.append(StoredBatch(source, made))
    return found


def by_hour(lines: Iterator[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for time_ns, line in lines:
        found.setdefault(time_ns - time_ns % HOUR_NS + HOUR_NS, []).append(line)
    return found


def store(root: Path, made: list[StoredBatch], per_segment: int = 200) -> None:
    """Segment files as the historian keeps them."""
    source = made[0].source
    folder = root / source.plant / source.gateway / source.stream / source.log
    folder.mkdir(parents=True)
    for at in range(0, len(made), per_segment):
        part = made[at : at + per_segment]
        records = b"".join(each.batch.record() for each in part)
        (folder / f"{part[0].seq:020d}.seg").write_bytes(records)


def meter_lines() -> Iterator[tuple[int, str]]:
    for equipment, steps in (
        ("line1/ac1", rolling(2400.0)),
        ("line1/ac2", gapped(3933.375)),
        ("line1/aux1", steady(151.2, MINUTE_NS, 10_000.0)),
    ):
        for step in steps:
            yield step.start_ns, line_of(equipment, step)
    yield rollover()
    yield from effect()


def rollover() -> tuple[int, str]:
    at_ns = OCTOBER.start_ns + 13 * 24 * HOUR_NS
    tags = "plant=demo,gateway=gw1,kind=rollover,line=line1,unit=ac1"
    return at_ns, f'event,{tags} id="rollover-1",text="ac1 rolled over",amount=2400 {at_ns}'


def effect() -> Iterator[tuple[int, str]]:
    """An anode effect as it is written while it lasts and, in the same batch, when it is over."""
    at_ns = OCTOBER.start_ns + 20 * 24 * HOUR_NS
    tags = "plant=demo,gateway=gw1,kind=anode_effect,line=line1,unit=pot001"
    yield at_ns, f'event,{tags} id="effect-1",text="lasts",amount=60,peak_v=31.5 {at_ns}'
    end_ns = at_ns + 150 * 1_000_000_000
    measured = "amount=150,peak_v=34.5,mean_v=28.25,overvoltage_vs=3630,gap_s=0"
    yield at_ns, f'event,{tags} id="effect-1",text="over",end={end_ns}i,{measured} {at_ns}'


def build(root: Path) -> Truth:
    """Write the plant below ``root``; returns what really passed the meters."""
    gateway = batches(GATEWAY, by_hour(meter_lines()))
    hours = steady(182_500.5, HOUR_NS, 77_000.0)
    brought = batches(IMPORT, by_hour((s.start_ns, line_of("line2/ac1", s, "1h")) for s in hours))
    for part in (gateway, brought):
        store(root / "originals", part)
    lake = Lake(root / "lake")
    try:
        lake.open()
        lake.write([*gateway, *brought])
    finally:
        lake.close()
    (root / "site.toml").write_text(SITE, "utf-8")
    (root / "entries.csv").write_text(ENTRIES, "utf-8")
    (root / "weighing.txt").write_text("磅单汇总\n", "utf-8")
    minutes = 31 * 24 * 60
    return Truth(minutes * 2400.0, minutes * 3933.375, minutes * 151.2, 31 * 24 * 182_500.5)
