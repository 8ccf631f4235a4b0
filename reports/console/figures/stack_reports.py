"""Emission reports of the archive, and making one."""

import re
from collections.abc import Sequence
from typing import Any, Final

from reports.console.office import Office
from reports.periods import Period, plant_now

NAME: Final = "emissions"
FILE: Final = re.compile(
    rf"{NAME}-(?P<period>\d{{4}}[\dQ_-]*)-v(?P<version>\d+)(\.(?P<lang>zh|en))?"
    r"\.(?P<kind>json|pdf|xlsx|html)"
)


def listing(office: Office) -> list[dict[str, Any]]:
    """The newest version of each period, newest period first, with its files."""
    found: dict[str, dict[int, list[dict[str, str]]]] = {}
    if office.reports.is_dir():
        for path in sorted(office.reports.iterdir()):
            if match := FILE.fullmatch(path.name):
                versions = found.setdefault(match["period"], {})
                files = versions.setdefault(int(match["version"]), [])
                if match["kind"] != "json":
                    files.append(
                        {"name": path.name, "kind": match["kind"], "lang": match["lang"] or ""}
                    )
    rows = []
    for period, versions in found.items():
        newest = max(versions)
        rows.append({"period": period, "version": newest, "files": versions[newest]})
    return sorted(rows, key=lambda row: str(row["period"]), reverse=True)


def make(office: Office, period: str, formats: Sequence[str], lang: str) -> dict[str, Any]:
    """A version in the archive; of a running period a preliminary one. Raises ConfigError."""
    from reports.console.figures.stacks import span
    from reports.make import make_report, summary

    asked: Period = span(period)
    written = make_report(
        NAME,
        office.site_file,
        asked,
        office.reports,
        list(formats),
        lang,
        preliminary=plant_now() < asked.end,
    )
    return {
        "period": str(asked),
        "version": written.report.version,
        "fresh": written.fresh,
        "complete": written.report.content.complete,
        "files": [path.name for path in written.files],
        "summary": summary(written).split("\n")[len(written.files) :],
    }
