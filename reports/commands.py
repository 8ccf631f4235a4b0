"""The sub-commands this room brings to ``smelter``: entries, compute, report, trace."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.compute_commands import compute
from reports.entries.commands import entries_app, parse_month, speak
from reports.periods import PLANT_TIME, SPANS, Period, last_over, plant_now

if TYPE_CHECKING:
    pass

__all__ = ["compute", "entries_app", "report", "trace"]

AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
Lang = Annotated[str, typer.Option(help="zh | en")]


def report(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: Annotated[
        str, typer.Argument(help=say("报告名；不写则列出", "name; without one they are listed"))
    ] = "",
    site: Annotated[Path | None, typer.Option(help="site.toml")] = None,
    month: Annotated[str, typer.Option(help="2026-10")] = "",
    year: Annotated[str, typer.Option(help="2026")] = "",
    quarter: Annotated[str, typer.Option(help="2026-Q1")] = "",
    day: Annotated[str, typer.Option(help="2026-10-05")] = "",
    first: Annotated[str, typer.Option("--from", help="2026-03-01")] = "",
    last: Annotated[str, typer.Option("--to", help="2026-06-30")] = "",
    past: Annotated[
        str,
        typer.Option(
            help=say(
                "day|month|quarter|year：最近一个已结束的期间（供定时任务）",
                "day|month|quarter|year: the newest that is over, for timers",
            )
        ),
    ] = "",
    out: Annotated[Path | None, typer.Option(help=say("输出文件夹", "folder to write to"))] = None,
    lang: Annotated[str, typer.Option(help="zh | en")] = "zh",
    formats: Annotated[str, typer.Option("--format", help="json,xlsx,pdf,html")] = "json,xlsx,pdf",
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
    from reports.make import (
        REPORTS,
        make_report,
        note_report,
        refuse_unless_due,
        summary,
        summary_table,
    )

    if lang not in {"zh", "en"}:
        raise ConfigError([f"--lang {lang}: zh | en"])
    if not name:
        for known, kind in REPORTS.items():
            every = "--month|--quarter|--year|--day|--from --to"
            spans = every if kind.span == "any" else f"--{kind.span}"
            typer.echo(f"{known:<16} {spans:<8} {say(kind.zh, kind.en)}")
        return
    given = {"month": month, "year": year, "quarter": quarter, "day": day}
    given = {key: text for key, text in given.items() if text}
    period = _period(name, given | _past(past, given), (first, last))
    if site is None or out is None:
        raise ConfigError([say("缺少 --site 或 --out", "--site and --out are needed")])
    if preliminary or not REPORTS[name].ahead:
        refuse_unless_due(period, plant_now(), preliminary=preliminary)
    written = make_report(
        name, site, period, out, formats.split(","), lang, preliminary=preliminary
    )
    note_report(site, written)
    if as_json:
        typer.echo(json.dumps(summary_table(written), ensure_ascii=False))
    else:
        typer.echo(summary(written))
    if not written.report.content.complete:
        raise typer.Exit(1)


def _past(span: str, given: Mapping[str, str]) -> dict[str, str]:
    """What ``--past`` stands for today; nothing without it. Raises ConfigError."""
    if not span:
        return {}
    if span not in SPANS or given:
        raise ConfigError(
            [f"--past {' | '.join(SPANS)}", *(f"--past, --{each}?" for each in given)]
        )
    return {span: str(last_over(span, plant_now().date()))}


def _period(name: str, given: dict[str, str], days: tuple[str, str]) -> Period:
    """The period asked for. Raises ConfigError when the report is not of such a period."""
    from reports.make import REPORTS

    if name not in REPORTS:
        known = ", ".join(REPORTS)
        raise ConfigError([say(f"没有报告 {name!r}；有：{known}", f"no report {name!r}: {known}")])
    span: str = REPORTS[name].span
    if span == "any":
        if any(days):
            return _interval(name, days, "".join(given.values()))
        if len(given) != 1:
            raise ConfigError([_one_of(name)])
        span = next(iter(given))
    if set(given) != {span} or any(days):
        raise ConfigError(
            [say(f"{name} 请给 --{span} {_SPANS[span]}", f"{name}: give --{span} {_SPANS[span]}")]
        )
    if span == "month":
        return parse_month(given[span])
    try:
        period = Period.parse(given[span])
    except ValueError as error:
        raise ConfigError([f"--{span} {given[span]}: {error}"]) from None
    fits = {"year": period.is_year, "quarter": period.is_quarter, "day": len(period.days) == 1}
    if not fits[span]:
        raise ConfigError([f"--{span} {given[span]}: {_SPANS[span]}"])
    return period


_SPANS = {"month": "2026-10", "year": "2026", "quarter": "2026-Q1", "day": "2026-10-05"}


def _one_of(name: str) -> str:
    wanted = " | ".join(f"--{span} {example}" for span, example in _SPANS.items())
    wanted = f"{wanted} | --from 2026-03-01 --to 2026-06-30"
    return say(f"{name} 请给且只给一种：{wanted}", f"{name}: give exactly one of {wanted}")


def _interval(name: str, days: tuple[str, str], other: str) -> Period:
    """From one day to another, both included. Raises ConfigError."""
    if other or not all(days):
        raise ConfigError([_one_of(name)])
    found = []
    for option, text in zip(("--from", "--to"), days, strict=True):
        try:
            found.append(date.fromisoformat(text))
        except ValueError:
            raise ConfigError([f"{option} {text}: 2026-03-01"]) from None
    try:
        return Period.between(*found)
    except ValueError as error:
        raise ConfigError([str(error)]) from None


def trace(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[
        Path,
        typer.Argument(
            help=say(
                "报告文件（含文件夹）；不写版本取最新，如 reports/carbon-annual-2026",
                "report with its folder; without a version the newest: reports/carbon-annual-2026",
            )
        ),
    ],
    line: Annotated[
        str,
        typer.Argument(
            help=say("结果编号，如 line1.emission", "id of a line, e.g. line1.emission")
        ),
    ] = "",
    site: Annotated[Path | None, typer.Option(help="site.toml")] = None,
    at: Annotated[
        str,
        typer.Option(
            help=say("另查一分钟，如 2026-10-05T08:01", "also this minute, 2026-10-05T08:01")
        ),
    ] = "",
    reading: Annotated[
        str,
        typer.Option(
            help=say(
                "反向追溯：哪些报告用了该读数，如 'line1/ac1 meter.energy_import'，配合 --at",
                "the other way: which reports used it, 'line1/ac1 meter.energy_import', with --at",
            )
        ),
    ] = "",
    *,
    list_all: Annotated[
        bool, typer.Option("--list", help=say("列出报告的全部结果编号", "list every line"))
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """From a figure back to entries, batches and registers."""
    from reports.site import load_site
    from reports.trace.certified import Certified
    from reports.trace.text import trace_text
    from reports.trace.tracer import Tracer, verified
    from reports.versions import newest_of, read_report

    speak(lang)
    if reading:
        _reverse(file, reading, _instant(at), site, as_json=as_json)
        return
    if not file.exists() and file.parent.is_dir():
        file = newest_of(file.parent, file.name) or file
    if not file.exists():
        raise ConfigError([_no_report(file)])
    found = read_report(file)
    if list_all or not line:
        lines = {each.id: each.label.of(language()) for each in found.content.lines}
        shown = json.dumps(lines, ensure_ascii=False, indent=1)
        typer.echo(shown if as_json else "\n".join(f"{i}  {text}" for i, text in lines.items()))
        return
    plant = load_site(site or file.parent / found.site)
    tracer = Tracer(found.content, plant.originals, _instant(at), Certified.of_site(plant))
    try:
        node = tracer.line(line)
    except KeyError:
        raise ConfigError(
            [_no_line(file, line, [each.id for each in found.content.lines])]
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


def _reverse(folder: Path, reading: str, at_ns: int, site: Path | None, *, as_json: bool) -> None:
    """The reading in its batch, and every report version that used it. Exit code 1: none did."""
    from reports.site import load_site
    from reports.trace.reverse import Reading, reverse_text, uses
    from reports.trace.text import window_text
    from reports.trace.tracer import Tracer
    from reports.versions import read_report

    equipment, _, quantity = reading.partition(" ")
    problems = []
    if not folder.is_dir():
        problems.append(say(f"{folder}：请给报告文件夹", f"{folder}: give the folder of reports"))
    if not quantity or not at_ns:
        problems.append("--reading 'line1/ac1 meter.energy_import' --at 2026-10-05T08:01")
    if problems:
        raise ConfigError(problems)
    found = list(uses(folder, Reading(equipment, quantity, at_ns)))
    window = None
    if found:
        used = read_report(found[0].path)
        originals = load_site(site or found[0].path.parent / used.site).originals
        window = Tracer(used.content, originals, at_ns).window(found[0].meter)
    if as_json:
        told = {"window": window, "reports": [use.node() for use in found]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join([*([window_text(window)] if window else []), reverse_text(found)]))
    if not found:
        raise typer.Exit(1)


def _no_report(file: Path) -> str:
    example = Path("reports") / file.name
    return say(
        f"{file}：没有此文件；请连同文件夹一起写，如 smelter trace {example} line1.emission",
        f"{file}: no such file; write it with its folder, e.g. "
        f"smelter trace {example} line1.emission",
    )


def _no_line(file: Path, line: str, known: Sequence[str]) -> str:
    near = ", ".join(get_close_matches(line, known, n=5, cutoff=0.5) or known[:5])
    return say(
        f"报告没有 {line!r}；相近：{near}"
        f"（共 {len(known)} 项；smelter trace {file} --list 列出全部）",
        f"no line {line!r}; near: {near} ({len(known)} in all; smelter trace {file} --list shows "
        "them)",
    )


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
