"""E4: secrets that are looked for everywhere afterwards: processes, logs, data, crashes."""

import gzip
import os
import secrets
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import zstandard

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.plant import MAIN, ROOT, Plant, wait
from tests.originals_reader import records
from tests.reliability.cases import Outcome, Setting, case
from tests.reliability.restores import smelter

NAMES = ("mqtt", "influx", "historian")


def made(folder: Path) -> dict[str, str]:
    """One secret for each place a program takes one from here."""
    folder.mkdir()
    found = {}
    for name in NAMES:
        found[name] = secrets.token_hex(8)
        path = folder / f"{name}.secret"
        path.touch(0o600)
        path.write_text(found[name])
    return found


def configured(plant: Plant, kept: Path) -> None:
    """Passwords of the broker and of InfluxDB: from a credential, the environment, a file."""
    text = plant.gateway_toml.read_text()
    login = 'username = "gw1"\npassword_file = "credential:mqtt.secret"\n'
    text = text.replace("[log]", f"{login}[log]")
    plant.gateway_toml.write_text(text)
    text = plant.historian_toml.read_text()
    login = 'username = "historian"\npassword_file = "env:SMELTER_HISTORIAN_PASSWORD"\n'
    text = text.replace("[lake]", f"{login}[lake]")
    text += (
        f'[[influxdb]]\napi = "v1"\nurl = "http://127.0.0.1:{servers.free_port()}"\n'
        f'database = "plant"\nusername = "smelter"\npassword_file = "{kept}/influx.secret"\n'
    )
    plant.historian_toml.write_text(text)


def broker_of(folder: Path, found: dict[str, str]) -> servers.Server:
    """Asks for names and passwords, and keeps them hashed."""
    table = folder / "passwords"
    table.touch(0o600)
    program = servers.program("mosquitto_passwd", "mosquitto")
    for user, name in (("gw1", "mqtt"), ("historian", "historian")):
        subprocess.run([program, "-b", str(table), user, found[name]], check=True)
    table.chmod(0o644)  # mosquitto may drop its rights; hashes only
    broker = servers.mosquitto(folder)
    config = folder / "mosquitto.conf"
    text = config.read_text().replace("allow_anonymous true", "allow_anonymous false")
    config.write_text(f"{text}user root\npassword_file {table}\n")  # it reads a private folder
    return broker


@case(
    "E4",
    fault="secrets that leak",
    procedure="gateway and historian run with canary secrets (file, systemd credential, "
    "environment) and a certificate of their own, one is killed, one crashes, the office makes "
    "a backup, bare and with sealed keys; then environment and "
    "arguments of every process, logs, batch logs unpacked, lake, trails, backups and what the "
    "crash wrote are searched, for lines of private keys as well",
    mark="0 hits outside the files of the secrets (and the environment of the process that was "
    "given one there); secrets and keys 0600 or 0400; a file others can read is refused",
    weaker="no report or package is made here (what a package leaves out: "
    "tests/reports/test_package.py); no kernel core dump, OPC UA password or SM4 key",
)
def canaries(setting: Setting) -> Outcome:
    kept = setting.folder / "secrets"
    found = made(kept)
    place = setting.folder / "plant"
    place.mkdir()
    broker = broker_of(place, found).start()
    searched = hits = 0
    try:
        with FakePlc(20) as plc, Plant(place, plc.port, broker.port, points=20) as plant:
            configured(plant, kept)
            plant.agent.environment = {"CREDENTIALS_DIRECTORY": str(kept)}
            plant.historian.environment = {"SMELTER_HISTORIAN_PASSWORD": found["historian"]}
            plant.agent.start()
            plant.historian.start()
            wait(plant.drained_now, "the first receipts", 90)
            searched, hits = of_processes(plant, found)
            crashed(plant, kept)
            wait(plant.drained_now, "receipts after the crash", 90)
            for config in (plant.gateway_toml, plant.historian_toml):
                create = ["agent", "certificates", "create", "--for", "mqtt", "--config"]
                smelter([*create, str(config)])
            backed_up(plant, kept)
            refused = refused_if_open(plant, kept)
            assert plant.agent.end(signal.SIGTERM) == 0, plant.agent.tail()
            plant.historian.end(signal.SIGKILL)
    finally:
        broker.end()
    files, more = of_files(place, found)
    modes = wrong_modes(setting.folder)
    figure = (
        f"{len(found)} secrets; {searched} process images, {files} files searched: "
        f"{hits + more} hits; {len(modes)} of the secrets and keys open to others; "
        f"{refused} of 1 readable file refused"
    )
    return Outcome(not hits and not more and not modes and refused == 1, figure)


def backed_up(plant: Plant, kept: Path) -> None:
    """Without keys, and with keys under a passphrase."""
    phrase = kept / "phrase.secret"
    phrase.touch(0o600)
    phrase.write_text("a phrase of a simulated plant")
    both = [str(plant.gateway_toml), str(plant.historian_toml)]
    smelter(["backup", *both, "--out", str(plant.folder / "bare.smelter")])
    sealed = ["--with-keys", "--passphrase-file", str(phrase)]
    approved = ["--approved-by", "chief engineer", "--why", "canaries"]
    out = ["--out", str(plant.folder / "sealed.smelter")]
    smelter(["backup", *both, *out, *sealed, *approved])


def lines_of_keys(folder: Path) -> dict[bytes, Path]:
    """Each whole line of base64 of every private key in PEM, and where it should be alone."""
    found: dict[bytes, Path] = {}
    for path in (*folder.rglob("*.key"), *folder.rglob("key.pem")):
        text = path.read_bytes()
        assert b"PRIVATE KEY" in text, path
        found |= {line: path.resolve() for line in text.splitlines()[1:-1] if len(line) >= 40}
    assert found
    return found


def of_processes(plant: Plant, found: dict[str, str]) -> tuple[int, int]:
    """Arguments and environment of both programs and whatever they started."""
    count = hits = 0
    for program in (plant.agent, plant.historian):
        assert program.process is not None
        for pid in (program.process.pid, *children(program.process.pid)):
            given = set(program.environment.values()) if pid == program.process.pid else set()
            for part in ("cmdline", "environ"):
                text = Path(f"/proc/{pid}/{part}").read_bytes()
                count += 1
                allowed = given if part == "environ" else set()
                hits += sum(s.encode() in text for s in found.values() if s not in allowed)
    return count, hits


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    direct = [int(each) for each in text.split()]
    return [*direct, *(x for each in direct for x in children(each))]


def crashed(plant: Plant, kept: Path) -> None:
    """The agent is killed by SIGABRT with its traces on; a command dies of an unforeseen error."""
    plant.agent.environment = {
        "CREDENTIALS_DIRECTORY": str(kept),
        "PYTHONFAULTHANDLER": "1",
    }
    plant.agent.end(signal.SIGABRT)
    plant.agent.start()
    code = (
        "from agent.edge.gateway import Gateway\n"
        "async def broken(self):\n"
        "    password = self.config.mqtt.password()\n"
        "    raise RuntimeError(f'{self.config.mqtt!r} {len(password)}')\n"
        "Gateway.run = broken\n"
        f"{MAIN}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "agent", "run", str(plant.gateway_toml)],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"CREDENTIALS_DIRECTORY": str(kept)},
    )
    assert done.returncode == 3, done.stderr[-2000:]
    assert b"RuntimeError" in done.stderr
    (plant.folder / "crash.txt").write_bytes(done.stdout + done.stderr)


def refused_if_open(plant: Plant, kept: Path) -> int:
    """A password that others can read keeps a program from starting, and says which file."""
    path = kept / "influx.secret"
    path.chmod(0o644)
    try:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "historian", "check", str(plant.historian_toml)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=os.environ | dict(plant.historian.environment),
        )
    finally:
        path.chmod(0o600)
    return int(done.returncode == 2 and f"chmod 600 {path}" in done.stderr)


def of_files(folder: Path, found: dict[str, str]) -> tuple[int, int]:
    """Every file as it is and unpacked."""
    count = hits = 0
    keys = lines_of_keys(folder)
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        count += 1
        for text in contents(path):
            hits += sum(secret.encode() in text for secret in found.values())
            hits += sum(line in text for line, home in keys.items() if home != path.resolve())
    return count, hits


def contents(path: Path) -> Iterator[bytes]:
    """The bytes, and what is packed in them: batches, Parquet as it is, archives, gzip."""
    whole = path.read_bytes()
    yield whole
    if path.suffix == ".seg":
        yield from (batch.payload for batch in records(path))
    elif path.suffix == ".gz":
        yield gzip.decompress(whole)
    elif path.suffix == ".parquet":
        import pyarrow.parquet as pq

        yield str(pq.read_table(path).to_pydict()).encode()
    elif path.suffix == ".zst":
        yield zstandard.ZstdDecompressor().decompress(whole, max_output_size=1 << 28)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def wrong_modes(folder: Path) -> list[str]:
    """Secrets and private keys that somebody else can read."""
    private = [*folder.rglob("*.secret"), *folder.rglob("*.key"), *folder.rglob("key.pem")]
    assert len(private) >= len(NAMES) + 2 + 2, private  # keys and certificates of both ends
    return [str(path) for path in private if path.stat().st_mode & 0o177]
