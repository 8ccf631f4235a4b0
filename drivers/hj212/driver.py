"""
Receiver driver ``hj212``: a CEMS data logger reports here as to one of its platforms.

The address is where this program listens. Nothing is ever set on a logger: what may be sent to it
is said in ``gate.py``. Moments become sparse frames, minutes, hours and days become summaries.
"""

import asyncio
import logging
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.config import DeviceConfig
from drivers.hj212.known import Known, write_text
from drivers.hj212.server import Server
from drivers.hj212.station import Station
from drivers.language import say, why
from drivers.model import ConfigError, Frame, Group, UnreachableError
from drivers.secret import read_secret

_log = logging.getLogger(__name__)

SAVE_S = 30.0
KEY_BYTES = 16
PW_CHARS = 6


class Hj212Driver:
    """Devices of one address share one server; their loggers are told apart by MN."""

    def __init__(self, devices: tuple[DeviceConfig, ...], groups: tuple[Group, ...]) -> None:
        problems = _problems(devices)
        keys: dict[str, bytes] = {}
        stations: dict[str, Station] = {}
        for device in devices:
            assert device.hj212 is not None  # noqa: S101 - checked by DeviceConfig
            if device.hj212.key_file is not None:
                try:
                    keys[device.hj212.mn] = read_key(device.hj212.key_file)
                except ConfigError as error:
                    problems += [f"device {device.name}: {text}" for text in error.problems]
            mine = tuple(group for group in groups if group.device == device.name)
            knowing = device
            if device.hj212.pw_file is not None:
                try:
                    setup = device.hj212.model_copy(update={"pw": read_pw(device.hj212.pw_file)})
                    knowing = device.model_copy(update={"hj212": setup})
                except ConfigError as error:
                    problems += [f"device {device.name}: {text}" for text in error.problems]
            stations[device.name] = Station(
                knowing, mine, Known(), wall_ns=time.time_ns, monotonic_s=time.monotonic
            )
        if len(set(keys.values())) > 1:
            told = say("同一地址只能用一个 SM4 密钥", "one address has one SM4 key")
            problems.append(f"device {devices[0].name}: {told}")
        if problems:
            raise ConfigError(problems)
        self.stations = stations
        self.server = Server(devices[0].address, stations.values(), keys)
        self._began_s = 0.0
        self._saved_s = 0.0
        self._told_lost: set[Group] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.server.close()
        if self._began_s:
            await self._save()

    async def read(self, group: Group, slot_ns: int) -> Frame:
        """What came since the last call; a logger that fell silent is lost after 3 intervals."""
        station = self.stations[group.device]
        if not self.server.listening:
            await self._begin(station)
        if time.monotonic() - self._saved_s >= SAVE_S:
            await self._save()
        why_lost = station.late_since(self._began_s)
        if not why_lost or station.summed_up(group):
            self._told_lost.discard(group)
            return station.frame(group, slot_ns)
        if group not in self._told_lost or station.counts or station.remarks:
            self._told_lost.add(group)
            return station.lost(group, slot_ns, why_lost)
        raise UnreachableError(why_lost)

    async def _begin(self, station: Station) -> None:
        """Listen, and wait a moment for a first packet: an engineer at the cabinet looks once."""
        if not self._began_s:
            await asyncio.to_thread(self._remember)
        await self.server.open()
        self._began_s = self._saved_s = time.monotonic()
        end_s = self._began_s + min(station.device.timeout_s, station.device.interval_s)
        while station.heard_s is None and time.monotonic() < end_s:  # noqa: ASYNC110 - brief
            await asyncio.sleep(0.02)

    # --- what is remembered over a restart

    def _remember(self) -> None:
        for station in self.stations.values():
            path = station.setup.memory
            if path is None:
                continue
            try:
                station.known = Known.read(path)
            except (OSError, ValueError) as error:
                _log.warning("%s cannot be read, it begins anew: %s", path, error)

    async def _save(self) -> None:
        self._saved_s = time.monotonic()
        for station in self.stations.values():
            path = station.setup.memory
            if path is None:
                continue
            text = station.known.text(self._saved_s)
            try:
                await asyncio.to_thread(write_text, path, text)
            except OSError as error:
                _log.warning("%s cannot be written: %s", path, why(error))


def _problems(devices: tuple[DeviceConfig, ...]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for device in devices:
        mn = device.hj212.mn if device.hj212 is not None else ""
        if mn in seen:
            told = say(f"与设备 {seen[mn]} 的 MN 相同", f"has the MN of device {seen[mn]}")
            found.append(f"device {device.name}: {told}")
        seen.setdefault(mn, device.name)
    return found


def read_pw(path: Path) -> str:
    """The six characters of PW, from a file that only its owner can read or a credential."""
    text = read_secret(path)
    if len(text) != PW_CHARS:
        told = say(
            f"{path}：PW 应为 {PW_CHARS} 个字符，此处为 {len(text)}",
            f"{path}: PW has {PW_CHARS} characters, this one {len(text)}",
        )
        raise ConfigError([told])
    return text


def read_key(path: Path) -> bytes:
    """An SM4 key: 16 characters in a file that only its owner can read."""
    problems = []
    text = read_secret(path).encode()
    if len(text) != KEY_BYTES:
        problems.append(
            say(
                f"{path}：SM4 密钥应为 {KEY_BYTES} 个字符，此处为 {len(text)}",
                f"{path}: an SM4 key has {KEY_BYTES} characters, this one {len(text)}",
            )
        )
    if problems:
        raise ConfigError(problems)
    return text
