"""Reading the file of an indicator table strictly: every mistake at once, with its line."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from drivers.language import say
from drivers.model import ConfigError
from reports.grade.table import ANY, FAMILIES, INDUSTRIES, TableFile
from reports.rules.mistakes import Mistake, of_shape, sentences


def read_table_file(name: str, content: bytes) -> TableFile:
    """The table in the bytes of its file. Raises ConfigError with every mistake in it."""
    try:
        text = content.decode("utf-8")
        tables = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{name}.toml: {error}"]) from None
    mistakes = list(_senseless(tables))
    try:
        found = TableFile.model_validate(tables)
    except ValidationError as error:
        mistakes += of_shape(error)
    if mistakes:
        raise ConfigError(sentences(f"{name}.toml", text, mistakes))
    return found


def _senseless(tables: dict[str, Any]) -> Iterator[Mistake]:
    """What has the right shape and cannot be; read from the bare tables."""
    levels, sources = tables.get("levels"), tables.get("sources")
    levels = levels if isinstance(levels, list) else []
    known = set(sources) if isinstance(sources, dict) else set()
    industry = tables.get("industry")
    if isinstance(industry, str) and industry != ANY and industry not in INDUSTRIES:
        words = ", ".join(INDUSTRIES)
        yield ("industry",), say(f"应为 {words} 或 any", f"write one of {words}, or any")
    if len(set(map(str, levels))) < len(levels):
        yield ("levels",), say("等级重复", "a level is named twice")
    yield from _builds_on(tables.get("builds_on"), levels)
    seen: set[tuple[object, object]] = set()
    for key in ("indicators", "absent"):
        blocks = tables.get(key)
        for number, block in enumerate(blocks if isinstance(blocks, list) else []):
            if isinstance(block, dict):
                for loc, what in _block(block, levels, known, seen):
                    yield (key, number, loc), what
    yield from _holes(tables, levels)


def _builds_on(given: object, levels: list[Any]) -> Iterator[Mistake]:
    for upper, lower in given.items() if isinstance(given, dict) else ():
        if upper not in levels or lower not in levels:
            yield ("builds_on", upper), say("不是本表的等级", "is no level of this table")
        elif levels.index(lower) <= levels.index(upper):
            yield ("builds_on", upper), say("须建立在更低等级上", "builds on a lower level only")


def _block(
    block: dict[str, Any], levels: list[Any], sources: set[str], seen: set[tuple[object, object]]
) -> Iterator[tuple[str, str]]:
    given = block.get("levels")
    for level in given if isinstance(given, list) else []:
        if level not in levels:
            yield "levels", say(f"{level!r} 不是本表的等级", f"{level!r} is no level of this table")
        if "name" in block:
            if (block["name"], level) in seen:
                yield "name", say("同一等级中重名", "is there already at this level")
            seen.add((block["name"], level))
    source = block.get("source")
    if isinstance(source, str) and source not in sources:
        yield "source", say(f"没有来源 {source!r}", f"unknown source {source!r}")


def _holes(tables: dict[str, Any], levels: list[Any]) -> Iterator[Mistake]:
    """A table of an industry says of every family and level what it asks, or that it is absent."""
    if tables.get("industry") == ANY:
        return
    told: set[tuple[object, object]] = set()
    for block in (*_list(tables, "absent"), *_list(tables, "indicators")):
        families = block.get("families", [block.get("family")])
        given = block.get("levels")
        for level in given if isinstance(given, list) else []:
            told |= {(family, level) for family in families if isinstance(family, str)}
    for level in levels:
        lacking = [f for f in FAMILIES if f != "conditions" and (f, level) not in told]
        if lacking:
            yield (
                ("levels",),
                say(
                    f"{level} 级未交代 {'、'.join(lacking)}：写指标，或列入 absent",
                    f"level {level} says nothing of {', '.join(lacking)}: "
                    "write indicators, or list them under absent",
                ),
            )


def _list(tables: dict[str, Any], key: str) -> list[dict[str, Any]]:
    blocks = tables.get(key)
    return [each for each in blocks if isinstance(each, dict)] if isinstance(blocks, list) else []
