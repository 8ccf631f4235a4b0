"""What an HTTPS address needs: whom to believe, who we are; and no secret travels in clear."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from drivers.config import Strict
from drivers.language import say
from drivers.tls import TlsFiles, TlsVersion, loopback


class HttpsConfig(Strict):
    """What every table with an ``https://`` address may say."""

    url: str = Field(pattern=r"^https?://[^/\s]+(/\S*)?$")
    ca: Path | None = None  # of the server's certificate; the system's when not given
    cert: Path | None = None  # ours, where the server asks for one
    key: Path | None = None
    crl: Path | None = None  # revoked ones; missing or outdated refuses the server
    tls_min: TlsVersion = "1.2"
    allow_plain_password: bool = False  # over http:// to another machine, readable on the way

    @property
    def https(self) -> bool:
        return self.url.startswith("https://")

    @property
    def tls_files(self) -> TlsFiles:
        return TlsFiles(self.ca, self.cert, self.key, self.crl, self.tls_min)

    def tls_context(self) -> ssl.SSLContext | None:
        """None without TLS. Raises OSError for files that cannot be used."""
        return self.tls_files.context() if self.https else None

    def sealed(self, *, secret: bool) -> None:
        """ValueError when files do not go together, or a secret would travel readable."""
        if (self.cert is None) != (self.key is None):
            raise ValueError(say("cert 和 key 须同时给出", "give cert and key together"))
        if not self.https and self.tls_files.files:
            told = "ca、cert、key 和 crl 须用 https://", "ca, cert, key and crl need https://"
            raise ValueError(say(*told))
        if secret and not (
            self.https or self.allow_plain_password or loopback(urlsplit(self.url).hostname)
        ):
            raise ValueError(
                say(
                    "密码或令牌不能明文发往另一台机器：请用 https://；确需明文时写明 "
                    "allow_plain_password = true",
                    "a password or token would cross the network readable: use https://, or say "
                    "allow_plain_password = true if it must be",
                )
            )
