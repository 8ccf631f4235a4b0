"""What an ``[[influxdb]]`` table of ``historian.toml`` may say."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from drivers.config import NAME, Strict
from drivers.language import say
from drivers.tls import loopback


class InfluxConfig(Strict):
    """One InfluxDB to keep up to date: 1.x over ``/write``, 2.x and 3.x over ``/api/v2/write``."""

    name: str = Field(default="influxdb", pattern=NAME)
    api: Literal["v1", "v2"]
    url: str = Field(pattern=r"^https?://[^/\s]+(/\S*)?$")
    streams: tuple[Literal["record", "raw"], ...] = ("record", "raw")
    timeout_s: float = Field(default=10.0, gt=0, le=300)
    lines_per_request: int = Field(default=5000, ge=1, le=100_000)
    gzip: bool = True  # v1 only, level 1; the v2 client knows level 9 only, slower than the network
    ca: Path | None = None  # of the server's certificate; the system's when not given
    cert: Path | None = None  # ours, where the server asks for one
    key: Path | None = None
    allow_plain_password: bool = False  # over http:// to another machine, readable on the way

    # v1
    database: str = ""
    retention_policy: str = ""
    username: str = ""
    password_file: Path | None = None

    # v2
    org: str = ""
    bucket: str = ""
    token_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> "InfluxConfig":
        if self.api == "v1" and not self.database:
            raise ValueError(
                say('api = "v1" 须写 database = "…"', 'api = "v1" needs database = "…"')
            )
        if self.api == "v1" and (self.org or self.bucket or self.token_file):
            raise ValueError(
                say(
                    'org、bucket 和 token_file 只用于 api = "v2"',
                    'org, bucket and token_file belong to api = "v2"',
                )
            )
        if self.api == "v2" and not (self.bucket and self.token_file):
            raise ValueError(
                say(
                    'api = "v2" 须写 bucket 和 token_file（2.x 还须写 org）',
                    'api = "v2" needs bucket and token_file (org too, for 2.x)',
                )
            )
        if self.api == "v2" and (self.database or self.retention_policy or self.username):
            raise ValueError(
                say(
                    'database、retention_policy 和 username 只用于 api = "v1"',
                    'database, retention_policy and username belong to api = "v1"',
                )
            )
        if bool(self.username) != bool(self.password_file):
            raise ValueError(
                say(
                    "username 和 password_file 须同时给出",
                    "give username and password_file together",
                )
            )
        self._sealed()
        return self

    def _sealed(self) -> None:
        """ValueError when files do not go together, or a secret would travel readable."""
        https = self.url.startswith("https://")
        if (self.cert is None) != (self.key is None):
            raise ValueError(say("cert 和 key 须同时给出", "give cert and key together"))
        if not https and (self.ca or self.cert):
            told = "ca、cert 和 key 须用 https://", "ca, cert and key need https://"
            raise ValueError(say(*told))
        secret = self.username or self.token_file
        if secret and not (
            https or self.allow_plain_password or loopback(urlsplit(self.url).hostname)
        ):
            raise ValueError(
                say(
                    "密码或令牌不能明文发往另一台机器：请用 https://；确需明文时写明 "
                    "allow_plain_password = true",
                    "a password or token would cross the network readable: use https://, or say "
                    "allow_plain_password = true if it must be",
                )
            )
