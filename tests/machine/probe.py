"""Run inside a unit's sandbox: tries what the unit must not be able to do, tells what came of it.

Standard library only. Arguments: own folder, another user's folder, the declared port. Leaves
``probe.json`` in its own folder: what was tried -> "" when it worked, else the refusal.
"""

import ctypes
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_C = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_C, name)(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _bind(port: int) -> None:
    with socket.socket() as it:
        it.bind(("127.0.0.1", port))


def _raw() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()


def _packet() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def _write(path: str) -> Callable[[], None]:
    def write() -> None:
        Path(path).write_text("x")
        Path(path).unlink()

    return write


def _read(path: str) -> Callable[[], object]:
    return lambda: Path(path).read_bytes()


def _others() -> None:
    if not Path("/proc/1/comm").exists():
        raise PermissionError("only processes of its own user are seen")


def _setuid() -> None:
    file = Path(sys.argv[1], "probe-setuid")
    file.write_text("x")
    try:
        file.chmod(0o4711)
    finally:
        file.unlink()


def _reach(address: str) -> None:
    with socket.socket() as it:
        it.settimeout(2)
        try:
            it.connect((address, 9))
        except ConnectionRefusedError:
            return  # the packet got there


def _writable_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _ask_clock() -> None:
    _call("adjtimex", ctypes.create_string_buffer(512))


def _set_clock() -> None:
    _call("settimeofday", (ctypes.c_long * 2)(1_800_000_000, 0), None)


def _credential() -> None:
    Path(os.environ["CREDENTIALS_DIRECTORY"], "mqtt.password").read_text()


TRIALS: dict[str, Callable[[], object]] = {
    "own data": _write(f"{sys.argv[1]}/probe"),
    "write /etc": _write("/etc/smelter/probe"),
    "write program": _write("/opt/smelter/probe"),
    "write /home": _write("/home/probe"),
    "other's data": lambda: list(Path(sys.argv[2]).iterdir()),
    "write other's data": _write(f"{sys.argv[2]}/probe"),
    "shadow": _read("/etc/shadow"),
    "kernel setting": _write("/proc/sys/kernel/hostname"),
    "other processes": _others,
    "raw socket": _raw,
    "packet socket": _packet,
    "bind 8080": lambda: _bind(8080),
    "bind declared": lambda: _bind(int(sys.argv[3])),
    "bind low": lambda: _bind(80),
    "namespace": lambda: _call("unshare", 0x10000000),
    "mount": lambda: _call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "ptrace": lambda: _call("ptrace", 16, 1, 0, 0),
    "real-time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "setuid file": _setuid,
    "become root": lambda: os.setuid(0),
    "writable code": _writable_code,
    "disk device": _read("/dev/vda"),
    "kernel log": lambda: _call("klogctl", 3, ctypes.create_string_buffer(64), 64),
    "ask clock": _ask_clock,
    "set clock": _set_clock,
    "credential": _credential,
    "allowed address": lambda: _reach("127.0.0.1"),
    "other address": lambda: _reach("198.51.100.1"),
}


def _tried(trial: Callable[[], object]) -> str:
    try:
        trial()
    except Exception as error:  # noqa: BLE001 - whatever refuses it
        return f"{type(error).__name__}: {error}"
    return ""


Path(sys.argv[1], "probe.json").write_text(
    json.dumps({name: _tried(trial) for name, trial in TRIALS.items()})
)
