"""What belongs to a historian: config, originals with trees, heads, keys, cursors, trail."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.historian.branches import is_piece
from agent.historian.originals import sources_in
from agent.keeping.gateway import data_dir_of, settle_data_dir
from agent.keeping.logs import log_faults, log_members
from drivers.keeping import Holding, Member
from drivers.keeping_files import config_members, data_members, secrets_of
from drivers.tomlfile import read_tables, with_value

LAKE = "lake"  # derived: made again from the originals at the first start


def lake_of(config: Path) -> Path:
    """Where the Parquet files lie."""
    table = read_tables(config).get("lake")
    said = table.get("path") if isinstance(table, Mapping) else None
    return config.parent / str(said) if said else data_dir_of(config) / LAKE


class HistorianKeeper:
    """``historian.toml``."""

    def mine(self, tables: Mapping[str, object]) -> bool:
        return "data_dir" in tables and "mqtt" in tables and not {"plant", "device"} & {*tables}

    def name(self, config: Path) -> str:  # noqa: ARG002 - a Keeper's
        return "historian"

    def members(self, config: Path) -> Iterator[Member]:
        """
        Heads and cursors before the batches they speak of, so that none points ahead.

        What came ahead of a backlog before the log it is copied to: then it is in one of them.
        """
        yield from config_members(config)
        data = data_dir_of(config)
        originals = data / "originals"
        leave = [originals, lake_of(config), data / "views" / LAKE]
        yield from data_members(data, leave=leave, secrets=secrets_of(config))
        for source in sorted(sources_in(originals), key=lambda each: not is_piece(each.log)):
            place = f"{source.plant}/{source.gateway}/{source.stream}/{source.log}"
            yield from log_members(originals / place, f"data/originals/{place}")

    def audit(self, config: Path) -> Path:
        return data_dir_of(config) / "audit"

    def settle(self, config: Path, restored: Mapping[str, Path]) -> None:  # noqa: ARG002 - a Keeper's
        text = with_value(config.read_text("utf-8"), "path", "../data/lake", table="lake")
        config.write_text(text, "utf-8")
        settle_data_dir(config)

    def faults(self, file: int, start: int, end: int, place: str) -> Iterable[str]:
        return log_faults(file, start, end, place)

    def holdings(self, config: Path) -> Iterable[Holding]:
        from agent.keeping.historian_catalogue import holdings

        return holdings(config)
