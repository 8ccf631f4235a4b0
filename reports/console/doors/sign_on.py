"""
Asks the provider of single sign-on; runs in a child, so that the web server stays small.

OpenID Connect Core 1.0 §3.1 with PKCE (RFC 7636). Signatures are checked by PyJWT.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from drivers.language import say
from drivers.model import ConfigError
from drivers.secret import read_secret
from drivers.tls import TlsFiles
from reports.console.office import Office
from reports.site_oidc import Oidc

# A signature by a key that only the provider has; never "none", never our own secret.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA")
MOST_BYTES: Final = 1 << 20
LEEWAY_S: Final = 60


def begin(office: Office, *, query: Mapping[str, str]) -> str:
    """Where the browser is sent. Raises ConfigError when the provider cannot be asked."""
    settings = _settings(office)
    address = _discovered(settings)["authorization_endpoint"]
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "scope": "openid profile",
        "code_challenge_method": "S256",
        **query,
    }
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def finish(office: Office, *, code: str, verifier: str, nonce: str, back: str) -> dict[str, Any]:
    """``subject``, ``account``, ``person``, ``words`` of the claim. Raises ConfigError."""
    settings = _settings(office)
    known = _discovered(settings)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if settings.password_file is not None:
        pair = f"{quote(settings.client_id, '')}:{quote(read_secret(settings.password_file), '')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        fields["client_id"] = settings.client_id
    said = _json(settings, "POST", known["token_endpoint"], urlencode(fields), headers)
    claims = _claims(settings, known["jwks_uri"], str(said.get("id_token", "")), nonce)
    words = claims.get(settings.claim, [])
    subject = str(claims["sub"])
    return {
        "subject": f"{settings.issuer} {subject}",
        "account": str(claims.get(settings.account) or subject),
        "person": str(claims.get(settings.person) or claims.get(settings.account) or subject),
        "words": [words] if isinstance(words, str) else [str(each) for each in words],
    }


def _claims(settings: Oidc, keys_at: str, token: str, nonce: str) -> dict[str, Any]:
    import jwt

    try:
        head = jwt.get_unverified_header(token)
        keys = jwt.PyJWKSet.from_dict(_json(settings, "GET", keys_at)).keys
        fitting = [each for each in keys if head.get("kid") in {None, each.key_id}]
        if len(fitting) != 1 or head.get("alg") not in ALGORITHMS:
            raise jwt.InvalidTokenError("no such key")
        claims: dict[str, Any] = jwt.decode(
            token,
            fitting[0],
            algorithms=[str(head["alg"])],
            audience=settings.client_id,
            issuer=settings.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims["nonce"] != nonce or (others and claims.get("azp") != settings.client_id):
            raise jwt.InvalidTokenError("not for this log-in")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        told = say("单点登录的身份令牌无效", "the id token of the single sign-on is not valid")
        raise ConfigError([f"{told}: {error}"]) from None
    return claims


def _settings(office: Office) -> Oidc:
    settings = office.site.console.oidc
    if settings is None:
        raise ConfigError([say("未配置单点登录", "no single sign-on is configured")])
    return settings


def _discovered(settings: Oidc) -> dict[str, str]:
    address = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    said = _json(settings, "GET", address)
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    ends = {key: said.get(key) for key in needed}
    secure = settings.issuer.startswith("https://")
    begins = "https://" if secure else "http"
    sound = all(isinstance(each, str) and each.startswith(begins) for each in ends.values())
    if said.get("issuer") != settings.issuer or not sound:
        told = say("不是该身份提供方的配置", "is not the configuration of that issuer")
        raise ConfigError([f"{address}: {told}"])
    return {key: str(value) for key, value in ends.items()}


def _json(
    settings: Oidc,
    method: str,
    address: str,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    import urllib3

    try:
        context = TlsFiles(ca=settings.ca).context() if address.startswith("https://") else None
        with (
            urllib3.PoolManager(ssl_context=context, retries=False, timeout=10.0) as pool,
            pool.request(
                method, address, body=body, headers=headers, redirect=False, preload_content=False
            ) as answer,
        ):
            content = answer.read(MOST_BYTES)
            status = answer.status
        said = json.loads(content)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        told = say("单点登录的身份提供方无法访问", "the provider of the single sign-on fails")
        raise ConfigError([f"{told}: {address}: {error}"]) from None
    if status != 200 or not isinstance(said, dict):
        told = say("身份提供方拒绝", "the provider of the single sign-on refuses")
        raise ConfigError([f"{told}: {address}: HTTP {status}"])
    return said
