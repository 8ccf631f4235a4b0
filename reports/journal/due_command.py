"""``smelter journal due``: which checks of the stacks are due by when, and what is overdue."""

import json
import sys
from datetime import date
from typing import Annotated, Final

import typer

from drivers.language import language, say
from drivers.model import ConfigError
from reports.entries.options import AsJson, Lang, SiteFile, speak
from reports.journal.due import Due, checks_due
from reports.journal.journal import read_journal
from reports.periods import plant_now
from reports.rules.overlay import load_packs
from reports.site import load_site

WIDE: Final = 160  # characters of a line that goes into a file
_CONFIRMED: Final = {
    "official": ("官方文本", "official text"),
    "secondary": ("二手资料", "secondary"),
    "unverified": ("未核实", "unverified"),
}


def due(
    site: SiteFile,
    on: Annotated[str, typer.Option(help=say("哪一天，缺省今天", "which day; default today"))] = "",
    days: Annotated[
        int, typer.Option(help=say("只列此天数内到期的", "only what is due within so many days"))
    ] = 31,
    *,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """By stack and day; exit 1 when one is overdue."""
    speak(lang)
    try:
        today = date.fromisoformat(on) if on else plant_now().date()
    except ValueError:
        raise ConfigError([f"--on {on}: " + say("请写 2026-11-23", "write 2026-11-23")]) from None
    plant = load_site(site)
    journal, packs = read_journal(plant.journal), load_packs(plant)
    found = [x for stack in plant.stacks for x in checks_due(journal, stack, packs, today)]
    shown = [x for x in found if x.due is None or (x.due - today).days <= days]
    late = [x for x in shown if x.overdue(today)]
    if as_json:
        table = {"on": str(today), "due": [_row(x, today) for x in shown]}
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _print(shown, today)
        typer.echo(say(f"逾期 {len(late)} 项", f"{len(late)} overdue"))
    if late:
        raise typer.Exit(1)


def _row(each: Due, today: date) -> dict[str, object]:
    return {
        "id": each.id,
        "stack": each.stack,
        "pollutants": list(each.pollutants),
        "zh": each.text.zh,
        "en": each.text.en,
        "last": None if each.last is None else str(each.last),
        "due": None if each.due is None else str(each.due),
        "overdue": each.overdue(today),
        "source": each.source,
        "locator": each.locator,
        "confirmed": each.confirmed,
        "note": None if each.note is None else each.note.model_dump(),
    }


def _print(found: list[Due], today: date) -> None:
    from rich.console import Console
    from rich.table import Table

    titles = say(
        "状态|到期|排放口|污染物|事项|上次|情况|依据",
        "state|by|stack|of|what|last|note|source",
    )
    table = Table(*titles.split("|"))
    for column in table.columns:
        column.overflow = "fold"
    sources: list[str] = []
    for each in found:
        parts = (each.source, each.locator, say(*_CONFIRMED.get(each.confirmed, ("", ""))))
        source = " · ".join(part for part in parts if part)
        if source and source not in sources:
            sources.append(source)
        late = each.overdue(today)
        table.add_row(
            say("逾期", "OVERDUE") if late else say("待办", "to do"),
            "—" if each.due is None else str(each.due),
            each.stack,
            ",".join(each.pollutants),
            each.text.of(language()),
            "—" if each.last is None else str(each.last),
            "" if each.note is None else each.note.of(language()),
            f"({sources.index(source) + 1})" if source else "",
            style="bold red" if late else "",
        )
    Console(width=None if sys.stdout.isatty() else WIDE, markup=False).print(table)
    for number, source in enumerate(sources, 1):
        typer.echo(f"({number}) {source}")
