"""The sub-commands this room brings to ``smelter``: entries, compute, report, trace."""

from reports.entry_commands import entries_app

__all__ = ["entries_app"]
