"""E6: what a plant installs: offline by hash, a flipped byte, the SBOM, the wheel built again."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from tests.reliability.cases import NotRun, Outcome, Setting, case
from tests.supply import bom
from tests.supply.advisories import SNAPSHOT, Snapshot, read_snapshot, today, weaknesses
from tests.supply.licences import licences
from tests.supply.lock import LOCKS, ROOT, RUNTIME, Pin, read_lock

MISMATCH = "DO NOT MATCH THE HASHES"


@case(
    "E6",
    fault="supply chain: an altered wheel, a part nobody listed, another program than the sources",
    procedure="the wheelhouse is made and installed into a clean environment in a network "
    "namespace without any network, by hash; one bit is flipped in wheel after wheel and each "
    "installed alone; a CycloneDX SBOM of that environment is held against it; the wheel is built "
    "twice, the second time from a clone elsewhere with other times and umask; licences; every "
    "lock against the advisories that were brought, and against one that was made up",
    mark="altered wheels refused, 100 %; SBOM = installed; wheels identical; no licence unknown; "
    "0 known high weaknesses",
    weaker="no advisory database can be fetched here, so deploy/advisories.json must be brought; "
    "the row says when there was none",
)
def supplied(setting: Setting) -> Outcome:
    house = made_house(setting.folder / "house")
    python, spent_s, alone = installed_offline(house, setting.folder / "plant")
    refused, tried = flipped(house, python, setting)
    differing = listed(house, setting.folder / "sbom.cdx.json", python)
    same = twice(setting.folder)
    unknown = [each.pin.name for each in licences() if not each.accepted]
    weak, told = weaknesses_now()
    figure = (
        f"{len(list(house.glob('*.whl')))} wheels installed by hash in {spent_s:.0f} s {alone}; "
        f"{refused} of {tried} wheels with one flipped bit refused; SBOM names "
        f"{len(bom.listed(setting.folder / 'sbom.cdx.json'))} parts, {len(differing)} differ from "
        f"what is installed; wheel built twice: {'identical' if same else 'DIFFERENT'}; "
        f"{len(unknown)} unknown or refused licences; {told}"
    )
    good = refused == tried and not differing and same and not unknown and not weak
    return Outcome(good, figure)


def ran(*command: str | Path, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def made_house(house: Path) -> Path:
    """The wheels by the shipped script; NotRun where they cannot be had."""
    done = ran("deploy/wheelhouse", house, PYTHON=sys.executable)
    if done.returncode:
        raise NotRun(f"no wheelhouse: {done.stderr[-200:]}")
    return house


def installed_offline(house: Path, plant: Path) -> tuple[Path, float, str]:
    """The interpreter of a clean environment, seconds, and whether the network was taken away."""
    ran(sys.executable, "-m", "venv", plant).check_returncode()
    python = plant / "bin" / "python"
    bare = ["unshare", "-n"] if os.geteuid() == 0 and shutil.which("unshare") else []
    began = time.monotonic()
    done = ran(*bare, *pip(python, house), "-r", house / "requirements.txt")
    assert done.returncode == 0, done.stderr[-500:]
    alone = "without a network" if bare else "(not root: with --no-index only)"
    assert ran(plant / "bin" / "smelter", "--version").returncode == 0
    return python, time.monotonic() - began, alone


def pip(python: Path, house: Path) -> tuple[str | Path, ...]:
    """``pip install`` of what lies in the house and has its hash."""
    return (
        *(python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index"),
        *("--no-cache-dir", "--find-links", house, "--require-hashes", "--no-deps"),
    )


def flipped(house: Path, python: Path, setting: Setting) -> tuple[int, int]:
    """How many wheels with one flipped bit were refused, of how many."""
    chance, bad = setting.chance, setting.folder / "bad"
    requirements: dict[str, str] = {}
    for block in blocks(house):  # one name may have several, each for other versions of Python
        name = block.split("==")[0].partition("[")[0]
        requirements[name] = requirements.get(name, "") + block + "\n"
    wheels = sorted(house.glob("*.whl"), key=lambda wheel: wheel.stat().st_size)
    wheels = wheels[: setting.size(cut=3, full=len(wheels))]
    refused = 0
    for wheel in wheels:
        shutil.rmtree(bad, ignore_errors=True)
        bad.mkdir()
        data = bytearray(wheel.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (bad / wheel.name).write_bytes(data)
        name = wheel.name.split("-")[0].lower().replace("_", "-")
        (bad / "r.txt").write_text(requirements[name])
        told = ran(*pip(python, bad), "--dry-run", "--ignore-installed", "-r", bad / "r.txt")
        refused += told.returncode != 0 and MISMATCH in told.stderr + told.stdout
    return refused, len(wheels)


def blocks(house: Path) -> list[str]:
    """Each requirement with its hashes; extras taken off, nothing else is wanted here."""
    text = (house / "requirements.txt").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line[:1].isalpha()]


def listed(house: Path, made: Path, python: Path) -> list[str]:
    """Differences of the SBOM and the environment of ``installed_offline``."""
    done = ran("deploy/sbom", house, made, PYTHON=sys.executable)
    assert made.is_file(), done.stderr[-500:]
    return bom.differences(made, python)


def twice(folder: Path) -> bool:
    """The wheel of this commit from two places."""
    clone = folder / "elsewhere" / "tree"
    first = folder / "first" / "tree"
    ran("git", "clone", "-q", ROOT, first).check_returncode()
    ran("git", "clone", "-q", first, clone).check_returncode()
    for path in clone.rglob("*.py"):
        os.utime(path, (10**9, 10**9))
    digests = set()
    for tree, mask in ((first, "022"), (clone, "077")):
        done = ran(
            "sh", "-c", f"umask {mask}; deploy/wheel out", cwd=tree, PYTHON=sys.executable, TZ=mask
        )
        assert done.returncode == 0, done.stderr
        [wheel] = (tree / "out").glob("*.whl")
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    return len(digests) == 1


def weaknesses_now() -> tuple[bool, str]:
    """Whether a known high one is in the locks, and what the row says of it."""
    pins = {pin for lock in LOCKS for pin in read_lock(lock)}
    first: Pin = read_lock(RUNTIME)[0]
    made_up = {
        "id": "X-1",
        "affected": [
            {"package": {"ecosystem": "PyPI", "name": first.name}, "versions": [first.version]}
        ],
        "database_specific": {"severity": "HIGH"},
    }
    assert [each.fails for each in weaknesses(pins, Snapshot(date.today(), (made_up,)))]  # noqa: DTZ011
    if not SNAPSHOT.is_file():
        return False, f"{len(pins)} pins checked against a made-up advisory only: none was brought"
    snapshot = read_snapshot(SNAPSHOT)
    high = [each for each in weaknesses(pins, snapshot) if each.fails]
    old = " (OLD)" if snapshot.is_old(today()) else ""
    return bool(high), f"{len(high)} high weaknesses known on {snapshot.day}{old}"
