"""A config in the making: its files beside the target, checked there, put in place as one."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.edge.check import Described, describe
from agent.edge.config import GatewayConfig, load_gateway
from agent.setup.answers import Answers, BrokerAnswers
from drivers.language import say, why
from drivers.model import ConfigError

CONFIG = "gateway.toml"
SECRETS = "credentials"
PLACEHOLDER = "CHANGE-ME\n"


def quoted(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in text) + '"'


@dataclass
class DeviceTable:
    """One ``[[device]]`` in the order it is written, with what a person should read beside it."""

    keys: dict[str, object]
    logger: dict[str, object] = field(default_factory=dict)  # [device.hj212]
    serial: dict[str, object] = field(default_factory=dict)  # [device.serial]
    remarks: list[str] = field(default_factory=list)

    def text(self) -> str:
        width = max(map(len, self.keys))
        lines = [f"# {line}" for remark in self.remarks for line in remark.splitlines()]
        lines.append("[[device]]")
        lines += [f"{key:<{width}} = {quoted(value)}" for key, value in self.keys.items()]
        for name, table in (("hj212", self.logger), ("serial", self.serial)):
            lines += [f"[device.{name}]"] if table else []
            lines += [f"{key} = {quoted(value)}" for key, value in table.items()]
        return "\n".join(lines)


class Draft:
    """
    Entered it has a folder of its own beside ``target``; left without ``publish`` nothing stays.

    ConfigError when there is a config already, or the folder cannot be written.
    """

    def __init__(self, target: Path, answers: Answers) -> None:
        self.target, self.answers = target.absolute(), answers
        self.devices: list[DeviceTable] = []
        self.folder = Path()
        secret = [f"{SECRETS}/mqtt"] if answers.mqtt.username else []
        refuse_existing(self.target, [CONFIG, *secret])

    def __enter__(self) -> Self:
        parent = self.target if self.target.is_dir() else self.target.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=".smelter-init-", dir=parent))
        except OSError as error:
            told = say("无法写入", "cannot be written")
            raise ConfigError([f"{parent}: {told}: {why(error)}"]) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, name: str, data: bytes, mode: int = 0o644) -> str:
        """A file of the draft; its path relative to the config."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        path.chmod(mode)
        return name

    def put_table(self, name: str, data: bytes, device: str) -> str:
        """
        A point table or profile; one that is at the target with equal bytes is used as it is.

        One that differs is the plant's: then the name is the device's. ConfigError if that is taken
        too, here, where a person can still give another name, and not at the end.
        """
        own = f"{name.partition('/')[0]}/{device}.csv"
        chosen = name if self._fits(name, data) else own
        if not self._fits(chosen, data):
            refuse_existing(self.target, [chosen])
        return self.put(chosen, data)

    def _fits(self, name: str, data: bytes) -> bool:
        """Nothing is there, or just that."""
        place = self.target / name
        return not os.path.lexists(place) or (place.is_file() and place.read_bytes() == data)

    def load(self, devices: list[DeviceTable] | None = None) -> GatewayConfig:
        """The draft as it is, or with these devices only. ConfigError with every mistake."""
        text = self._text(self.devices if devices is None else devices)
        self.put(CONFIG, text.encode())
        return load_gateway(self.folder / CONFIG)

    def check(self) -> Described:
        """What ``smelter agent check`` says of it."""
        return describe(self.load(), plan=False)

    def publish(self) -> list[str]:
        """Put it where it belongs, the config itself last; nothing there is ever overwritten."""
        self.load()
        names = sorted(str(p.relative_to(self.folder)) for p in _files(self.folder))
        names.sort(key=lambda name: name == CONFIG)
        names = [name for name in names if not self._reused(name)]
        refuse_existing(self.target, names)
        done: list[Path] = []
        try:
            for name in names:
                place = self.target / name
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(self.folder / name, place)  # fails where something is, unlike a rename
                done.append(place)
        except OSError as error:
            for place in reversed(done):
                place.unlink(missing_ok=True)
            self._tidy(names)
            told = say("无法写入，未留下任何文件", "cannot be written, nothing was left")
            raise ConfigError([f"{self.target}: {told}: {why(error)}"]) from None
        return names

    def _reused(self, name: str) -> bool:
        place = self.target / name
        mine = name.startswith(("profiles/", "points/"))
        return mine and place.is_file() and self._fits(name, (self.folder / name).read_bytes())

    def _tidy(self, names: list[str]) -> None:
        for folder in {(self.target / name).parent for name in names} - {self.target}:
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            self.target.rmdir()

    def _text(self, devices: list[DeviceTable]) -> str:
        said = self.answers
        head = say(
            "由 smelter agent init 生成；全部键及默认值见 gateway.example.toml",
            "made by smelter agent init; every key with its default: gateway.example.toml",
        )
        top = (
            f"# {head}\nplant    = {quoted(said.plant)}\ngateway  = {quoted(said.gateway)}\n"
            f"data_dir = {quoted(said.data_dir)}\n"
        )
        health = f"[health]\nlisten = {quoted(said.health)}\n"
        parts = [top, self._mqtt(said.mqtt), health, *(f"{each.text()}\n" for each in devices)]
        return "\n".join(parts)

    def _mqtt(self, broker: BrokerAnswers) -> str:
        keys: dict[str, Any] = {"url": broker.url}
        keys |= {k: v for k in ("ca", "cert", "key") if (v := getattr(broker, k)) is not None}
        if broker.username:
            keys["username"] = broker.username
            keys["password_file"] = self.put(f"{SECRETS}/mqtt", PLACEHOLDER.encode(), 0o600)
        return "[mqtt]\n" + "".join(f"{key} = {quoted(value)}\n" for key, value in keys.items())


def refuse_existing(target: Path, names: list[str] | None = None) -> None:
    """ConfigError naming what is there already."""
    there = [name for name in names or [CONFIG] if os.path.lexists(target / name)]
    if target.exists() and not target.is_dir():
        raise ConfigError([f"{target}: {say('不是目录', 'is no folder')}"])
    if there:
        told = say(
            "已存在，不会覆盖；请换一个目录，或先移走旧配置",
            "is there already and is never overwritten; choose another folder or move it away",
        )
        raise ConfigError([f"{target / name}: {told}" for name in there])


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
