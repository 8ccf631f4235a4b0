"""How each heat exchanger performs: effectiveness, NTU, UA, how much of the clean UA is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from reports.chapters import Cell, Column, Table
from reports.energy.bench import Bench, head, unstated, worked
from reports.formulas import FORMULAS
from reports.formulas.numbers import FormulaError
from reports.metered import amount
from reports.model import Doubt, How
from reports.periods import PLANT_TIME
from reports.site import PLANT, Meter
from reports.site_energy import EnergyBounds, Exchanger
from reports.values import Text
from reports.words import rounded

POINTS: Final = {
    "flow_nm3_per_h": "heat_recovery.gas_flow",
    "gas_in_c": "heat_recovery.gas_in_temperature",
    "gas_out_c": "heat_recovery.gas_out_temperature",
    "water_kg_per_s": "heat_recovery.water_flow",
    "water_in_c": "heat_recovery.water_in_temperature",
}
HALF: Final = Decimal("0.5")  # share of an hour that must be known
CLEAN_DAYS: Final = 3  # taken as clean after a cleaning, or the best ones of the period
LEAST_HOURS: Final = 6  # of a day, for a mean of it
TREND_DAYS: Final = 5  # fewer than that make no trend
JUMP: Final = Decimal("0.08")  # of the ratio within two days: it was cleaned, said or not
ROWS: Final = 31
_FIGURES: Final = (
    ("effectiveness", "换热效率", "effectiveness", "fraction"),
    ("ntu", "传热单元数 NTU", "NTU", "1"),
    ("ua", "传热能力 UA", "UA", "kW/K"),
    ("ua_ratio", "UA 与清洁值之比（流量修正）", "UA over clean UA, at the same flow", "fraction"),
    ("ua_trend", "UA 比的趋势（每 30 天）", "trend of that ratio in 30 days", "fraction"),
)
_NO_HOURS: Final = Text(
    zh="气、水两侧小时数据不足：未填报", en="not enough hours of gas and water data: not stated"
)


@dataclass(frozen=True, slots=True)
class Day:
    """Means of the good hours of one plant day."""

    day: date
    hours: int
    effectiveness: Decimal
    ntu: Decimal
    ua: Decimal  # kW/K
    flow: Decimal  # Nm3/h


@dataclass(frozen=True, slots=True)
class State:
    """An exchanger over the period: days, the clean values, ratio by day."""

    exchanger: Exchanger
    days: tuple[Day, ...]
    clean_ua: Decimal
    clean_flow: Decimal
    basis: Text
    ratios: tuple[Decimal, ...]
    refused: int  # hours no exchanger could have

    @property
    def last(self) -> Day:
        return self.days[-1]

    @property
    def cleaned(self) -> tuple[date, ...]:
        """Days of cleaning: those of the site file, and those on which the ratio jumped up."""
        named = self.exchanger.cleaned
        near = timedelta(days=CLEAN_DAYS)
        jumped: list[date] = []
        for place in range(2, len(self.days)):
            day = self.days[place].day
            known = any(abs(day - other) <= near for other in (*named, *jumped))
            if not known and self.ratios[place] - self.ratios[place - 2] >= JUMP:
                jumped.append(day)
        return tuple(sorted((*named, *jumped)))

    @property
    def unnamed(self) -> tuple[date, ...]:
        """Cleanings that the site file does not name."""
        return tuple(day for day in self.cleaned if day not in self.exchanger.cleaned)


def examine(bench: Bench, exchanger: Exchanger) -> State | None:
    """The exchanger over the bench's period; None when no day has enough hours."""
    days, refused = _days(bench, exchanger)
    if not days:
        return None
    clean = _clean(exchanger, days)
    bounds = bench.basis.site.energy
    ratios = tuple(_ratio(day, clean[0], clean[1], bounds) for day in days)
    return State(exchanger, tuple(days), *clean, ratios, refused)


def _days(bench: Bench, exchanger: Exchanger) -> tuple[list[Day], int]:
    points = [Meter(exchanger.equipment, name) for name in POINTS.values()]
    names = {quantity: name for name, quantity in POINTS.items()}
    table = bench.basis.series.hourly(points, worked(exchanger, bench.period))
    hours: dict[int, dict[str, Decimal]] = {}
    columns = (table[name].to_pylist() for name in ("hour_ns", "quantity", "mean", "share"))
    for hour_ns, quantity, mean, share in zip(*columns, strict=True):
        if mean is not None and share >= HALF:
            hours.setdefault(hour_ns, {})[names[quantity]] = amount(mean)
    cp = bench.basis.site.energy.gas_cp_kj_per_nm3_k
    by_day: dict[date, list[dict[str, Decimal]]] = {}
    refused = 0
    for hour_ns, values in sorted(hours.items()):
        if len(values) < len(POINTS) or not values["flow_nm3_per_h"] > 0:
            continue
        try:
            found = FORMULAS["heat_exchanger"](cp_kj_per_nm3_k=cp, **values)
        except FormulaError:
            refused += 1
            continue
        day = datetime.fromtimestamp(hour_ns // 10**9, PLANT_TIME).date()
        by_day.setdefault(day, []).append(found | {"flow": values["flow_nm3_per_h"]})
    days = [_day(day, rows) for day, rows in by_day.items() if len(rows) >= LEAST_HOURS]
    return days, refused


def _day(day: date, rows: Sequence[Mapping[str, Decimal]]) -> Day:
    def mean(name: str) -> Decimal:
        return sum((row[name] for row in rows), Decimal(0)) / len(rows)

    return Day(
        day, len(rows), mean("effectiveness"), mean("ntu"), mean("ua_kw_per_k"), mean("flow")
    )


def _clean(exchanger: Exchanger, days: Sequence[Day]) -> tuple[Decimal, Decimal, Text]:
    """Clean UA, the flow it holds at, and where it comes from."""
    if exchanger.clean_ua_kw_per_k is not None:
        flow = exchanger.clean_flow_nm3_per_h or days[0].flow
        basis = Text(zh="site.toml 给出的清洁值", en="clean value of site.toml")
        return exchanger.clean_ua_kw_per_k, flow, basis
    after = [
        day
        for day in days
        if any(c <= day.day < c + timedelta(days=CLEAN_DAYS) for c in exchanger.cleaned)
    ]
    if after:
        basis = Text(
            zh=f"期内清洗后 {len(after)} 天的均值", en=f"mean of {len(after)} days after cleaning"
        )
    else:
        after = sorted(days, key=lambda day: day.ua, reverse=True)[:CLEAN_DAYS]
        basis = Text(
            zh=f"无清洗记录：取期内最好的 {len(after)} 天",
            en=f"no cleaning named: the best {len(after)} days of the period",
        )
    count = len(after)
    return (
        sum((d.ua for d in after), Decimal(0)) / count,
        sum((d.flow for d in after), Decimal(0)) / count,
        basis,
    )


def _ratio(day: Day, clean_ua: Decimal, clean_flow: Decimal, bounds: EnergyBounds) -> Decimal:
    found = FORMULAS["fouling"](
        ua_kw_per_k=day.ua,
        clean_ua_kw_per_k=clean_ua,
        flow_nm3_per_h=day.flow,
        clean_flow_nm3_per_h=clean_flow,
        flow_exponent=bounds.flow_exponent,
    )
    return found["ua_ratio"]


def since_cleaning(state: State, day: date) -> int | None:
    """Days since the newest cleaning up to ``day``."""
    done = [cleaned for cleaned in state.cleaned if cleaned <= day]
    return (day - max(done)).days if done else None


def trend(state: State) -> Decimal | None:
    """Slope of the ratio since the newest cleaning, per 30 days (least squares)."""
    first = max((c for c in state.cleaned if c <= state.last.day), default=state.days[0].day)
    points = [
        (Decimal((day.day - first).days), ratio)
        for day, ratio in zip(state.days, state.ratios, strict=True)
        if day.day >= first
    ]
    if len(points) < TREND_DAYS:
        return None
    count = Decimal(len(points))
    mean_x, mean_y = (sum((p[k] for p in points), Decimal(0)) / count for k in (0, 1))
    spread = sum(((x - mean_x) ** 2 for x, _ in points), Decimal(0))
    tilt = sum(((x - mean_x) * (y - mean_y) for x, y in points), Decimal(0))
    return tilt / spread * 30 if spread else None


def add_exchangers(bench: Bench) -> list[State]:
    """Lines of every exchanger: means of the period; ratio and trend as of its last day."""
    found = []
    for exchanger in bench.exchangers:
        state = examine(bench, exchanger)
        if state is not None:
            found.append(state)
        _lines(bench, exchanger, state)
    return found


def _lines(bench: Bench, exchanger: Exchanger, state: State | None) -> None:
    name = exchanger.label
    for key, zh, en, unit in _FIGURES:
        label = Text(zh=f"{name.zh} {zh}", en=f"{name.en}: {en}")
        what = head(PLANT, f"exchanger_{key}.{exchanger.equipment}", label, unit)
        value = None if state is None else _value(state, key)
        if state is None or value is None:
            unstated(bench.assembly, what, _NO_HOURS)
            continue
        notes = [state.basis] if key in {"ua_ratio", "ua_trend"} else []
        if key == "ua_ratio":
            notes.append(_as_of(state.last.day))
        if state.refused and key == "ua":
            notes.append(_refused(state.refused))
        if state.unnamed and key == "ua_trend":
            notes.append(_unnamed(state.unnamed))
        line = bench.assembly.state(what, value, How.METERED, [], notes=notes)
        if key == "ntu":
            bench.assembly.put(line, decimals=3, rounded=rounded(value, 3))


def _value(state: State, key: str) -> Decimal | None:
    if key == "ua_ratio":
        return state.ratios[-1]
    if key == "ua_trend":
        return trend(state)
    values = [getattr(day, key) for day in state.days]
    return sum(values, Decimal(0)) / len(values)


def _as_of(day: date) -> Text:
    return Text(
        zh=f"为 {day}（最后一个数据充分的日子）的值，不是期间均值",
        en=f"of {day}, the last day with enough hours; no mean of the period",
    )


def _unnamed(days: Sequence[date]) -> Text:
    named = ", ".join(map(str, days))
    return Text(
        zh=f"{named} UA 突升，视为已清洗；请在 site.toml 的 cleaned 中登记",
        en=f"UA jumped up on {named}: taken as cleaned; name the day under cleaned in site.toml",
    )


def _refused(hours: int) -> Text:
    return Text(
        zh=f"{hours} 个小时的温度、流量相互矛盾，未采用",
        en=f"{hours} hours left out: temperatures and flows contradict one another",
    )


def fouled(bench: Bench, states: Sequence[State]) -> list[Doubt]:
    """An alarm for each exchanger whose UA has fallen below the bound on the last day."""
    bound = bench.basis.site.energy.fouling_alarm
    return [
        Doubt(
            line=f"{PLANT}.exchanger_ua_ratio.{state.exchanger.equipment}",
            text=Text(
                zh=f"{state.exchanger.label.zh}积灰：{state.last.day} UA 仅为清洁值的 "
                f"{state.ratios[-1] * 100:.1f} %（报警线 {bound * 100:.0f} %），请安排清灰",
                en=f"{state.exchanger.label.en} is fouled: on {state.last.day} UA is "
                f"{state.ratios[-1] * 100:.1f} % of the clean one (alarm below "
                f"{bound * 100:.0f} %); have it cleaned",
            ),
        )
        for state in states
        if state.ratios[-1] < bound
    ]


def state_table(state: State) -> Table:
    """Day by day, or of a longer period as many days as fit a page, evenly chosen."""
    step = max(1, -(-len(state.days) // ROWS))
    chosen = list(zip(state.days, state.ratios, strict=True))[::-step][::-1]
    rows: list[tuple[Cell, ...]] = []
    for day, ratio in chosen:
        since = since_cleaning(state, day.day)
        rows.append(
            (
                *(str(day.day), Decimal(day.hours), day.flow, day.effectiveness, day.ntu),
                *(day.ua, ratio, None if since is None else Decimal(since)),
            )
        )
    columns = (
        Column(label=Text(zh="日期", en="Day")),
        Column(label=Text(zh="小时数", en="Hours"), decimals=0),
        Column(label=Text(zh="烟气流量", en="Gas flow"), unit="Nm3/h", decimals=0),
        Column(label=Text(zh="换热效率", en="Effectiveness"), decimals=4),
        Column(label=Text(zh="NTU", en="NTU"), decimals=3),
        Column(label=Text(zh="UA", en="UA"), unit="kW/K", decimals=2),
        Column(label=Text(zh="UA/清洁值", en="UA over clean"), decimals=4),
        Column(label=Text(zh="距清洗天数", en="Days since cleaning"), decimals=0),
    )
    name = state.exchanger.label
    title = name
    if state.exchanger.name is None:  # its equipment alone says nothing
        title = Text(zh=f"换热器 {name.zh}", en=f"Exchanger {name.en}")
    note = Text(
        zh=f"清洁值 {state.clean_ua:.2f} kW/K（{state.clean_flow:.0f} Nm3/h）：{state.basis.zh}",
        en=f"clean: {state.clean_ua:.2f} kW/K at {state.clean_flow:.0f} Nm3/h; {state.basis.en}",
    )
    key = f"exchanger-{state.exchanger.equipment}"
    return Table(id=key, title=title, columns=columns, rows=tuple(rows), note=note)
