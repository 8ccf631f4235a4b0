"""
The log of the gate, one trip per line, into counts by class for ``smelter entries import``.

The log itself stays the document behind the counts. A class that cannot be told is a class of its
own: a share without it would look better than it is.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Annotated, Final

import typer

from drivers.language import say, why
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.entries.kinds import KINDS
from reports.entries.options import AsJson, Lang, parse_month, speak
from reports.entries.reading import number
from reports.entries.sheets import Sheet, read_sheets
from reports.entries.table import place
from reports.journal.written import read_moment
from reports.periods import Period

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "plate": ("plate", "车牌", "车牌号", "车牌号码", "号牌号码"),
    "fuel": ("fuel", "燃料", "燃料类型", "燃料种类"),
    "stage": ("stage", "排放阶段", "排放标准"),
    "in": ("in", "进厂时间", "入厂时间"),
    "out": ("out", "出厂时间"),
    "load": ("load", "载重", "载货量", "载重t", "载货量t"),
    "picture": ("picture", "图片", "照片"),
}
_NEEDED: Final = ("plate", "fuel", "stage", "in")
_STAGES: Final = {"六": "6", "五": "5", "四": "4", "三": "3", "二": "2", "一": "1"}
_ROMAN: Final = {"vi": "6", "v": "5", "iv": "4", "iii": "3", "ii": "2", "i": "1"}
CLASSES: Final = ("electric", "hydrogen", "national_vi", "national_v", "lower", "unknown")


@dataclass(frozen=True, slots=True)
class Trip:
    """One passage in and out; ``load_t`` None where nothing is written."""

    plate: str
    vehicle: str  # one of CLASSES
    in_ns: int
    load_t: Decimal | None
    picture: str


def vehicle_class(fuel: str, stage: str) -> str:
    """By fuel first, then by stage; ``unknown`` where neither tells."""
    burns, stands = fuel.lower(), stage.lower().replace(" ", "")
    if burns in {"ev", "bev", "electric", "battery electric"} or re.search("^(纯)?电动?$", burns):
        return "electric"
    if "氢" in burns or "hydrogen" in burns or burns == "fcev":
        return "hydrogen"
    found = re.fullmatch(
        r"(?:国|china|national)?(?:([1-6])|([一二三四五六])|([vi]+))[ab]?(?:阶段)?", stands
    )
    if found is None:
        return "unknown"
    digit = found[1] or _STAGES.get(found[2] or "") or _ROMAN.get(found[3] or "", "")
    return {"6": "national_vi", "5": "national_v", "": "unknown"}.get(digit, "lower")


def read_gate(path: Path) -> list[Trip]:
    """All trips of the log. Raises ConfigError with every line that cannot be read."""
    try:
        sheets = read_sheets(path)
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    problems: list[str] = []
    trips = [trip for sheet in sheets for trip in _trips(sheet, problems)]
    if not trips and not problems:
        problems = [say("没有通行记录", "no trips in it")]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return trips


def _trips(sheet: Sheet, problems: list[str]) -> list[Trip]:
    at: dict[str, int] = {}
    found: dict[tuple[str, int], int] = {}
    trips = []
    for row, line in enumerate(sheet.lines, 1):
        if not at:
            at = _header(line)
            continue
        if not any(line):
            continue
        where = place(sheet.name, row) + say("：", ": ")
        cells = {name: line[n] if n < len(line) else "" for name, n in at.items()}
        moments = {
            name: read_moment(sheet.moments.get((row, at[name]), cells[name]))
            for name in ("in", "out")
            if cells.get(name)
        }
        wrong = _wrong(cells, moments)
        trip = Trip(
            plate=cells["plate"].replace(" ", "").upper(),
            vehicle=vehicle_class(cells["fuel"], cells["stage"]),
            in_ns=moments.get("in") or 0,
            load_t=number(cells["load"]) if cells.get("load") else None,
            picture=cells.get("picture", ""),
        )
        before = found.setdefault((trip.plate, trip.in_ns), row)
        if before != row and not wrong:
            wrong = [say(f"与第 {before} 行重复", f"the same trip as row {before}")]
        problems += [where + text for text in wrong]
        trips.append(trip)
    if sheet.lines and not at:
        needed = ", ".join(say(_NAMES[name][1], name) for name in _NEEDED)
        problems.append(say(f"没有表头；须有列 {needed}", f"no header line; it names {needed}"))
    return trips


def _header(line: Sequence[str]) -> dict[str, int]:
    """Columns by name; none when a needed one is missing."""
    texts = [re.sub(r"[\s()（）]", "", cell.lower()) for cell in line]
    at = {
        name: texts.index(known)
        for name, names in _NAMES.items()
        for known in names
        if known in texts
    }
    return at if set(_NEEDED) <= at.keys() else {}


def _wrong(cells: Mapping[str, str], moments: Mapping[str, int | None]) -> list[str]:
    problems = []
    if not cells["plate"]:
        problems.append(say("缺少车牌", "the plate is missing"))
    if moments.get("in") is None:
        problems.append(
            say(
                f"进厂时间 {cells['in']!r} 须写到分钟，如 2026-10-05 08:00",
                f"in {cells['in']!r} must be a day and minute, e.g. 2026-10-05 08:00",
            )
        )
    out, into = moments.get("out"), moments.get("in")
    if cells.get("out") and (out is None or (into is not None and out < into)):
        problems.append(
            say(f"出厂时间 {cells['out']!r} 不对", f"out {cells['out']!r} is no later moment")
        )
    load = cells.get("load", "")
    value = number(load) if load else None
    if load and (value is None or value < 0):
        problems.append(say(f"载重 {load!r} 不对", f"load {load!r} is no number of tonnes"))
    return problems


def counts_table(trips: Sequence[Trip], month: Period, log: str) -> tuple[str, Counter[str]]:
    """The table for ``smelter entries import``, and the trips of the month by class."""
    mine = [x for x in trips if month.start_ns <= x.in_ns < month.end_ns]
    trips_of = Counter(dict.fromkeys(CLASSES, 0))
    trips_of.update(trip.vehicle for trip in mine)
    loads = dict.fromkeys(CLASSES, Decimal(0))
    for trip in mine:
        loads[trip.vehicle] += trip.load_t or Decimal(0)
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["kind", "line", "item", "period", "value", "unit", "document"])
    for name in CLASSES:
        writer.writerow(["gate_trips", "plant", name, month, trips_of[name], "车次", log])
    if all(trip.load_t is not None for trip in mine):
        for name in CLASSES:
            cells = [f"road_{name}", month, f"{loads[name]:f}", "t", log]
            writer.writerow(["transport_tonnage", "plant", *cells])
    return text.getvalue(), trips_of


def gate(
    log: Annotated[Path, typer.Argument(help=say("门禁台账 CSV | XLSX", "log of the gate"))],
    month: Annotated[str, typer.Option(help="2026-10")],
    out: Annotated[
        Path | None, typer.Option(help=say("缺省写在台账旁", "default: beside the log"))
    ] = None,
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """The table of counts stands beside the log, which is its document."""
    speak(lang)
    period = parse_month(month)
    trips = read_gate(log)
    target = out or log.with_name(f"{log.stem}-{period}-counts.csv")
    if target.exists() or target.parent.resolve() != log.parent.resolve():
        there = say("已存在，或不在台账旁", "exists already, or is not beside the log")
        raise ConfigError([f"--out {target}: {there}"])
    table, found = counts_table(trips, period, log.name)
    total = sum(found.values())
    if not total:
        raise ConfigError([f"{log}: " + say(f"没有 {period} 的通行", f"no trip in {period}")])
    write_whole(target, table.encode("utf-8-sig"))
    mine = [x for x in trips if period.start_ns <= x.in_ns < period.end_ns]
    unseen = sum(not trip.picture for trip in mine)
    unloaded = sum(trip.load_t is None for trip in mine)
    if as_json:
        made = {"out": str(target), "trips": dict(found), "without_picture": unseen}
        typer.echo(json.dumps(made | {"without_load": unloaded}, ensure_ascii=False))
        return
    items = KINDS["gate_trips"].items
    for name in CLASSES:
        known = name if items is None else say(items.names[name].zh, items.names[name].en)
        typer.echo(f"{known}: {found[name]} ({Decimal(found[name] * 100) / total:.1f} %)")
    typer.echo(
        say(
            f"{period} 共 {total} 车次；无图片 {unseen}，无载重 {unloaded}"
            f"{'（未计运输量）' if unloaded else ''}；{target}，用 smelter entries import 导入",
            f"{total} trips in {period}; {unseen} without picture, {unloaded} without load"
            f"{' (tonnage left out)' if unloaded else ''}; {target}: take it in with "
            "smelter entries import",
        )
    )
