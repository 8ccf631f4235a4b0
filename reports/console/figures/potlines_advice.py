"""
Ranking of the pots of a month and the advice on them, as ``smelter pots`` gives; made once, kept.

It takes seconds for a small plant and minutes for hundreds of pots, so it is made in the long lane
and kept as ``<data>/drafts/pots-2026-10.json``.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from drivers.language import say
from drivers.model import ConfigError
from reports.console.office import Office
from reports.energy.advice import ACTIONS
from reports.energy.excess import PART_NAMES
from reports.energy.findings import CAUSES
from reports.energy.pot_commands import ranking_json, read_rankings
from reports.periods import Period, plant_now

FRESH_S = 3600.0  # of a month that runs
FRESH_PAST_S = 86_400.0


def month_of(text: str) -> Period:
    """Raises ConfigError."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    if not period.is_month:
        raise ConfigError([say(f"{text} 不是月份；请写 2026-10", f"{text}: write 2026-10")])
    return period


def _place(office: Office, month: Period) -> Path:
    return office.drafts / f"pots-{month}.json"


def kept(office: Office, month: str, since_s: float = 0.0) -> dict[str, Any] | None:
    """The ranking as it was made; None where there is none, or it is older than allowed."""
    period = month_of(month)
    try:
        found: dict[str, Any] = json.loads(_place(office, period).read_bytes())
        made = float(found["made"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fresh_s = FRESH_PAST_S if period.end <= plant_now() else FRESH_S
    return found if made >= since_s and time.time() - made < fresh_s else None


def make(office: Office, month: str, since_s: float = 0.0) -> dict[str, Any]:
    """Make it, unless somebody just did (long). Raises ConfigError."""
    found = kept(office, month, since_s)
    if found is not None:
        return found
    began, period = time.time(), month_of(month)
    rankings = read_rankings(office.site_file, period)
    made = {
        "month": str(period),
        "made": began,
        "took_s": round(time.time() - began, 1),
        "lines": {
            ranking.line: _named(ranking_json(ranking) | {"facts": ranking.facts.text.model_dump()})
            for ranking in rankings
        },
    }
    path = _place(office, period)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    new.replace(path)
    return made


def _named(ranking: dict[str, Any]) -> dict[str, Any]:
    """With the words for causes, parts and actions beside their codes."""
    for pot in ranking["pots"]:
        pot["cause_names"] = [CAUSES[cause].model_dump() for cause in pot["causes"]]
        pot["parts"] = [
            {"name": PART_NAMES[part].model_dump(), "mv": mv}
            for part, mv in (pot["parts_mv"] or {}).items()
        ]
    for advice in ranking["advice"]:
        advice["what"] = ACTIONS[advice["action"]].model_dump()
    return ranking


def of_pot(office: Office, month: str, line: str, pot: str) -> dict[str, Any] | None:
    """What the kept ranking says of one pot; None when it does not know it."""
    try:
        ranking: dict[str, Any] = json.loads(_place(office, month_of(month)).read_bytes())
    except (OSError, ValueError):
        return None
    found = ranking["lines"].get(line)
    if found is None:
        return None
    equipment = f"{line}/{pot}"
    mine = next((each for each in found["pots"] if each["pot"] == equipment), None)
    if mine is None:
        return None
    return {
        "month": ranking["month"],
        "made": ranking["made"],
        "pot": mine,
        "ranked": sum(each["rank"] is not None for each in found["pots"]),
        "reference_v": found["reference_v"],
        "advice": [each for each in found["advice"] if each["pot"] == equipment],
        "facts": found["facts"],
    }
