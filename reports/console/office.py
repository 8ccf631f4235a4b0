"""The plant's files as the console knows them: site, archive, the console's own data."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reports.site import Site, load_site


@dataclass(frozen=True)
class Office:
    """What every figure of the console is made from. ``site`` is read once for each question."""

    site_file: Path

    @cached_property
    def site(self) -> Site:
        """Raises ConfigError with every mistake of the file."""
        return load_site(self.site_file)

    @property
    def data(self) -> Path:
        """Users, sessions, drafts; nothing of it is evidence."""
        return self.site.console.data_dir or self.site.entries.with_name("console")

    @property
    def reports(self) -> Path:
        """The archive: every version of every report that was made."""
        return self.site.console.reports or self.site_file.resolve().with_name("reports")

    @property
    def drafts(self) -> Path:
        return self.data / "drafts"
