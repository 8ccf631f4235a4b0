"""What belongs to a gateway: its config, point tables, batch logs, trees, keys, trail."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.keeping.logs import log_faults, log_members
from drivers.keeping import Holding, Member
from drivers.keeping_files import config_members, data_members, secrets_of, settle_names
from drivers.tomlfile import read_tables, with_value

STREAMS = ("record", "raw")


def data_dir_of(config: Path) -> Path:
    """The folder that a gateway's or a historian's config names, without judging the rest of it."""
    return Path(os.path.normpath(config.parent / str(read_tables(config).get("data_dir", ""))))


def settle_data_dir(config: Path) -> None:
    """The restored config names the restored data and files."""
    config.write_text(with_value(config.read_text("utf-8"), "data_dir", "../data"), "utf-8")
    settle_names(config)


class GatewayKeeper:
    """``gateway.toml``."""

    def mine(self, tables: Mapping[str, object]) -> bool:
        return "gateway" in tables and "data_dir" in tables and "device" in tables

    def name(self, config: Path) -> str:
        return f"gateway-{read_tables(config)['gateway']}"

    def members(self, config: Path) -> Iterator[Member]:
        yield from config_members(config)
        data = data_dir_of(config)
        leave = [data / stream for stream in STREAMS]
        yield from data_members(data, leave=leave, secrets=secrets_of(config))
        for stream in STREAMS:
            for folder in sorted((data / stream).glob("*/")):
                yield from log_members(folder, f"data/{stream}/{folder.name}")

    def audit(self, config: Path) -> Path:
        return data_dir_of(config) / "audit"

    def settle(self, config: Path, restored: Mapping[str, Path]) -> None:  # noqa: ARG002 - a Keeper's
        settle_data_dir(config)

    def faults(self, file: int, start: int, end: int, place: str) -> Iterable[str]:
        return log_faults(file, start, end, place)

    def holdings(self, config: Path) -> Iterable[Holding]:
        from agent.keeping.gateway_catalogue import holdings

        return holdings(config)
