"""Names of report files in the archive: what an address may ask for. Light enough for the web."""

import re
from pathlib import Path
from typing import Final

from reports.console.office import Office

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,60}-[0-9][0-9A-Z_-]{3,21}-v[1-9][0-9]{0,3}\.json")
RENDERED: Final = re.compile(NAME.pattern.removesuffix(r"\.json") + r"\.(zh|en)\.(pdf|xlsx|html)")


def place(office: Office, name: str) -> Path | None:
    """A report or a rendering of the archive; None for every other name."""
    path = office.reports / name
    fits = NAME.fullmatch(name) or RENDERED.fullmatch(name)
    return path if fits and path.is_file() and not path.is_symlink() else None
