"""Archives that mean harm, keys and checkpoints that do not fit: a clear verdict each."""

import random
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from reports.package.verify import verify
from tests.originals_reader import read_stream
from tests.reports import plant, proven
from tests.reports.conftest import Built, Office
from tests.reports.forging import Original
from tests.reports.sealing import sealed_in

LOG = f"demo/gw1/record/{plant.GATEWAY.log}"


def zipped(path: Path, *names: str, data: bytes = b"x", mode: int = 0) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("../../etc/passwd", "指向包外", "leads out of the package"),
        ("/etc/passwd", "指向包外", "leads out of the package"),
        ("a/../b", "指向包外", "leads out of the package"),
        ("C:\\windows\\x", "指向包外", "leads out of the package"),
        ("..\\x", "指向包外", "leads out of the package"),
        ("报告.json", "不允许", "not allowed"),
        (".hidden", "不允许", "not allowed"),
        ("a" * 201, "不允许", "not allowed"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str, zh: str, en: str) -> None:
    found = verify(str(zipped(tmp_path / "p.zip", "report.json", name)), [], [])
    assert found.code == 1
    assert zh in found.changed[0]["zh"]
    assert en in found.changed[0]["en"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.zip"]


def test_links_doubles_and_locks(tmp_path: Path) -> None:
    link = verify(str(zipped(tmp_path / "l.zip", "a", mode=stat.S_IFLNK | 0o777)), [], [])
    assert "a symbolic link" in link.changed[0]["en"]
    double = verify(str(zipped(tmp_path / "d.zip", "a", "a")), [], [])
    assert "a name twice" in double.changed[0]["en"]
    cased = verify(str(zipped(tmp_path / "c.zip", "a", "A")), [], [])
    assert "a name twice" in cased.changed[0]["en"]
    locked = bytearray(zipped(tmp_path / "e.zip", "a").read_bytes())
    locked[locked.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "e.zip").write_bytes(bytes(locked))
    assert "encrypted" in verify(str(tmp_path / "e.zip"), [], []).changed[0]["en"]


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "b.zip", "report.json", data=bytes(64 << 20))
    assert path.stat().st_size < 100_000
    found = verify(str(path), [], [])
    assert "zip bomb" in found.changed[0]["en"]
    assert "压缩炸弹" in found.changed[0]["zh"]


def test_a_size_that_lies_is_found_when_unpacking(tmp_path: Path, sealed: Original) -> None:
    """The directory says 2 bytes, the data unpacks to many: no more than said is unpacked."""
    data = bytearray(sealed.path.read_bytes())
    with zipfile.ZipFile(sealed.path) as archive:
        begin, packed = archive.start_dir, archive.getinfo("report.json").compress_size
    at = data.rindex(b"report.json", begin) - 46 + 24
    assert int.from_bytes(data[at - 4 : at], "little") == packed
    data[at : at + 4] = (2).to_bytes(4, "little")
    (tmp_path / "s.zip").write_bytes(bytes(data))
    found = verify(str(tmp_path / "s.zip"), [], [])
    said = [each for each in found.changed if each["where"].startswith("report.json")]
    assert "3 bytes long, was" in said[0]["en"]
    assert "length or CRC does not hold" in said[0]["en"]


def test_nothing_is_unpacked_that_nobody_signed(
    tmp_path: Path, sealed: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature that does not hold: all that is read are it, the manifest and office keys."""
    from reports.package.verify import Archive

    data = bytearray(sealed.path.read_bytes())
    with zipfile.ZipFile(sealed.path) as archive:
        at = archive.getinfo("manifest.sig").header_offset + 30 + len("manifest.sig") + 20
    data[at] ^= 1
    (tmp_path / "s.zip").write_bytes(bytes(data))
    read: list[str] = []
    unpacked = Archive.unpacked
    monkeypatch.setattr(Archive, "unpacked", lambda a, n: read.append(n) or unpacked(a, n))  # type: ignore[func-returns-value]
    found = verify(str(tmp_path / "s.zip"), sealed.trusted, [])
    assert found.code == 1
    assert set(read) == {"manifest.json", "manifest.sig", "keys/report.json"}
    assert any("nothing else in the package was unpacked" in each["en"] for each in found.notes)


def test_many_files_that_are_too_much_together(tmp_path: Path) -> None:
    """Each below the limit of a file and of the ratio, 546 MB in all: refused by the directory."""
    part = random.Random(7).randbytes(1 << 17) * 8  # deflate finds no repetition that far back
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a", part)
    data = path.read_bytes()
    head, begin = data[: data.index(b"PK\1\2")], data.index(b"PK\1\2")
    entry = bytearray(data[begin:-22])
    entry[20:24] = entry[24:28] = (26 << 20).to_bytes(4, "little")
    entries = b"".join(bytes(entry[:-1]) + bytes([0x61 + n]) for n in range(20))
    end = bytearray(data[-22:])
    end[8:12] = (20).to_bytes(2, "little") * 2
    end[12:16] = len(entries).to_bytes(4, "little")
    path.write_bytes(head + entries + bytes(end))
    found = verify(str(path), [], [])
    assert "a zip bomb: 545259520 bytes when unpacked, 536870912 at most" in found.changed[0]["en"]


def test_a_wrong_crc_names_the_file_and_no_bytes_that_are_not_there(
    tmp_path: Path, sealed: Original
) -> None:
    """The directory's CRC is another one; the content is as signed."""
    data = bytearray(sealed.path.read_bytes())
    with zipfile.ZipFile(sealed.path) as archive:
        begin = archive.start_dir
        inside = archive.getinfo("report.json")
        middle = inside.header_offset + 30 + len("report.json") + inside.compress_size // 2
    at = data.rindex(b"report.json", begin) - 46 + 16
    data[at] ^= 1
    (tmp_path / "s.zip").write_bytes(bytes(data))
    found = verify(str(tmp_path / "s.zip"), sealed.trusted, [])
    said = [f"{each['where']} {each['en']}" for each in found.changed]
    assert any(each.startswith("report.json length or CRC") for each in said), said
    data[at] ^= 1
    data[middle] ^= 1
    (tmp_path / "s.zip").write_bytes(bytes(data))
    found = verify(str(tmp_path / "s.zip"), sealed.trusted, [])
    said = [f"{each['where']} {each['zh']} {each['en']}" for each in found.changed]
    assert any(each.startswith("report.json: byte") for each in said), said
    assert not any("-1" in each.replace("2026-1", "").replace("-v1", "") for each in said), said


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all, by far", b"PK\3\4" * 40])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(content)
    assert verify(str(path), [], []).code == 1


def test_another_zip_program_is_noticed(tmp_path: Path, sealed: Original) -> None:
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(sealed.path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    found = verify(str(path), sealed.trusted, [])
    assert found.code == 1
    assert any("directory entry changed" in each["en"] for each in found.changed)


def test_a_cut_package_names_where(sealed: Original, tmp_path: Path) -> None:
    data = sealed.path.read_bytes()
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(sealed.path) as archive:
        last = archive.getinfo("site/site.toml").header_offset + 50
    path.write_bytes(data[:last])
    found = verify(str(path), [], [])
    assert "cut in or after site/site.toml" in found.changed[0]["en"]
    assert "截断" in found.changed[0]["zh"]


def known(sealed: Original, tmp_path: Path, size: int, *, other: bool = False) -> str:
    """A checkpoint of the log, of ``size`` batches, as an auditor may have kept it."""
    from agent.evidence.note import Head
    from agent.evidence.tiles import TileTree
    from agent.evidence.tree import hash_named

    tree = TileTree.opened(sealed.ends.root / "originals" / LOG / "tree", hash_named("sha256"))
    root = bytes(32) if other else tree.root(min(size, tree.size))
    head = Head(f"smelter/{LOG}", size, root)
    path = tmp_path / f"kept-{size}-{other}"
    note = sealed.ends.gateways["demo/gw1"].signed(head)
    path.write_text(sealed.ends.witness.cosigned(note, proven.COSIGNED_S).whole, "utf-8")
    return str(path)


def test_a_checkpoint_that_was_kept(sealed: Original, tmp_path: Path) -> None:
    good = known(sealed, tmp_path, 300)
    found = verify(str(sealed.path), [], [good])
    assert (found.code, found.keys_checked) == (0, True)
    rewritten = verify(str(sealed.path), [], [known(sealed, tmp_path, 300, other=True)])
    assert rewritten.code == 1
    assert "the history was rewritten" in rewritten.changed[0]["en"]
    older = verify(str(sealed.path), [], [known(sealed, tmp_path, 5000)])
    assert older.code == 1
    assert "older than the one you know" in older.changed[0]["en"]
    assert "拒绝" in older.changed[0]["zh"]
    garbage = tmp_path / "garbage"
    garbage.write_text("no note", "utf-8")
    assert verify(str(sealed.path), [], [str(garbage)]).code == 2


def test_two_heads_of_one_size(sealed: Original, tmp_path: Path, built: Built) -> None:
    whole = read_stream(built.root / "originals" / "demo" / "gw1" / "record")
    size = len(whole[plant.GATEWAY.log])
    same = verify(str(sealed.path), [], [known(sealed, tmp_path, size)])
    assert same.code == 0
    fork = verify(str(sealed.path), [], [known(sealed, tmp_path, size, other=True)])
    assert fork.code == 1


def test_a_foreign_key_is_said_plainly(sealed: Original, tmp_path: Path) -> None:
    stranger = proven.ring(tmp_path / "k", "smelter/reports/demo").entries[-1].vkey
    found = verify(str(sealed.path), [stranger], [])
    assert found.code == 1
    assert "signed again by a foreign key" in found.changed[0]["en"]
    assert "他人密钥" in found.changed[0]["zh"]
    unknown = verify(str(sealed.path), ["smelter/historian/00000000+00+AA=="], [])
    assert unknown.code == 1


def test_a_cosignature_of_the_future_is_not_believed(sealed: Original) -> None:
    found = verify(str(sealed.path), sealed.trusted, [], latest_s=proven.COSIGNED_S - 1)
    assert any("in the future" in each["en"] for each in found.changed)


def test_a_large_log_goes_on_by_proof(
    sealed: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond 65,536 batches the leaves stay out, and --since brings the steps."""
    from reports.package.gather import Wish

    monkeypatch.setattr("reports.package.gather.MOST_LEAVES", 10)
    office = Office(sealed.folder.parent / "office")
    kept = known(sealed, tmp_path, 301)
    bare = sealed_in(office, tmp_path / "bare.zip")
    assert verify(str(bare), sealed.trusted, [kept]).code == 2
    proved = sealed_in(office, tmp_path / "since.zip", Wish(since=(Path(kept),)))
    assert verify(str(proved), sealed.trusted, [kept]).code == 0
    lie = known(sealed, tmp_path, 301, other=True)
    assert verify(str(proved), sealed.trusted, [lie]).code == 1
