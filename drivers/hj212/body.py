"""The CP body: fields → values, every deviation from the form and every odd value noted."""

from collections.abc import Mapping

from drivers.hj212.codes import DATA_PERIOD_S, data_flags, systems
from drivers.hj212.defects import Defects
from drivers.hj212.factors import find_factor, is_foreign, suffixes
from drivers.hj212.plausible import look_at
from drivers.hj212.segment import Field, Segment, moment
from drivers.hj212.values import Value, is_plain_number, make_value, read_number

# Fields without a factor (table 4, and Appendix C of 2025): those that are times, and the others.
_TIMES = frozenset({"DataTime", "BeginTime", "EndTime", "SystemTime", "RestartTime"})
_NUMBERS = frozenset(
    {"QnRtn", "ExeRtn", "RtdInterval", "MinInterval", "OverTime", "ReCount", "VaseNo", "Stime"}
    | {"Ctime", "CTime", "CalibrationType"}
)
_TEXTS = frozenset(
    {"PolId", "InfoId", "NewPW", "CstartTime", "SKCreateTime", "NewSK", "SampleTime"}
)
_FLAGGED = frozenset({"2011", "2031", "2051", "2061"})  # messages in which each factor has a flag
_AIR_SYSTEMS = frozenset({"22", "27", "31", "39", "45", "51"})

Flags = Mapping[str, str]


def read_body(segment: Segment, defects: Defects) -> tuple[Value, ...]:
    """All values of a segment in order; Flag itself is on each value of its factor."""
    flags: dict[str, str] = {}
    split: list[tuple[Field, str, str, int]] = []  # field, factor, suffix, number of its item
    for number, item in enumerate(segment.cp):
        item_factor = ""
        for each in item:
            field = _without_blanks(each, defects)
            factor, dash, suffix = field.name.partition("-")
            if not field.name or field.value is None:
                defects.add("no_equals" if field.name else "item_empty", field.at, text=field.name)
                continue
            if not dash:
                _plain(field, defects)
                continue
            if item_factor and factor != item_factor:
                defects.add("item_comma", field.at, text=field.text)
            item_factor = factor
            split.append((field, factor, suffix, number))
            if suffix == "Flag":
                flags.setdefault(factor, field.value)
    values = _values(split, flags, defects)
    _check_message(segment, values, flags, defects)
    return values


def _without_blanks(field: Field, defects: Defects) -> Field:
    name = field.name.strip()
    value = None if field.value is None else field.value.strip()
    if name == field.name and value == field.value:
        return field
    defects.add("space", field.at, text=field.text)
    return Field(name, value, field.at)


def _plain(field: Field, defects: Defects) -> None:
    """A field without factor: DataTime, QnRtn …"""
    value = field.value or ""
    if field.name in _TIMES:
        code = "data_time_form" if field.name == "DataTime" else "time_form"
        if len(value) != 14 or moment(value) is None:
            defects.add(code, field.at, text=field.text if code == "time_form" else value)
    elif field.name in _NUMBERS:
        if read_number(value) is None:
            defects.add("number_form", field.at, text=field.text)
    elif field.name not in _TEXTS:
        defects.add("suffix_unknown", field.at, text=field.text)


def _values(
    split: list[tuple[Field, str, str, int]], flags: Flags, defects: Defects
) -> tuple[Value, ...]:
    values: list[Value] = []
    seen: set[tuple[str, str]] = set()
    home: dict[str, int] = {}  # factor → its item
    for field, factor, suffix, number in split:
        if factor not in home:
            _check_factor(factor, field, defects)
        elif home[factor] != number and (factor, suffix) not in seen:
            defects.add("item_semicolon", field.at, text=field.text)
        home[factor] = number
        if (factor, suffix) in seen:
            defects.add("field_twice", field.at, text=field.text)
            continue
        seen.add((factor, suffix))
        text = field.value or ""
        _check_field(suffix, text, field, defects)
        if suffix != "Flag":
            values.append(make_value(factor, suffix, text, flags.get(factor, ""), field.at))
    return tuple(values)


def _check_factor(factor: str, field: Field, defects: Defects) -> None:
    found = find_factor(factor)
    if found is None:
        if not is_foreign(factor):
            defects.add("factor_unknown", field.at, text=factor)
    elif found.old == factor:
        names = {"zh_name": found.zh, "en_name": found.en}
        defects.add("factor_old", field.at, text=factor, now=found.code, **names)


def _check_field(suffix: str, text: str, field: Field, defects: Defects) -> None:
    kind = suffixes().get(suffix)
    if kind is None:
        defects.add("suffix_unknown", field.at, text=field.text)
    elif suffix == "Flag":
        if text not in data_flags():
            defects.add("data_flag_unknown", field.at, text=field.text)
    elif suffix == "SampleTime":
        if text and moment(text) is None:
            defects.add("time_form", field.at, text=field.text)
    elif kind.number and field.name[:4] != "p991" and not is_plain_number(text):
        defects.add("number_form" if text else "number_missing", field.at, text=field.text)


def _check_message(
    segment: Segment, values: tuple[Value, ...], flags: Flags, defects: Defects
) -> None:
    """What only the whole message shows: time, system, missing flags, odd values."""
    if not values:
        return
    time = next((each for each in segment.fields() if each.name.strip() == "DataTime"), None)
    period = DATA_PERIOD_S.get(segment.cn)
    if period is not None and time is None:
        defects.add("data_time_missing", values[0].at)
    elif period and time is not None and moment(time.value):
        start = (time.value or "")[8:]
        if (period == 3600 and start[2:] != "0000") or (period == 86400 and start != "000000"):
            defects.add("data_time_not_start", time.at, text=time.value)
    air = next((each for each in values if each.code[:1] == "a"), None)
    if air and segment.st in systems() and segment.st not in _AIR_SYSTEMS and segment.st != "91":
        kind = systems()[segment.st]
        names = {"zh_name": kind.zh, "en_name": kind.en}
        defects.add("st_wrong_kind", 6, st=segment.st, factor=air.factor, **names)
    if segment.cn in _FLAGGED:
        for factor in dict.fromkeys(v.factor for v in values if v.code[:1] in {"a", "w"}):
            if factor not in flags:
                at = next(v.at for v in values if v.factor == factor)
                defects.add("data_flag_missing", at, factor=factor)
    look_at(values, period or 0, defects)
