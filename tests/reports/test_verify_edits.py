"""Every edit of a package is found, and its place is named (D1, the short run)."""

import random

import pytest

from reports.package.verify import Verdict, verify
from tests.reports.forging import EDITS, Edit, Original, edited, files_of, foreign, packed

SEED = 20261123


def named(found: Verdict, edit: Edit) -> bool:
    """Whether the place of the edit is told; without one, that any place is told."""
    said = [f"{each['where']} {each['en']}" for each in found.changed]
    return bool(said) and (
        not edit.places or any(place in text for place in edit.places for text in said)
    )


@pytest.mark.parametrize("part", range(len(EDITS)), ids=lambda part: EDITS[part].__name__)
def test_random_edits_are_found_and_their_place_is_named(sealed: Original, part: int) -> None:
    chance = random.Random(SEED + part)
    for turn in range(13):
        edit = edited(sealed, chance, part + turn * len(EDITS))
        found = verify(str(edit.path), sealed.trusted, [])
        assert found.code == 1, (edit.kind, found.changed, found.unknown)
        assert named(found, edit), (edit.kind, edit.places, found.changed)


def test_the_true_package_is_intact(sealed: Original) -> None:
    found = verify(str(sealed.path), sealed.trusted, [])
    assert (found.code, found.keys_checked) == (0, True), (found.changed, found.unknown)


def test_without_a_trusted_key_a_forger_with_fresh_keys_is_only_warned_of(
    sealed: Original,
) -> None:
    files, said = files_of(sealed.path)
    path = packed(sealed, files, said, foreign(sealed))
    found = verify(str(path), [], [])
    assert (found.code, found.keys_checked) == (0, False)
    assert "no trusted key was given" in found.notes[0]["en"]
    assert verify(str(path), sealed.trusted, []).code == 1


def test_what_was_not_compared_is_said(sealed: Original) -> None:
    office, historian = sealed.trusted
    for trusted, words in (
        ([historian], "signs report and entries"),
        ([office], "no key of gateway or historian"),
        ([], "no trusted key was given"),
    ):
        found = verify(str(sealed.path), trusted, [])
        assert found.code == 0
        assert words in found.notes[0]["en"]
    assert not verify(str(sealed.path), sealed.trusted, []).notes
