"""Backups of logs that are being written, retention by class, and the data catalogue."""

import asyncio
import csv
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from agent.batches.batch import Batch, Found
from agent.batches.log import BatchLog
from agent.batches.segment import Segment
from agent.certificates.commands import certificates_app
from agent.historian.config import HistorianConfig, load_historian
from agent.historian.retention import RetentionConfig, due
from agent.historian.retention_commands import retention
from agent.keeping.gateway import GatewayKeeper
from agent.keeping.historian import HistorianKeeper
from agent.lake.lake import Lake
from drivers.backup import Part, write_backup
from drivers.backup_commands import backup, restore
from drivers.cli import _app
from drivers.doctor_command import doctor
from drivers.keeping import Member, keepers
from drivers.keeping_files import SECRET_KEYS
from drivers.model import ConfigError, DataClass
from drivers.restore import faults, opened
from drivers.restore import restore as put_back
from tests.agent.batches import RAW, T0_NS, raw
from tests.agent.ends import until
from tests.agent.logs import numbered, open_log
from tests.agent.small_plant import device, write_config, write_table

DAY_NS = 86_400_000_000_000
RUN = CliRunner()


def acts_in(folder: Path) -> list[dict[str, Any]]:
    (trail,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in trail.read_text("utf-8").splitlines()]


def gateway_in(folder: Path) -> Path:
    write_table(folder)
    return write_config(folder, device("plc", 1))


def part_of(config: Path, keeper: GatewayKeeper | HistorianKeeper) -> Part:
    return Part(keeper.name(config), "gateway", config, keeper.members(config), "important")


async def test_a_log_that_is_being_written_is_backed_up_whole(tmp_path: Path) -> None:
    """What was durable before the backup is in it; nothing in it is torn; the rest goes on."""
    config = gateway_in(tmp_path)
    log = await open_log(tmp_path / "data")

    async def write() -> None:
        while True:
            await log.append(numbered(20_000), closed_ns=time.time_ns())

    writer = asyncio.create_task(write())
    await until(lambda: log.newest >= 20, "twenty batches", 60)
    before = log.newest
    target = tmp_path / "x.smelter"
    part = part_of(config, GatewayKeeper())
    await asyncio.to_thread(write_backup, target, [part], by="me", why="test", seal=None)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await log.__aexit__(None, None, None)
    with opened(target) as found:
        assert list(faults(found, keepers())) == []
        put_back(found, tmp_path / "to", keepers(), None)
    restored = tmp_path / "to" / "gateway-gw1"
    assert 'data_dir = "../data"' in (restored / "etc" / "gateway.toml").read_text()
    assert (restored / "etc" / "points.csv").exists()
    assert not list(restored.rglob("lock"))
    async with BatchLog(restored / "data", stream="record") as again:
        assert again.newest >= before
        assert again.counts.torn_bytes == 0
        batches = await again.read_from(1, 1 << 30)
        assert [batch.seq for batch in batches] == list(range(1, again.newest + 1))


async def test_a_torn_tail_is_left_out_and_damage_in_a_backup_is_told(tmp_path: Path) -> None:
    config = gateway_in(tmp_path)
    log = await open_log(tmp_path / "data")
    for _ in range(3):
        await log.append(numbered(500), closed_ns=time.time_ns())
    await log.__aexit__(None, None, None)
    (path,) = (tmp_path / "data").rglob("*.seg")
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(path.read_bytes()[:100])  # a record under way
    target = tmp_path / "x.smelter"
    write_backup(target, [part_of(config, GatewayKeeper())], by="", why="", seal=None)
    with opened(target) as found:
        (segment,) = (x for x in found.found if x.kept.place.endswith(".seg"))
        assert segment.kept.bytes == whole
    data = bytearray(path.read_bytes()[:whole])
    data[whole // 2] ^= 1
    path.write_bytes(bytes(data))
    second = tmp_path / "y.smelter"
    write_backup(second, [part_of(config, GatewayKeeper())], by="", why="", seal=None)
    with opened(second) as found:
        assert any("no record" in each for each in faults(found, keepers()))


def historian_in(folder: Path, more: str = "") -> Path:
    path = folder / "historian.toml"
    path.write_text(f'data_dir = "h"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n{more}')
    return path


def test_the_commands_back_up_check_and_restore_and_leave_acts(tmp_path: Path) -> None:
    config = historian_in(tmp_path)
    checkpoints = tmp_path / "h" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "witness.json").write_text("[]")
    target = tmp_path / "x.smelter"
    made = RUN.invoke(_app("backup", backup), [str(config), "--out", str(target), "--json"])
    assert made.exit_code == 0, made.output
    digest = json.loads(made.output)["manifest_sha256"]
    checked = RUN.invoke(_app("backup", backup), ["--check", str(target)])
    assert checked.exit_code == 0
    assert "every hash" in checked.output
    data = bytearray(target.read_bytes())
    data[data.find(b"[mqtt]")] ^= 1
    spoilt = tmp_path / "y.smelter"
    spoilt.write_bytes(bytes(data))
    assert RUN.invoke(_app("backup", backup), ["--check", str(spoilt)]).exit_code == 1
    back = RUN.invoke(_app("restore", restore), [str(target), "--to", str(tmp_path / "to")])
    assert back.exit_code == 0, back.output
    assert load_historian(tmp_path / "to/historian/etc/historian.toml").data_dir.is_dir()
    acts = acts_in(tmp_path / "h/audit")
    assert [each["what"] for each in acts] == ["backup.made"]
    assert acts[0]["details"]["manifest_sha256"] == digest
    twice = RUN.invoke(_app("restore", restore), [str(target), "--to", str(tmp_path / "to")])
    assert isinstance(twice.exception, ConfigError)


def test_keys_leave_only_with_an_approval(tmp_path: Path) -> None:
    config = historian_in(tmp_path)
    phrase = tmp_path / "phrase"
    phrase.write_text("a phrase of a simulated plant")
    phrase.chmod(0o600)
    call = [str(config), "--out", str(tmp_path / "x.smelter"), "--with-keys"]
    call += ["--passphrase-file", str(phrase)]
    refused = RUN.invoke(_app("backup", backup), call)
    assert "--approved-by" in str(refused.exception)
    assert not (tmp_path / "x.smelter").exists()
    acts = next((tmp_path / "h/audit").glob("*.jsonl")).read_text()
    assert '"result":"refused"' in acts
    good = RUN.invoke(_app("backup", backup), [*call, "--approved-by", "Li", "--why", "drill"])
    assert good.exit_code == 0, good.output


# --- secrets


def test_no_private_key_leaves_in_clear(tmp_path: Path) -> None:
    """Certificates as the command makes them, a password in the data folder, a key by any name."""
    config, data = gateway_in(tmp_path), tmp_path / "data"
    call = ["create", "-c", str(config), "--for", "mqtt"]
    made = RUN.invoke(certificates_app, call, env={"SMELTER_PERSON": "li"})
    assert made.exit_code in {0, 1}, made.output  # a request waits, or a pair is there
    (key,) = data.rglob("key.pem")
    assert b"PRIVATE KEY" in key.read_bytes()
    shutil.copy(key, data / "spare.txt")
    (data / "mqtt.password").write_text("hunter2-of-the-plant")
    (data / "mqtt.password").chmod(0o600)
    login = 'username = "gw1"\npassword_file = "data/mqtt.password"\n[log]'
    config.write_text(config.read_text().replace("[log]", login))
    secrets = [b"PRIVATE KEY", b"hunter2-of-the-plant"]
    secrets += [line for line in key.read_bytes().splitlines() if len(line) > 40]
    target = tmp_path / "x.smelter"
    told = RUN.invoke(_app("backup", backup), [str(config), "--out", str(target)])
    assert told.exit_code == 0, told.exception
    assert "4 keys or passwords" in told.output  # the password beside the config and in data
    content = target.read_bytes()
    assert not [each for each in secrets if each in content]
    phrase = tmp_path / "phrase"
    phrase.write_text("a phrase of a simulated plant")
    phrase.chmod(0o600)
    sealed = tmp_path / "y.smelter"
    more = [
        "--with-keys",
        "--passphrase-file",
        str(phrase),
        "--approved-by",
        "Li",
        "--why",
        "drill",
    ]
    done = RUN.invoke(_app("backup", backup), [str(config), "--out", str(sealed), *more])
    assert done.exit_code == 0, done.exception
    content = sealed.read_bytes()
    assert not [each for each in secrets if each in content]
    back = [str(sealed), "--to", str(tmp_path / "to"), "--passphrase-file", str(phrase)]
    assert RUN.invoke(_app("restore", restore), back).exit_code == 0
    again = tmp_path / "to" / "gateway-gw1" / "data" / key.relative_to(data)
    assert again.read_bytes() == key.read_bytes()
    assert again.stat().st_mode & 0o777 == 0o600


def test_every_setting_that_names_a_secret_file_is_known() -> None:
    """A new ``…_file`` of a config is either a secret or has another name."""
    root = Path(__file__).parents[2]
    found = set()
    for path in (
        p for room in ("agent", "drivers", "reports") for p in root.glob(f"{room}/**/*.py")
    ):
        if "(Strict)" in (text := path.read_text("utf-8")):
            found |= set(re.findall(r"^    (\w+_file|key): Path", text, re.MULTILINE))
    assert found >= {"password_file", "token_file", "key_file"}
    assert found <= SECRET_KEYS


def test_keys_in_a_backup_of_an_earlier_version_are_told(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n")
    config = historian_in(tmp_path)
    members = [
        Member("etc/historian.toml", config),
        Member("data/certificates/mqtt.1/key.pem", key),
    ]
    target = tmp_path / "x.smelter"
    part = Part("historian", "historian", config, members, "core")
    write_backup(target, [part], by="", why="", seal=None)
    for tongue, words in (("en", "private keys lie in it unsealed"), ("zh", "未加密的私钥")):
        call = ["--check", str(target)]
        done = RUN.invoke(_app("backup", backup), call, env={"SMELTER_LANG": tongue})
        assert words in done.output
        assert "historian/data/certificates/mqtt.1/key.pem" in done.output
    table = json.loads(RUN.invoke(_app("backup", backup), [*call, "--json"]).output)
    assert table[0]["open_keys"] == ["historian/data/certificates/mqtt.1/key.pem"]


# --- what comes ahead of a backlog


async def test_a_piece_that_is_joined_during_a_backup_is_in_it(tmp_path: Path) -> None:
    """
    The main log has 1–2, the piece 3–4; as the first log is read, 3–4 go behind it.

    Whichever is read first, every batch that was durable before is in the backup.
    """
    config = historian_in(tmp_path)
    place = tmp_path / "h" / "originals" / "demo" / "gw1"
    name = RAW.log
    batches: list[Batch] = []
    async with BatchLog(tmp_path / "gw", stream="raw", log=name) as log:
        batches = [await log.append(numbered(500), closed_ns=T0_NS) for _ in range(4)]
    main = await BatchLog(place, stream="raw", log=name).__aenter__()
    piece = await BatchLog(place, stream="raw", log=f"{name}-a3").__aenter__()
    for to, some in ((main, batches[:2]), (piece, batches[2:])):
        for each in some:
            await to.append_copy(each)
    await piece.__aexit__(None, None, None)

    async def join() -> None:
        for each in batches[2:]:
            await main.append_copy(each)
        shutil.rmtree(place / "raw" / f"{name}-a3")

    loop = asyncio.get_running_loop()

    def members() -> Iterator[Member]:
        joined = False
        for member in HistorianKeeper().members(config):
            if member.place.endswith(".seg") and not joined:
                joined = True
                asyncio.run_coroutine_threadsafe(join(), loop).result(30)
            yield member

    part = Part("historian", "historian", config, members(), "important")
    target = tmp_path / "x.smelter"
    await asyncio.to_thread(write_backup, target, [part], by="", why="", seal=None)
    await main.__aexit__(None, None, None)
    with opened(target) as found:
        assert list(faults(found, keepers())) == []
        put_back(found, tmp_path / "to", keepers(), None)
    restored = tmp_path / "to" / "historian" / "data" / "originals" / "demo" / "gw1" / "raw"
    there = {
        item.batch.digest
        for path in restored.glob(f"{name}*/*.seg")
        for item in Segment(path).scan()
        if isinstance(item, Found)
    }
    assert there == {each.digest for each in batches}


# --- retention


def test_nothing_is_past_its_time_unless_somebody_said_so(tmp_path: Path) -> None:
    assert RetentionConfig().longest is None
    assert list(due(tmp_path, tmp_path, RetentionConfig(), load(tmp_path).rules, 2**62)) == []
    with pytest.raises(ConfigError, match="183"):
        load(tmp_path, "[retention]\ngeneral = 30\n")
    some = RetentionConfig(general=200)
    assert some.longest is None  # important batches stay, and a batch is whole


def load(folder: Path, more: str = "") -> HistorianConfig:
    return load_historian(historian_in(folder, more))


def lake_with_old_samples(folder: Path) -> Lake:
    made = Lake(folder)
    made.open()
    made.write([raw(1), raw(2)])
    made.close()
    return made


def rows_of(lake: Path) -> list[tuple[str, int]]:
    glob = f"{lake}/raw/*/*/*.parquet"
    if not list(lake.glob("raw/*/*/*.parquet")):
        return []
    names = [row[0] for row in duckdb.read_parquet(glob).project("quantity").fetchall()]
    return sorted(Counter(map(str, names)).items())


def test_each_class_leaves_the_lake_in_its_own_time(tmp_path: Path) -> None:
    """
    pot.noise_hf is general, pot.voltage important: 4 pots, 2 frames, so 8 rows of each.

    Kept 200 and 300 days; at T0 + 250 days the first are past their time, at + 400 both.
    """
    settings = RetentionConfig(general=200, important=300)
    rules, lake = load(tmp_path).rules, tmp_path / "h" / "lake"
    lake_with_old_samples(lake)
    assert rows_of(lake) == [("pot.noise_hf", 8), ("pot.voltage", 8)]
    assert rules.of("pot.noise_hf") is DataClass.GENERAL
    none = tmp_path / "h" / "originals"
    assert not list(due(none, lake, settings, rules, T0_NS + 200 * DAY_NS))  # its last day
    first = list(due(none, lake, settings, rules, T0_NS + 250 * DAY_NS))
    assert [each.told["class"] for each in first] == ["general"]
    both = list(due(none, lake, settings, rules, T0_NS + 400 * DAY_NS))
    assert {each.told["class"] for each in both} == {"general", "important"}


YEAR_OLD = "day=2025-01-01"


async def past_its_time(folder: Path, newest_ns: int) -> tuple[Path, Path]:
    """A historian with samples of a year ago in its lake, and one batch of ``newest_ns``."""
    config = historian_in(folder, "[retention]\ngeneral = 183\n")
    lake = folder / "h" / "lake"
    lake_with_old_samples(lake)
    for path in lake.rglob("day=*"):
        path.rename(path.with_name(YEAR_OLD))
    place = folder / "h" / "originals" / "demo" / "gw1"
    async with BatchLog(place, stream="record", log=RAW.log) as log:
        await log.append(numbered(500), closed_ns=newest_ns)
    return config, lake


async def test_what_is_deleted_is_approved_and_told(tmp_path: Path) -> None:
    config, lake = await past_its_time(tmp_path, time.time_ns())
    app = _app("retention", retention)
    listed = RUN.invoke(app, [str(config)])
    assert "1 past their time" in listed.output, listed.output
    assert "--approved-by" in str(RUN.invoke(app, [str(config), "--apply"]).exception)
    call = [str(config), "--apply", "--approved-by", "Li", "--why", "year is closed"]
    busy = Lake(lake)
    busy.open()
    assert "is running" in str(RUN.invoke(app, call).exception)
    assert rows_of(lake) == [("pot.noise_hf", 8), ("pot.voltage", 8)]
    busy.close()
    done = RUN.invoke(app, call)
    assert done.exit_code == 0, done.output
    assert YEAR_OLD in done.output  # it lists what it deletes
    assert rows_of(lake) == [("pot.voltage", 8)]
    first, act = acts_in(tmp_path / "h/audit")
    assert (first["what"], first["details"]["pieces"]) == ("retention.approved", "1")
    assert first["details"]["names"] == act["target"]
    assert (act["what"], act["details"]["class"]) == ("retention.deleted", "general")
    assert act["details"]["approved_by"] == "Li"


async def test_a_clock_that_is_years_ahead_deletes_nothing(tmp_path: Path) -> None:
    """The samples are of 2025-01-01; the newest batch is of 100 days later, 183 are kept."""
    day_ns = 1_735_689_600_000_000_000  # 2025-01-01 00:00 UTC: 20 089 days of 86 400 s
    config, _ = await past_its_time(tmp_path, day_ns + 100 * DAY_NS)
    listed = RUN.invoke(_app("retention", retention), [str(config)])
    assert "nothing is past its time" in listed.output
    assert "counted from the newest batch, 2025-04-11" in listed.output
    other = tmp_path / "other"
    other.mkdir()
    config, _ = await past_its_time(other, day_ns + 184 * DAY_NS)
    assert "1 past their time" in RUN.invoke(_app("retention", retention), [str(config)]).output


async def test_a_deletion_that_fails_half_way_is_told(tmp_path: Path) -> None:
    """Of two days the first cannot be written anew: the second goes, both are in the trail."""
    config, lake = await past_its_time(tmp_path, time.time_ns())
    (day,) = lake.rglob(YEAR_OLD)
    shutil.copytree(day, day.with_name("day=2025-01-02"))
    (file,) = day.glob("*.parquet")
    file.with_name(file.name + ".new").mkdir()  # in the way of what is written anew
    call = [str(config), "--apply", "--approved-by", "Li", "--why", "year is closed"]
    done = RUN.invoke(_app("retention", retention), call)
    assert done.exit_code == 1, done.exception
    assert "1 deleted" in done.output
    acts = acts_in(tmp_path / "h/audit")
    assert [(each["what"], each.get("result", "ok")) for each in acts] == [
        ("retention.approved", "ok"),
        ("retention.deleted", "failed"),
        ("retention.deleted", "ok"),
    ]


async def test_nothing_goes_that_cannot_be_recorded(tmp_path: Path) -> None:
    config, lake = await past_its_time(tmp_path, time.time_ns())
    (tmp_path / "h" / "audit").write_text("in the way of the trail")
    call = [str(config), "--apply", "--approved-by", "Li", "--why", "year is closed"]
    done = RUN.invoke(_app("retention", retention), call)
    assert "nothing was deleted" in str(done.exception)
    assert rows_of(lake) == [("pot.noise_hf", 8), ("pot.voltage", 8)]


async def test_originals_go_by_whole_segments_and_never_the_last(tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    place = originals / "demo" / "gw1"
    async with BatchLog(place, stream="raw", log=RAW.log) as log:
        await log.append(numbered(500), closed_ns=T0_NS)
    folder = place / "raw" / RAW.log
    (first,) = folder.glob("*.seg")
    (batch,) = (x.batch for x in Segment(first).scan() if isinstance(x, Found))
    shutil.copy(first, folder / f"{2:020d}.seg")  # a later segment; only its place counts here
    old_ns = T0_NS - 1
    os.utime(first, ns=(old_ns, old_ns))
    settings = RetentionConfig(general=200, important=300, core=400)
    rules = load(tmp_path).rules
    at_ns = T0_NS + 400 * DAY_NS
    assert not list(due(originals, tmp_path / "lake", settings, rules, at_ns - 1))
    (found,) = due(originals, tmp_path / "lake", settings, rules, at_ns)
    assert found.path == first
    assert found.told["last_sha256"] == batch.digest.hex()
    folder.rename(folder.with_name(f"{RAW.log}-a1"))  # ahead of a backlog: not joined yet
    assert not list(due(originals, tmp_path / "lake", settings, rules, at_ns))


# --- the catalogue


def test_the_catalogue_names_every_class_and_says_what_is_not_encrypted(tmp_path: Path) -> None:
    config, historian = gateway_in(tmp_path), historian_in(tmp_path)
    call = ["--config", str(config), "--historian", str(historian), "--data-catalogue"]
    told = json.loads(RUN.invoke(_app("doctor", doctor), [*call, "--json"]).output)
    rows = told["holdings"]
    assert {row["class"] for row in rows} == {"general", "important", "core"}
    (samples,) = (r for r in rows if r["kind"] == "raw" and "meter.energy_import" in r["quantities"]
                  and "smelter/v1/demo/gw1/raw" in r["places"])  # fmt: skip
    assert samples["kept"]["en"].startswith("90 days")
    assert "not encrypted" in samples["in_transit"]["en"]
    assert all(row[text][lang] for row in rows for text in ("kept", "at_rest", "since")
               for lang in ("zh", "en"))  # fmt: skip
    table = tmp_path / "catalogue.csv"
    assert RUN.invoke(_app("doctor", doctor), [*call, "--csv", str(table)]).exit_code == 0
    lines = list(csv.reader(table.read_text("utf-8-sig").splitlines()))
    assert len(lines) == len(rows) + 1
    assert lines[1][0] == "core"  # the highest first


def test_a_platform_gets_nothing_that_nobody_approved(tmp_path: Path) -> None:
    from agent.edge.config import load_gateway

    path = gateway_in(tmp_path)
    forward = (
        '[[forward]]\nname = "province"\naddress = "127.0.0.1:1"\nequipment = "line1/pot001"\n'
        'mn = "010000A8900016F000169DC0"\npw = "123456"\n'
    )
    path.write_text(path.read_text() + forward + '[export]\nimportant = "approved"\n')
    with pytest.raises(ConfigError) as caught:
        load_gateway(path)
    assert "[[export.approvals]]" in str(caught.value)
