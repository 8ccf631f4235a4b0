"""``[console.oidc]`` of ``site.toml``: single sign-on by a provider of the plant."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from drivers.config import Strict
from drivers.language import say
from drivers.tls import loopback
from reports.values import Text

ROLES = frozenset({"viewer", "officer", "engineer", "administrator"})


class Oidc(Strict):
    """
    OpenID Connect: authorization code with PKCE. Who has none of ``roles`` is refused.

    ``claim`` of the id token holds words (a list, or one); ``roles`` says which role each gives.
    """

    issuer: str = Field(pattern=r"^https?://[^/\s]+(/\S*)?$")
    client_id: str = Field(min_length=1)
    password_file: Path | None = None  # the client's secret; without it a public client
    ca: Path | None = None  # of the provider's certificate; the system's when not given
    button: Text = Text(zh="单点登录", en="Single sign-on")
    claim: str = "roles"
    person: str = "name"  # the claim that names the person, as on records and reports
    account: str = "preferred_username"
    roles: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.issuer.startswith("https://") and not loopback(urlsplit(self.issuer).hostname):
            raise ValueError(say("issuer 须为 https://", "issuer must be https://"))
        if wrong := sorted(set(self.roles.values()) - ROLES):
            names = ", ".join(sorted(ROLES))
            raise ValueError(say(f"没有角色 {wrong}：{names}", f"no roles {wrong}: {names}"))
        return self
