"""Rule packs as the settings show them: each parameter, what is absent, whom a value touches."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.office import Office
from reports.periods import Period, plant_now
from reports.rules.listing import CONFIRMED_TEXT, absent_table, row, show_table
from reports.rules.overlay import load_packs
from reports.rules.packs import RulePack, packs
from reports.rules.units import value_text
from reports.versions import newest_of

STATES: Final = ("official", "secondary", "unverified", "site", "absent", "none")
BADGES: Final = {
    "official": "good", "site": "good", "secondary": "unknown", "unverified": "warn",
    "absent": "bad", "none": "unknown",
}  # fmt: skip


def rules(office: Office) -> tuple[Mapping[str, RulePack], list[str]]:
    """The packs with the site's overlays; without them, and why, where one is broken."""
    try:
        return load_packs(office.site), []
    except ConfigError as error:
        return packs(), list(error.problems)


def named(known: Mapping[str, RulePack], identity: str) -> tuple[RulePack, str]:
    """``pack.parameter``. Raises ConfigError."""
    pack, _, name = identity.partition("@")[0].partition(".")
    if pack not in known or name not in known[pack].parameters:
        raise ConfigError([say(f"没有参数 {identity!r}", f"there is no parameter {identity!r}")])
    return known[pack], name


def summary(office: Office, on: str = "") -> dict[str, Any]:
    """Each pack with how many parameters of each state it has on that day."""
    found, problems = rules(office)
    day = _day(on)
    rows = []
    for pack in found.values():
        states = [row(pack, name, day)["state"] for name in pack.parameters]
        counts = {state: states.count(state) for state in STATES}
        rows.append({"name": pack.name, "title": pack.title, "counts": counts, "all": len(states)})
    return {"day": day, "packs": rows, "problems": problems}


def listed(office: Office, pack: str = "", state: str = "", on: str = "") -> dict[str, Any]:
    """The parameters of a pack, or all of one state; texts in the visitor's language."""
    found, problems = rules(office)
    day = _day(on)
    if pack and pack not in found:
        raise ConfigError([say(f"没有规则包 {pack!r}", f"there is no pack {pack!r}")])
    if state and state not in STATES:
        raise ConfigError([say(f"没有状态 {state!r}", f"there is no state {state!r}")])
    rows = [
        _shown(row(each, name, day))
        for each in found.values()
        if not pack or each.name == pack
        for name in each.parameters
    ]
    if state:
        rows = [each for each in rows if each["state"] == state]
    title = found[pack].title if pack else ""
    return {"day": day, "rows": rows, "problems": problems, "pack": pack, "title": title}


def _shown(table: dict[str, Any]) -> dict[str, Any]:
    """A row of the listing with words, for a page and for the API."""
    source = table.get("source") or {}
    value = table["value"]
    return {
        "id": table["id"],
        "name": {"zh": table["zh"], "en": table["en"]},
        "value": value,
        "unit": table["unit"],
        "text": None if value is None else value_text(_exact(value), table["unit"], language()),
        "applies_from": table.get("applies_from"),
        "state": table["state"],
        "state_text": CONFIRMED_TEXT[table["state"]].of(language()),
        "badge": BADGES[table["state"]],
        "title": source.get("title") or table.get("open", ""),
        "where": source.get("where", ""),
        "locator": table.get("locator", ""),
        "unused": bool(table["unused"]),
    }


def _exact(value: object) -> Any:
    """A float of the listing as people write it: 20.0 was 20."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value


def shown(office: Office, parameter: str, on: str = "") -> dict[str, Any]:
    """One parameter with its history, where it was read and which reports it touches."""
    found, problems = rules(office)
    pack, name = named(found, parameter)
    day = _day(on)
    table = show_table(pack, name, day)
    wanted = pack.wanted(name)
    history = [
        each
        | {
            "text": value_text(_exact(each["value"]), table["unit"], language()),
            "state_text": CONFIRMED_TEXT[each["confirmed"]].of(language()),
            "badge": BADGES[each["confirmed"]],
            "seen": say(each["seen_zh"] or each["seen"], each["seen"]),
        }
        for each in table["history"]
    ]
    return _shown(table) | {
        "pack": pack.name,
        "pack_title": pack.title,
        "issuer": wanted.source.issuer,
        "where": wanted.source.where,
        "published": wanted.source.published,
        "yearly": pack.parameters[name].yearly,
        "history": history,
        "effects": effects(office, f"{pack.name}.{name}", None),
        "problems": problems,
        "day": day,
    }


def absent(office: Office, on: str = "") -> dict[str, Any]:
    """What nobody could read, by the text to open."""
    found, problems = rules(office)
    day = _day(on)
    texts: dict[str, dict[str, Any]] = {}
    for each in absent_table(found, day):
        text = texts.setdefault(
            each["open"], {"title": each["open"], "where": each["where"], "values": []}
        )
        name = {"zh": each["zh"], "en": each["en"]}
        text["values"].append({"id": each["id"], "name": name, "locator": each["locator"]})
    return {"day": day, "texts": list(texts.values()), "problems": problems}


def effects(office: Office, parameter: str, day: date | None) -> list[dict[str, Any]]:
    """Reports in the archive whose newest version used the value, or lacked it."""
    found = []
    for path in _newest(office.reports):
        used, period, absent_ids, title = _of_report(path, path.stat().st_mtime_ns)
        report = path.name.partition(f"-{period}-")[0]
        uses = parameter in used
        if (uses or parameter in absent_ids) and (day is None or Period.parse(period).after > day):
            how = "used" if uses else "absent"
            made = {"report": report, "title": {"zh": title[0], "en": title[1]}}
            found.append(made | {"period": period, "file": path.name, "how": how})
    return sorted(found, key=lambda each: (each["report"], each["period"]))


def _newest(archive: Path) -> Iterator[Path]:
    stems = {path.name.rpartition("-v")[0] for path in archive.glob("*-v*.json")}
    for stem in sorted(stems):
        if (path := newest_of(archive, stem)) is not None:
            yield path


@lru_cache(maxsize=512)
def _of_report(path: Path, _: int) -> tuple[frozenset[str], str, frozenset[str], tuple[str, str]]:
    """Parameters used, period, parameters lacked, title; a version never changes."""
    content = json.loads(path.read_bytes())["content"]
    used = frozenset(each["id"].partition("@")[0] for each in content["legals"])
    lacked = frozenset(str(each["id"]).partition("@")[0] for each in content.get("absent", ()))
    title = content["title"]
    return used, str(content["period"]["name"]), lacked, (title["zh"], title["en"])


def _day(text: str) -> date:
    if not text:
        return plant_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError([say(f"日期 {text!r} 应如 2026-10-05", f"{text!r}: a day")]) from None
