"""``[console]`` of ``site.toml``: where the console listens, what it reads live and keeps."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from drivers.config import Strict
from drivers.language import say
from reports.site_notices import Notice
from reports.site_oidc import Oidc

LISTEN = "127.0.0.1:8443"


class Console(Strict):
    """
    Paths are absolute after loading; on the one machine of a plant ``smelter serve`` needs none.

    ``historian`` is the health address of the historian: newest values, line of each gateway.
    """

    listen: str = Field(default=LISTEN, pattern=r"^[^\s]+:\d{1,5}$")
    address: str = ""  # as browsers call it, https://officer.example: for links in notices, OIDC
    cert: Path | None = None  # PEM; without it only loopback is served, in plain HTTP
    key: Path | None = None
    historian: str = Field(default="http://127.0.0.1:9465", pattern=r"^(https?://\S+)?$")
    reports: Path | None = None  # reports made before; default: reports/ beside this file
    data_dir: Path | None = None  # users, sessions, drafts; default: console/ beside the entries
    upload_mb: int = Field(default=20, ge=1, le=500)
    session_hours: float = Field(default=12.0, gt=0, le=72)
    idle_minutes: float = Field(default=60.0, gt=0, le=720)
    oidc: Oidc | None = None
    notices: tuple[Notice, ...] = ()  # who is told of duties, exceedances, lost devices

    @model_validator(mode="after")
    def _can_come_back(self) -> Self:
        if self.oidc is not None and not self.address:
            told = "使用 oidc 须写明 address", "oidc needs the address of the console"
            raise ValueError(say(*told))
        return self


class SiteConsole(Strict):
    """What ``site.toml`` says of the web console."""

    console: Console = Console()
