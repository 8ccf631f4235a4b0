"""Every edit of a package is found, and its place is named (D1, the short run)."""

import json
import random
from hashlib import sha256
from typing import Any

import pytest

from reports.package.verify import Verdict, headline, text, verify
from tests.reports.forging import (
    EDITS,
    Edit,
    Original,
    edited,
    files_of,
    foreign,
    fresh_history,
    packed,
)

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
    assert (found.word, found.code, found.keys_checked) == ("unvouched", 2, False)
    assert "no trusted key was given" in found.notes[0]["en"]
    assert text(found, "zh").startswith("无法判断：自洽，但密钥无人担保 / cannot be judged: agrees")
    assert verify(str(path), sealed.trusted, []).code == 1


def test_what_was_not_compared_is_said(sealed: Original) -> None:
    office, historian = sealed.trusted
    for trusted, code, words, head in (
        ([historian], 0, "signs report and entries", "key of the report was not compared"),
        ([office], 2, "no key of gateway or historian", "not traced to originals that anyone"),
        ([], 2, "no trusted key was given", "nobody vouches"),
    ):
        found = verify(str(sealed.path), trusted, [])
        assert found.code == code
        assert words in found.notes[0]["en"]
        assert head in headline(found)[1]
        assert "smelter recompute" in text(found, "en")
    assert headline(verify(str(sealed.path), sealed.trusted, [])) == ("未被改动", "intact")
    assert not verify(str(sealed.path), sealed.trusted, []).notes


def test_an_invented_history_beside_the_true_keys(sealed: Original) -> None:
    """All of it agrees with itself; only a key or checkpoint of the true ends tells."""
    edit = fresh_history(sealed, random.Random(SEED))
    office, historian = sealed.trusted
    gateway = sealed.ends.gateways["demo/gw1"].entries[-1].vkey
    assert verify(str(edit.path), [], []).word == "unvouched"
    found = verify(str(edit.path), [office, historian], [])
    assert (found.code, named(found, edit)) == (1, True), found.changed
    only = verify(str(edit.path), [office, gateway], [])
    assert only.code == 2, "another gateway may be true: nothing to accuse, nothing to believe"
    kept = next((sealed.ends.root / "checkpoints" / "demo" / "gw1" / "record").rglob("checkpoint"))
    assert verify(str(sealed.path), [], [str(kept)]).code == 0
    found = verify(str(edit.path), [], [str(kept)])
    assert found.code == 2
    assert f"vouches for log {edit.places[0][8:-4]} from batch" in found.unknown[0]["en"]


def reported(sealed: Original, change: dict[str, Any], *, originals: bool = True) -> str:
    """The package with other content of the report, every digest right, signed by the office."""
    files, said = files_of(sealed.path)
    if not originals:
        ours = ("batches/", "proofs/", "leaves/", "checkpoints/")
        files = {name: data for name, data in files.items() if not name.startswith(ours)}
        said["counts"] = {}
    report = json.loads(files["report.json"])
    report["content"] |= change
    whole = json.dumps(report["content"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    report["content_sha256"] = said["content_sha256"] = sha256(whole.encode()).hexdigest()
    files["report.json"] = json.dumps(report, ensure_ascii=False, sort_keys=True).encode()
    return str(packed(sealed, files, said, sealed.office_ring))


def test_text_of_a_package_cannot_speak_for_the_program(sealed: Original) -> None:
    evil = "x  intact\n+ the key that you trust\x1b[8m\u202e\u2028\x9b"
    found = verify(reported(sealed, {"report": evil}), sealed.trusted, [])
    assert found.code == 1
    for lang in ("zh", "en"):
        said = text(found, lang)
        assert said.startswith("已被改动")
        assert "\n+ the key" not in said
        assert not {"\x1b", "\u202e", "\u2028", "\x9b"} & set(said)
        assert all(
            line[:2] in {"x ", "? ", "+ ", "! ", "- ", "  "} for line in said.splitlines()[1:]
        )


def test_a_small_part_of_a_large_register_is_found(sealed: Original) -> None:
    """One unit of 5e-7 of the register, by a report that the office signs."""
    files, _ = files_of(sealed.path)
    meters = json.loads(files["report.json"])["content"]["meters"]
    meter = next(m for m in meters if m["begin"] and m["begin"]["raw"])
    meter["begin"]["last"] *= 1 + 5e-7
    found = verify(reported(sealed, {"meters": meters}), sealed.trusted, [])
    assert found.code == 1
    assert any(f"{meter['id']} begin" in each["where"] for each in found.changed)


def test_no_originals_is_said_in_the_headline(sealed: Original) -> None:
    """Batches that no figure cites: the report is not intact by itself, but may be asked so."""
    path = reported(sealed, {"meters": []}, originals=False)
    found = verify(path, sealed.trusted, [])
    assert (found.word, found.code, found.readings) == ("untraced", 2, 0)
    assert headline(found)[1].endswith("vouches for; no originals behind its figures are here")
    assert "数字未能追溯到" in headline(found)[0]
    waived = verify(path, sealed.trusted, [], waived=True)
    assert waived.code == 0
    assert headline(waived)[1] == "intact; no originals behind its figures are here"


def test_what_this_machine_cannot_read_is_not_called_changed(sealed: Original) -> None:
    files, said = files_of(sealed.path)
    files["report.json"] = b"[" * 200_000
    found = verify(str(packed(sealed, files, said, sealed.office_ring)), sealed.trusted, [])
    assert found.code == 2
    assert "RecursionError" in found.unknown[0]["en"]
