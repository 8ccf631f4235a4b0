"""Who stands for a config, and why: said by ``check --accept`` before the process takes it."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.batches.durable import make_folder, replace_text
from drivers.audit import AuditTrail, note_act
from drivers.language import say
from drivers.model import ConfigError

UNKNOWN = "unknown"  # the file changed and nobody said that it was him


@dataclass(frozen=True, slots=True)
class Accepted:
    """The newest acceptance; the act itself stands in the trail."""

    digest: str
    who: str
    why: str


def accept(trail: AuditTrail, config: Path, digest: str, who: str, why: str) -> None:
    """Recorded as an act, and noted for the process. ConfigError without name or reason."""
    if not who.strip() or not why.strip():
        told = "--accept 须同时给出 --author 与 --why", "--accept needs --author and --why"
        raise ConfigError([say(*told)])
    if not note_act(
        trail, "config.accepted", str(config), who=who, reason=why, details={"new": digest}
    ):
        return  # told on standard error: what is not in the trail does not count
    make_folder(trail.folder.parent)
    made = Accepted(digest, who.strip(), why.strip())
    replace_text(_file(trail), json.dumps(asdict(made), ensure_ascii=False))


def by_whom(trail: AuditTrail, config: str, digest: str) -> tuple[str, str, dict[str, str]]:
    """Who and why, and where nobody said so, whose file it is and since when."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = Accepted(**json.loads(_file(trail).read_text("utf-8")))
        if found.digest == digest:
            return found.who, found.why, {}
    with contextlib.suppress(OSError, KeyError, ValueError):
        path = Path(config)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        return UNKNOWN, "", {"file_owner": path.owner(), "file_changed": changed}
    return UNKNOWN, "", {}


def _file(trail: AuditTrail) -> Path:
    return trail.folder.with_name("accepted.json")
