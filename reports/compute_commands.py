"""``smelter compute``: any formula of the catalogue by hand, and what there is to compute."""

import json
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.compute_arguments import Given, judge, read_arguments, take_rules
from reports.compute_checks import mixed_sets, notes, too_large
from reports.compute_signals import COMPUTABLE, COMPUTABLE_GROUPS
from reports.formulas import Formula
from reports.formulas.numbers import FormulaError
from reports.formulas.parameters import PARAMETERS, Parameter, meaning
from reports.periods import plant_now
from reports.rules.packs import Legal, packs

CONFIRMED = {
    "official": ("官方文本", "official text"),
    "secondary": ("二手转述，未核对官方文本", "secondary, official text not read"),
    "unverified": ("未核实", "unverified"),
}


def compute(  # noqa: PLR0913 - each is an option of the command
    formula: Annotated[str, typer.Argument(help=say("公式名", "name of a formula"))] = "",
    values: Annotated[
        list[str] | None,
        typer.Argument(help='name=value … | {"name": value, …} | table.csv | name=pack.parameter'),
    ] = None,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--input", help=say("JSON 或 CSV 文件，- 为标准输入", "JSON or CSV file, - is stdin")
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
    list_all: Annotated[
        bool,
        typer.Option(
            "--list",
            help=say(
                "列出全部公式；给出公式名时列出其参数", "list all, or one with its parameters"
            ),
        ),
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help=say("与 --list 合用：整页", "with --list: the page"))
    ] = False,
    on: Annotated[
        str, typer.Option(help=say("规则取值日期", "day on which rules are taken, 2026-10-01"))
    ] = "",
    lang: Annotated[str, typer.Option(help="zh | en")] = "",
) -> None:
    """Run any formula by hand: name=value …, JSON or a table in."""
    from reports.entries.commands import speak

    speak(lang)
    if list_all and not formula:
        _list(as_json=as_json, markdown=markdown)
        return
    chosen = COMPUTABLE.get(formula)
    if chosen is None:
        known = ", ".join(COMPUTABLE)
        raise ConfigError(
            [say(f"没有公式 {formula!r}；有：{known}", f"no formula {formula!r}; known: {known}")]
        )
    if list_all:
        _list_one(chosen, as_json=as_json)
        return
    given = read_arguments(chosen, values or [], source)
    used = take_rules(given, packs(), _day(on))
    day = _day(on) or plant_now().date()
    results = _run(given, mixed_sets(given.values, packs(), day))
    for legal in used:
        typer.echo(_citation(legal), err=True)
    for note in notes(chosen.name, results, packs(), day):
        typer.echo(note, err=True)
    if as_json or given.as_json:
        typer.echo(json.dumps(_plain(results), ensure_ascii=False, allow_nan=False))
    else:
        _print(results)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError([f"--on {text}: 2026-10-01"]) from None


def _run(given: Given, mixed: str) -> dict[str, Any]:
    """
    The results. Raises ConfigError with every mistake at once and what the formula takes.

    ``mixed`` says why two rules that were given do not go together.
    """
    problems = judge(given) + ([mixed] if mixed else [])
    if not problems:
        try:
            results = given.formula.run(**given.values)
            problems = list(too_large(results))
        except FormulaError as error:
            problems = error.of(language()).splitlines()
        except ArithmeticError:
            problems = [
                say("无法计算；请核对数值和单位", "not computable; check numbers and units")
            ]
        if not problems:
            return results
    lines = [_signature(given.formula)]
    if not given.values:
        lines += _names(given.formula)
    raise ConfigError([*problems, *lines])


def _citation(legal: Legal) -> str:
    """Which rule was taken, and how well it is confirmed."""
    source = f"{legal.source.title}, {legal.locator}"
    confirmed = say(*CONFIRMED[legal.confirmed.value])
    what = say(legal.zh, legal.what)
    return f"{legal.id} = {legal.value} {legal.unit}  {what}  [{confirmed}: {source}]"


def _plain(value: Any) -> Any:
    """Results as JSON has them: decimals as numbers, tables as lists of objects."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not isfinite(value):
        return None  # not seen; JSON has no word for it
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _print(results: dict[str, Any]) -> None:
    for key, value in results.items():
        if not isinstance(value, list | tuple):
            typer.echo(f"{key} = {_plain(value)}")
            continue
        typer.echo(f"{key}:")
        rows = [_plain(row) for row in value]
        if rows:
            typer.echo("\t".join(rows[0]))
        for row in rows:
            typer.echo("\t".join("" if cell is None else str(cell) for cell in row.values()))


# --- what there is


def _list(*, as_json: bool, markdown: bool) -> None:
    if markdown:
        from reports.formulas_page import page

        typer.echo(page(), nl=False)
        return
    if as_json:
        table = {name: _described(formula) for name, formula in COMPUTABLE.items()}
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for group in COMPUTABLE_GROUPS:
        typer.echo(f"\n# {say(group.zh, group.en)}")
        for formula in group.formulas:
            typer.echo(f"{_signature(formula)}   {say(formula.zh, formula.en)}")
            typer.echo(f"    {formula.equation}")


def _list_one(formula: Formula, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_described(formula), ensure_ascii=False, indent=1))
        return
    typer.echo(f"{_signature(formula)}   {say(formula.zh, formula.en)}")
    typer.echo(f"    {formula.equation}")
    for line in _names(formula):
        typer.echo(line)
    typer.echo(f"\n{formula.text}")


def _described(formula: Formula) -> dict[str, Any]:
    return {
        "parameters": list(formula.parameters),
        "optional": list(formula.optional),
        "results": list(formula.results),
        "names": {
            name: {"unit": known.unit, "zh": known.zh, "en": known.en}
            for name in (*formula.parameters, *formula.results)
            if (known := meaning(name))
        },
        "equation": formula.equation,
        "zh": formula.zh,
        "en": formula.en,
        "text": formula.text,
    }


def _signature(formula: Formula) -> str:
    return f"{formula.name}({', '.join(formula.parameters)}) -> {', '.join(formula.results)}"


def _names(formula: Formula) -> list[str]:
    """A line for each parameter and result: symbol, name, unit, what it is."""
    lines = []
    for symbol, name in zip(formula.symbols, formula.parameters, strict=True):
        known = PARAMETERS[name]
        optional = say("（可不写）", " (optional)") if name in formula.optional else ""
        told = f"{known.of(language())}{optional}{_answers(known)}"
        lines.append(f"    {symbol:<10} {name:<32} {known.unit:<22} {told}")
    for name in (*formula.results, *formula.extras):
        known = meaning(name)
        lines.append(f"    {'->':<10} {name:<32} {known.unit:<22} {known.of(language())}")
    return lines


def _answers(known: Parameter) -> str:
    if known.words:
        return ": " + " | ".join(known.words)
    more = [gap for gap in known.gaps if gap not in known.columns]
    also = f" [{', '.join(more)}]" if more else ""
    return f": CSV {', '.join(known.columns)}{also}" if known.columns else ""
