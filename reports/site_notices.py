"""``[[console.notices]]`` of ``site.toml``: who is told of what, by webhook or e-mail."""

import ssl
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from drivers.config import NAME, Strict
from drivers.https import HttpsConfig
from drivers.language import say
from drivers.secret import read_secret
from drivers.tls import TlsFiles, TlsVersion, loopback

Topic = Literal["duties", "certificates", "exceedances", "warnings", "lost", "backup"]
_MAIL = r"^[^@\s<>,;]+@[^@\s<>,;]+$"


def _clock(text: object) -> object:
    return time.fromisoformat(text) if isinstance(text, str) else text


Clock = Annotated[time, BeforeValidator(_clock)]
Address = Annotated[str, Field(pattern=_MAIL)]


class Told(Strict):
    """What every recipient may say: of what, when, in which language, how often."""

    name: str = Field(pattern=NAME)
    about: tuple[Topic, ...] = ("duties", "certificates", "exceedances", "lost")
    lang: Literal["zh", "en", "both"] = "zh"
    days: tuple[int, ...] = (30, 14, 7, 3, 1, 0)  # days left on which a duty is told again
    quiet_from: Clock | None = None  # plant time; exceedances are told at any hour
    quiet_to: Clock | None = None
    hourly: int = Field(default=12, ge=1, le=240)  # messages; what comes above waits and is joined
    backup_days: int = Field(default=8, ge=1, le=366)  # without a backup: then it is told
    timeout_s: float = Field(default=15.0, gt=0, le=120)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            told = "quiet_from 和 quiet_to 须同时给出", "give quiet_from and quiet_to together"
            raise ValueError(say(*told))
        return self

    def is_quiet(self, at: time) -> bool:
        """True between ``quiet_from`` and ``quiet_to``, also across midnight."""
        first, last = self.quiet_from, self.quiet_to
        if first is None or last is None or first == last:
            return False
        return first <= at < last if first < last else at >= first or at < last


class Webhook(Told, HttpsConfig):
    """
    A POST to ``url``. ``form`` json is ours, signed in a header with the secret of ``key_file``.

    The others are what the group robots of those services take; their secret signs as they ask.
    """

    kind: Literal["webhook"]
    form: Literal["json", "wecom", "dingtalk", "feishu"] = "json"
    key_file: Path | None = None

    @model_validator(mode="after")
    def _sealed(self) -> Self:
        if urlsplit(self.url).username is not None:
            told = "url 中不要写用户名和密码", "write no user name or password into the url"
            raise ValueError(say(*told))
        self.sealed(secret=True)
        return self

    @property
    def place(self) -> str:
        """Where it goes, without what may be a secret."""
        return urlsplit(self.url).hostname or ""


class Mail(Told):
    """E-mail by SMTP: ``tls`` from the first byte (465), ``starttls`` (587), or ``plain``."""

    kind: Literal["mail"]
    host: str = Field(pattern=r"^[^\s/]+$")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "plain"] = "starttls"
    username: str = ""
    password_file: Path | None = None
    sender: Address
    to: tuple[Address, ...] = Field(min_length=1, max_length=50)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    tls_min: TlsVersion = "1.2"
    allow_plain: bool = False  # readable on the way to another machine; never with a password

    @model_validator(mode="after")
    def _sealed(self) -> Self:
        problems = []
        if bool(self.username) != (self.password_file is not None):
            told = (
                "username 和 password_file 须同时给出",
                "give username and password_file together",
            )
            problems.append(say(*told))
        if (self.cert is None) != (self.key is None):
            problems.append(say("cert 和 key 须同时给出", "give cert and key together"))
        if self.security == "plain" and not loopback(self.host):
            if self.username:
                problems.append(
                    say(
                        "密码不能明文发往另一台机器：security 须为 starttls 或 tls",
                        "a password would cross the network readable: use starttls or tls",
                    )
                )
            elif not self.allow_plain:
                problems.append(
                    say(
                        "明文邮件会在途中被读到：请用 starttls 或 tls；确需明文时写明 "
                        "allow_plain = true",
                        "mail would be readable on the way: use starttls or tls, or say "
                        "allow_plain = true if it must be",
                    )
                )
        if problems:
            raise ValueError(say("；", "; ").join(problems))
        return self

    def context(self) -> ssl.SSLContext:
        """Verifies the server always. Raises OSError for files that cannot be used."""
        return TlsFiles(self.ca, self.cert, self.key, None, self.tls_min).context()

    def password(self) -> str:
        """Raises ConfigError."""
        return "" if self.password_file is None else read_secret(self.password_file)

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


Notice = Annotated[Webhook | Mail, Field(discriminator="kind")]
