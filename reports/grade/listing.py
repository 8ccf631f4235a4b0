"""What ``smelter rules`` says of indicator tables: lists, one table, what is absent, checks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from drivers.language import language, plural, say
from drivers.model import ConfigError
from reports.entries.kinds import KINDS as ENTRIES
from reports.grade.evidence import KINDS, POLLUTANTS, Evidence, Share, number_of, word_text
from reports.grade.overlay import Overlay, is_own_table, lay, read_own_tables
from reports.grade.sheet import xlsx_template
from reports.grade.table import (
    FAMILIES,
    INDUSTRIES,
    PREFIX,
    Indicator,
    IndicatorTable,
    plain,
    tables,
)
from reports.grade.template import toml_template
from reports.rules.listing import CONFIRMED_TEXT, checked_text
from reports.rules.units import UNIT_TEXT
from reports.site import Site
from reports.values import Text

GENERAL: Final = Text(zh="各行业", en="any industry")


def known(site: Site | None) -> dict[str, IndicatorTable]:
    """The shipped tables, with those of the site laid over them."""
    if site is None:
        return tables()
    own = read_own_tables(site.grade.tables)
    result = tables()
    for industry in ("", *INDUSTRIES):
        fitting = [each for each in own if each.own is not None and each.own.industry == industry]
        result = lay(result, fitting, industry)
    return result


def find(found: dict[str, IndicatorTable], name: str) -> IndicatorTable:
    """The table named ``grade.NAME`` or ``NAME``. Raises ConfigError that lists them."""
    bare = name.removeprefix(PREFIX)
    if bare not in found:
        names = ", ".join(f"{PREFIX}{each}" for each in found)
        raise ConfigError([say(f"没有指标表 {name!r}；有 {names}", f"no table {name!r}: {names}")])
    return found[bare]


def summary_text(found: dict[str, IndicatorTable]) -> Iterator[str]:
    """One line a table: how many indicators of each confirmation."""
    kinds = ("official", "secondary", "unverified", "site", "absent")
    heads = " | ".join(CONFIRMED_TEXT[kind].of(language()) for kind in kinds)
    yield f"| {say('指标表', 'table')} | {say('文件', 'text')} | {heads} |"
    yield "|---|---|" + "---:|" * len(kinds)
    for table in found.values():
        counts = " | ".join(
            str(sum(x.confirmed == kind for x in table.indicators)) for kind in kinds
        )
        yield f"| `{table.id}` | {table.file.title} | {counts} |"


def list_text(table: IndicatorTable) -> Iterator[str]:
    """Every indicator of a table, under its level and family."""
    industry = INDUSTRIES.get(table.file.industry, GENERAL)
    yield f"{table.id}  {table.file.title}  {industry.of(language())}  {table.file.generation}"
    for level in table.file.levels:
        yield say(f"{level} 级", f"level {level}")
        rows = table.of_level(level)
        for each in rows:
            how = CONFIRMED_TEXT[each.confirmed].of(language())
            name = "" if each.absent else f"  {each.id.removeprefix(table.name + '.')}"
            yield f"  [{how}] {FAMILIES[each.family].of(language())}：" + (
                each.text.of(language()) + name
            )
            for evidence in each.evidence:
                if not each.absent:
                    proof = evidence_text(evidence).of(language())
                    yield f"      {say('证据', 'evidence')}: {proof}"


def show_text(found: dict[str, IndicatorTable], name: str) -> Iterator[str]:
    """A whole table, or one indicator (``TABLE.LEVEL.NAME``) with its citation."""
    bare = name.removeprefix(PREFIX)
    for table in found.values():
        for each in table.indicators:
            if each.id == bare:
                yield from _one(each)
                return
    yield from list_text(find(found, name))


def _one(each: Indicator) -> Iterator[str]:
    yield f"{PREFIX}{each.id}"
    yield f"  {FAMILIES[each.family].of(language())}: {each.text.of(language())}"
    yield f"  {say('依据', 'source')}: {each.source.title}（{each.source.issuer}）"
    yield f"  {say('位置', 'place')}: {each.locator}"
    yield f"  {say('何处可得', 'where')}: {each.source.where}"
    yield f"  {say('核实', 'confirmed')}: {CONFIRMED_TEXT[each.confirmed].of(language())}"
    yield f"  {say('在何处看到', 'seen')}: {each.seen.of(language())}"
    for evidence in each.evidence:
        yield f"  {say('证据', 'evidence')}: {evidence_text(evidence).of(language())}"
    if each.overlay is not None:
        yield f"  {checked_text(each.overlay)}"


def table_json(table: IndicatorTable) -> dict[str, Any]:
    """A table for a machine."""
    return {
        "id": table.id,
        "title": table.file.title,
        "industry": table.file.industry,
        "generation": table.file.generation,
        "levels": list(table.file.levels),
        "sha256": table.digest,
        "indicators": [
            {
                "id": each.id,
                "level": each.level,
                "family": each.family,
                "zh": each.text.zh,
                "en": each.text.en,
                "state": each.confirmed,
                "open": each.source.title,
                "where": each.source.where,
                "locator": each.locator,
                "evidence": [e.model_dump(mode="json") for e in each.evidence],
            }
            for each in table.indicators
        ],
    }


def absent_text(found: dict[str, IndicatorTable]) -> Iterator[str]:
    """By text: what of it nobody could read."""
    places: dict[tuple[str, str], dict[str, list[Indicator]]] = {}
    for table in found.values():
        for each in table.indicators:
            if each.absent:
                key = each.source.title, each.source.where
                places.setdefault(key, {}).setdefault(table.id, []).append(each)
    for (title, where), rows in places.items():
        yield say(f"请打开 {title}", f"open {title}")
        yield f"  {where}"
        for table_id, missing in rows.items():
            levels = ", ".join(dict.fromkeys(each.level for each in missing))
            families = dict.fromkeys(FAMILIES[each.family].of(language()) for each in missing)
            yield f"  {missing[0].locator}"
            yield f"    - {table_id}  {levels}: {say('、', ', ').join(families)}"
            yield f"      smelter rules template {table_id} --out overlays/{table_id}.xlsx"


def check(paths: Sequence[Path]) -> Iterator[str]:
    """Who typed what and who checked it. Raises ConfigError with every mistake."""
    for overlay in read_own_tables(paths):
        yield from _checked(overlay)


def _checked(overlay: Overlay) -> Iterator[str]:
    own, checked = overlay.own, overlay.checked
    if own is None or checked is None:
        return
    count = len(own.indicators)
    yield say(
        f"{overlay.path}：{own.table}，{count} 项指标，无误",
        f"{overlay.path}: {own.table}, {count} indicator{plural(count)}, no mistake",
    )
    yield f"  {checked_text(checked)}"
    for row in own.indicators:
        for evidence in row.evidence:
            text = evidence_text(evidence).of(language())
            yield f"  {', '.join(row.levels)} {row.family} {row.name}: {text}"
    partly = [f"{x.family} {x.level}" for x in own.coverage if x.state == "partial"]
    if partly:
        told = "、".join(partly)
        yield "  " + say(
            f"只录入一部分，仍不可证明：{told}", f"only in part, cannot be proven: {told}"
        )


def template(table: IndicatorTable, out: Path | None) -> str | bytes:
    """What is to be written: a workbook for ``.xlsx``, else TOML."""
    if out is not None and out.suffix.lower() == ".xlsx":
        return xlsx_template(table)
    return toml_template(table)


def evidence_text(evidence: Evidence, *, numbered: bool = True) -> Text:
    """The proof an indicator needs, in words; with the number of the table, or without."""
    name, number = KINDS[evidence.kind], number_of(evidence)
    parts = [name, *_subjects(evidence)]
    if number is not None and numbered:
        unit = UNIT_TEXT[number[1]]
        sign = {"limits_met": "≤ ", "share": "≥ ", "uptime": "≥ "}.get(evidence.kind, "")
        shown = f"{sign}{plain(number[0])}"
        parts.append(Text(zh=f"{shown} {unit.zh}", en=f"{shown} {unit.en}"))
    return Text(zh=" ".join(x.zh for x in parts), en=" ".join(x.en for x in parts))


def _subjects(evidence: Evidence) -> Iterator[Text]:
    """Of what: pollutants and classes by their names, documents and outlets as they are."""
    if pollutant := getattr(evidence, "pollutant", ""):
        yield _name(POLLUTANTS.get(pollutant), pollutant)
    if of := getattr(evidence, "of", ""):
        yield ENTRIES[of].name if of in ENTRIES else Text(zh=of.upper(), en=of.upper())
    if what := getattr(evidence, "what", ""):
        yield word_text(what)
    for key in ("stacks", "classes", "entries"):
        items: tuple[str, ...] = getattr(evidence, key, ())
        names = [_item(evidence, key, item) for item in items]
        if names:
            yield Text(zh="、".join(x.zh for x in names), en=", ".join(x.en for x in names))


def _item(evidence: Evidence, key: str, item: str) -> Text:
    if key == "classes" and isinstance(evidence, Share):
        return ENTRIES[evidence.of].item_name(item)
    return ENTRIES[item].name if key == "entries" else _name(None, item)


def _name(known: Text | None, item: str) -> Text:
    return known or Text(zh=item, en=item)


__all__ = [
    "absent_text",
    "check",
    "evidence_text",
    "find",
    "is_own_table",
    "known",
    "list_text",
    "show_text",
    "summary_text",
    "table_json",
    "template",
]
