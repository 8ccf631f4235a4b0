"""
Missing data (D5): what stands in by each rule set, against rules written down here a second time.

HJ 75 and ``conservative_v1`` are judged in reports that were made; 40 CFR 75.33 and MRR article 45
by formula, because no report of this product is made by them.
"""

import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from math import isqrt
from typing import Any

from reports.carbon.process import GUIDE
from reports.chapters import Table
from reports.emissions.report import emissions
from reports.formulas import FORMULAS
from reports.model import Content, How
from reports.periods import PLANT_TIME, Period
from reports.rules.packs import packs
from reports.trace.tracer import Tracer
from tests.reliability.cases import Outcome, Setting, case
from tests.reports import plant
from tests.reports.emitted import HOUR_NS, STACK1, Smoke, at
from tests.reports.test_substitution import CONSERVATIVE, lodge_plan
from tests.reports.year import YearOffice, month_rows

RATES = (96, 92, 85, 70)
GAPS = (1, 9, 30)
YEAR_H = 8000  # operating hours, so that each rate is a whole number of hours
FLOW = 400_000.0
Verdicts = list[bool]


@case(
    "D5",
    fault="hours, days and months are missing",
    procedure="known series with 96, 92, 85, 70 % of their hours and gaps of 1, 9, 30 h: HJ 75 in "
    "the emissions reports of four months and of their year, and by formula for failed "
    "calibrations too; conservative_v1 in carbon reports of "
    "four months with 1, 2, 4, 9 of 30 days missing (a figure of a day is the least there is) and "
    "no anode; 40 CFR 75.33(b) and MRR 45(3) by `smelter compute`'s formulas with the numbers of "
    "the packs; all held against the rules written down a second time, by other algorithms",
    mark="exactly the prescribed substitute for each rule set, with the method code; the digests "
    "that a report and its trace carry are those of the inputs",
    weaker="no Chinese report uses the two foreign sets, so their inputs have no digests; 75.33 "
    "for SO2 only, its numbers unverified, those of HJ 75 and MRR secondary; for conservative_v1 "
    "days stand for hours; the report of a month names no batches of earlier hours that a "
    "substitute was taken from, the report of the year does",
)
def data_missing(setting: Setting) -> Outcome:
    hours, hj_digests = _by_hj(setting)
    days, own_digests = _by_our_own(setting)
    foreign = {"40 CFR 75.33": Verdicts(), "MRR 45": Verdicts()}
    for _ in range(setting.size(cut=1, full=20)):
        chance = random.Random(setting.chance.random() + len(foreign["MRR 45"]))
        for rate, gap in itertools.product(RATES, GAPS):
            series = _Series.made(chance, rate, gap)
            foreign["40 CFR 75.33"].append(_part_75_right(series, rate, gap))
            foreign["MRR 45"].append(_article_45_right(series, gap))
    by_formula = _hj_formula_right(setting.chance)
    exact = {"HJ 75": hours, "HJ 75 by formula": by_formula, "conservative_v1": days} | foreign
    digests = hj_digests + own_digests
    told = ", ".join(f"{name} {sum(each)} of {len(each)}" for name, each in exact.items())
    figure = f"exact, with method code: {told}; digests of inputs {sum(digests)} of {len(digests)}"
    passed = all(each and all(each) for each in (*exact.values(), digests))
    return Outcome(passed, figure)


# --- the two foreign sets: one unit, a year of 8,000 operating hours


@dataclass(frozen=True, slots=True)
class _Series:
    """Hourly values, None = missing; one gap of the length asked for begins at ``first``."""

    values: list[Decimal | None]
    first: int

    @classmethod
    def made(cls, chance: random.Random, rate: int, gap: int) -> "_Series":
        values: list[Decimal | None] = [
            Decimal(chance.randrange(1, 100_000)) / 100 for _ in range(YEAR_H)
        ]
        first = chance.randrange(6000, 7900)
        free = [n for n in range(1, YEAR_H) if not first - 1 <= n <= first + gap]
        out = chance.sample(free, YEAR_H * (100 - rate) // 100 - gap)
        for n in (*range(first, first + gap), *out):
            values[n] = None
        return cls(values, first)

    @property
    def known(self) -> list[Decimal]:
        return [each for each in self.values if each is not None]


def _table(values: Sequence[Decimal]) -> list[dict[str, Decimal]]:
    return [{"hour_value": each} for each in values]


def _lawful(formula: str, **given: Any) -> dict[str, Any]:
    """Run with the numbers of the packs, as ``smelter compute`` does."""
    found = FORMULAS[formula]
    for name, rule in found.rules(given).items():
        pack, _, parameter = rule.partition(".")
        given[name] = packs()[pack].at(parameter, date(2026, 10, 1)).number
    return found.run(**given)


def _part_75_right(series: _Series, rate: int, gap: int) -> bool:
    available = _lawful(
        "monitor_availability", quality_assured_hours=len(series.known), operating_hours=YEAR_H
    )["availability_percent"]
    earlier = [each for each in series.values[: series.first] if each is not None]
    before, after = series.values[series.first - 1], series.values[series.first + gap]
    assert before is not None
    assert after is not None
    made = _lawful(
        "part75_substitution",
        gap_h=gap,
        availability_percent=available,
        value_before=before,
        value_after=after,
        earlier=_table(earlier),
        potential_value=2500,
    )
    mean = (before + after) / 2
    # the branches as the study sums them up, one by one
    wanted: dict[tuple[int, int], tuple[str, Decimal]] = {
        (96, 1): ("mean-before-after", mean),
        (96, 9): ("mean-before-after", mean),
        (96, 30): _greater(90, earlier, mean),
        (92, 1): ("mean-before-after", mean),
        (92, 9): _greater(95, earlier, mean),
        (92, 30): _greater(95, earlier, mean),
        **{(85, each): ("max720", max(earlier[-720:])) for each in GAPS},
        **{(70, each): ("potential", Decimal(2500)) for each in GAPS},
    }
    return available == rate and (made["method"], made["value"]) == wanted[rate, gap]


def _greater(percent: int, earlier: Sequence[Decimal], mean: Decimal) -> tuple[str, Decimal]:
    """By counting upwards, value by value, until enough of the last 720 hours lie below."""
    counts, below = Counter(earlier[-720:]), 0
    for value in sorted(counts):
        below += counts[value]
        if 100 * below >= percent * 720:
            method = f"p{percent}-720" if value >= mean else "mean-before-after"
            return method, max(value, mean)
    raise AssertionError("720 hours are needed")


def _article_45_right(series: _Series, gap: int) -> bool:
    """By sum and sum of squares in whole numbers, exact; the root to 20 decimals."""
    made = _lawful("mrr_substitution", gap_h=gap, period_values=_table(series.known))
    cents = [int(each * 100) for each in series.known]
    count, total = len(cents), sum(cents)
    squares = sum(each * each for each in cents)
    variance = Fraction(squares * count - total * total, count * (count - 1) * 100 * 100)
    root = Fraction(isqrt(int(variance * 10**40)), 10**20)
    wanted = Fraction(total, count * 100) + 2 * root
    near = abs(Fraction(made["value"]) - wanted) < Fraction(1, 10**15)
    return near and (made["method"], made["notice"]) == ("mean+2sigma", "no")


# --- HJ 75: a stack through 2025, a quarter for each capture rate


def _by_hj(setting: Setting) -> tuple[Verdicts, Verdicts]:
    smoke = Smoke(setting.folder / "stack")
    smoke.root.mkdir(parents=True)
    year = Period.year(2025)
    start = at("2025-01-01T00:00")
    kg: list[Fraction | None] = []
    named: list[tuple[int, int, int]] = []  # rate, first hour, hours
    chance = setting.chance
    for rate, quarter in zip(RATES, (Period.quarter(2025, n) for n in range(1, 5)), strict=True):
        begin, end = ((ns - start) // HOUR_NS for ns in (quarter.start_ns, quarter.end_ns))
        month = (quarter.months[2].start_ns - start) // HOUR_NS
        gaps = [(rate, month + day * 24 + 5, hours) for day, hours in ((3, 1), (9, 9), (20, 30))]
        most = (end - begin) * (100 - rate) // 100 - sum(GAPS)
        out = {*chance.sample(range(begin + 1, month - 24), most)}
        for _, first, hours in gaps:
            out |= {*range(first, first + hours)}
        named += gaps
        for hour in range(begin, end):
            mg = chance.randrange(1, 1000)
            kg.append(None if hour in out else Fraction(mg * int(FLOW), 10**6))
            if hour not in out:
                so2 = {"stack.so2_dry": float(mg), "stack.so2_converted": float(mg)}
                gas = {"stack.flow_standard": FLOW, "stack.o2_dry": 20.5}
                moment = datetime(2025, 1, 1, tzinfo=PLANT_TIME) + timedelta(hours=hour)
                smoke.hours(STACK1, f"{moment:%Y-%m-%dT%H:%M}", 1, so2 | gas)
    smoke.build()
    right = [each for n in (3, 6, 9, 12) for each in _month_right(smoke, n, kg, named)]
    content = next(emissions(basis) for basis in smoke.basis(str(year)))
    return right, list(_hj_digests(smoke, content, kg, named))


def _hj_formula_right(chance: random.Random) -> Verdicts:
    """Both reasons, since no calibration fails in the reports made here."""
    rates = [Decimal(chance.randrange(1, 100_000)) / 1000 for _ in range(3000)]
    rows = [{"kg_per_h": each} for each in rates]
    right = Verdicts()
    for reason, anchor in (("invalid", "gap"), ("out_of_control", "calibration")):
        for rate, gap in itertools.product(RATES, GAPS):
            window = 2160 if rate < 90 else 180 if gap <= 24 else 720
            wanted = (f"max{window}-before-{anchor}", max(rates[-window:]))
            made = _lawful(
                "substitution", reason=reason, gap_h=gap, capture_percent=rate, before=rows
            )
            found = made["method"], made.get("kg_per_h")
            right.append(found == (("none", None) if rate < 75 else wanted))
    return right


def _prescribed(
    rate: int, first: int, hours: int, kg: Sequence[Fraction | None]
) -> tuple[str, Fraction | None, int]:
    """Method code, the amount of an hour, and the hour it was: HJ 75 a second time."""
    back = {96: 180, 92: 180, 85: 2160, 70: 0}[rate]
    if back == 180 and hours > 24:
        back = 720
    left, best, where = back, Fraction(-1), -1
    hour = first
    while left and hour > 0:
        hour -= 1
        amount = kg[hour]
        if amount is not None:
            left -= 1
            if amount > best:
                best, where = amount, hour
    return (f"M{back}", best, where) if back else ("", None, -1)


def _month_right(
    smoke: Smoke, number: int, kg: Sequence[Fraction | None], named: Sequence[tuple[int, int, int]]
) -> Iterator[bool]:
    """Each gap in the table of its month, and the month's total with its codes."""
    month = Period.month(2025, number)
    content = next(emissions(basis) for basis in smoke.basis(str(month)))
    begin, end = ((ns - at("2025-01-01T00:00")) // HOUR_NS for ns in (month.start_ns, month.end_ns))
    rows = next(
        block.rows
        for chapter in content.chapters
        for block in chapter.blocks
        if isinstance(block, Table) and block.id == "substitution-DA001"
    )
    total = sum((each for each in kg[begin:end] if each is not None), Fraction(0))
    codes: set[str] = set()
    inside = [gap for gap in named if begin <= gap[1] < end]
    yield len(rows) == len(inside) == len(GAPS)
    for (rate, first, hours), row in zip(inside, rows, strict=True):
        code, amount, _ = _prescribed(rate, first, hours, kg)
        moment = datetime(2025, 1, 1) + timedelta(hours=first)  # noqa: DTZ001 - of a table
        method = getattr(row[3], "en", "")
        if amount is None:
            wanted = getattr(row[4], "en", "") == "none" and method == "no stand-in"
        else:
            total += amount * hours
            codes.add(code)
            shown = Decimal(f"{float(amount * hours):.3f}")
            wanted = method.startswith(f"{code}: ") and row[4] == shown
        yield wanted and list(row[:3]) == [f"{moment:%Y-%m-%d %H:%M}", hours, hours]
    line = content.line("DA001.so2_total")
    if not codes:
        yield (line.how, line.value, line.method) == (How.MISSING, None, "")
        return
    near = line.value is not None and abs(Fraction(line.value) - total / 1000) < Fraction(1, 10**9)
    yield near and (line.how, line.method) == (How.SUBSTITUTED, "+".join(sorted(codes)))


def _hj_digests(
    smoke: Smoke,
    content: Content,
    kg: Sequence[Fraction | None],
    named: Sequence[tuple[int, int, int]],
) -> Iterator[bool]:
    """
    The pack by its SHA-256; the batches, all and only those that hold hours; and for each gap the
    hour its amount was taken from, traced to the batch whose digest is that of its bytes.
    """
    yield content.packs["cn_hj75"] == _pack_digest("cn_hj75")
    payloads = {
        each.batch.seq: each.batch.payload
        for each in plant.batches(plant.GATEWAY, plant.by_hour(iter(smoke.lines)))
    }
    held = sum(each is not None for each in kg)
    for meter in (each for each in content.meters if "@" not in each.id):  # of the year
        use = meter.batches[0]
        whole = (use.first_seq, use.last_seq, use.batches, use.windows) == (1, held, held, held)
        yield len(meter.batches) == 1 and whole
    for gap in named:
        _, amount, hour = _prescribed(*gap, kg)
        if amount is None:
            continue
        start_ns = at("2025-01-01T00:00") + hour * HOUR_NS
        tracer = Tracer(content, smoke.root / "originals", start_ns + HOUR_NS // 2)
        month = f"{datetime(2025, 1, 1) + timedelta(hours=hour):%Y-%m}"  # noqa: DTZ001 - of a table
        node = tracer.line(f"DA001.so2_total@{month}")
        proof = _window(node, f"{STACK1} stack.so2_dry@{month}")
        payload = payloads[proof["seq"]]
        yield (
            proof["digest"] == hashlib.sha256(payload).hexdigest()
            and proof["line_protocol"].encode() in payload
            and f" {start_ns}" in proof["line_protocol"]
            and f"so2_dry={float(amount / Fraction(int(FLOW), 10**6))!r}" in proof["line_protocol"]
        )


def _window(node: dict[str, Any], meter: str) -> dict[str, Any]:
    found = next(x["meter"] for x in node["inputs"] if x.get("meter", {}).get("id") == meter)
    window: dict[str, Any] = found["window"]
    return window


def _pack_digest(name: str) -> str:
    return hashlib.sha256(
        files("reports").joinpath("rules", f"{name}.toml").read_bytes()
    ).hexdigest()


# --- conservative_v1: two potlines, five whole months, four with days missing

LACKING = {4: 1, 6: 2, 9: 4, 11: 9}  # days of a month of 30 days: 96.7, 93.3, 86.7, 70 %
WHOLE = (1, 2, 3, 5, 7)


def _by_our_own(setting: Setting) -> tuple[Verdicts, Verdicts]:
    root = setting.folder / "office"
    root.mkdir(parents=True)
    office, chance, rows = YearOffice(root), setting.chance, ""
    metal: dict[tuple[str, int], Fraction] = {}
    anode: dict[int, Fraction] = {}
    for n in WHOLE:
        for line, usual in (("line1", 20000), ("line2", 10000)):
            made, used = usual + chance.randrange(-900, 900), usual * 47 // 100
            used += chance.randrange(-90, 90)
            rows += month_rows(Period.month(2026, n), line, made, used, 1000)
            metal[line, n] = Fraction(made)
            if line == "line1":
                anode[n] = Fraction(used, made)
    known: dict[int, list[int]] = {}
    for n, lacking in LACKING.items():
        metal["line1", n] = Fraction(20000 + chance.randrange(-900, 900))
        rows += f"aluminium_tapped,line1,2026-{n:02},,{metal['line1', n]},t,\n"
        out = {*range(10, 10 + lacking)}
        known[n] = [0 if day in out else chance.randrange(290, 340) for day in range(1, 31)]
        rows += f"anode_consumed,line2,2026-{n:02},,4700,t,\n"
        for day, tonnes in enumerate(known[n], 1):
            rows += f"aluminium_tapped,line2,2026-{n:02}-{day:02},,{tonnes},t,\n" * bool(tonnes)
        for line in ("line1", "line2"):
            rows += f"electricity_ac,{line},2026-{n:02},,1,MWh,\n"
    office.enter(rows)
    lodge_plan(office, CONSERVATIVE)
    ledger = (root / "entries.jsonl").read_text("utf-8").splitlines()
    right, digests = Verdicts(), Verdicts()
    for n, lacking in LACKING.items():
        content = office.content(Period.month(2026, n))
        before = [m for m in WHOLE if m < n]
        means = [metal["line2", m] / len(Period.month(2026, m).days) for m in before]
        means += [Fraction(sum(known[n]), 30 - lacking)]
        rate = max(anode[m] for m in before)
        for name, wanted in (
            ("line2.aluminium", sum(known[n]) + lacking * min(means)),
            ("line2.aluminium_high", sum(known[n]) + lacking * max(means)),
            ("line1.anode_consumed", rate * metal["line1", n]),
        ):
            right.append(_line_right(content, name, wanted))
        digests.append(content.packs[GUIDE] == _pack_digest(GUIDE))
        digests.append(_entries_right(content, ledger))
    return right, digests


def _line_right(content: Content, name: str, wanted: Fraction) -> bool:
    line = content.line(name)
    near = line.value is not None and abs(Fraction(line.value) - wanted) < Fraction(1, 10**15)
    how = How.COMPUTED if name.endswith("_high") else How.SUBSTITUTED  # it stands on the other
    return near and (line.how, line.method) == (how, "conservative_v1")


def _entries_right(content: Content, ledger: Sequence[str]) -> bool:
    """Each entry that a substituted line names carries the SHA-256 of its line in the ledger."""
    refs = [
        given.ref
        for name in ("line2.aluminium", "line1.anode_consumed")
        for given in content.line(name).inputs
        if given.kind == "entry"
    ]
    hashes = {str(each.number): each.hash for each in content.entries}
    return len(refs) >= 20 and all(
        hashes[ref] == hashlib.sha256(ledger[int(ref) - 1].encode()).hexdigest() for ref in refs
    )
