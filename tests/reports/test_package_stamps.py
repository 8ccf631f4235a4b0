"""A package with the time stamp of a real authority: it holds, and no byte of it may be another."""

import random
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from agent.evidence.rfc3161 import imprint_of, request
from reports.package.ring import open_ring
from reports.package.tiles import Heads
from reports.package.verify import verify
from tests.agent.stamp_authority import StampAuthority
from tests.reports import plant
from tests.reports.conftest import Built
from tests.reports.forging import Original, files_of, packed
from tests.reports.proven import prove
from tests.reports.sealing import office_over, sealed_in

LOG = f"demo/gw1/record/{plant.GATEWAY.log}"
DAY = "2026-11-18"


def test_a_stamped_day_in_a_package(built: Built, tmp_path: Path) -> None:
    ends = prove(tmp_path / "h", built.root / "originals")
    head = Heads(ends.root / "originals").of(LOG)
    assert head is not None
    root = b64encode(head.head.root).decode()
    daily = ends.root / "checkpoints" / "daily"
    daily.mkdir(parents=True)
    text = f"smelter-day/1\n{DAY}\nsmelter/{LOG} {head.head.size} {root}\n".encode()
    (daily / f"{DAY}.txt").write_bytes(text)
    authority = StampAuthority(tmp_path / "tsa")
    query = request(imprint_of(text), 7)
    (daily / f"{DAY}.tsq").write_bytes(query)
    (daily / f"{DAY}.tsr").write_bytes(authority.answer(query))
    office = office_over(tmp_path / "office", ends.root / "originals", built.root / "lake")
    path = sealed_in(office, tmp_path / "true.zip")
    ring = open_ring(office.site.entries, "demo")
    original = Original(path, ring, ends, tmp_path)
    ca = str(authority.ca)

    found = verify(str(path), original.trusted, [], ca)
    assert found.code == 0, found.changed
    assert any(f"time stamp stamps/{DAY}.tsr holds" in each["en"] for each in found.proved)
    unasked = verify(str(path), original.trusted, [])
    assert any("signature not checked (give --ca" in each["en"] for each in unasked.notes)

    files, said = files_of(path)
    name, chance = f"stamps/{DAY}.tsr", random.Random(20261123)
    answer = files[name]
    for at in (len(answer) - 5, answer.index(sha256(text).digest()), chance.randrange(60)):
        broken = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
        lie = packed(original, files | {name: broken}, dict(said), ring)  # by the office itself
        bad = verify(str(lie), original.trusted, [], ca)
        assert bad.code == 1, at
        assert name in {each["where"] for each in bad.changed}
    other = StampAuthority(tmp_path / "other")
    assert verify(str(path), original.trusted, [], str(other.ca)).code == 1, "a foreign authority"
