"""
Drafts: what a report would say today, kept beside the console's data and never handed in.

``<data>/drafts/<report>-<period>.json`` is the report's content, ``….state.json`` when it was made
or why it could not be. Pages take their figures from drafts, so a figure on a page is a line of a
report with its formula, inputs, coverage and law.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from drivers.model import ConfigError
from reports.console.office import Office
from reports.periods import Period, plant_now


def place(office: Office, report: str, period: str) -> tuple[Path, Path]:
    """Content and state; neither need be there."""
    stem = f"{report}-{period}"
    return office.drafts / f"{stem}.json", office.drafts / f"{stem}.state.json"


def make(office: Office, report: str, period: str) -> dict[str, Any]:
    """Make it (long): nothing is written to the archive. Returns its state."""
    from reports.entries.ledger import read_ledger
    from reports.make import REPORTS, make_content

    content_path, state_path = place(office, report, period)
    office.drafts.mkdir(parents=True, exist_ok=True)
    began = time.time()
    span = Period.parse(period)
    try:
        preliminary = not REPORTS[report].ahead and plant_now() < span.end
        ledger = read_ledger(office.site.entries)
        content = make_content(
            report, office.site, span, ledger, office.reports, preliminary=preliminary
        )
    except ConfigError as error:
        state: dict[str, Any] = {"problems": list(error.problems), "made": began}
        content_path.unlink(missing_ok=True)
    else:
        _write(content_path, content.model_dump_json())
        state = {"problems": [], "made": began, "complete": content.complete}
    state |= {"took_s": round(time.time() - began, 1), "preliminary": True}
    _write(state_path, json.dumps(state, ensure_ascii=False))
    return state


def content(office: Office, report: str, period: str) -> dict[str, Any] | None:
    """The draft's content as JSON; None when there is none."""
    path, _ = place(office, report, period)
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, "utf-8")
    new.replace(path)
