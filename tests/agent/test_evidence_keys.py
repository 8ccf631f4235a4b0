"""Keys on disk: made once with 0600, refused when others can read them, rotated with a witness."""

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.commands import agent_app
from agent.evidence.keys import KeyFileError, KeyRing, read_history
from agent.evidence.note import Head
from agent.evidence.pins import KeyRefusedError, Pins
from agent.evidence.settings import EvidenceConfig
from agent.evidence.signing import PrivateKey, verifies
from agent.evidence.tree import UnavailableError
from tests.agent.ends import broker_at
from tests.agent.evidence_ends import edge_end
from tests.agent.small_plant import device, write_config, write_table
from tests.servers import free_port

OWNER = "smelter/demo/gw1"


def test_the_first_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        ring = KeyRing.opened(tmp_path / "keys", OWNER, "ed25519")
    finally:
        os.umask(old)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "0001.key").stat().st_mode & 0o777 == 0o600
    again = KeyRing.opened(tmp_path / "keys", OWNER, "sm2")
    assert again.notes == ring.notes, "the config names the next key, not this one"
    assert "PRIVATE" not in repr(PrivateKey.made("ed25519"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    KeyRing.opened(tmp_path / "keys", OWNER, "ed25519")
    (tmp_path / "keys" / "0001.key").chmod(mode)
    with pytest.raises(KeyFileError, match=r"others can read it.*chmod 600"):
        KeyRing.opened(tmp_path / "keys", OWNER, "ed25519")
    (tmp_path / "keys" / "0001.key").chmod(0o600)
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(KeyFileError, match=r"chmod 700"):
        KeyRing.opened(tmp_path / "keys", OWNER, "ed25519")


async def test_acquisition_goes_on_without_a_usable_key(tmp_path: Path) -> None:
    broker = broker_at(free_port())
    async with edge_end(tmp_path, broker) as edge:
        await edge.add(1)
    (tmp_path / "keys" / "0001.key").chmod(0o644)
    async with edge_end(tmp_path, broker) as edge:
        await edge.add(4)
        assert edge.logs["record"].newest == 5
        assert edge.kinds() == ["evidence_stopped"]
        assert "others can read it" in edge.evidence.notary.trouble


def test_what_is_wrong_with_a_ring(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    KeyRing.opened(folder, OWNER, "ed25519")
    with pytest.raises(KeyFileError, match="never copied from one gateway to another"):
        KeyRing.opened(folder, "smelter/demo/gw2", "ed25519")
    other = tmp_path / "other"
    KeyRing.opened(other, OWNER, "ed25519")
    shutil.copy(other / "0001.key", folder / "0001.key")
    with pytest.raises(KeyFileError, match=r"not the key of 0001\.pub"):
        KeyRing.opened(folder, OWNER, "ed25519")
    (folder / "0001.key").write_text("nonsense")
    with pytest.raises(KeyFileError, match="no private key can be read"):
        KeyRing.opened(folder, OWNER, "ed25519")
    (folder / "0001.key").unlink()
    with pytest.raises(KeyFileError, match="is not there"):
        KeyRing.opened(folder, OWNER, "ed25519")
    (folder / "0001.pub").write_text("nonsense")
    with pytest.raises(KeyFileError, match="damaged"):
        KeyRing.opened(folder, OWNER, "ed25519")


@pytest.mark.parametrize("algorithm", ["ed25519", "sm2"])
def test_a_rotation_is_vouched_for_and_the_old_key_deleted(tmp_path: Path, algorithm: str) -> None:
    ring = KeyRing.opened(tmp_path, OWNER, "ed25519")
    fresh = ring.rotated(algorithm)
    assert not (tmp_path / "0001.key").exists()
    assert (tmp_path / "0002.key").stat().st_mode & 0o777 == 0o600
    assert [entry.key.algorithm for entry in read_history(fresh.notes)] == ["ed25519", algorithm]
    assert ring.again().notes == fresh.notes
    head = Head(f"{OWNER}/record/00112233445566ff", 1, bytes(32))
    note = fresh.signed(head)
    (line,) = note.signatures
    assert verifies(fresh.entries[1].key, head.text.encode(), line.data)
    assert not verifies(fresh.entries[1].key, b"other", line.data)
    assert not verifies(fresh.entries[1].key, head.text.encode(), b"\0" * 64)


def test_a_rotation_that_was_broken_off_is_done_again(tmp_path: Path) -> None:
    """Killed after the private key was written, before its public half: the old key signs on."""
    ring = KeyRing.opened(tmp_path, OWNER, "ed25519")
    (tmp_path / "0002.key").write_text("half")
    assert KeyRing.opened(tmp_path, OWNER, "ed25519").notes == ring.notes
    assert len(ring.rotated("ed25519").entries) == 2


def test_sm2_without_the_openssl_program_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = PrivateKey.made("sm2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="needs the openssl program"):
        verifies(key.public, b"", b"")
    with pytest.raises(ValueError, match="needs the openssl program"):
        EvidenceConfig.model_validate({"signature": "sm2"})
    monkeypatch.setenv("SMELTER_LANG", "zh")
    with pytest.raises(UnavailableError, match="SM2 需要 openssl 程序"):
        PrivateKey.made("sm2")


def test_pins(tmp_path: Path) -> None:
    ring = KeyRing.opened(tmp_path / "keys", OWNER, "ed25519")
    pins = Pins(tmp_path / "pins", OWNER)
    assert pins.learn(ring.notes) == "first"
    assert pins.learn(ring.notes) == ""
    fresh = ring.rotated("ed25519")
    assert pins.learn(fresh.notes) == "rotated"
    assert pins.learn(ring.notes) == "", "an older message; the newest key stays"
    pins = Pins(tmp_path / "pins", OWNER)
    assert [entry.number for entry in pins.entries] == [1, 2]
    stranger = KeyRing.opened(tmp_path / "strange", OWNER, "ed25519")
    with pytest.raises(KeyRefusedError, match="not vouched for"):
        pins.learn(stranger.notes)
    with pytest.raises(KeyRefusedError, match="not vouched for"):
        pins.learn([ring.notes[0], *KeyRing.opened(tmp_path / "strange", OWNER, "").notes][1:])
    elsewhere = KeyRing.opened(tmp_path / "gw2", "smelter/demo/gw2", "ed25519")
    with pytest.raises(KeyRefusedError, match="keys of smelter/demo/gw2"):
        pins.learn(elsewhere.notes)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path)
    config = str(write_config(tmp_path, device("plc", 502)))
    run = CliRunner()
    none = run.invoke(agent_app, ["keys", "show", config])
    assert none.exit_code == 1
    assert "no key yet" in none.output
    assert not (tmp_path / "data").exists(), "looking makes no key"
    ring = KeyRing.opened(tmp_path / "data" / "keys", OWNER, "ed25519")
    shown = json.loads(run.invoke(agent_app, ["keys", "show", config, "--json"]).output)
    assert shown["keys"][0]["vkey"] == ring.entries[0].vkey
    rotated = json.loads(run.invoke(agent_app, ["keys", "rotate", config, "--json"]).output)
    assert rotated["before"] == ring.entries[0].vkey
    monkeypatch.setenv("SMELTER_LANG", "zh")
    text = run.invoke(agent_app, ["keys", "show", config]).output
    assert rotated["now"] in text
    assert "在用" in text
    assert run.invoke(agent_app, ["keys", "rotate", config, "--signature", "rsa"]).exit_code == 2
    (tmp_path / "data" / "keys" / "0002.key").chmod(0o644)
    refused = run.invoke(agent_app, ["keys", "show", config])
    assert refused.exit_code == 3
    assert "他人可读" in refused.output
