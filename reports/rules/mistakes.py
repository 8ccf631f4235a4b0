"""What is wrong in a file of rules, in the words of the person who edits it."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from drivers.language import say
from reports.rules.toml_places import place

Loc = tuple[int | str, ...]
Mistake = tuple[Loc, str]
_MESSAGES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("缺少此项，请填写", "is missing; fill it in"),
    "extra_forbidden": ("未知的键", "unknown key"),
    "string_too_short": ("不能为空", "must not be empty"),
    "string_type": ("应为加引号的文本", "write a text in quotes"),
    "string_pattern_mismatch": ("写法不对，须符合 {pattern}", "must look like {pattern}"),
    "enum": ("应为 {expected}", "write {expected}"),
    "literal_error": ("应为 {expected}", "write {expected}"),
    "union_tag_invalid": ("应为 {expected_tags}", "write one of {expected_tags}"),
    "union_tag_not_found": ('缺少 kind = "…"', 'write kind = "…"'),
    "greater_than": ("须大于 {gt}", "must be above {gt}"),
    "greater_than_equal": ("须不小于 {ge}", "must be at least {ge}"),
    "less_than": ("须小于 {lt}", "must be below {lt}"),
    "less_than_equal": ("须不大于 {le}", "must be at most {le}"),
    "decimal_parsing": ("应为数字", "write a number"),
    "decimal_type": ("应为数字", "write a number"),
    "int_parsing": ("应为整数", "write a whole number"),
    "int_type": ("应为整数", "write a whole number"),
    "int_from_float": ("应为整数", "write a whole number"),
    "tuple_type": ("应为列表 […]", "write a list […]"),
    "date_type": ("应为日期，例如 2026-03-31", "write a date, e.g. 2026-03-31"),
    "date_parsing": ("应为日期，例如 2026-03-31", "write a date, e.g. 2026-03-31"),
    "date_from_datetime_parsing": (
        "应为日期，例如 2026-03-31",
        "write a date, e.g. 2026-03-31",
    ),
    "date_from_datetime_inexact": ("只写日期，不写时刻", "write a date without a time"),
    "too_short": ("至少一项", "give at least one"),
}


def of_shape(error: ValidationError, under: Loc = ()) -> list[Mistake]:
    """Every mistake pydantic found, each once."""
    found: dict[Loc, str] = {}
    for problem in error.errors():
        loc = tuple(part for part in problem["loc"] if part not in _CHOICES)
        found.setdefault((*under, *loc), _message(problem))
    return list(found.items())


_DIGEST: Final = "^[0-9a-f]{64}$"
_CHOICES: Final = {"decimal", "str", "date"}  # branches of a value's type, no keys of the file


def _message(problem: Any) -> str:
    zh, en = _MESSAGES.get(problem["type"], ("", ""))
    if problem.get("ctx", {}).get("pattern") == _DIGEST:
        return say("应为 64 位十六进制数（小写）", "write 64 hexadecimal digits")
    known = say(zh, en).format(**problem.get("ctx", {}))
    return known or str(problem["msg"]).removeprefix("Value error, ")


def sentences(file: str, text: str, mistakes: list[Mistake]) -> list[str]:
    """``file:line: key: what``, in the order of the file."""
    placed = [(place(text, loc), loc, what) for loc, what in mistakes]
    return [
        f"{file}:{line}: {'.'.join(_word(part) for part in loc)}{': ' if loc else ''}{what}"
        for line, loc, what in sorted(placed, key=lambda each: each[0])
    ]


def _word(part: int | str) -> str:
    return str(part + 1) if isinstance(part, int) else part
