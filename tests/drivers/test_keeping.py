"""Classes and export rules, sealed keys, and an archive that tells what was changed in it."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.backup import Part, write_backup
from drivers.backup_commands import backup as backup_command
from drivers.backup_commands import restore as restore_command
from drivers.classes import ClassRules, Wish, permit, rules_around, rules_of
from drivers.cli import _app
from drivers.keeping import Member
from drivers.model import ConfigError, DataClass
from drivers.restore import faults, opened, restore
from drivers.sealed import opener, read_passphrase, sealer
from drivers.tomlfile import with_value

RUN = CliRunner()
TODAY = date(2026, 11, 23)
PHRASE = "a phrase of a simulated plant"


def rules(folder: Path, text: str, name: str = "gateway.toml") -> ClassRules:
    path = folder / name
    path.write_text(text)
    return rules_of(path)


def test_a_class_may_be_raised_and_lowered_only_with_a_reason(tmp_path: Path) -> None:
    raised = rules(tmp_path, '[classes]\n"pot.bath_temperature" = "core"\n')
    assert raised.of("pot.bath_temperature") is DataClass.CORE
    assert raised.of("pot.voltage") is DataClass.IMPORTANT  # as the dictionary says
    with pytest.raises(ConfigError, match=r"pot\.voltage.*below the usual class important"):
        rules(tmp_path, '[classes]\n"pot.voltage" = "general"\n')
    why = '{ class = "general", why = "published anyway", by = "chief engineer" }'
    lowered = rules(tmp_path, f'[classes]\n"pot.voltage" = {why}\n')
    assert lowered.changed == [
        (
            "pot.voltage",
            DataClass.IMPORTANT,
            DataClass.GENERAL,
            "published anyway (chief engineer)",
        )
    ]


def test_every_mistake_of_the_classes_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rules(tmp_path, '[classes]\n"pot.colour" = "core"\nkeys = "general"\n')
    text = "\n".join(caught.value.problems)
    assert "pot.colour: no such quantity or kind" in text
    assert "keys: below the usual class core" in text
    assert len(caught.value.problems) == 2


def test_of_several_configs_the_higher_class_and_the_stricter_rule_count(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text('[classes]\njournal = "core"\n[export]\nimportant = "approved"\n')
    two.write_text('[export]\nimportant = "free"\ngeneral = "refused"\n')
    both = rules_of(one, two)
    assert both.of("journal") is DataClass.CORE
    assert both.export.important == "approved"
    assert both.export.general == "refused"


def test_what_may_leave(tmp_path: Path) -> None:
    usual = rules(tmp_path, "")
    assert permit(usual, DataClass.IMPORTANT, Wish("package"), TODAY)["rule"] == "free"
    with pytest.raises(ConfigError, match="--approved-by"):
        permit(usual, DataClass.CORE, Wish("backup"), TODAY)
    with pytest.raises(ConfigError, match="--approved-by"):  # a name alone is no approval
        permit(usual, DataClass.CORE, Wish("backup", approved_by="chief"), TODAY)
    wish = Wish("backup", "x", "chief", "drill")
    assert permit(usual, DataClass.CORE, wish, TODAY)["approved_by"] == "chief"
    never = rules(tmp_path, '[export]\ncore = "refused"\n')
    with pytest.raises(ConfigError, match="may not leave"):
        permit(never, DataClass.CORE, wish, TODAY)


@pytest.mark.parametrize(
    ("way", "name", "day", "good"),
    [
        ("forward", "province", TODAY, True),
        ("forward", "province", date(2026, 12, 31), True),  # the last day itself
        ("forward", "province", date(2027, 1, 1), False),
        ("forward", "city", TODAY, False),
        ("package", "province", TODAY, False),
    ],
)
def test_a_standing_approval(tmp_path: Path, way: str, name: str, day: date, good: bool) -> None:
    text = (
        '[export]\nimportant = "approved"\n[[export.approvals]]\nway = "forward"\n'
        'name = "province"\nby = "chief engineer"\nwhy = "duty to report"\nuntil = 2026-12-31\n'
    )
    wish = Wish(way, name)  # type: ignore[arg-type]
    made = rules(tmp_path, text)
    if good:
        assert permit(made, DataClass.IMPORTANT, wish, day)["approved_by"] == "chief engineer"
    else:
        with pytest.raises(ConfigError, match="somebody must approve"):
            permit(made, DataClass.IMPORTANT, wish, day)


def test_sealed_keys_open_with_their_passphrase_in_their_place_only() -> None:
    place = "gateway-gw1/data/keys/0001.key"
    sealed, unseal = sealer(PHRASE)(b"private", place), opener(PHRASE)
    assert b"private" not in sealed
    assert unseal(sealed, place) == b"private"
    for bad in (sealed[:-1], b"SMS1"):
        with pytest.raises(ConfigError, match="wrong"):
            unseal(bad, place)
    with pytest.raises(ConfigError, match="wrong"):
        unseal(sealed, "gateway-gw1/data/keys/0002.key")


def test_a_passphrase_is_its_owners_alone_and_long(tmp_path: Path) -> None:
    path = tmp_path / "phrase"
    path.write_text(PHRASE)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        read_passphrase(path)
    assert PHRASE not in str(caught.value)
    path.chmod(0o600)
    assert read_passphrase(path) == PHRASE
    path.write_text("short")
    with pytest.raises(ConfigError, match="12 characters"):
        read_passphrase(path)
    with pytest.raises(ConfigError, match="--passphrase-file"):
        read_passphrase(None)


def test_one_value_is_changed_and_the_old_one_stays_readable() -> None:
    text = 'data_dir = "/old"\n[lake]\npath = "/a"\n[other]\npath = "/b"\n'
    changed = with_value(with_value(text, "data_dir", "../data"), "path", "../lake", table="lake")
    assert changed == (
        '# data_dir = "/old"  # before the restore\ndata_dir = "../data"\n[lake]\n'
        '# path = "/a"  # before the restore\npath = "../lake"\n[other]\npath = "/b"\n'
    )


def archive(folder: Path, *, seal: Callable[[bytes, str], bytes] | None = None) -> Path:
    files = {"plain.txt": b"x" * 3000, "key": b"secret", "lines.jsonl": b'{"prev":"0"}\n{"half'}
    for name, content in files.items():
        (folder / name).write_bytes(content)

    def members() -> Iterator[Member]:
        yield Member("etc/plain.txt", folder / "plain.txt")
        yield Member("data/key", folder / "key", secret=True)
        yield Member("data/lines.jsonl", folder / "lines.jsonl", whole_lines=True)
        yield Member("data/gone", folder / "gone")

    target = folder / "x.smelter"
    part = Part("part", "none", folder / "plain.txt", members(), "general")
    manifest, _ = write_backup(target, [part], by="me", why="test", seal=seal)
    assert manifest.vanished == ["part/data/gone"]
    return target


def test_a_backup_comes_back_as_it_was(tmp_path: Path) -> None:
    target = archive(tmp_path, seal=sealer(PHRASE))
    assert target.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in target.read_bytes()
    with opened(target) as found:
        assert list(faults(found, {})) == []
        restore(found, tmp_path / "to", {}, opener(PHRASE))
    to = tmp_path / "to" / "part"
    assert (to / "etc/plain.txt").read_bytes() == b"x" * 3000
    assert (to / "data/lines.jsonl").read_bytes() == b'{"prev":"0"}\n'  # whole lines only
    assert (to / "data/key").read_bytes() == b"secret"
    assert (to / "data/key").stat().st_mode & 0o777 == 0o600
    was = (tmp_path / "plain.txt").stat().st_mtime_ns
    assert (to / "etc/plain.txt").stat().st_mtime_ns == was
    assert not list((tmp_path / "to").glob(".restoring"))


def test_keys_stay_out_without_a_passphrase(tmp_path: Path) -> None:
    target = archive(tmp_path)
    with opened(target) as found:
        assert found.manifest.left_out == ["part/data/key"]
        restore(found, tmp_path / "to", {}, None)
    assert not (tmp_path / "to/part/data/key").exists()
    assert b"secret" not in target.read_bytes()


def test_nothing_that_is_there_is_touched(tmp_path: Path) -> None:
    target = archive(tmp_path)
    with pytest.raises(ConfigError, match="exists"):
        write_backup(target, [], by="me", why="", seal=None)
    there = tmp_path / "there"
    there.mkdir()
    (there / "file").write_text("mine")
    with opened(target) as found, pytest.raises(ConfigError, match="has data already"):
        restore(found, there, {}, None)
    assert [each.name for each in there.iterdir()] == ["file"]


def test_a_wrong_passphrase_leaves_nothing(tmp_path: Path) -> None:
    target = archive(tmp_path, seal=sealer(PHRASE))
    with opened(target) as found, pytest.raises(ConfigError, match="wrong"):
        restore(found, tmp_path / "to", {}, opener("another long phrase"))
    assert not list((tmp_path / "to").iterdir())


def test_one_changed_byte_anywhere_is_found(tmp_path: Path) -> None:
    """Each 211th byte of the archive in turn: refused, or told; padding of the tar says nothing."""
    target = archive(tmp_path)
    good = target.read_bytes()
    content = good.find(b"x" * 3000)
    told = 0
    for at in {*range(0, len(good), 211), content, content + 2999}:
        target.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        try:
            with opened(target) as found:
                wrong = list(faults(found, {}))
        except ConfigError:
            wrong = ["refused"]
        told += bool(wrong)
        assert wrong or not content <= at < content + 3000
    assert told > 15


def test_an_archive_that_was_cut_or_points_elsewhere_is_refused(tmp_path: Path) -> None:
    target = archive(tmp_path)
    whole = target.read_bytes()
    for size in (0, 100, len(whole) // 2):
        target.write_bytes(whole[:size])
        with pytest.raises(ConfigError, match="no whole backup"), opened(target):
            pass
    evil = whole.replace(b"part/etc/plain.txt", b"part/../plain_.txt")
    target.write_bytes(evil)
    with pytest.raises(ConfigError), opened(target):
        pass
    with (
        pytest.raises(ConfigError, match="no whole backup"),
        opened(Path(os.devnull)),
    ):
        pass


# --- a backup that means harm


def forged(folder: Path, manifest: Mapping[str, object], files: dict[str, bytes]) -> Path:
    """As one would make it by hand: every hash is right."""
    told = [
        {"place": place, "bytes": len(data), "sha256": sha256(data).hexdigest(), "mtime_ns": 0}
        for place, data in files.items()
    ]
    usual = {"made": "", "by": "", "why": "", "form": "smelter.backup/1", "files": told}
    content = json.dumps(usual | dict(manifest)).encode()
    target = folder / "evil.smelter"
    with tarfile.open(target, "w") as tar:
        for name, data in {**files, "manifest.json": content}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target


GATEWAY = b'plant = "demo"\ngateway = "gw1"\n"data_dir" = "%s"\n[[device]]\nname = "a"\n'


@pytest.mark.parametrize("place", ["{0}/planted", "../../planted", "a/../../planted", "a//b", "a"])
def test_a_restore_writes_nowhere_else(tmp_path: Path, place: str) -> None:
    place = place.format(tmp_path)
    parts = {"a": {"kind": "x", "config": "c"}}
    for more in ({}, {"/": parts["a"], "": parts["a"]}):
        evil = forged(tmp_path, {"parts": parts | more}, {"a/etc/c": b"", place: b"evil"})
        done = RUN.invoke(_app("restore", restore_command), [str(evil), "--to", f"{tmp_path}/to"])
        assert isinstance(done.exception, ConfigError)
        assert not list(tmp_path.rglob("planted"))
        assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    "manifest",
    [
        {"parts": {"a": {"kind": "gateway", "config": "VICTIM"}}},
        {"parts": {"a": {"kind": "gateway", "config": "../../../victim.toml"}}},
        {"parts": {"a": {"config": "gateway.toml"}}},
        {"parts": ["a"]},
        {"parts": {"a": {"kind": "gateway", "config": "gateway.toml"}}, "files": [{"place": 7}]},
        {"parts": {"a": {"kind": "gateway", "config": "lacking.toml"}}},
        {"parts": {"a": {"kind": "historian", "config": "gateway.toml"}}},
        {"parts": {"a": {"kind": "gateway", "config": "gateway.toml"}}, "made": 7},
        {"parts": {"a": {"kind": "gateway", "config": "gateway.toml"}}, "left_out": "abc"},
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(
    tmp_path: Path, manifest: dict[str, object]
) -> None:
    victim = tmp_path / "victim.toml"
    victim.write_bytes(GATEWAY.replace(b'"data_dir"', b"data_dir") % b"/old")
    before = victim.read_bytes()
    text = json.dumps(manifest).replace("VICTIM", str(victim))
    evil = forged(tmp_path, json.loads(text), {"a/etc/gateway.toml": GATEWAY % b"data"})
    done = RUN.invoke(_app("restore", restore_command), [str(evil), "--to", f"{tmp_path}/to"])
    assert isinstance(done.exception, ConfigError), done.exception
    assert victim.read_bytes() == before
    assert not list((tmp_path / "to").glob("*"))


def test_a_restored_config_never_names_the_old_data(tmp_path: Path) -> None:
    """However it is written: the act of the restore goes into the restored trail or nowhere."""
    parts = {"parts": {"a": {"kind": "gateway", "config": "gateway.toml"}}}
    old = tmp_path / "old"
    for number, text in enumerate((GATEWAY, GATEWAY.replace(b'"data_dir"', b'"data\\u005fdir"'))):
        evil = forged(tmp_path, parts, {"a/etc/gateway.toml": text % bytes(old)})
        to = tmp_path / f"to{number}"
        done = RUN.invoke(_app("restore", restore_command), [str(evil), "--to", str(to)])
        assert (done.exit_code == 0) == (number == 0), done.exception
        assert (to / "a" / "data" / "audit").is_dir() == (number == 0)
        assert not old.exists()


def test_another_backup_than_the_trail_tells_of(tmp_path: Path) -> None:
    target = archive(tmp_path)
    with opened(target) as found:
        digest = found.digest
    call = ["--check", str(target), "--manifest-sha256"]
    assert RUN.invoke(_app("backup", backup_command), [*call, digest]).exit_code == 0
    other = RUN.invoke(_app("backup", backup_command), [*call, "0" * 64])
    assert "another SHA-256" in str(other.exception)


# --- the file that is being written


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "x.smelter.part").symlink_to(victim)
    with pytest.raises(ConfigError, match="under way, or one was broken off"):
        archive(tmp_path)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "x.smelter").exists()


def test_what_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "x.smelter"

    def members() -> Iterator[Member]:
        target.write_text("mine")
        yield Member("etc/plain.txt", tmp_path / "victim")

    (tmp_path / "victim").write_text("a file")
    part = Part("part", "none", tmp_path / "victim", members(), "general")
    with pytest.raises(ConfigError, match="exists"):
        write_backup(target, [part], by="me", why="test", seal=None)
    assert target.read_text() == "mine"
    assert not (tmp_path / "x.smelter.part").exists()


def test_a_secret_is_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * ((1 << 20) + 1))
    member = Member("data/big", path, secret=True)
    part = Part("part", "none", path, [member], "core")
    with pytest.raises(ConfigError, match="more than 1 MiB"):
        write_backup(tmp_path / "x", [part], by="me", why="test", seal=sealer(PHRASE))
    assert not (tmp_path / "x").exists()


# --- rules of other configs


def test_rules_of_the_configs_that_a_config_names_count_as_well(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "historian.toml").write_text(
        '[export]\nimportant = "refused"\nalso = ["../site.toml"]\n'
    )
    mine = rules(tmp_path, '[export]\nalso = ["other/historian.toml"]\n', "site.toml")
    assert mine.export.important == "refused"
    with pytest.raises(ConfigError, match=r"lacking\.toml"):
        rules(tmp_path, '[export]\nalso = ["lacking.toml"]\n', "site.toml")


def test_rules_of_the_gateway_and_the_historian_beside_a_site_count(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("")
    (tmp_path / "gateway.toml").write_text('[classes]\n"pot.voltage" = "core"\n')
    (tmp_path / "historian.toml").write_text('[export]\ncore = "refused"\n')
    found, unread = rules_around(site)
    assert (found.of("pot.voltage"), found.export.core) == (DataClass.CORE, "refused")
    assert not unread
