"""What ``smelter agent init`` is told: by a file, by options, or by a person at the prompts."""

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationError, field_validator

from agent.mistakes import explain, read_toml
from agent.toml_lines import line_numbers
from drivers.config import NAME, Security, Strict
from drivers.language import say
from drivers.model import ConfigError

UNITS = (1, 2, 3, 247, 255)  # tried on Modbus when nobody named one
FORMS = (
    "modbus-tcp://192.0.2.10:502?unit=1&profile=siemens-pac4200&equipment=line1/ac1&name=ac1",
    "modbus-rtu:///dev/ttyUSB0?unit=1&baud=9600&parity=N&profile=acrel-adl3000&equipment=line1/ac2",
    "opc.tcp://192.0.2.11:4840?security=none&name=dcs",
    "hj212://0.0.0.0:9212?mn=010000A8900016F000169DC0&equipment=gtc1/stack1&name=cems1",
)


class DeviceAnswers(Strict):
    """One device; what is left out is found out by asking it, or has the default of the config."""

    name: str = Field(pattern=NAME)
    driver: Literal["modbus-tcp", "modbus-rtu-over-tcp", "modbus-rtu", "opcua", "hj212"]
    address: str  # of modbus-rtu the serial port: /dev/ttyUSB0
    probe: bool = True  # false: not asked now, the config is written all the same
    accept_unverified: bool = False  # kept although its registers are unverified or refused
    interval_s: float | None = Field(default=None, ge=0.02, le=86400)
    timeout_s: float | None = Field(default=None, gt=0, le=60)

    points: Path | None = None  # a table made before; relative to the answers
    profile: str = ""  # one of ``smelter agent profiles``, or a path
    equipment: str = ""
    base: int = Field(default=0, ge=0, le=65535)
    stride: int = Field(default=0, ge=0, le=65535)
    unit: int | None = Field(default=None, ge=0, le=255)
    order: Literal["", "ABCD", "CDAB", "BADC", "DCBA"] = ""  # instead of the profile's

    baud: int = Field(default=9600, ge=50, le=4_000_000)  # these four of a serial port
    parity: Literal["N", "E", "O"] = "E"
    stopbits: int = Field(default=1, ge=1, le=2)
    bytesize: int = Field(default=8, ge=7, le=8)

    security: Security | Literal["auto"] = "auto"  # auto: the best that is offered
    fingerprint: str = ""  # SHA-256 of the server's certificate, as read at the server
    root: str = "i=85"

    mn: str = Field(default="", pattern=r"^(|[0-9A-Za-z]{24})$")
    listen_s: float = Field(default=0.0, ge=0, le=600)  # wait so long for the logger to tell it

    @field_validator("fingerprint")
    @classmethod
    def _plain(cls, text: str) -> str:
        plain = re.sub(r"[\s:]", "", text).lower()
        if plain and not re.fullmatch(r"[0-9a-f]{64}", plain):
            told = say("须为 SHA-256：64 个十六进制数字", "write SHA-256: 64 hexadecimal digits")
            raise ValueError(told)
        return plain


class BrokerAnswers(Strict):
    """How the broker is reached; secrets are files of their own."""

    url: str = "mqtt://127.0.0.1:1883"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str = ""


class Answers(Strict):
    """All of it."""

    plant: str = Field(pattern=NAME)
    gateway: str = Field(default="gw1", pattern=NAME)
    data_dir: str = "/var/lib/smelter/agent"
    health: str = "127.0.0.1:9464"
    mqtt: BrokerAnswers = BrokerAnswers()
    device: tuple[DeviceAnswers, ...] = Field(min_length=1)

    @field_validator("device")
    @classmethod
    def _named_once(cls, found: tuple[DeviceAnswers, ...]) -> tuple[DeviceAnswers, ...]:
        names = [each.name for each in found]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            told = say("名称重复", "the name is used twice")
            raise ValueError(f"{', '.join(twice)}: {told}")
        return found


def from_file(path: Path, more: dict[str, Any]) -> Answers:
    """From TOML; ``more`` are options, which count before the file. Every mistake at once."""
    parsed, text = read_toml(path)
    try:
        return Answers.model_validate(merged(parsed, more))
    except ValidationError as error:
        raise ConfigError(explain(path, error, line_numbers(text), Answers)) from None


def from_options(more: dict[str, Any]) -> Answers:
    """From options alone."""
    try:
        return Answers.model_validate(more)
    except ValidationError as error:
        raise ConfigError(wrong(error, Answers)) from None


def merged(said: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Options over a file: tables are merged, devices added."""
    found = {**said, **{k: v for k, v in more.items() if k not in {"mqtt", "device"}}}
    if "mqtt" in more:
        found["mqtt"] = {**said.get("mqtt", {}), **more["mqtt"]}
    if more.get("device"):
        found["device"] = [*said.get("device", []), *more["device"]]
    return found


def wrong(error: ValidationError, model: type[Strict]) -> list[str]:
    """What is wrong with answers that stand in no file, in the language of this run."""
    asked = Path(say("应答", "answers"))
    return [line.partition(": ")[2] for line in explain(asked, error, {}, model)]


def device_of(text: str) -> dict[str, Any]:
    """``--device URL?key=value&…`` as the table it stands for. ConfigError: how to write it."""
    parts = urlsplit(text)
    drivers = {"opc.tcp": "opcua", "hj212": "hj212"}
    driver = drivers.get(parts.scheme, parts.scheme)
    known = {"modbus-tcp", "modbus-rtu-over-tcp", "modbus-rtu", "opcua", "hj212"}
    where = parts.path if driver == "modbus-rtu" else parts.netloc
    if driver not in known or not where or (driver == "modbus-rtu" and parts.netloc):
        forms = "\n  ".join(FORMS)
        raise ConfigError([say(f"{text!r}：请写成\n  {forms}", f"{text!r}: write\n  {forms}")])
    address = f"opc.tcp://{parts.netloc}{parts.path}" if driver == "opcua" else where
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    name = asked.pop("name", "") or re.sub(r"\W+", "-", f"{driver}-{where}")[:32].strip("-")
    return {"name": name, "driver": driver, "address": address, **asked}
