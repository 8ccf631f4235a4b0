"""E9: backed up under load, wiped, put back on another path."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.judge import batches_in, judge_batches
from tests.oracle.ledger import Key, Ledger
from tests.oracle.plant import MAIN, ROOT, Plant, Program, newest, wait
from tests.reliability.cases import Outcome, Setting, case

Promised = dict[Key, dict[int, str]]


def smelter(arguments: Sequence[str], *, code: int = 0) -> str:
    """What one of our commands answers; AssertionError when it ends otherwise."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=900,
    )
    assert done.returncode == code, f"{arguments}: {done.returncode}: {done.stdout} {done.stderr}"
    return done.stdout


def back_up(plant: Plant, secret: Path) -> tuple[Path, dict[str, object]]:
    """Of both ends, while they run."""
    target = plant.folder / "plant.smelter"
    told = smelter(
        [
            *("backup", str(plant.gateway_toml), str(plant.historian_toml), "--out", str(target)),
            *("--with-keys", "--passphrase-file", str(secret), "--json"),
            *("--approved-by", "chief engineer", "--why", "restore drill"),
        ]
    )
    smelter(["backup", "--check", str(target)])
    found: dict[str, object] = json.loads(told)
    return target, found


def move_historian(plant: Plant, config: Path) -> None:
    """The plant goes on with the historian at its new place."""
    plant.historian_toml, plant.historian_dir = config, config.parent.parent / "data"
    arguments = ["historian", "run", str(config)]
    plant.historian = Program(arguments, plant.folder / "historian2.log").start()


def move_agent(plant: Plant, config: Path) -> None:
    plant.gateway_toml, plant.agent_dir = config, config.parent.parent / "data"
    arguments = ["agent", "run", str(config)]
    plant.agent = Program(arguments, plant.folder / "agent2.log").start()


def lost_of(plant: Plant, sent: Promised, receipted: dict[Key, int]) -> int:
    """How many of what was receipted are not in the originals as they were sent."""
    found = judge_batches(batches_in(plant.originals), sent, receipted, complete=False)
    return found.missing + found.altered


@case(
    "E9",
    fault="both ends lost, backup of an hour ago",
    procedure="gateway and historian at 2,000 values/s are backed up as they run (keys sealed), "
    "go on, then both disks are wiped and both are put back on another path and started",
    mark="restored ≤ 10 min; verifier passes; 0 receipted lost (the gateway sends again)",
)
def restored(setting: Setting) -> Outcome:
    seconds = setting.size(cut=6, full=120)
    secret = setting.folder / "passphrase"
    secret.write_text("a phrase of a simulated plant\n")
    secret.chmod(0o600)
    broker = servers.mosquitto(setting.folder).start()
    try:
        with (
            FakePlc(200) as plc,
            Plant(setting.folder, plc.port, broker.port) as plant,
            Ledger(broker.port) as ledger,
        ):
            plant.agent.start()
            plant.historian.start()
            wait(lambda: any(ledger.receipted.values()), "the first receipt", 30)
            time.sleep(seconds)
            began = time.monotonic()
            target, told = back_up(plant, secret)
            backup_s = time.monotonic() - began
            time.sleep(seconds / 2)
            text = _lose_historian(plant, target, secret)
            wait(plant.drained_now, "the restored historian with all the gateway has", 120)
            wait(lambda: plant.viewed(), "the lake made again", 120)  # noqa: PLW0108 - has defaults
            more, sent, receipted = _lose_gateway(plant, ledger, target, secret)
            lost = lost_of(plant, sent, receipted)
            smelter(["historian", "verify", str(plant.historian_toml)])
    finally:
        broker.end()
    figure = (
        f"{told['bytes']:,} bytes backed up and checked in {backup_s:.1f} s; {text}{more}; "
        f"{sum(receipted.values()):,} receipted batches, {lost} lost; verifier passes"
    )
    return Outcome(not lost and any(receipted.values()), figure)


def _restore(target: Path, to: Path, secret: Path) -> float:
    began = time.monotonic()
    smelter(["restore", str(target), "--to", str(to), "--passphrase-file", str(secret)])
    return time.monotonic() - began


def _lose_historian(plant: Plant, target: Path, secret: Path) -> str:
    """Killed and wiped; what was receipted since the backup is only at the gateway now."""
    plant.historian.end(signal.SIGKILL)
    since = sum(newest(plant.originals).values())
    assert plant.historian_dir is not None
    shutil.rmtree(plant.historian_dir)
    plant.historian_toml.unlink()
    began = time.monotonic()
    _restore(target, plant.folder / "elsewhere", secret)
    move_historian(plant, plant.folder / "elsewhere" / "historian" / "etc" / "historian.toml")
    had = sum(newest(plant.originals).values())
    wait(lambda: sum(newest(plant.originals).values()) > since, "what it had, sent again", 300)
    took_s = time.monotonic() - began
    return f"historian back in {took_s:.1f} s, {since - had:,} batches sent again"


def _lose_gateway(
    plant: Plant, ledger: Ledger, target: Path, secret: Path
) -> tuple[str, Promised, dict[Key, int]]:
    """
    Stopped in order, so that all it had is receipted; wiped; its old self speaks again.

    What had been promised by then; the old self says other things under the same numbers.
    """
    plant.agent.end(signal.SIGTERM)
    wait(plant.drained, "all of the gateway's at the historian", 60)
    assert plant.agent_dir is not None
    shutil.rmtree(plant.agent_dir)
    with ledger.lock:
        sent = {key: dict(found) for key, found in ledger.sent.items()}
        receipted = dict(ledger.receipted)
    began = time.monotonic()
    _restore(target, plant.folder / "other", secret)
    move_agent(plant, plant.folder / "other" / "gateway-gw1" / "etc" / "gateway.toml")
    wait(lambda: ledger.contradictions > 0, "other bytes under a known number", 120)
    took_s = time.monotonic() - began
    branch = plant.originals / "record"
    wait(lambda: any(branch.glob("*-c*/*.seg")), "a branch beside what was known", 120)
    wait(lambda: any(plant.spool.glob("*/*/tree/went-back")), "recognised as restored", 180)
    text = f", gateway back in {took_s:.1f} s, recognised as restored, goes on in a branch"
    return text, sent, receipted
