"""Making a report by name: site, ledger, series and rules in, a version on disk out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act
from reports.basis import Basis
from reports.chapters import days_left
from reports.entries.ledger import Ledger, read_ledger
from reports.journal.journal import read_journal
from reports.journal.seen import READERS, in_folder, in_lodged, refuse_unless_led_to
from reports.lodgings import read_lodgings
from reports.model import Content, Doubt
from reports.periods import Period, plant_now
from reports.rules.overlay import load_packs
from reports.rules.packs import RuleError
from reports.rules.units import value_text
from reports.series.store import SeriesError, open_series
from reports.site import Site, load_site
from reports.values import Text
from reports.versions import FORMATS, Written, write_report
from reports.words import number_text


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A report that can be made: for which span, and where its maker lives."""

    span: Literal["month", "year", "any"]
    maker: str  # module:function, a function of Basis that returns Content
    zh: str
    en: str
    ahead: bool = False  # it speaks of what shall be: made before its period begins
    stacks: bool = False  # of emission points, whether a potline ran or not

    def make(self, basis: Basis) -> Content:
        module, _, name = self.maker.partition(":")
        made: Content = getattr(import_module(module), name)(basis)
        return made


REPORTS: Final[Mapping[str, ReportKind]] = {
    "carbon-monthly": ReportKind(
        "month",
        "reports.carbon.monthly:carbon_monthly",
        "碳排放月度存证参数",
        "carbon parameters to lodge each month",
    ),
    "carbon-annual": ReportKind(
        "year",
        "reports.carbon.annual:carbon_annual",
        "温室气体排放年度报告",
        "annual greenhouse gas report",
    ),
    "allowance": ReportKind(
        "year",
        "reports.allowance.report:allowance",
        "配额测算：应发、应清缴、盈缺",
        "allowances: what is due, had, left",
    ),
    "quality-plan": ReportKind(
        "year",
        "reports.plan.report:quality_plan",
        "数据质量控制计划",
        "data quality control plan",
        ahead=True,
    ),
    "verification": ReportKind(
        "year",
        "reports.verification.report:verification",
        "核查交叉核对表",
        "cross-check table for the verifier",
    ),
    "international": ReportKind(
        "year",
        "reports.abroad.international:international",
        "国际方法对照（IPCC、欧盟、美国）",
        "the year by IPCC, EU and US methods",
    ),
    "cbam": ReportKind(
        "year",
        "reports.abroad.cbam:cbam",
        "欧盟 CBAM 隐含排放（CN 7601）",
        "EU CBAM: embedded emissions of CN 7601",
    ),
    "grade": ReportKind(
        "any",
        "reports.grade.report:grade",
        "绩效分级自证（截至该月、日或年末的十二个月）",
        "performance grade: the twelve months to the end of the month, day or year",
    ),
    "energy": ReportKind(
        "any",
        "reports.energy.report:energy",
        "能源消耗与能效报告（月、年或任意区间）",
        "energy: per tonne, levels, tariff, green power, waste heat",
    ),
    "emissions": ReportKind(
        "any",
        "reports.emissions.report:emissions",
        "排放口监测与排放量报告（日、月、季、年或任意区间）",
        "stack emissions: hours, limits, marks, totals",
        stacks=True,
    ),
}
_NOT_OVER: Final = Text(zh="试算：该期间尚未结束", en="preliminary: the period is not over")


def refuse_unless_due(period: Period, now: datetime, *, preliminary: bool) -> None:
    """The clock only refuses; it changes no word of a report. Raises ConfigError."""
    over = period.end <= now
    if not over and not preliminary:
        raise ConfigError(
            [
                say(
                    f"{period} 尚未结束；如需试算请加 --preliminary",
                    f"{period} is not over; add --preliminary for a trial",
                )
            ]
        )
    if over and preliminary:
        raise ConfigError(
            [
                say(
                    f"{period} 已结束；请去掉 --preliminary",
                    f"{period} is over; leave --preliminary out",
                )
            ]
        )


def make_report(
    name: str,
    site_file: Path,
    period: Period,
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
    ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
    content = make_content(name, site, period, ledger, out, preliminary=preliminary)
    if name in READERS:
        seen = [*in_lodged(lodgings), *in_folder(out)]
        refuse_unless_led_to(site.journal, read_journal(site.journal), seen)
    return write_report(content, out, site_file, lodgings, formats, lang, ledger)


def note_report(site_file: Path, written: Written) -> None:
    """The act in the office's trail, with what the report and its site file are."""
    report = written.report
    record_act(
        load_site(site_file),
        "report.made",
        f"{report.content.report} {report.content.period.name} v{report.version}",
        details={
            "content_sha256": report.content_sha256,
            "site_sha256": sha256(site_file.read_bytes()).hexdigest(),
        },
    )


def make_content(
    name: str, site: Site, period: Period, ledger: Ledger, archive: Path, *, preliminary: bool
) -> Content:
    """What the report says, with ``ledger`` as it is given; nothing is written. ConfigError."""
    _refuse_without_a_place(site, period, REPORTS[name])
    lodgings = read_lodgings(site.entries)
    try:
        with open_series(site) as series:
            packs = load_packs(site)
            basis = Basis(site, period, ledger, series, packs, lodgings, preliminary, archive)
            content = REPORTS[name].make(basis)
    except (SeriesError, RuleError) as error:
        raise ConfigError([str(error)]) from None
    if not preliminary:
        return content
    trial = Doubt(line=content.headline[0], text=_NOT_OVER)
    return content.model_copy(update={"warnings": (trial, *content.warnings)})


def is_trial(content: Content) -> bool:
    """Whether it was made before its period was over."""
    return any(doubt.text == _NOT_OVER for doubt in content.warnings)


def _refuse_without_a_place(site: Site, period: Period, kind: ReportKind) -> None:
    """Raises ConfigError when nothing that the report speaks of was there in the period."""
    if kind.stacks:
        if not any(stack.works_in(period.first, period.after) for stack in site.stacks):
            raise ConfigError(
                [
                    say(
                        f"{period} 没有在用的排放口；请按排污许可证在 site.toml 写 [[stacks]]",
                        f"no stack was in use in {period}; describe them in site.toml under "
                        "[[stacks]], as the discharge permit states them",
                    )
                ]
            )
        return
    if not any(line.runs_in(period.first, period.after) for line in site.potline):
        raise ConfigError([say(f"{period} 没有工序运行", f"no potline ran in {period}")])


def summary(written: Written) -> str:
    """What a person wants to know first, in a few lines."""
    content = written.report.content
    lines = [str(path) for path in written.files]
    if not written.fresh:
        lines.append(say("与已有版本相同，未写新版本", "same as the version that is there"))
    for key in content.headline:
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
    today = plant_now().date()
    for duty in content.duties:
        met = written.report.met(duty)
        if met is not None:
            lines.append(
                say(
                    f"{duty.text.zh}：{duty.due} 前，{met} 首次存证",
                    f"{duty.text.en}: by {duty.due}, first lodged on {met}",
                )
            )
            continue
        left = days_left(duty.due, today)
        lines.append(
            say(
                f"{duty.text.zh}：{duty.due} 前，{_left_zh(left)}",
                f"{duty.text.en}: by {duty.due}, {_left_en(left)}",
            )
        )
    lines += [
        f"{say(legal.label.zh, legal.label.en)} "
        f"{value_text(legal.value, legal.unit, say('zh', 'en'))}: "
        f"{say(legal.overlay.text.zh, legal.overlay.text.en)}"
        for legal in content.legals
        if legal.overlay is not None
    ]
    lines += [
        say(
            f"法规参数未经官方文本核实：请打开 {title}",
            f"legal values not confirmed in the official text: open {title}",
        )
        for title in dict.fromkeys(stamp.source.title for stamp in content.stamps)
    ]
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
    } | {key: _float(content, key) for key in content.headline}


def _float(content: Content, key: str) -> float | None:
    value = content.line(key).value
    return None if value is None else float(value)


def _left_zh(days: int) -> str:
    return f"还剩 {days} 天" if days >= 0 else f"已过期 {-days} 天"


def _left_en(days: int) -> str:
    return f"{days} days left" if days >= 0 else f"{-days} days late"
