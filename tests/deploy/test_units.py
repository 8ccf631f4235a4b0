"""Units, users, folders and the package's own files: what can be checked without installing."""

import re
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.reliability.deploy import MOST, scores
from tests.servers import program
from tests.smoke_plant import smelter

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
SERVICES = sorted(SYSTEMD.glob("*.service"))
SCRIPTS = ["deploy/deb", "deploy/wheelhouse", "deploy/backup", "tests/machine/boot"]
SCRIPTS += [f"deploy/debian/{name}" for name in ("preinst", "postinst", "prerm", "postrm")]


def settings(unit: Path) -> dict[str, list[str]]:
    """Key -> values as written, of the unit and its drop-ins here."""
    found: dict[str, list[str]] = {}
    for path in (unit, *sorted(Path(f"{unit}.d").glob("*.conf"))):
        for key, value in re.findall(r"(?m)^([A-Z]\w+)=(.*)$", path.read_text("utf-8")):
            found.setdefault(key, []).append(value)
    return found


def users() -> set[str]:
    return set(re.findall(r"(?m)^u\s+(\S+)", (SYSTEMD / "sysusers.conf").read_text("utf-8")))


def test_every_unit_is_sandboxed() -> None:
    program("systemd-analyze", "systemd")
    found = scores()
    assert set(found) == {unit.name for unit in SERVICES}
    assert {name: score for name, score in found.items() if score > MOST} == {}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_unit_names_a_command_that_exists(unit: Path) -> None:
    words = " ".join(settings(unit)["ExecStart"])
    if words.startswith("/usr/lib/smelter/backup"):
        words = (ROOT / "deploy/backup").read_text("utf-8")
    command = re.findall(r"/opt/smelter/current/bin/smelter ([a-z-]+)(?: ([a-z]+))?", words)
    name = command[0][0]
    assert name in entry_points(group="smelter.commands").names
    shown = smelter(*command[0] if name in {"agent", "historian"} else (name,), "--help")
    for option in re.findall(r" (--[a-z-]+) ", words):
        assert option in shown


def test_units_and_timers_have_no_unknown_setting(tmp_path: Path) -> None:
    names = []
    for unit in (*SERVICES, *SYSTEMD.glob("*.timer")):
        text = re.sub(r"(?m)^ExecStart=.*$", "ExecStart=/bin/true", unit.read_text("utf-8"))
        name = unit.name.replace("@.", "@emissions.")
        (tmp_path / name).write_text(text)
        names.append(str(tmp_path / name))
    command = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [command, "verify", "--man=no", "--recursive-errors=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert ours == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_users_and_folders_fit_together(unit: Path) -> None:
    found = settings(unit)
    user = found["User"][0]
    owners = users()
    assert user in owners or user == "smelter-%i"
    folders = dict(
        re.findall(r"(?m)^d\s+(\S+)\s+\d+\s+(\S+)", (SYSTEMD / "tmpfiles.conf").read_text("utf-8"))
    )
    for name in " ".join(found["StateDirectory"]).split():
        owner = folders.get(f"/var/lib/{name}")
        assert owner == user or name == "smelter/backups/%i"
    needed = (
        *("NoNewPrivileges", "ProtectSystem", "MemoryMax", "CPUQuota", "TasksMax", "IOWeight"),
        *("SystemCallFilter", "SystemCallErrorNumber", "UMask", "LimitCORE"),
    )
    for key in needed:
        assert key in found, f"{unit.name}: no {key}"
    if found["Type"] == ["notify"]:
        assert found["WatchdogSec"] == ["30"]
        assert found["Restart"] == ["always"]


def test_the_agent_may_ask_for_its_clock() -> None:
    """ProtectClock= and the usual call list refuse adjtimex: every clock would be unsynced."""
    found = settings(SYSTEMD / "smelter-agent.service")
    assert found["ProtectClock"] == ["no"]
    assert any("adjtimex" in each for each in found["SystemCallFilter"])
    assert found["ProcSubset"] == ["all"]  # the boot id is in /proc/sys
    assert found["CapabilityBoundingSet"] == [""]  # nobody sets it without


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_parse(script: str) -> None:
    done = subprocess.run(["sh", "-n", str(ROOT / script)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_control_file_says_what_dpkg_needs() -> None:
    text = (ROOT / "deploy/debian/control").read_text("utf-8")
    found = dict(re.findall(r"(?m)^([A-Z][A-Za-z-]+): (.+)$", text))
    assert {"Package", "Version", "Architecture", "Maintainer", "Depends", "Description"} <= set(
        found
    )
    assert re.findall(r"@\w+@", text) == ["@VERSION@", "@ARCH@", "@SIZE@"]
    assert "python3 (<< 3.12)" in found["Depends"]  # wheels are for one Python
    body = text.partition("Description:")[2].splitlines()[1:]
    assert all(line.startswith(" ") for line in body)


def test_no_maintainer_script_uses_the_network_or_deletes_data_unasked() -> None:
    programs = ("/opt/smelter", '"$before"', '"$folder"')  # the last two: below /opt/smelter
    for name in ("preinst", "postinst", "prerm", "postrm"):
        text = (ROOT / "deploy/debian" / name).read_text("utf-8")
        assert not re.search(r"\b(pip|curl|wget|apt|apt-get)\b", text), name
        for before, what in re.findall(r"(?s)(.{0,120})rm -rf (\S+)", text):
            asked = '"${SMELTER_PURGE_DATA:-}" = yes' in before
            assert asked or what.startswith(programs), f"{name}: {what}"


def pins(name: str) -> dict[str, set[str]]:
    """``name==version ; marker`` -> its hashes."""
    found: dict[str, set[str]] = {}
    pin = ""
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if match := re.match(r"(\S+==\S+)", line):
            pin = match[1]
        found.setdefault(pin, set()).update(re.findall(r"sha256:[0-9a-f]{64}", line))
    return found


def test_a_plant_gets_what_the_tests_ran_with() -> None:
    tested, shipped = pins("requirements.lock"), pins("requirements.runtime.lock")
    shipped.pop("", None)
    assert len(shipped) > 40
    assert {pin for pin in shipped if tested.get(pin) != shipped[pin]} == set()
    assert not any(pin.startswith(("pytest", "mypy", "amqtt")) for pin in shipped)
