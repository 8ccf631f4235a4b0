"""What a person and a machine read about rules: lists, one parameter, what is absent."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from drivers.language import language, say
from reports.rules.packs import Checked, Legal, RuleError, RulePack, Stretch
from reports.rules.units import UNIT_TEXT, value_text
from reports.values import Text

CONFIRMED_TEXT: Final[Mapping[str, Text]] = {
    "official": Text(zh="官方文本", en="official"),
    "secondary": Text(zh="二手资料", en="secondary"),
    "unverified": Text(zh="未核实", en="unverified"),
    "site": Text(zh="本厂核对", en="checked by the plant"),
    "absent": Text(zh="缺失", en="absent"),
    "none": Text(zh="该日无取值", en="no value that day"),
}


def in_force(pack: RulePack, name: str, day: date) -> Legal | None:
    """The rule on that day, or None."""
    try:
        return pack.at(name, day)
    except RuleError:
        return None


def state(pack: RulePack, name: str, day: date) -> str:
    """How well the value of the day is confirmed; ``absent``; ``none`` when it has no value."""
    found = in_force(pack, name, day)
    if found is not None:
        return found.confirmed.value
    return "absent" if pack.parameters[name].absent is not None else "none"


def list_text(packs: Mapping[str, RulePack], day: date) -> Iterator[str]:
    """Each parameter on one line, under its pack."""
    for pack in packs.values():
        yield f"{pack.name}  {pack.title}"
        width = max(len(name) for name in pack.parameters)
        for name, parameter in pack.parameters.items():
            found = in_force(pack, name, day)
            value = "—" if found is None else _value(found)
            how = CONFIRMED_TEXT[state(pack, name, day)].of(language())
            start = "" if found is None else f"{say('自', 'from')} {found.applies_from}  "
            label = say(parameter.zh, parameter.what)
            yield f"  {name:<{width}}  {padded(value, 22)}  {padded(how, 12)}  {start}{label}"


def summary_text(packs: Mapping[str, RulePack]) -> Iterator[str]:
    """A table of the packs: how many values of each confirmation, how many parameters without."""
    kinds = ["official", "secondary", "unverified"]
    if any(pack.overlays for pack in packs.values()):
        kinds.append("site")
    heads = [CONFIRMED_TEXT[kind].of(language()) for kind in (*kinds, "absent")]
    yield f"| {say('包', 'pack')} | {say('文件', 'text')} | {' | '.join(heads)} |"
    yield "|---|---|" + "---:|" * len(heads)
    for pack in packs.values():
        values = [
            stretch.legal.confirmed for name in pack.parameters for stretch in pack.stretches(name)
        ]
        counts = [sum(each == kind for each in values) for kind in kinds]
        counts.append(sum(not pack.stretches(name) for name in pack.parameters))
        yield f"| `{pack.name}` | {pack.title} | {' | '.join(map(str, counts))} |"


def list_table(packs: Mapping[str, RulePack], day: date) -> list[dict[str, Any]]:
    """The same for a machine."""
    return [row(pack, name, day) for pack in packs.values() for name in pack.parameters]


def row(pack: RulePack, name: str, day: date) -> dict[str, Any]:
    """A parameter on a day."""
    parameter, found = pack.parameters[name], in_force(pack, name, day)
    wanted = pack.wanted(name)
    table: dict[str, Any] = {
        "id": f"{pack.name}.{name}",
        "zh": parameter.zh,
        "en": parameter.what,
        "unit": str(parameter.unit),
        "state": state(pack, name, day),
        "unused": parameter.unused,
    }
    if found is None:
        return table | {"value": None, "open": wanted.source.title, "locator": wanted.locator}
    return table | legal_table(found)


def legal_table(legal: Legal) -> dict[str, Any]:
    """Value and citation for a machine."""
    value = legal.value
    source, checked = legal.source, legal.overlay
    return {
        "value": float(value) if isinstance(value, Decimal) else str(value),
        "applies_from": str(legal.applies_from),
        "confirmed": legal.confirmed.value,
        "source": {
            "title": source.title,
            "issuer": source.issuer,
            "published": None if source.published is None else str(source.published),
            "where": source.where,
        },
        "locator": legal.locator,
        "seen": legal.seen,
        "seen_zh": legal.seen_zh,
        "overlay": None if checked is None else _checked_table(checked),
    }


def _checked_table(checked: Checked) -> dict[str, str]:
    return {
        "entered_by": checked.entered_by,
        "checked_by": checked.checked_by,
        "checked_on": str(checked.checked_on),
        "file": checked.file,
        "document": checked.document,
        "sha256": checked.sha256,
        "replaces_official": checked.replaces_official,
    }


def show_table(pack: RulePack, name: str, day: date) -> dict[str, Any]:
    """One parameter with its history."""
    history = [
        legal_table(stretch.legal)
        | {"until": None if stretch.until is None else str(stretch.until)}
        for stretch in pack.stretches(name)
    ]
    return row(pack, name, day) | {"history": history}


def show_text(pack: RulePack, name: str, day: date) -> Iterator[str]:
    """One parameter: value on the day, where it stands, how it was confirmed, its history."""
    parameter, found = pack.parameters[name], in_force(pack, name, day)
    yield f"{pack.name}.{name}"
    yield f"  {parameter.zh} · {parameter.what}"
    shown = UNIT_TEXT[parameter.unit].of(language())
    yield f"  {say('单位', 'unit')}: {parameter.unit}" + (f"  {shown}" if shown else "")
    if parameter.yearly:
        yield "  " + say("按年取值", "fixed anew for each year")
    if parameter.unused:
        reason = say(parameter.unused_zh, parameter.unused)
        yield f"  {say('报告不使用', 'not used by reports')}: {reason}"
    if found is None:
        wanted = pack.wanted(name)
        yield say(f"{day}：没有取值", f"{day}: no value")
        if parameter.absent is not None:
            yield f"  {say('请打开', 'open')}: {wanted.source.title}"
            yield f"  {say('位置', 'place')}: {wanted.locator}"
            yield f"  {say('何处可得', 'where')}: {wanted.source.where}"
            yield f"  smelter rules template {wanted.id} --out overlays/{name}.toml"
    else:
        yield f"{day}: {_value(found)}"
        yield from (f"  {line}" for line in citation(found))
    stretches = pack.stretches(name)
    if stretches:
        yield say("历史：", "history:")
        yield from (f"  {_stretch(each)}" for each in stretches)


def citation(legal: Legal) -> Iterator[str]:
    """Where a value stands, and how well that was confirmed."""
    source, checked = legal.source, legal.overlay
    published = "" if source.published is None else f"  {source.published}"
    issued = f"{source.issuer}{published}"
    yield say(f"依据: {source.title}（{issued}）", f"source: {source.title} ({issued})")
    yield f"{say('位置', 'place')}: {legal.locator}"
    yield f"{say('何处可得', 'where')}: {source.where}"
    yield f"{say('核实', 'confirmed')}: {CONFIRMED_TEXT[legal.confirmed].of(language())}"
    yield f"{say('在何处看到', 'seen')}: {say(legal.seen_zh, legal.seen)}"
    if checked is not None:
        yield checked_text(checked)


def checked_text(checked: Checked) -> str:
    """Who entered and checked a value of the plant."""
    why = checked.replaces_official
    return say(
        f"由本厂{checked.entered_by}录入、{checked.checked_by}核对于 {checked.checked_on}；"
        f"{checked.file}；依据 {checked.document} sha256 {checked.sha256}"
        + (f"；取代官方值：{why}" if why else ""),
        f"entered by {checked.entered_by}, checked by {checked.checked_by} on "
        f"{checked.checked_on}; {checked.file}; from {checked.document} sha256 {checked.sha256}"
        + (f"; replaces the official value: {why}" if why else ""),
    )


def _stretch(stretch: Stretch) -> str:
    legal = stretch.legal
    until = "" if stretch.until is None else say(f" 至 {stretch.until} 前", f" to {stretch.until}")
    how = CONFIRMED_TEXT[legal.confirmed].of(language())
    return f"{legal.applies_from}{until}  {_value(legal)}  [{how}]  {legal.source.title}"


def absent_table(packs: Mapping[str, RulePack], day: date) -> list[dict[str, Any]]:
    """What nobody could read, with the text to open."""
    return [
        {
            "id": wanted.id,
            "zh": wanted.zh,
            "en": wanted.what,
            "unit": str(wanted.unit),
            "open": wanted.source.title,
            "where": wanted.source.where,
            "locator": wanted.locator,
        }
        for pack in packs.values()
        for name in pack.parameters
        if state(pack, name, day) == "absent"
        for wanted in (pack.wanted(name),)
    ]


def absent_text(packs: Mapping[str, RulePack], day: date) -> Iterator[str]:
    """The same by text: open one, read all that stands in it."""
    rows = absent_table(packs, day)
    for title in dict.fromkeys(each["open"] for each in rows):
        fitting = [each for each in rows if each["open"] == title]
        yield say(f"请打开 {title}", f"open {title}")
        yield f"  {fitting[0]['where']}"
        for place in dict.fromkeys(each["locator"] for each in fitting):
            yield f"  {say('位置', 'place')}: {place}"
            for each in fitting:
                if each["locator"] == place:
                    yield f"    - {say(each['zh'], each['en'])}  {each['id']}"
    if rows:
        yield say(
            "填写：smelter rules template 编号 --out FILE，填好后 smelter rules check FILE，"
            "再列入 site.toml 的 overlays",
            "to enter one: smelter rules template ID --out FILE, fill it in, smelter rules check "
            "FILE, then name it under overlays in site.toml",
        )
    else:
        yield say(f"{day} 没有缺失的参数", f"nothing is absent on {day}")


def _value(legal: Legal) -> str:
    return value_text(legal.value, legal.unit, language())


def padded(text: str, width: int) -> str:
    """Filled with spaces to ``width`` columns of a terminal; Chinese letters take two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return text + " " * (width - len(text) - wide)
