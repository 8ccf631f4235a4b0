"""E5: units that can do no more than they need; and the package, from installation to purge."""

import os
import re
import subprocess
import time
from pathlib import Path

from tests import servers
from tests.machine.machine import Machine
from tests.machine.package import (
    AGENT,
    HISTORIAN,
    ORIGINALS,
    Installed,
    build,
    kept,
    pause_s,
    tried,
)
from tests.oracle.device import FakePlc
from tests.oracle.plant import ROOT, Plant, wait
from tests.reliability.cases import NotRun, Outcome, Setting, case, need_program, need_root

MOST = 2.0
DATA = "/var/lib/smelter"
# What must work inside each sandbox; everything else the probe tries must be refused.
UNITS = {
    "smelter-agent.service": (f"{DATA}/agent {DATA}/historian 9464", {"bind declared"}),
    "smelter-historian.service": (f"{DATA}/historian {DATA}/agent 9465", {"bind declared"}),
    "smelter-report@.service": (
        f"{DATA}/reports {DATA}/historian 9466",
        {"other's data", "bind declared"},
    ),
    "smelter-console.service": (
        f"{DATA}/site {DATA}/historian 8443",
        {"other's data", "bind declared"},
    ),
    "smelter-backup@.service": (f"{DATA}/backups/agent {DATA}/historian 9467", set[str]()),
}
ALWAYS = {"own data", "allowed address", "credential"}
ALONE = {"smelter-backup@.service": {"allowed address"}}  # it has no network at all
CLOCK = {"smelter-agent.service": {"ask clock"}}


def scores() -> dict[str, float]:
    """Unit -> exposure by ``systemd-analyze security``: 0 nothing, 10 everything."""
    command = need_program("systemd-analyze", "systemd")
    found = {}
    for unit in sorted((ROOT / "systemd").glob("*.service")):
        words = [command, "security", "--offline=true", "--threshold=20", str(unit)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        score = re.search(r"exposure level for \S+: (\S+)", done.stdout)
        assert score, f"{unit.name}: {done.stdout[-300:]}{done.stderr[-300:]}"
        found[unit.name] = float(score[1])
    return found


def listeners(pid: int) -> list[str]:
    """Where this process listens, like ``127.0.0.1:9464``."""
    lines = subprocess.run(
        [need_program("ss", "iproute2"), "-tlnpH"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return sorted(line.split()[3] for line in lines if f"pid={pid}," in line)


def open_ports(folder: Path) -> dict[str, list[str]]:
    """Ports of a running agent and historian by their names, ``[health]`` of both on."""
    broker = servers.mosquitto(folder).start()
    try:
        with FakePlc(points=8) as plc, Plant(folder, plc.port, broker.port, points=8) as plant:
            health = servers.free_port()
            text = plant.historian_toml.read_text()
            plant.historian_toml.write_text(
                text.replace('listen = ""', f'listen = "127.0.0.1:{health}"')
            )
            plant.historian.start()
            plant.agent.start()
            wait(plant.drained, "batches in the historian", 60)
            expected = {"agent": plant.health, "historian": health}
            found = {}
            for name, program in (("agent", plant.agent), ("historian", plant.historian)):
                assert program.process is not None
                found[name] = listeners(program.process.pid)
                assert found[name] == [f"127.0.0.1:{expected[name]}"], f"{name}: {found[name]}"
            return found
    finally:
        broker.end()


@case(
    "E5",
    fault="a unit that can do more than it needs",
    procedure="systemd-analyze scores of each unit; ports of a running agent and historian; in "
    "full, a Debian 12 under a systemd of its own, the package installed: 28 things tried inside "
    "the sandbox of each unit (other people's data, devices, kernel, raw sockets, other ports and "
    "addresses, writable code, the clock), with the drop-ins for networks and credentials",
    mark="each unit ≤ 2.0; no listener but the declared, none on 0.0.0.0; every attempt refused",
)
def sandbox(setting: Setting) -> Outcome:
    found = scores()
    told = ", ".join(f"{name} {score}" for name, score in found.items())
    ports = open_ports(setting.folder)
    shown = ", ".join(f"{name} {' '.join(at)}" for name, at in ports.items())
    figure = f"{told}; listening: {shown}"
    good = all(score <= MOST for score in found.values())
    if setting.full:
        with Machine() as machine:
            installed = Installed(machine)
            installed.dpkg("install", build(1))
            wrong, count = _sandboxes(machine)
        good = good and not wrong
        figure += (
            f"; {count} attempts in {len(UNITS)} sandboxes, not as wanted: {wrong or 0} "
            "(SocketBindDeny is without effect in the systemd of Debian 12)"
        )
    return Outcome(passed=good, figure=figure)


def _sandboxes(machine: Machine) -> tuple[list[str], int]:
    machine.write("/etc/smelter/secrets/mqtt.password", "canary", 0o600)
    machine.write("/etc/smelter/secrets/mqtt.key", "canary", 0o600)
    for name in ("gateway", "historian", "site"):
        machine.write(f"/etc/smelter/{name}.toml", "")
    examples = ROOT / "systemd/examples"
    drop_in = "".join(
        "\n" + (examples / name).read_text("utf-8")
        for name in ("networks.conf", "credentials.conf")
    )
    # SocketBindDeny= needs a systemd with this framework; the one of Debian 12 is without.
    blind = "-BPF_FRAMEWORK" in machine.run("systemctl", "--version")
    wrong, count = [], 0
    for unit, (arguments, more) in UNITS.items():
        wanted = (ALWAYS | more | CLOCK.get(unit, set())) - ALONE.get(unit, set())
        for trial, refusal in tried(machine, unit, arguments, drop_in).items():
            if trial == "bind 8080" and blind:
                continue
            count += 1
            if (trial in wanted) == bool(refusal):
                wrong.append(f"{unit}: {trial}: {refusal or 'worked'}")
    return wrong, count


@case(
    "E5b",
    fault="installing, upgrading, rolling back, removing",
    procedure="a Debian 12 made by debootstrap, without network, under a systemd of its own: the "
    "package installed, agent and historian enabled on a simulated smelter; a rebuilt package of a "
    "higher version installed under load, then the older one again; a version that refuses the "
    "config, a process killed meanwhile, the config taken at last; a stopped loop; the backup and "
    "report units; removal; purge; installed once more. Batches read from disk by a reader of its "
    "own each time",
    mark="every batch byte for byte what it was, numbers without a gap, same log; a hung agent is "
    "restarted; a refused config: the old version runs on, also after a kill; removed: nothing "
    "runs, no file left; purged: the data stay; installed again: the same log goes on",
)
def package(setting: Setting) -> Outcome:
    if not setting.full:
        raise NotRun("only in full: make deb-test (root, minutes)")
    need_root("a root of its own is mounted and booted")
    debs = [build(revision) for revision in (1, 2)]
    with Machine() as machine:
        installed = Installed(machine)
        installed.dpkg("install", debs[0])
        installed.feed(setting.folder)
        for user in (AGENT, HISTORIAN, "smelter-report"):
            machine.run("smelter", "--help", user=user)
        machine.run("smelter", "agent", "check", "/etc/smelter/gateway.example.toml", user=AGENT)
        machine.run("smelter", "agent", "check", "/etc/smelter/gateway.toml", user=AGENT)
        start = time.monotonic()
        machine.run("systemctl", "enable", "--now", HISTORIAN, AGENT)
        installed.flows()
        installed.took_s["first data"] = time.monotonic() - start
        ports = {user: machine.listeners(user) for user in (AGENT, HISTORIAN)}
        pauses = [_change(installed, "upgrade", debs[1]), _change(installed, "roll-back", debs[0])]
        _refuse(installed, *debs)
        _hang(installed)
        _back_up(installed)
        left = _remove(installed, debs[0])
    took = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in installed.took_s.items())
    good = ports == {AGENT: ["127.0.0.1:9464"], HISTORIAN: ["127.0.0.1:9465"]}
    return Outcome(
        passed=good,
        figure=f"{took}; without samples at the upgrade {pauses[0]:.1f} s, at the roll-back "
        f"{pauses[1]:.1f} s; listening {ports}; 0 batches changed or lost; {left}",
    )


def _change(installed: Installed, step: str, deb: Path) -> float:
    """Another version under load: nothing of the log changes; seconds without samples."""
    before, pids, from_ns = installed.held(), installed.pids(), time.time_ns() - 10**10
    installed.dpkg(step, deb)
    version = installed.machine.run("dpkg-query", "-W", "-f", "${Version}", "smelter-agent")
    assert f"_{version}_" in deb.name, version
    link = installed.machine.run("readlink", "/opt/smelter/current")
    assert link == version, link
    assert not set(pids) & set(installed.pids()), "a process of the older version goes on"
    old = [p for p in (installed.machine.root / "opt/smelter").iterdir() if not p.is_symlink()]
    assert [path.name for path in old] == [version], old
    installed.flows()
    after = installed.held()
    assert not kept(before, after), kept(before, after)
    assert not kept(before, installed.held(ORIGINALS)), "the historian lacks what the agent held"
    return pause_s(after, from_ns)


def _refuse(installed: Installed, old: Path, new: Path) -> None:
    """A version that refuses the config changes nothing, until it takes it."""
    machine = installed.machine
    before, pids = installed.held(), installed.pids()
    start = time.monotonic()
    machine.run("dpkg", "--unpack", f"/root/{new.name}")
    version = new.name.split("_")[1]
    program = machine.root / f"opt/smelter/{version}/bin/smelter"
    good = program.read_text("utf-8")
    program.write_text("#!/bin/sh\necho 'points: no such quantity' >&2\nexit 2\n")
    said = machine.run("dpkg", "--configure", "smelter-agent", good=1)
    installed.took_s["upgrade refused"] = time.monotonic() - start
    assert "gateway.toml" in said, said
    assert "dpkg --configure smelter-agent" in said, said
    assert installed.pids() == pids, "a process was stopped for a version that refuses"
    link = machine.run("readlink", "/opt/smelter/current")
    assert link == old.name.split("_")[1], link
    machine.run("systemctl", "kill", "-s", "KILL", AGENT, HISTORIAN)
    machine.wait(lambda: not {"0", *pids} & {*installed.pids()}, "a restart by systemd", 60)
    installed.flows()
    for pid in installed.pids():
        assert f"/{link}/".encode() in (machine.root / f"proc/{pid}/cmdline").read_bytes()
    program.write_text(good)
    machine.run("dpkg", "--configure", "smelter-agent")
    assert machine.run("readlink", "/opt/smelter/current") == version
    assert sorted(each.name for each in (machine.root / "opt/smelter").iterdir()) == [
        version,
        "current",
    ]
    installed.flows()
    assert not kept(before, installed.held()), kept(before, installed.held())


def _hang(installed: Installed) -> None:
    """A process that does not turn any more is replaced by the watchdog."""
    machine = installed.machine
    before, (agent, _) = installed.held(), installed.pids()
    start = time.monotonic()
    machine.run("systemctl", "kill", "-s", "STOP", AGENT)

    def replaced() -> bool:
        now = installed.pids()[0]
        return now not in {"0", agent}

    machine.wait(replaced, "the watchdog", 120)
    installed.took_s["hung agent replaced"] = time.monotonic() - start
    installed.flows()
    assert not kept(before, installed.held()), kept(before, installed.held())


def _back_up(installed: Installed) -> None:
    """The timers' services by hand: backups good, two kept, none that fills the disk; a report."""
    machine = installed.machine
    drop_in = "/etc/systemd/system/smelter-backup@agent.service.d/reserve.conf"
    machine.write(drop_in, "[Service]\nEnvironment=RESERVE=100\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "smelter-backup@agent", good=1)
    told = machine.run("journalctl", "-u", "smelter-backup@agent", "--no-pager")
    assert "100 % must stay free: none made" in told, told[-600:]
    assert not list((machine.root / "var/lib/smelter/backups/agent").iterdir())
    for name in ("agent", "historian", "report"):
        # The disk of whoever runs this may be full.
        machine.write(drop_in.replace("agent", name), "[Service]\nEnvironment=RESERVE=1\n")
    machine.run("systemctl", "daemon-reload")
    for name in ("agent", "agent", "agent", "historian", "report"):
        time.sleep(1.1)  # their names tell the second
        start = time.monotonic()
        machine.run("systemctl", "start", f"smelter-backup@{name}")
        installed.took_s[f"backup of the {name}"] = time.monotonic() - start
        folder = machine.root / f"var/lib/smelter/backups/{name}"
        made = sorted(path.name for path in folder.iterdir())
        assert 1 <= len(made) <= 2, made
        path = f"/var/lib/smelter/backups/{name}/{made[-1]}"
        machine.run("smelter", "backup", "--check", path, user=f"smelter-{name}")
    assert len(list((machine.root / "var/lib/smelter/backups/agent").iterdir())) == 2
    machine.run("systemctl", "start", "smelter-report@emissions")
    reports = {path.suffix for path in (machine.root / "var/lib/smelter/reports").iterdir()}
    assert {".pdf", ".xlsx", ".json"} <= reports, reports


def _remove(installed: Installed, deb: Path) -> str:
    machine, root = installed.machine, installed.machine.root
    machine.run("systemctl", "start", "smelter-backup@agent.timer")  # started, not enabled
    own = root / "etc/smelter/profiles/siemens-pac4200.csv"
    own.write_text(own.read_text("utf-8") + "# ours\n", "utf-8")
    start = time.monotonic()
    machine.run("dpkg", "--remove", "smelter-agent")
    installed.took_s["remove"] = time.monotonic() - start
    held = installed.held()
    gone = ("opt/smelter", "usr/bin/smelter", "lib/systemd/system/smelter-agent.service")
    there = [name for name in gone if os.path.lexists(root / name)]
    assert not there, f"left after removal: {there}"
    assert not _links(root), f"left after removal: {_links(root)}"
    assert machine.run("systemctl", "is-active", AGENT, HISTORIAN, good=None).split() == [
        "inactive",
        "inactive",
    ]
    timer = machine.run("systemctl", "is-active", "smelter-backup@agent.timer", good=None)
    assert timer == "inactive", timer
    assert (root / "etc/smelter/gateway.example.toml").exists(), "removal is not purging"
    said = machine.run("dpkg", "--purge", "smelter-agent")
    assert "/var/lib/smelter" in said, said
    assert not (root / "etc/smelter/gateway.example.toml").exists()
    assert (root / "etc/smelter/gateway.toml").exists(), "the plant's own config is gone"
    assert own.read_text("utf-8").endswith("# ours\n"), "purging took an edited profile"
    assert installed.held() == held, "purging touched the batch log"
    installed.dpkg("install again", deb)
    machine.run("systemctl", "enable", "--now", HISTORIAN, AGENT)
    installed.flows()
    assert own.read_text("utf-8").endswith("# ours\n"), "installing took an edited profile"
    assert not kept(held, installed.held()), kept(held, installed.held())
    machine.run("dpkg", "--purge", "smelter-agent", env="SMELTER_PURGE_DATA=yes")
    left = [n for n in ("var/lib/smelter", "etc/smelter", "opt/smelter") if (root / n).exists()]
    assert not left, f"left after purging all: {left}"
    users = machine.run("getent", "passwd", AGENT, HISTORIAN, "smelter-report", good=None)
    assert not users, users
    count = sum(len(batches) for logs in held.values() for batches in logs.values())
    return f"{count} batches held through removal and purge"


def _links(root: Path) -> list[str]:
    wants = (root / "etc/systemd/system").glob("*.wants/smelter*")
    return [path.name for path in wants]
