"""Names of files in the archive of reports: what an address may ask for, and where that lies."""

import re
from pathlib import Path
from typing import Final

STEM: Final = r"[a-z][a-z-]{1,40}-[0-9][0-9A-Z_-]{3,24}-v[1-9][0-9]{0,4}"
REPORT: Final = re.compile(STEM + r"\.json")
RENDERING: Final = re.compile(STEM + r"\.(?:zh|en)\.(?:pdf|xlsx|html)")
PACKAGE: Final = re.compile(STEM + r"\.evidence\.zip")
SIGNATURE: Final = re.compile(STEM + r"\.signature-[0-9]{1,3}\.txt")
KINDS: Final = ("pdf", "xlsx", "html")
TYPES: Final = {
    "json": "application/json",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "zip": "application/zip",
    "txt": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


def named(folder: Path, name: str, *forms: re.Pattern[str]) -> Path | None:
    """The file of that name in the archive; None for any other name, or where there is none."""
    if not any(form.fullmatch(name) for form in forms):
        return None
    path = folder / name
    return path if path.is_file() and not path.is_symlink() else None


def version_of(name: str) -> int:
    """Of a report's name, with or without its ending."""
    return int(name.partition(".")[0].rpartition("-v")[2])


def newest(folder: Path, report: str, period: str) -> Path | None:
    """The newest version of a report; None when it was never made."""
    return next(iter(versions(folder, report, period)), None)


def versions(folder: Path, report: str, period: str) -> list[Path]:
    """Every version of a report, newest first."""
    found = folder.glob(f"{report}-{period}-v*.json") if folder.is_dir() else ()
    kept = [x for x in found if REPORT.fullmatch(x.name)]
    stem = f"{report}-{period}"
    kept = [x for x in kept if x.stem.rpartition("-v")[0] == stem]
    return sorted(kept, key=lambda x: version_of(x.name), reverse=True)


def package_of(report: Path) -> Path:
    """Where the package of a version is built."""
    return report.with_name(f"{report.stem}.evidence.zip")


def signatures_of(report: Path) -> list[Path]:
    """The signed statements about a version, first to last."""
    found = list(report.parent.glob(f"{report.stem}.signature-*.txt"))
    return sorted(found, key=lambda x: int(x.stem.rpartition("-")[2]))
