"""Whose keys are believed: learned on first use, pinned, changed only by the key before."""

import json
import time
from pathlib import Path

from agent.batches.durable import make_folder, replace_text
from agent.evidence.keys import KeyEntry, KeyHistoryError, read_history


class KeyRefusedError(Exception):
    """Keys that nothing vouches for; what is signed with them is not believed."""


class Pins:
    """
    The history of one other end's keys, in ``<folder>/keys.json``.

    ``accept.txt`` beside it holds vkeys that a person vouches for, one a line: the way out after
    a disk was lost with its keys.
    """

    def __init__(
        self, folder: Path, owner: str, way_out: str = "smelter historian accept-key"
    ) -> None:
        self.folder = folder
        self.way_out = way_out
        self.owner = owner  # a prefix when it ends in "/"
        self.entries: tuple[KeyEntry, ...] = ()
        path = folder / "keys.json"
        if path.exists():
            self.entries = read_history(json.loads(path.read_text("utf-8")))

    def learn(self, notes: list[str]) -> str:
        """
        "" when nothing new was said, else "first", "rotated" or "accepted", durable by then.

        Raises KeyRefusedError.
        """
        try:
            told = read_history(notes)
        except KeyHistoryError as error:
            raise KeyRefusedError(str(error)) from None
        owner = told[0].owner
        if not (owner.startswith(self.owner) if self.owner.endswith("/") else owner == self.owner):
            raise KeyRefusedError(f"keys of {owner}, not of {self.owner}")
        known = [entry.vkey for entry in self.entries]
        vkeys = [entry.vkey for entry in told]
        if vkeys[-1:] != known[-1:] and vkeys[-1] in self._accepted():
            aside = self.folder / f"keys-before-{time.time_ns()}.json"
            replace_text(aside, json.dumps([entry.note for entry in self.entries]))
            self._keep(told)
            self._use_up(vkeys[-1])
            return "accepted"
        if vkeys == known[: len(vkeys)]:
            return ""
        if known == vkeys[: len(known)]:
            self._keep(told)
            return "rotated" if known else "first"
        raise KeyRefusedError(
            f"key {vkeys[-1]} is not vouched for by the pinned key {known[-1]}; if the keys were "
            f"lost, a person who has checked the new one runs: {self.way_out}"
        )

    def _accepted(self) -> set[str]:
        path = self.folder / "accept.txt"
        return set(path.read_text("utf-8").split()) if path.exists() else set()

    def _use_up(self, vkey: str) -> None:
        """Accepted once: an old message must not bring the key back later."""
        left = "".join(f"{each}\n" for each in sorted(self._accepted() - {vkey}))
        replace_text(self.folder / "accept.txt", left)

    def _keep(self, entries: tuple[KeyEntry, ...]) -> None:
        make_folder(self.folder)
        replace_text(self.folder / "keys.json", json.dumps([entry.note for entry in entries]))
        self.entries = entries
