"""What is wrong with a config file: file, line, key, and what to write instead."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from agent.toml_lines import Place, line_of
from drivers.language import language, why
from drivers.model import ConfigError
from drivers.tomlfile import parsed


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The parsed file and its text; ConfigError says where it is no TOML."""
    zh = language() == "zh"
    try:
        text = path.read_text("utf-8-sig")
        return parsed(text), text
    except OSError as error:
        what = "无法读取" if zh else "cannot read it"
        raise ConfigError([f"{path}: {what}: {why(error)}"]) from None
    except UnicodeDecodeError:
        what = "不是 UTF-8 编码" if zh else "is not UTF-8"
        raise ConfigError([f"{path}: {what}"]) from None
    except tomllib.TOMLDecodeError as error:
        what = "不是有效的 TOML" if zh else "is not valid TOML"
        raise ConfigError([f"{path.name}: {what}: {error}"]) from None


def explain(
    path: Path, error: ValidationError, lines: Mapping[Place, int], model: type[BaseModel]
) -> list[str]:
    """One line per mistake that pydantic found: file, line, key, what to write instead."""
    problems: list[str] = []
    mistakes = error.errors()
    inside = {mistake["loc"][0] for mistake in mistakes if len(mistake["loc"]) > 1}
    for mistake in mistakes:
        place: Place = tuple(mistake["loc"])
        if mistake["type"] == "too_short" and place[0] in inside:
            continue  # there is one; it is only wrong
        line = line_of(dict(lines), place)
        where = f"{path.name}:{line}" if line else path.name
        message = _message(mistake["type"], mistake["msg"], mistake.get("ctx", {}), place, model)
        problems += (f"{where}: {_named(place)}{text}" for text in each(message))
    return problems


def each(message: str) -> list[str]:
    """The mistakes that one check of a whole table found: one a line."""
    return message.removeprefix("Value error, ").splitlines()


def _named(place: Place) -> str:
    parts = [f"{part + 1}" if isinstance(part, int) else part for part in place]
    return f"{' '.join(parts)}: " if parts else ""


_ZH = {
    "missing": "缺少此项",
    "extra_forbidden": "未知的键",
    "string_pattern_mismatch": "只能用字母、数字、'-' 和 '_'，以字母开头，最多 32 个字符",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "literal_error": "只能是 {expected}",
    "too_short": "至少需要一个 [[device]]",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "string_type": "应为加引号的文本",
    "path_type": "应为加引号的路径",
    "model_type": "应为表，写成 [表名]",
    "tuple_type": "应写成 [[device]]",
}
_EN = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "string_pattern_mismatch": "use letters, digits, '-' and '_', a letter first, at most 32",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must not be below {ge}",
    "less_than_equal": "must not be above {le}",
    "literal_error": "must be {expected}",
    "too_short": "at least one [[device]] is needed",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "string_type": "write a text in quotes",
    "path_type": "write a path in quotes",
    "model_type": "write it as a table: [name]",
    "tuple_type": "write it as [[device]]",
}


def _message(
    kind: str, message: str, context: Mapping[str, Any], place: Place, model: type[BaseModel]
) -> str:
    zh = language() == "zh"
    known = (_ZH if zh else _EN).get(kind)
    if known is None:
        return message
    known = known.format(**context) if "{" in known else known
    known = known.replace(" or ", " 或 ") if zh else known
    if kind == "extra_forbidden" and isinstance(place[-1], str):
        near = get_close_matches(place[-1], _keys(place[:-1], model), n=1)
        if near:
            known += f"；是否为 {near[0]}？" if zh else f"; did you mean {near[0]}?"
    return known


def _keys(place: Place, model: type[BaseModel]) -> list[str]:
    """The keys that are known at this place of the file."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model behind ``Model``, ``Model | None`` or ``tuple[Model, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_args(annotation) or isinstance(annotation, UnionType):
        return next((found for part in get_args(annotation) if (found := _inner(part))), None)
    return None


def in_order(problems: Iterable[str]) -> list[str]:
    """Each once, file by file, by line."""
    files: dict[str, int] = {}

    def place(problem: str) -> tuple[int, int]:
        found = re.match(r"([^:]+):(?:(\d+):)?", problem)
        file, line = (found[1], found[2]) if found else ("", None)
        return files.setdefault(file, len(files)), int(line or 0)

    return sorted(dict.fromkeys(problems), key=place)
