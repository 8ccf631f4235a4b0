"""
What ``smelter compute`` was given: name=value, JSON, CSV tables, and rules by their name.

``name=pack.parameter`` takes a value from a rule pack, on the day asked for; a formula's optional
rules are filled in the same way. Every mistake is told at once.
"""

import csv
import io
import json
import select
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say, why
from drivers.model import ConfigError
from drivers.tables import decode_table
from reports.compute_checks import implausible, implausible_cells
from reports.formulas import Formula
from reports.formulas.numbers import FormulaError, choice, fraction, year_number
from reports.formulas.parameters import PARAMETERS, meaning
from reports.rules.packs import Legal, RuleError, RulePack

STDIN_WAIT_S: Final = 2.0
EXAMPLES: Final = {  # a usual number of a unit, for hints
    "fraction": "0.08",
    "%": "15",
    "degC": "120",
    "Pa": "101325",
    "mg/m3": "20",
    "t": "100",
    "m/s": "11.2",
    "m2": "12.5",
    "m3/h": "300000",
    "h": "2160",
    "kWh": "1000",
}


@dataclass(slots=True)
class Given:
    """Values by name as far as they could be read, and what could not."""

    formula: Formula
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    as_json: bool = False  # something came as JSON or by --input, so JSON is the answer

    def put(self, name: str, value: Any) -> None:
        if name in self.values:
            self.problems.append(say(f"{name} 给出两次", f"{name} is given twice"))
        else:
            self.values[name] = value

    @property
    def table(self) -> str:
        """The formula's only table parameter; empty when it has none or several."""
        found = [name for name in self.formula.parameters if _columns(name)]
        return found[0] if len(found) == 1 else ""


def read_arguments(formula: Formula, arguments: Sequence[str], source: str) -> Given:
    """Everything given on the command line, by --input or on stdin. Raises ConfigError."""
    given = Given(formula)
    for place, text in enumerate(arguments):
        if text.lstrip().startswith(("{", "[")):
            _put_json(given, text, text)
        else:
            _put_argument(given, text, place)
    if source or (not arguments and not sys.stdin.isatty()):
        _put_input(given, source)
    return given


def _nameless(formula: Formula, text: str, place: int) -> str:
    """What is said of an argument without a name; an example with a parameter of the formula."""
    if text.startswith("--"):
        return say(
            f"没有选项 {text}；选项见 smelter compute --help",
            f"no such option: {text}; smelter compute --help lists them",
        )
    named = formula.parameters
    if not named:
        return say(f"{text!r}：该公式没有参数", f"{text!r}: this formula takes nothing")
    number = _number(text)
    if isinstance(number, Decimal):
        example = f"{named[min(place, len(named) - 1)]}={text}"
    else:
        example = f"{named[0]}={EXAMPLES.get(meaning(named[0]).unit, '1')}"
    return say(
        f"{text!r}：请写 名称=数字，例如 {example}",
        f"{text!r}: write name=number, e.g. {example}",
    )


def _put_argument(given: Given, text: str, place: int) -> None:
    name, equals, value = text.partition("=")
    if not equals and given.table and (Path(text).suffix or Path(text).is_file()):
        _put_table(given, given.table, text)
    elif not equals:
        given.problems.append(_nameless(given.formula, text, place))
    elif _columns(name) and value.lstrip().startswith(("[", "{")):
        _put_json_table(given, name, value)
    elif _columns(name) and not Path(value).is_file() and (numbers := _listed(value)):
        _put_list(given, name, numbers)
    elif _columns(name):
        _put_table(given, name, value)
    else:
        given.put(name, _number(value))


def _columns(name: str) -> tuple[str, ...]:
    return PARAMETERS[name].columns if name in PARAMETERS else ()


def _number(text: str) -> Decimal | str:
    """The number written, full-width digits too; 1_000 and other scripts are left as text."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if "_" in plain or not plain.isascii():
        return text
    try:
        return Decimal(plain)
    except InvalidOperation:
        return text


def _put_input(given: Given, source: str) -> None:
    """A JSON object or a CSV table from a file or stdin; nothing on stdin is nothing."""
    where = f"--input {source or '-'}"
    try:
        if source not in {"", "-"}:
            content = Path(source).read_bytes()
        elif source == "-" or select.select([sys.stdin], [], [], STDIN_WAIT_S)[0]:
            content = sys.stdin.read().encode()
        else:
            content = b""
    except OSError as error:
        raise ConfigError([f"{where}: {why(error)}"]) from None
    text = decode_table(content, where)
    if not source and not text.strip():
        return
    begins_as_json = text.lstrip().startswith(("{", "["))
    if given.table and not begins_as_json and Path(source).suffix.lower() != ".json":
        given.as_json = True
        given.put(given.table, _rows(given, given.table, text, source or "-"))
    else:
        _put_json(given, text, where)


def _put_json(given: Given, text: str, where: str) -> None:
    given.as_json = True
    try:
        found = json.loads(text, parse_float=Decimal, object_pairs_hook=_each_once)
    except (ValueError, ArithmeticError) as error:
        raise ConfigError([f"{where}: {error}"]) from None
    if isinstance(found, list) and given.table:
        found = {given.table: found}
    if not isinstance(found, dict):
        raise ConfigError([say("JSON 须为对象", 'write a JSON object, e.g. {"anode_t": 100}')])
    for name, value in found.items():
        given.put(name, value)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError when a key stands in it twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(say(f"{key} 给出两次", f"{key} is given twice"))
        found[key] = value
    return found


# --- tables


def _listed(text: str) -> list[Decimal]:
    """``280.2,293.1``: the numbers of a list; empty when it is none."""
    found = [_number(part) for part in unicodedata.normalize("NFKC", text).split(",")]
    return [] if any(isinstance(part, str) for part in found) else [Decimal(n) for n in found]


def _put_list(given: Given, name: str, numbers: Sequence[Any]) -> None:
    """A number per row, where a table has one column of numbers."""
    columns = [column for column in _columns(name) if PARAMETERS[column].unit != "text"]
    if len(columns) == 1:
        given.put(name, [{columns[0]: number} for number in numbers])
    else:
        given.problems.append(f"{name}: {_how_to_write(name)}")
        given.put(name, [])


def _put_json_table(given: Given, name: str, text: str) -> None:
    try:
        found = json.loads(text, parse_float=Decimal, object_pairs_hook=_each_once)
    except (ValueError, ArithmeticError) as error:
        given.problems.append(f"{name}: {error}; {_how_to_write(name)}")
        given.put(name, [])
        return
    plain = isinstance(found, list) and not any(isinstance(row, dict | list) for row in found)
    if plain and found:
        _put_list(given, name, found)
    else:
        given.put(name, found)


def _how_to_write(name: str) -> str:
    row = json.dumps(dict.fromkeys(_columns(name), "…"), ensure_ascii=False)
    return say(
        f"请写 {name}=文件.csv，或 {name}='[{row}, …]'",
        f"write {name}=file.csv, or {name}='[{row}, …]'",
    )


def _put_table(given: Given, name: str, file: str) -> None:
    try:
        text = decode_table(Path(file).read_bytes(), file)
    except OSError as error:
        given.problems.append(f"{file}: {why(error)}; {_how_to_write(name)}")
        given.put(name, [])
    else:
        given.put(name, _rows(given, name, text, file))


def _rows(given: Given, name: str, text: str, file: str) -> list[dict[str, Any]]:
    """Rows of a CSV table by column name; every bad header and cell is told with its line."""
    columns, gaps = _columns(name), PARAMETERS[name].gaps
    every = (*columns, *(gap for gap in gaps if gap not in columns))
    first = next((line for line in text.splitlines() if line.strip()), "")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header: list[str] = []
    rows: list[dict[str, Any]] = []
    for cells in lines:
        plain = [unicodedata.normalize("NFKC", cell).strip() for cell in cells]
        if not any(plain) or plain[0].startswith("#"):
            continue
        if not header:
            header = [_column(cell, every) for cell in plain]
            missing = [column for column in columns if column not in header]
            twice = [column for column in every if header.count(column) > 1]
            if twice:
                shown = ", ".join(twice)
                told = say(f"首行中 {shown} 列出两次", f"the first line has {shown} twice")
                given.problems.append(f"{file}:{lines.line_num}: {told}")
                return []
            if missing:
                wanted = ", ".join(missing)
                told = say(f"首行缺少列 {wanted}", f"the first line lacks the columns {wanted}")
                given.problems.append(f"{file}:{lines.line_num}: {told}")
                return []
            continue
        cell_of = dict(zip(header, plain, strict=False))
        where = f"{file}:{lines.line_num}"
        rows.append(
            {
                column: _cell(given, where, column, cell_of)
                for column in every
                if cell_of.get(column) or column not in gaps
            }
        )
    if not rows:
        given.problems.append(f"{file}: " + say("表中没有数据行", "no rows in it"))
    return rows


def _column(header: str, columns: Sequence[str]) -> str:
    """The column a header means: its name, with or without unit, or what it is called."""
    for column in columns:
        known = meaning(column)
        bare = column.rpartition("_")[0]
        if header.casefold() in {column, bare or column, known.zh, known.en.casefold()}:
            return column
    return header


def _cell(given: Given, where: str, column: str, cells: Mapping[str, str]) -> Any:
    text = cells.get(column, "")
    if PARAMETERS[column].unit == "text":
        return text
    value = _number(text)
    if fault := _fault(column, value, allow_name=False):
        given.problems.append(f"{where}: {fault}" if text else _empty(where, column))
    return value


def _empty(where: str, column: str) -> str:
    return f"{where}: {column}" + say("：空白；请填写数字", ": empty; write a number")


# --- rules


def take_rules(given: Given, packs: Mapping[str, RulePack], day: date | None) -> list[Legal]:
    """Put rules in for names of them and for the formula's optional ones; returns those used."""
    used = []
    wanted = {
        name: value
        for name, value in given.values.items()
        if isinstance(value, str) and value.partition(".")[0] in packs
    }
    wanted |= given.formula.rules(given.values)
    for name, rule in wanted.items():
        pack, _, parameter = rule.partition(".")
        try:
            legal = packs[pack].at(parameter, day or _day(given))
            as_fraction = legal.unit == "%" and PARAMETERS[name].check is fraction
            given.values[name] = legal.fraction if as_fraction else legal.number
            used.append(legal)
        except KeyError:
            given.problems.append(say(f"没有规则包 {pack}", f"no rule pack {pack}"))
        except RuleError as error:
            given.problems.append(f"{name}: {error}")
    return used


def _day(given: Given) -> date:
    """The day given, the first one of the year given, else today."""
    from reports.periods import plant_now

    if "day" in given.values:
        try:
            return date.fromisoformat(str(given.values["day"]))
        except ValueError:  # told by the check of the parameter
            return plant_now().date()
    try:
        return date(int(year_number("year", given.values.get("year"))), 1, 1)
    except FormulaError:
        return plant_now().date()


# --- judgement


def judge(given: Given) -> list[str]:
    """Everything that is wrong with what was given; empty when the formula can be run."""
    formula, values = given.formula, given.values
    problems = given.problems + [
        say(f"没有参数 {name}", f"unknown parameter {name}")
        for name in sorted(values.keys() - set(formula.parameters))
    ]
    needed = [name for name in formula.parameters if name not in formula.optional]
    missing = [name for name in needed if name not in values]
    if missing:
        wanted = " ".join(f"{name}=…" for name in missing)
        problems.append(say(f"缺少参数；请加 {wanted}", f"missing; add {wanted}"))
    known = [name for name in formula.parameters if name in values]
    problems += [text for name in known if (text := _fault(name, values[name]))]
    if not problems:
        tables = (name for name in known if PARAMETERS[name].columns)
        problems = [fault for name in tables for fault in implausible_cells(name, values[name])]
    return problems


def _fault(name: str, value: Any, *, allow_name: bool = True) -> str:
    """What is wrong with a value by itself; the formula knows the rest."""
    known = PARAMETERS[name]
    try:
        if known.words:
            choice(name, value, known.words)
        elif not known.columns:
            known.check(name, value)
    except FormulaError as error:
        hint = ""
        if allow_name and isinstance(value, str) and "." in value:
            hint = say("；或写 名称=规则包.参数", "; or name=pack.parameter for a rule")
        return error.of(language()) + hint
    return "" if known.words or known.columns else implausible(name, value)
