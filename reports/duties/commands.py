"""``smelter duties``: what the plant must do by when, what is done, and what is overdue."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.duties.duties import Duty, Office, State, begins, duties
from reports.entries.commands import speak
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.periods import plant_now
from reports.plan.file import load_plan
from reports.rules.overlay import load_packs
from reports.site import load_site

WIDE: Final = 160  # characters of a line that goes into a file
STATES: Final = {
    State.OVERDUE: ("逾期", "OVERDUE"),
    State.OPEN: ("待办", "to do"),
    State.EVENT: ("主管部门", "by others"),
    State.UNDATED: ("日期未公布", "no date yet"),
    State.DONE: ("已完成", "done"),
}
CONFIRMED: Final = {
    "official": ("官方文本", "official text"),
    "secondary": ("二手资料", "secondary"),
    "unverified": ("未核实", "unverified"),
}


def list_duties(
    site: Annotated[Path, typer.Option(help="site.toml")],
    on: Annotated[str, typer.Option(help=say("哪一天，缺省今天", "which day; default today"))] = "",
    *,
    every: Annotated[
        bool, typer.Option("--all", help=say("包括早已完成的", "also what was done long ago"))
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
    lang: Annotated[str, typer.Option(help="zh | en")] = "",
) -> None:
    """Every duty by day; exit 1 when one is overdue."""
    speak(lang)
    day = _day(on)
    plant = load_site(site)
    office = Office(
        plant,
        read_ledger(plant.entries),
        read_lodgings(plant.entries),
        load_packs(plant),
        None if plant.plan is None else load_plan(plant.plan, plant),
    )
    found = duties(office, day)
    if as_json:
        rows = [_row(duty, day) for duty in found]
        table = {"on": str(day), "from": str(begins(office, day)), "duties": rows}
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        shown = [d for d in found if every or d.state is not State.DONE or _recent(d, day)]
        _print(shown, day)
        _foot(office, found, day)
    if any(duty.state is State.OVERDUE for duty in found):
        raise typer.Exit(1)


def _day(text: str) -> date:
    """Raises ConfigError."""
    if not text:
        return plant_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            [say(f"--on {text}：请写 2026-11-23", f"--on {text}: write 2026-11-23")]
        ) from None


def _recent(duty: Duty, on: date) -> bool:
    left = duty.left(on)
    return left is not None and left >= 0


def _row(duty: Duty, on: date) -> dict[str, Any]:
    return {
        "id": duty.id,
        "period": duty.period,
        "state": duty.state.value,
        "due": None if duty.due is None else str(duty.due),
        "days_left": duty.left(on),
        "zh": duty.text.zh,
        "en": duty.text.en,
        "source": duty.source,
        "locator": duty.locator,
        "confirmed": duty.confirmed,
        "note": None if duty.note is None else duty.note.model_dump(),
    }


def _print(found: list[Duty], on: date) -> None:
    from rich.console import Console
    from rich.table import Table

    titles = say(
        "状态|截止日|剩余天数|事项|情况|依据", "state|by|days left|what|how it stands|source"
    )
    table = Table(*titles.split("|"))
    table.columns[2].justify = table.columns[5].justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    for column in table.columns[:3]:
        column.no_wrap = True
    sources: list[str] = []
    for duty in found:
        left = duty.left(on)
        source = _source(duty)
        if source not in sources:
            sources.append(source)
        table.add_row(
            say(*STATES[duty.state]),
            "—" if duty.due is None else str(duty.due),
            "—" if left is None or duty.state is State.DONE else str(left),
            duty.text.of(language()),
            "" if duty.note is None else duty.note.of(language()),
            f"({sources.index(source) + 1})",
            style=_style(duty, left),
        )
    Console(width=None if sys.stdout.isatty() else WIDE, markup=False).print(table)
    for number, source in enumerate(sources, 1):
        typer.echo(f"({number}) {source}")


def _source(duty: Duty) -> str:
    """The text a duty stands on, and how well that was confirmed."""
    confirmed = CONFIRMED.get(duty.confirmed)
    parts = [duty.source, duty.locator, "" if confirmed is None else say(*confirmed)]
    return " · ".join(part for part in parts if part)


def _style(duty: Duty, left: int | None) -> str:
    if duty.state is State.OVERDUE:
        return "bold red"
    if duty.state is State.OPEN and left is not None and left <= 14:
        return "yellow"
    return "dim" if duty.state in {State.DONE, State.UNDATED} else ""


def _foot(office: Office, found: tuple[Duty, ...], on: date) -> None:
    first = begins(office, on)
    typer.echo(
        say(
            f"{first} 是台账中最早的月份；更早的义务不在此列。",
            f"{first} is the first month entered; duties before it are not listed.",
        )
    )
    if office.plan is None:
        typer.echo(
            say(
                "site.toml 未写 plan：计量器具检定期限未检查。",
                "site.toml names no plan: certificates of instruments were not checked.",
            )
        )
    late = sum(duty.state is State.OVERDUE for duty in found)
    if late:
        typer.echo(say(f"逾期 {late} 项。", f"{late} overdue."))
