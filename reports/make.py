"""Making a report by name: site, ledger, series and rules in, a version on disk out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from drivers.model import ConfigError
from reports.carbon.monthly import NAME, carbon_monthly
from reports.entries.ledger import Ledger, read_ledger
from reports.model import Content, Doubt, Text
from reports.periods import Period
from reports.rules.packs import RuleError, RulePack, packs
from reports.series.store import Series, SeriesError, open_series
from reports.site import Site, load_site
from reports.versions import FORMATS, Written, write_report
from reports.words import number_text, say

Maker = Callable[[Site, Period, Ledger, Series, Mapping[str, RulePack]], Content]
REPORTS: Final[Mapping[str, Maker]] = {NAME: carbon_monthly}
_SHOWN: Final = ("plant.aluminium", "plant.emission", "plant.intensity")
_NOT_OVER: Final = Text(zh="试算：该月尚未结束", en="preliminary: the month is not over")


def refuse_unless_due(month: Period, now: datetime, *, preliminary: bool) -> None:
    """The clock only refuses; it changes no word of a report. Raises ConfigError."""
    over = month.end <= now
    if not over and not preliminary:
        raise ConfigError(
            [
                say(
                    f"--month {month}：该月尚未结束；如需试算请加 --preliminary",
                    f"--month {month}: the month is not over; add --preliminary for a trial",
                )
            ]
        )
    if over and preliminary:
        raise ConfigError(
            [
                say(
                    f"--month {month}：该月已结束；请去掉 --preliminary",
                    f"--month {month}: the month is over; leave --preliminary out",
                )
            ]
        )


def make_report(
    name: str,
    site_file: Path,
    month: Period,
    out: Path,
    formats: Sequence[str],
    lang: str,
    *,
    preliminary: bool = False,
) -> Written:
    """Make it. Raises ConfigError for everything that a person must put right first."""
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ConfigError([f"--format {','.join(unknown)}: {', '.join(FORMATS)}"])
    site = load_site(site_file)
    if not any(line.runs_in(month.first, month.after) for line in site.potline):
        raise ConfigError([say(f"{month} 没有工序运行", f"no potline ran in {month}")])
    ledger = read_ledger(site.entries)
    try:
        with open_series(site) as series:
            content = REPORTS[name](site, month, ledger, series, packs())
    except (SeriesError, RuleError) as error:
        raise ConfigError([str(error)]) from None
    if preliminary:
        trial = Doubt(line=_SHOWN[1], text=_NOT_OVER)
        content = content.model_copy(update={"warnings": (trial, *content.warnings)})
    return write_report(content, out, site_file, formats, lang)


def summary(written: Written) -> str:
    """What a person wants to know first, in a few lines."""
    content = written.report.content
    lines = [str(path) for path in written.files]
    if not written.fresh:
        lines.append(say("与已有版本相同，未写新版本", "same as the version that is there"))
    for key in _SHOWN:
        line = content.line(key)
        value = number_text(line.rounded, line.decimals)
        lines.append(f"{say(line.label.zh, line.label.en)}: {value} {line.unit}")
    lines += [
        f"{say('提示', 'doubt')}: {doubt.line}: {say(doubt.text.zh, doubt.text.en)}"
        for doubt in content.warnings
    ]
    if not content.complete:
        lines.append(say("数据不完整：", "not complete:"))
        lines += [
            f"  {say(text.zh, text.en)} → {', '.join(stopped)}"
            for text, stopped in content.reasons().items()
        ]
    for stamp in content.stamps:
        lines.append(
            say(
                f"法规参数未经官方文本核实：请打开 {stamp.source.title}",
                f"legal values not confirmed in the official text: open {stamp.source.title}",
            )
        )
    return "\n".join(lines)


def summary_table(written: Written) -> dict[str, Any]:
    """The same for a machine."""
    content = written.report.content
    return {
        "version": written.report.version,
        "fresh": written.fresh,
        "complete": content.complete,
        "missing": list(content.missing),
        "report": str(written.path),
        "files": [str(path) for path in written.files],
        "content_sha256": written.report.content_sha256,
    } | {key: _float(content, key) for key in _SHOWN}


def _float(content: Content, key: str) -> float | None:
    value = content.line(key).value
    return None if value is None else float(value)
