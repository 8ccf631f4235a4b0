"""What an ``[[influxdb]]`` table of ``historian.toml`` may say."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from drivers.config import NAME
from drivers.https import HttpsConfig
from drivers.language import say


class InfluxConfig(HttpsConfig):
    """One InfluxDB to keep up to date: 1.x over ``/write``, 2.x and 3.x over ``/api/v2/write``."""

    name: str = Field(default="influxdb", pattern=NAME)
    api: Literal["v1", "v2"]
    streams: tuple[Literal["record", "raw"], ...] = ("record", "raw")
    timeout_s: float = Field(default=10.0, gt=0, le=300)
    audit: bool = False  # acts too: they name persons, and a database has its own readers
    lines_per_request: int = Field(default=5000, ge=1, le=100_000)
    gzip: bool = True  # v1 only, level 1; the v2 client knows level 9 only, slower than the network

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
        self.sealed(secret=bool(self.username or self.token_file))
        return self
