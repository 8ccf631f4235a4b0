"""What the settings say at a glance; the facts of site.toml without secrets; the data catalogue."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from drivers.classes import NAMES, RANK, rules_of
from drivers.keeping import keeper_of
from drivers.keeping_files import SECRET_KEYS
from drivers.language import say
from drivers.tomlfile import read_tables
from reports.console import proposals
from reports.console.figures import settings_meters, settings_rules
from reports.console.office import Office
from reports.rules.overlay import read_overlay

HIDDEN: Final = (*SECRET_KEYS, "url", "client_secret", "client_secret_file", "secret", "password")
MOST_ROWS: Final = 2000


def overview(office: Office) -> dict[str, Any]:
    """One number or two for each part of the settings."""
    meters = settings_meters.meters(office)
    states = [each["certificate"]["state"] for each in meters["instruments"] if each["in_place"]]
    rules = settings_rules.summary(office)
    counts = {
        state: sum(pack["counts"][state] for pack in rules["packs"])
        for state in ("official", "site", "secondary", "unverified", "absent")
    }
    return {
        "meters": len(meters["meters"]),
        "instruments": len(states),
        "certificates": {name: states.count(name) for name in sorted(set(states))},
        "plan": meters["plan"],
        "rules": counts,
        "problems": rules["problems"],
        "open": sum(each.state == proposals.OPEN for each in proposals.every(office)),
        "signed": sum(len(read_overlay(path).stretches) for path in office.site.overlays),
    }


def facts(office: Office) -> dict[str, Any]:
    """What site.toml says, a table for each part; a secret is never read, nor an address shown."""
    site = office.site
    return {
        "file": office.site_file.name,
        "plant": {
            "id": site.plant,
            "name": site.name,
            "operator": site.operator,
            "province": site.province,
            "credit_code": site.credit_code,
            "source": "lake" if site.lake is not None else "influxdb",
            "originals": site.originals is not None,
            "plan": site.plan is not None,
            "two_persons": site.two_persons,
        },
        "potlines": [
            {
                "id": line.id,
                "name": line.name,
                "process": line.process,
                "capacity_t": line.capacity_t_per_year,
                "current_ka": line.design_current_ka,
                "pots": line.pots,
                "started": line.started,
                "stopped": line.ends,
            }
            for line in site.potline
        ],
        "stacks": [
            {
                "id": stack.id,
                "name": stack.name,
                "equipment": stack.equipment,
                "permit": stack.permit.number if stack.permit else "",
                "limits": len(stack.limits),
                "started": stack.started,
                "stopped": stack.stopped,
            }
            for stack in site.stacks
        ],
        "exchangers": [
            {"equipment": each.equipment, "name": each.label, "use": each.use}
            for each in site.exchangers
        ],
        "lines": list(_flat(read_tables(office.site_file)))[:MOST_ROWS],
    }


def _flat(table: object, place: str = "") -> Iterator[dict[str, str]]:
    """Each value of the file with its place, secrets and addresses left out by name."""
    if isinstance(table, Mapping):
        for key, value in table.items():
            yield from _flat(value, f"{place}.{key}" if place else str(key))
    elif isinstance(table, list) and any(isinstance(each, Mapping) for each in table):
        for number, value in enumerate(table, 1):
            yield from _flat(value, f"{place}[{number}]")
    else:
        key = place.rpartition(".")[2]
        hidden = key in HIDDEN or key.endswith(("_file", "password", "secret", "token"))
        shown = say("（不显示）", "(not shown)") if hidden else _text(table)
        yield {"place": place, "value": shown}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return say("是", "yes") if value is True else say("否", "no") if value is False else str(value)


def catalogue(office: Office) -> dict[str, Any]:
    """Every kind of data of the office by class; paths beside site.toml are shown from there."""
    path = office.site_file.resolve()
    rules = rules_of(path)
    rows = []
    for each in keeper_of(path)[1].holdings(path):
        table = each.as_json()
        table["places"] = [_near(place, path.parent) for place in each.places]
        table["class_text"] = {"zh": NAMES[each.data_class].zh, "en": NAMES[each.data_class].en}
        table["rule"] = rules.export.rule(each.data_class)
        rows.append((RANK.index(each.data_class), table))
    return {
        "rows": [table for _, table in sorted(rows, key=lambda each: -each[0])],
        "changed": [
            {"name": name, "usual": str(usual), "now": str(now), "why": why}
            for name, usual, now, why in rules.changed
        ],
    }


def _near(place: str, folder: Path) -> str:
    """Relative to the folder of site.toml; elsewhere only the last two names."""
    path = Path(place)
    if path.is_relative_to(folder):
        return str(path.relative_to(folder))
    return "…/" + "/".join(path.parts[-2:]) if path.is_absolute() else place
