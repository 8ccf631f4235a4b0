"""Names of logs: made by chance, found by what was written last."""

import re
import secrets
from pathlib import Path

_LOG_ID = re.compile(r"[0-9a-f]{16}")


def new_log_id() -> str:
    """16 hex digits."""
    return secrets.token_hex(8)


def newest_log(folder: Path) -> str | None:
    """The id of the log in ``<folder>`` that was written last."""
    if not folder.is_dir():
        return None
    logs = [path for path in folder.iterdir() if _LOG_ID.fullmatch(path.name)]
    times = {path.name: max(p.stat().st_mtime_ns for p in (path, *path.iterdir())) for path in logs}
    return max(times, key=lambda name: (times[name], name), default=None)
