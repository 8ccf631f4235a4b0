"""What belongs to a site: site.toml, entries, journal, lodgings, documents, overlays, trail."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from drivers.keeping import Holding, Member
from drivers.keeping_files import config_members, data_members, secrets_of, settle_names
from drivers.tomlfile import read_tables, with_value
from reports.keeping_console import console_members, settled

# Beside the entries; documents are named by their digest and never change.
BESIDE = ("documents", "lodged", "report-keys", "audit", "signed-rules")
REPORTS = "reports"  # beside site.toml: a report names its site by a relative path
CHAINS = ("journal.jsonl", "lodgings.jsonl")


def entries_of(config: Path) -> Path:
    """The ledger; everything else that a site keeps lies beside it."""
    return config.parent / str(read_tables(config).get("entries", "entries.jsonl"))


class SiteKeeper:
    """``site.toml``."""

    def mine(self, tables: Mapping[str, object]) -> bool:
        return "entries" in tables and "potline" in tables

    def name(self, config: Path) -> str:
        return f"site-{read_tables(config).get('plant', 'plant')}"

    def members(self, config: Path) -> Iterator[Member]:
        """Chains before the documents they name: a document is there before its line is."""
        entries = entries_of(config)
        chains = (entries, *(entries.with_name(name) for name in CHAINS))
        yield from config_members(config, leave=chains)
        for chain in chains:
            head = chain.with_name(chain.name + ".head")
            for path in (head, chain):
                if path.exists():
                    yield Member(f"data/{path.name}", path, whole_lines=path == chain)
        hidden = secrets_of(config)
        for name in BESIDE:
            folder = entries.with_name(name)
            yield from data_members(folder, place=f"data/{name}", secrets=hidden)
        yield from console_members(config, entries, hidden)
        yield from data_members(config.parent / REPORTS, place=f"etc/{REPORTS}", secrets=hidden)

    def audit(self, config: Path) -> Path:
        return entries_of(config).with_name("audit")

    def settle(self, config: Path, restored: Mapping[str, Path]) -> None:
        """The restored ledgers; the restored historian's lake and originals where there is one."""
        text = config.read_text("utf-8")
        ours = {"entries": f"../data/{Path(str(read_tables(config)['entries'])).name}"}
        if "historian" in restored:
            data = restored["historian"] / "data"
            ours |= {"lake": str(data / "lake"), "originals": str(data / "originals")}
        for key, value in ours.items():
            text = with_value(text, key, value)
        config.write_text(settled(text), "utf-8")
        settle_names(config)

    def faults(self, file: int, start: int, end: int, place: str) -> Iterable[str]:  # noqa: ARG002 - a Keeper's
        """Chains are followed for every keeper; there is no other form here."""
        return ()

    def holdings(self, config: Path) -> Iterable[Holding]:
        from reports.keeping_catalogue import holdings

        return holdings(config)
