"""What a ``[[device]]`` table may say, for all drivers, and how a driver is made."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    ValidationInfo,
    field_validator,
    model_validator,
)

from drivers.language import say
from drivers.model import Driver, Group, Mode

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


class TlsConfig(Strict):
    """``[device.tls]``: Modbus/TCP Security, port 802. Verification cannot be switched off."""

    ca: Path  # who may vouch for the device
    cert: Path  # ours: the device knows by it who asks
    key: Path
    crl: Path | None = None
    server_name: str = ""  # in the device's certificate; default: the host of the address
    tls_min: Literal["1.2", "1.3"] = "1.2"


class LoggerConfig(Strict):
    """``[device.hj212]``: the CEMS data logger that reports here, and what is asked of it."""

    mn: str = Field(pattern=r"^[0-9A-Za-z]{24}$")
    pw: str = Field(default="", pattern=r"^(|.{6})$")  # "": any; the protocol sends it readable
    pw_file: Path | None = None  # the same in a file of mode 0600, or "credential:NAME"
    peers: tuple[IPvAnyNetwork, ...] = ()  # who may connect; (): anybody
    max_connections: int = Field(default=4, ge=1, le=64)
    minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30] = 1  # its minute interval
    history_h: float = Field(default=72.0, ge=0, le=2160)  # gaps asked for so far back; 0: never
    execution_s: float = Field(default=60.0, gt=0, le=3600)  # without data: then a request failed
    retries: int = Field(default=3, ge=0, le=10)
    flagless: Literal["uncertain", "good"] = "uncertain"  # a value without data flag
    modbus_crc: bool = False  # take packets with the CRC of Modbus all the same
    key_file: Path | None = None  # SM4 key of 2025: 16 characters, mode 0600
    memory: Path | None = None  # which windows are here; the agent chooses the place


Security = Literal[
    "none",
    "Aes256Sha256RsaPss",
    "Aes128Sha256RsaOaep",
    "Basic256Sha256",
    "Basic256",  # both rest on SHA-1: only for a server that has nothing better
    "Basic128Rsa15",
]
WEAK_SECURITY = ("Basic256", "Basic128Rsa15")
_OPCUA_SECURITY = (
    "security",
    "server_certificate",
    "trust",
    "certificate",
    "key",
    "username",
    "password_file",
)


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
    time: Literal["device", "gateway"] = "device"  # of samples that bring a plausible own time

    # Modbus
    unit: int = Field(default=1, ge=0, le=255)
    serial: SerialConfig = SerialConfig()
    max_registers: int = Field(default=125, ge=1, le=125)
    max_bits: int = Field(default=2000, ge=1, le=2000)
    bridge_gap: int = Field(default=16, ge=0, le=125)  # unasked registers read to save a request
    pause_s: float = Field(default=0.0, ge=0, le=10)  # between requests, for slow devices
    tls: TlsConfig | None = None

    # OPC UA
    mode: Mode = "poll"  # of points that do not say
    security: Security | None = None  # OPC UA only, and to be said there
    server_certificate: Path | None = None  # pinned; it or trust, unless security = "none"
    trust: Path | None = None  # folder with trusted/ issuers/ rejected/ crl/
    certificate: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None
    sampling_ms: float = Field(default=0.0, ge=0)  # 0 = the interval of the point
    max_nodes_per_read: int = Field(default=500, ge=1)

    # HJ 212
    hj212: LoggerConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_loggers(cls, said: object) -> object:
        """A logger reports each 30 s and has 10 s to answer, unless the file says otherwise."""
        if isinstance(said, dict) and said.get("driver") == "hj212":
            return {"interval_s": 30.0, "timeout_s": 10.0} | said
        return said

    @field_validator("address")
    @classmethod
    def _address(cls, address: str, known: ValidationInfo) -> str:
        driver = known.data.get("driver")
        if driver in {"modbus-tcp", "modbus-rtu-over-tcp", "hj212"}:
            host_and_port(address)
        elif driver == "opcua":
            _check_opcua(address)
        return address

    @model_validator(mode="after")
    def _one_table(self) -> "DeviceConfig":
        found = self._tables()
        found += self._polled_only() if self.driver.startswith("modbus") else self._secured()
        if (self.hj212 is None) == (self.driver == "hj212"):
            told = say(
                '[device.hj212] 与 driver = "hj212" 须同时出现，至少写 mn = "数采仪 MN 号"',
                '[device.hj212] and driver = "hj212" go together; it says at least mn = "…"',
            )
            found.append(told)
        if found:
            raise ValueError("\n".join(found))
        return self

    def _tables(self) -> list[str]:
        found = []
        if (self.points is None) == (self.profile is None):
            told = say(
                'points = "table.csv" 与 profile = "profile.csv" 须且只能写一个',
                'give either points = "table.csv" or profile = "profile.csv"',
            )
            found.append(told)
        if self.profile is not None and not self.equipment:
            told = say(
                '用 profile 时须写 equipment = "line1/pot{001..036}"',
                'a profile needs equipment = "line1/pot{001..036}"',
            )
            found.append(told)
        return found

    def _polled_only(self) -> list[str]:
        """Modbus knows neither subscriptions nor encryption: nobody shall believe it does."""
        found = []
        if self.mode == "subscribe":
            told = say(
                'Modbus 只能轮询；请删去 mode = "subscribe"',
                'Modbus can only be polled; remove mode = "subscribe"',
            )
            found.append(told)
        keys = [key for key in _OPCUA_SECURITY if getattr(self, key) not in {None, "", "none"}]
        if keys:
            names = ", ".join(keys)
            told = say(
                f"Modbus 既无加密也无登录；请删去 {names}",
                f"Modbus has neither encryption nor login; remove {names}",
            )
            found.append(told)
        if self.tls is not None and self.driver != "modbus-tcp":
            told = say(
                '[device.tls] 只用于 driver = "modbus-tcp"',
                '[device.tls] belongs to driver = "modbus-tcp"',
            )
            found.append(told)
        return found

    def _secured(self) -> list[str]:
        found = []
        if self.driver == "opcua":
            found += self._opcua()
        if self.tls is not None:
            told = say("[device.tls] 只用于 Modbus/TCP", "[device.tls] belongs to Modbus/TCP")
            found.append(told)
        if self.username and self.password_file is None:
            told = say("有 username 就须有 password_file", "username needs password_file")
            found.append(told)
        return found

    def _opcua(self) -> list[str]:
        """An unencrypted or weak connection is only made when somebody wrote so."""
        found = []
        good = "Basic256Sha256"
        if self.security is None:
            told = say(
                f'OPC UA 须写明 security = "{good}"（或更强）；服务器不支持加密时写明 '
                'security = "none"',
                f'OPC UA: write security = "{good}" or better; security = "none" only if the '
                "server has no encryption",
            )
            found.append(told)
        peers = [self.server_certificate, self.trust]
        needs = self.certificate is None or self.key is None or peers.count(None) == 2
        if self.security not in {None, "none"} and needs:
            keys = "server_certificate, certificate, key"
            told = say(
                f'security = "{self.security}" 须同时给出 {keys}（固定服务器证书；或以 trust '
                "信任列表代替 server_certificate）",
                f'security = "{self.security}" needs {keys} (the server\'s is pinned; or trust, '
                "a trust list, instead of server_certificate)",
            )
            found.append(told)
        if peers.count(None) == 0:
            told = say(
                "server_certificate 与 trust 只写一个", "give server_certificate or trust, not both"
            )
            found.append(told)
        if self.username and self.security in {None, "none", *WEAK_SECURITY}:
            told = say(
                f'security = "{self.security or "none"}" 时不能用 username：密码只经加密连接发给'
                "证书已固定的服务器",
                f'username with security = "{self.security or "none"}": a password is only sent '
                "over an encrypted connection to a pinned server",
            )
            found.append(told)
        return found


def host_and_port(address: str, default: int = 502) -> tuple[str, int]:
    """``192.0.2.10:502``, ``[2001:db8::1]:502``, ``plc1`` (default port); ValueError says how."""
    host, colon, port = address.rpartition(":")
    bare_ipv6 = address.count(":") > 1 and not address.startswith("[")
    if not colon or bare_ipv6 or address.endswith("]"):
        host, port = address, str(default)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(
            say(
                f"{address!r}：请写成 主机:端口，例如 192.0.2.10:502",
                f"{address!r}: write host:port, e.g. 192.0.2.10:502",
            )
        )
    return host, int(port)


def _check_opcua(url: str) -> None:
    """ValueError unless it is ``opc.tcp://host[:port][/path]``, or that without the scheme."""
    parts = urlsplit(url if "://" in url else f"opc.tcp://{url}")
    try:
        good = parts.scheme == "opc.tcp" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port
        good = False
    if not good:
        raise ValueError(
            say(
                f"{url!r}：请写成 opc.tcp://主机:端口，例如 opc.tcp://192.0.2.11:4840",
                f"{url!r}: write opc.tcp://host:port, e.g. opc.tcp://192.0.2.11:4840",
            )
        )


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
    name, known = devices[0].driver, ", ".join(driver_names())
    raise LookupError(
        say(f"没有驱动 {name!r}；已安装：{known}", f"no driver {name!r}; installed: {known}")
    )
