"""The table ``[audit]`` of gateway.toml, historian.toml and site.toml."""

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError

from drivers.audit import KEEP_DAYS, LEAST_DAYS, QUOTA_BYTES, AuditTrail, note_act
from drivers.audit_files import read_head
from drivers.config import Strict
from drivers.language import say
from drivers.model import ConfigError


class AuditConfig(Strict):
    """How much room the trail has and how long acts stay."""

    quota_mb: int = Field(default=QUOTA_BYTES >> 20, ge=1)
    keep_days: float = Field(default=KEEP_DAYS, ge=LEAST_DAYS)

    def trail(self, folder: Path) -> AuditTrail:
        return AuditTrail(folder, quota_bytes=self.quota_mb << 20, keep_days=self.keep_days)


def trail_of(place: Path) -> AuditTrail:
    """The trail of a config file with its settings, or of a folder. Raises ConfigError."""
    if place.is_dir():
        inside = place / "audit"
        return AuditTrail(inside if inside.is_dir() else place)
    try:
        table = tomllib.loads(place.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([f"{place}: {error}"]) from None
    settings = AuditConfig()
    if isinstance(given := table.get("audit"), dict):
        known = {name: given[name] for name in ("quota_mb", "keep_days") if name in given}
        try:
            settings = AuditConfig.model_validate(known)
        except ValidationError as error:
            raise ConfigError([f"{place}: [audit] {error}"]) from None
    if isinstance(data := table.get("data_dir"), str):
        return settings.trail(place.parent / data / "audit")
    if isinstance(entries := table.get("entries"), str):
        return settings.trail((place.parent / entries).parent / "audit")
    raise ConfigError(
        [
            say(
                f"{place}：既无 data_dir 也无 entries，请给出审计日志文件夹",
                f"{place}: has neither data_dir nor entries; give the folder of the trail",
            )
        ]
    )


def note_refusal(config: Path, error: ConfigError) -> None:
    """A config that kept a process from starting: an act, where its trail is known; once a run."""
    told = "; ".join(error.problems)[:1000]
    try:
        trail = trail_of(config)
        newest = read_head(trail.folder)[0]
        for last in trail.read(newest - 1):
            if (last.act.what, last.act.why) == ("config.refused", told):
                return  # a service manager tries again and again
    except (ConfigError, OSError, ValueError):
        return  # the file does not say where the trail is
    note_act(trail, "config.refused", str(config), reason=told, result="refused")
