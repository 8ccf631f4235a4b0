"""The sub-commands this room brings to ``smelter``: entries, compute, report, trace."""

import json
import select
import sys
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from drivers.language import say
from drivers.model import ConfigError
from reports.entries.commands import entries_app, parse_month, speak
from reports.formulas import FORMULAS, Formula
from reports.formulas.numbers import FormulaError, amount, fraction
from reports.periods import PLANT_TIME, Period, plant_now

__all__ = ["compute", "entries_app", "report", "trace"]

STDIN_WAIT_S: Final = 2.0
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
Lang = Annotated[str, typer.Option(help="zh | en")]


def compute(
    formula: Annotated[str, typer.Argument(help=say("公式名", "name of a formula"))] = "",
    values: Annotated[
        list[str] | None, typer.Argument(help='name=value … | {"name": value, …}')
    ] = None,
    *,
    source: Annotated[
        str, typer.Option("--input", help=say("JSON 文件，- 为标准输入", "JSON file, - is stdin"))
    ] = "",
    as_json: AsJson = False,
    list_all: Annotated[
        bool, typer.Option("--list", help=say("列出全部公式", "list all formulas"))
    ] = False,
    lang: Lang = "",
) -> None:
    """Run any formula by hand: name=value …, or JSON in."""
    speak(lang)
    if list_all:
        _list(as_json=as_json)
        return
    chosen = FORMULAS.get(formula)
    if chosen is None:
        known = ", ".join(FORMULAS)
        raise ConfigError(
            [say(f"没有公式 {formula!r}；有：{known}", f"no formula {formula!r}; known: {known}")]
        )
    written, read = _split(values or [])
    given, problems = _arguments(written)
    if source or (not values and not sys.stdin.isatty()):
        read.append(_json_input(source))
    as_json = as_json or bool(source) or any(read)
    for table in read:
        twice = sorted(given.keys() & table.keys())
        if twice:
            raise ConfigError([say(f"给出两次：{twice}", f"given twice: {twice}")])
        given |= table
    results = _run(chosen, given, problems)
    if as_json:
        typer.echo(json.dumps({key: float(value) for key, value in results.items()}))
        return
    for key, value in results.items():
        typer.echo(f"{key} = {float(value)!r}")


def _list(*, as_json: bool) -> None:
    if as_json:
        table = {
            name: {
                "parameters": list(formula.parameters),
                "results": list(formula.results),
                "equation": formula.equation,
                "zh": formula.zh,
                "en": formula.en,
                "text": formula.text,
            }
            for name, formula in FORMULAS.items()
        }
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
        return
    for formula in FORMULAS.values():
        typer.echo(f"{_signature(formula)}   {say(formula.zh, formula.en)}")
        typer.echo(f"    {formula.equation}")


def _signature(formula: Formula) -> str:
    return f"{formula.name}({', '.join(formula.parameters)}) -> {', '.join(formula.results)}"


def _split(values: list[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """Arguments of the form name=value, and the objects of those that are JSON."""
    is_json = [text.lstrip().startswith(("{", "[")) for text in values]
    pairs = list(zip(values, is_json, strict=True))
    return (
        [text for text, json_text in pairs if not json_text],
        [_json_object(text, text) for text, json_text in pairs if json_text],
    )


def _arguments(values: list[str]) -> tuple[dict[str, Any], list[str]]:
    """What was given, a text where it is no number; and what is no name=value."""
    given: dict[str, Any] = {}
    problems = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            problems.append(
                say(
                    f"{text!r}：请写 名称=数字，例如 loss_fraction=0.1518",
                    f"{text!r}: write name=number, e.g. loss_fraction=0.1518",
                )
            )
        elif name in given:
            problems.append(say(f"{name} 给出两次", f"{name} is given twice"))
        else:
            given[name] = _number(value)
    return given, problems


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _json_input(source: str) -> dict[str, Any]:
    """The JSON object of a file or stdin; nothing on stdin is an empty one."""
    try:
        if source not in {"", "-"}:
            text = Path(source).read_text("utf-8")
        elif source == "-" or select.select([sys.stdin], [], [], STDIN_WAIT_S)[0]:
            text = sys.stdin.read()
        else:
            text = ""
        if not source and not text.strip():
            return {}
    except (OSError, ValueError) as error:
        raise ConfigError([f"--input {source or '-'}: {error}"]) from None
    return _json_object(text, f"--input {source or '-'}")


def _json_object(text: str, where: str) -> dict[str, Any]:
    try:
        table = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ConfigError([f"{where}: {error}"]) from None
    if not isinstance(table, dict):
        raise ConfigError([say("JSON 须为对象", 'write a JSON object, e.g. {"anode_t": 100}')])
    return table


def _run(formula: Formula, given: dict[str, Any], problems: list[str]) -> dict[str, Decimal]:
    """The results. Raises ConfigError with every mistake at once, ``problems`` first."""
    problems = problems + [
        say(f"没有参数 {name}", f"unknown parameter {name}")
        for name in sorted(given.keys() - set(formula.parameters))
    ]
    missing = [name for name in formula.parameters if name not in given]
    if missing:
        wanted = " ".join(f"{name}=…" for name in missing)
        problems.append(say(f"缺少参数；请加 {wanted}", f"missing; add {wanted}"))
    known = (name for name in formula.parameters if name in given)
    problems += [text for name in known if (text := _fault(name, given[name]))]
    if not problems:
        try:
            return formula(**given)
        except FormulaError as error:
            problems.append(str(error))
    raise ConfigError([*problems, _signature(formula)])


def _fault(name: str, value: Any) -> str:
    """What is wrong with a value by itself; the formula knows the rest."""
    if isinstance(value, str):
        return say(
            f"{name}：{value!r} 不是数字；请写 名称=数字，JSON 中不加引号",
            f"{name}: {value!r} is not a number; write name=number, in JSON without quotes",
        )
    try:
        (fraction if name.endswith("_fraction") else amount)(name, value)
    except FormulaError as error:
        return str(error)
    return ""


def report(  # noqa: PLR0913 - each is an option of the command
    name: Annotated[
        str, typer.Argument(help=say("报告名；不写则列出", "name; without one they are listed"))
    ] = "",
    site: Annotated[Path | None, typer.Option(help="site.toml")] = None,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
    year: Annotated[str, typer.Option(help="2026")] = "",
    out: Annotated[Path | None, typer.Option(help=say("输出文件夹", "folder to write to"))] = None,
    lang: Annotated[str, typer.Option(help="zh | en")] = "zh",
    formats: Annotated[str, typer.Option("--format", help="json,xlsx,pdf")] = "json,xlsx,pdf",
    *,
    preliminary: Annotated[
        bool,
        typer.Option(
            "--preliminary",
            help=say("试算尚未结束的期间", "a trial for a period that is not over"),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a report; exit 1 when something is missing."""
    from reports.make import REPORTS, make_report, refuse_unless_due, summary, summary_table

    if lang not in {"zh", "en"}:
        raise ConfigError([f"--lang {lang}: zh | en"])
    if not name:
        for known, kind in REPORTS.items():
            typer.echo(f"{known:<16} --{kind.span:<6} {say(kind.zh, kind.en)}")
        return
    period = _period(name, month, year)
    if site is None or out is None:
        raise ConfigError([say("缺少 --site 或 --out", "--site and --out are needed")])
    if preliminary or not REPORTS[name].ahead:
        refuse_unless_due(period, plant_now(), preliminary=preliminary)
    written = make_report(
        name, site, period, out, formats.split(","), lang, preliminary=preliminary
    )
    if as_json:
        typer.echo(json.dumps(summary_table(written), ensure_ascii=False))
    else:
        typer.echo(summary(written))
    if not written.report.content.complete:
        raise typer.Exit(1)


def _period(name: str, month: str, year: str) -> Period:
    """The period asked for. Raises ConfigError when the report is not of such a period."""
    from reports.make import REPORTS

    if name not in REPORTS:
        known = ", ".join(REPORTS)
        raise ConfigError([say(f"没有报告 {name!r}；有：{known}", f"no report {name!r}: {known}")])
    span = REPORTS[name].span
    given = {"month": month, "year": year}
    other = "year" if span == "month" else "month"
    if not given[span] or given[other]:
        example = "2026-10" if span == "month" else "2026"
        raise ConfigError(
            [say(f"{name} 请给 --{span} {example}", f"{name}: give --{span} {example}")]
        )
    if span == "month":
        return parse_month(month)
    try:
        period = Period.parse(year)
    except ValueError as error:
        raise ConfigError([f"--year {year}: {error}"]) from None
    if not period.is_year:
        raise ConfigError([f"--year {year}: 2026"])
    return period


def trace(
    file: Annotated[Path, typer.Argument(help="REPORT.json")],
    line: Annotated[str, typer.Argument(help=say("结果编号", "id of a line, e.g. line1.emission"))],
    site: Annotated[Path | None, typer.Option(help="site.toml")] = None,
    at: Annotated[
        str,
        typer.Option(
            help=say("另查一分钟，如 2026-10-05T08:01", "also this minute, 2026-10-05T08:01")
        ),
    ] = "",
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """From a figure back to entries, batches and registers."""
    from reports.site import load_site
    from reports.trace.text import trace_text
    from reports.trace.tracer import Tracer, verified
    from reports.versions import read_report

    speak(lang)
    found = read_report(file)
    originals = load_site(site or file.parent / found.site).originals
    try:
        node = Tracer(found.content, originals, _instant(at)).line(line)
    except KeyError:
        known = ", ".join(each.id for each in found.content.lines)
        raise ConfigError(
            [say(f"报告没有 {line!r}；有：{known}", f"no line {line!r}; known: {known}")]
        ) from None
    proved = verified(node)
    if as_json:
        typer.echo(json.dumps(node | {"proved": proved}, ensure_ascii=False, indent=1))
    else:
        typer.echo(trace_text(node))
        if not proved:
            typer.echo(say("未能全部核实", "not everything could be verified"))
    if not proved:
        raise typer.Exit(1)


def _instant(text: str) -> int:
    """A minute of plant time as ns; 0 when none was asked for. Raises ConfigError."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"--at {text}: 2026-10-05T08:01"]) from None
    local = moment.replace(tzinfo=PLANT_TIME) if moment.tzinfo is None else moment
    return int(local.timestamp()) * 1_000_000_000
