"""Who a config file speaks for, and every certificate and revocation list that it names."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.mistakes import read_toml
from drivers.config import NAME
from drivers.language import say
from drivers.model import ConfigError

if TYPE_CHECKING:  # cryptography is loaded only where certificates are made
    from drivers.authority import Owner

_KEYS = ("ca", "cert", "crl", "certificate", "server_certificate")


@dataclass(frozen=True, slots=True)
class Named:
    """Read without asking whether the files are there: they may be about to be made."""

    name: str  # CN: <plant>-<gateway>, or historian
    data_dir: Path
    files: dict[str, Path]
    path: Path  # of the config

    @property
    def folder(self) -> Path:
        return self.data_dir / "certificates"

    def owner(self, host: str, role: str = "") -> "Owner":
        """The name is what a broker's ACL knows; the URI is what OPC UA servers list."""
        from drivers.authority import Owner

        hosts = (host,) if host else ()
        return Owner(self.name, hosts, f"urn:{host or 'gateway'}:{self.name}", role)


def named_in(path: Path) -> Named:
    """Of gateway.toml, import.toml or historian.toml. Raises ConfigError."""
    parsed, _ = read_toml(path)
    plant, gateway = parsed.get("plant"), parsed.get("gateway")
    data_dir = parsed.get("data_dir")
    gateway = "import" if gateway is None and isinstance(plant, str) else gateway
    names = [name for name in (plant, gateway) if name is not None]
    good = all(isinstance(name, str) and re.fullmatch(NAME, name) for name in names)
    if not isinstance(data_dir, str) or not data_dir or not good or len(names) == 1:
        told = "须有 plant、gateway 和 data_dir", "plant, gateway and data_dir are needed"
        raise ConfigError([f"{path.name}: {say(*told)}"])
    name = "-".join(names) if names else "historian"
    return Named(name, path.parent / data_dir, files_in(parsed, path.parent), path)


def files_in(parsed: dict[str, Any], folder: Path) -> dict[str, Path]:
    """``mqtt.cert`` → path; ``device dcs.tls.ca``; of trust lists each file that is believed."""
    found = _of_table("mqtt", parsed.get("mqtt"), folder)
    for kind in ("device", "influxdb", "forward", "timestamp"):
        tables = parsed.get(kind, [])
        for number, table in enumerate(tables if isinstance(tables, list) else [tables], 1):
            if not isinstance(table, dict):
                continue
            name = f"{kind} {table.get('name', number)}" if isinstance(tables, list) else kind
            found |= _of_table(name, table, folder)
            found |= _of_table(f"{name}.tls", table.get("tls"), folder)
            if isinstance(table.get("trust"), str):
                found |= _trusted(f"{name}.trust", folder / table["trust"])
    return found


def _of_table(name: str, table: object, folder: Path) -> dict[str, Path]:
    if not isinstance(table, dict):
        return {}
    texts = {key: table[key] for key in _KEYS if isinstance(table.get(key), str)}
    return {f"{name}.{key}": folder / text for key, text in texts.items()}


def _trusted(name: str, folder: Path) -> dict[str, Path]:
    found = {}
    for inner in ("trusted", "issuers", "crl"):
        place = folder / inner
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.is_file() and not path.name.startswith("."):
                found[f"{name}/{inner}/{path.name}" + ("" if inner != "crl" else ".crl")] = path
    return found
