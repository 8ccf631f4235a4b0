"""
What an installation keeps: the words that backup, catalogue and retention share.

A *keeper* answers for one kind of config file. Rooms register theirs under the entry-point group
``smelter.keeping``: name → an object with the methods of ``Keeper``. So nothing here needs to know
how a batch log or a ledger of entries looks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import BinaryIO, Protocol

from drivers.doctor import Text
from drivers.language import say
from drivers.model import ConfigError, DataClass
from drivers.tomlfile import read_tables

GROUP = "smelter.keeping"


@dataclass(frozen=True, slots=True)
class Member:
    """
    One file to be backed up, at ``place`` below the folder of its part (``data/record/…``).

    ``source`` is open already where the file may vanish before its turn; ``end`` is how many bytes
    count (None: all there are when its turn comes). A ``secret`` is left out without a passphrase.
    """

    place: str
    path: Path
    source: BinaryIO | None = None
    end: int | None = None
    secret: bool = False
    whole_lines: bool = False  # append-only lines: up to the last line break


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of data in one place: a row of the data catalogue."""

    kind: str  # raw, record, lake, entries, keys …
    what: Text
    data_class: DataClass
    places: tuple[str, ...]  # paths, topics, addresses
    readers: Text  # who may read it
    kept: Text  # how long
    at_rest: Text  # how protected on the disk
    in_transit: Text
    since: Text  # from when on there are data of this kind
    quantities: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        texts = ("what", "readers", "kept", "at_rest", "in_transit", "since")
        return {
            "kind": self.kind,
            "class": str(self.data_class),
            "places": list(self.places),
            **{
                name: {"zh": getattr(self, name).zh, "en": getattr(self, name).en} for name in texts
            },
            "quantities": list(self.quantities),
        }


class Keeper(Protocol):
    """Answers for one kind of config file."""

    def mine(self, tables: Mapping[str, object]) -> bool:
        """Is this parsed TOML a config of this kind?"""

    def name(self, config: Path) -> str:
        """Folder of this part in a backup, and on restore: ``gateway-gw1``."""

    def members(self, config: Path) -> Iterator[Member]:
        """Every file that must be kept, in an order that is consistent while processes run."""

    def audit(self, config: Path) -> Path:
        """Folder of the trail in which a backup is recorded."""

    def settle(self, config: Path, restored: Mapping[str, Path]) -> None:
        """Point the restored config at the restored data. ``restored``: folders by part."""

    def faults(self, file: int, start: int, end: int, place: str) -> Iterable[str]:
        """What is wrong with a member of which this keeper knows the form."""

    def holdings(self, config: Path) -> Iterable[Holding]:
        """Rows of the data catalogue."""


def keepers() -> dict[str, Keeper]:
    """All that are installed; a room whose libraries are not here is left out."""
    found: dict[str, Keeper] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            made: Keeper = entry.load()()
        except ImportError:
            continue
        found[entry.name] = made
    return found


def keeper_of(config: Path) -> tuple[str, Keeper]:
    """Raises ConfigError for a file that is none of ours."""
    tables = read_tables(config)
    for name, keeper in keepers().items():
        if keeper.mine(tables):
            return name, keeper
    raise ConfigError(
        [
            say(
                f"{config}：不是 gateway.toml、historian.toml 或 site.toml，或对应部件未安装",
                f"{config}: no gateway.toml, historian.toml or site.toml, "
                "or the part that reads it is not installed here",
            )
        ]
    )
