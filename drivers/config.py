"""What a ``[[device]]`` table may say, for all drivers, and how a driver is made."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.model import Driver, Group

NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"


class Strict(BaseModel):
    """Frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SerialConfig(Strict):
    """Line settings of a serial Modbus bus; the defaults are those of the Modbus standard."""

    baudrate: int = 9600
    parity: Literal["N", "E", "O"] = "E"
    stopbits: Literal[1, 2] = 1
    bytesize: Literal[7, 8] = 8


class DeviceConfig(Strict):
    """One device. Devices with the same ``driver`` and ``address`` share one line."""

    name: str = Field(pattern=NAME)
    driver: str
    address: str
    interval_s: float = Field(default=1.0, ge=0.02, le=86400)
    timeout_s: float = Field(default=0.5, gt=0, le=60)
    points: Path | None = None
    profile: Path | None = None
    equipment: str = ""  # for a profile: "line1/pot{001..036}"
    base: int = Field(default=0, ge=0, le=65535)
    stride: int = Field(default=0, ge=0, le=65535)
    max_requests_per_s: float = Field(default=0.0, ge=0)  # 0 = no cap

    # Modbus
    unit: int = Field(default=1, ge=0, le=255)
    serial: SerialConfig = SerialConfig()
    max_registers: int = Field(default=125, ge=1, le=125)
    max_bits: int = Field(default=2000, ge=1, le=2000)
    bridge_gap: int = Field(default=16, ge=0, le=125)  # unasked registers read to save a request
    pause_s: float = Field(default=0.0, ge=0, le=10)  # between requests, for slow devices

    # OPC UA
    mode: Literal["poll", "subscribe"] = "poll"
    security: Literal["none", "Basic256Sha256", "Aes256Sha256RsaPss"] = "none"
    server_certificate: Path | None = None  # pinned; required unless security = "none"
    certificate: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None
    sampling_ms: float = Field(default=0.0, ge=0)  # 0 = the interval of the point
    max_nodes_per_read: int = Field(default=500, ge=1)

    @model_validator(mode="after")
    def _one_table(self) -> "DeviceConfig":
        if (self.points is None) == (self.profile is None):
            raise ValueError('give either points = "table.csv" or profile = "profile.csv"')
        if self.profile is not None and not self.equipment:
            raise ValueError('a profile needs equipment = "line1/pot{001..036}"')
        if self.security != "none" and (
            self.server_certificate is None or self.certificate is None or self.key is None
        ):
            raise ValueError(
                f'security = "{self.security}" needs server_certificate (pinned), certificate, key'
            )
        if self.username and self.security == "none":
            raise ValueError(
                'username with security = "none": a password is only sent over an encrypted '
                "connection to a pinned server"
            )
        if self.username and self.password_file is None:
            raise ValueError("username needs password_file")
        return self


def driver_names() -> tuple[str, ...]:
    """Names a config may use, from this tree and from installed plug-ins."""
    return tuple(sorted(entry.name for entry in entry_points(group="smelter.drivers")))


def make_driver(devices: tuple[DeviceConfig, ...], groups: tuple[Group, ...]) -> Driver:
    """
    The driver of one line: ``devices`` share driver and address, ``groups`` are all of theirs.

    Raises LookupError when no installed driver has that name.
    """
    for entry in entry_points(group="smelter.drivers", name=devices[0].driver):
        driver: Driver = entry.load()(devices, groups)
        return driver
    raise LookupError(f"no driver {devices[0].driver!r}; installed: {', '.join(driver_names())}")
