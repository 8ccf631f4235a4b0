"""Recording that a report was handed in: what command and console both do, and every refusal."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act, refusals
from reports.lodgings import SEALS, Lodging
from reports.lodgings import lodge as record
from reports.model import Report
from reports.periods import Period, plant_now
from reports.site import Site
from reports.versions import read_report


@dataclass(frozen=True, slots=True)
class HandingIn:
    """As a person states it; ``on`` is a day as text, ``backdated`` why it is recorded late."""

    receipt: str
    on: str
    author: str
    note: str = ""
    backdated: str = ""
    incomplete: bool = False  # lodge it though something is missing


def hand_in(file: Path, plant: Site, stated: HandingIn) -> Lodging:
    """
    ``file`` is recorded as lodged and a copy kept; its entries are sealed from then on.

    Raises ConfigError, recorded as a refused act, with every reason why this cannot be.
    """
    report = read_report(file)
    content = report.content
    named = f"{content.report} {content.period.name} v{report.version}"
    reason = stated.backdated or stated.note
    with refusals(plant, "lodge.added", named, reason=reason, who=stated.author):
        day = _signed(stated.receipt, stated.on, stated.author)
        _refuse(file, report, plant.plant, day, incomplete=stated.incomplete)
        _refuse_before(file, report, day, stated.backdated.strip())
        made = record(
            plant.entries,
            Lodging(
                number=0,
                report=content.report,
                period=content.period.name,
                version=report.version,
                content_sha256=report.content_sha256,
                file=file.name,
                receipt=stated.receipt.strip(),
                on=day,
                author=stated.author.strip(),
                time=plant_now(),
                note=stated.note,
                backdated=stated.backdated.strip(),
            ),
            file.read_bytes(),
        )
    _noted(plant, made)
    return made


def _noted(site: Site, made: Lodging) -> None:
    details = {"receipt": made.receipt, "on": str(made.on), "content_sha256": made.content_sha256}
    record_act(
        site,
        "lodge.added",
        f"{made.report} {made.period} v{made.version}",
        reason=made.backdated or made.note,
        who=made.author,
        details=details,
    )


def _signed(receipt: str, on: str, author: str) -> date:
    """The day of lodging. Raises ConfigError with everything that is missing."""
    problems = [
        say(f"须填 {name}", f"{name} is required")
        for name, given in (("--receipt", receipt), ("--on", on), ("--author", author))
        if not given.strip()
    ]
    try:
        day = date.fromisoformat(on.strip()) if on.strip() else date.min
    except ValueError:
        problems.append(f"--on {on}: " + say("请填日期，如 2026-11-20", "write e.g. 2026-11-20"))
        day = date.min
    today = plant_now().date()
    if day > today:
        problems.append(
            f"--on {day}: "
            + say(f"在将来（今天 {today}）", f"lies in the future, today is {today}")
        )
    if problems:
        raise ConfigError(problems)
    return day


def _refuse(file: Path, report: Report, plant: str, day: date, *, incomplete: bool) -> None:
    """Raises ConfigError with every reason why this cannot have been handed in that day."""
    content = report.content
    problems = []
    if content.plant.id != plant:
        problems.append(
            say(
                f"报告属于 {content.plant.id}，厂区配置是 {plant}；请用 --site 指明",
                f"the report is of {content.plant.id}, the site file of {plant}; give --site",
            )
        )
    if not content.complete and not incomplete:
        missing = ", ".join(content.missing)
        problems.append(
            say(
                f"报告不完整（{missing}）；补齐数据后重新生成，确需存证请加 --incomplete",
                f"the report is not complete ({missing}); enter what is missing and make it again, "
                "or add --incomplete",
            )
        )
    period = Period.parse(content.period.name)
    if content.report in SEALS and day < period.after:
        problems.append(
            say(
                f"--on {day}：{period} 当时尚未结束",
                f"--on {day}: {period} was not over then",
            )
        )
    if problems:
        raise ConfigError([f"{file}: {problem}" for problem in problems])


def _refuse_before(file: Path, report: Report, day: date, backdated: str) -> None:
    """Raises ConfigError for a day before the report was written, unless a reason is given."""
    if backdated and day >= report.written:
        sentence = say(
            f"--backdated：报告编制于 {report.written}，{day} 不早于该日，无须补登",
            f"--backdated: the report was written on {report.written}, {day} is not before it",
        )
        raise ConfigError([f"{file}: {sentence}"])
    if day < report.written and not backdated:
        sentence = say(
            f"--on {day}：报告编制于 {report.written}，此前不可能存证；确为补登时，请用 "
            '--backdated "理由" 说明，将随登记留存',
            f"--on {day}: the report was written on {report.written} and cannot have been lodged "
            'before; if this is recorded later, say why with --backdated "REASON": it is kept',
        )
        raise ConfigError([f"{file}: {sentence}"])
