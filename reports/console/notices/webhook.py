"""A notice to a webhook: our own JSON with a signature, or what the robots of chat groups take."""

import base64
import hashlib
import hmac
import http.client
import json
import time
from typing import Any, Final
from urllib.parse import quote, urlsplit

from drivers.language import say
from drivers.secret import read_secret
from reports.console.notices.words import Letter
from reports.site_notices import Webhook

SCHEMA: Final = "smelter.notice/1"
ANSWER_BYTES: Final = 65_536
MOST_CHARS: Final = 1800  # of a text to a chat group; WeCom takes 2048 bytes… of plain text


class UndeliveredError(Exception):
    """The message was not taken, and why."""


def send(to: Webhook, letter: Letter, plant: str) -> None:
    """One POST, no redirect is followed. Raises UndeliveredError, OSError, ConfigError."""
    secret = "" if to.key_file is None else read_secret(to.key_file)
    now_s = int(time.time())
    body, headers, query = formed(to, letter, plant, secret, now_s)
    parts = urlsplit(to.url)
    port = parts.port or (443 if to.https else 80)
    host = parts.hostname or ""
    link: http.client.HTTPConnection
    if to.https:
        context = to.tls_context()
        link = http.client.HTTPSConnection(host, port, timeout=to.timeout_s, context=context)
    else:
        link = http.client.HTTPConnection(host, port, timeout=to.timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if query:
        target += ("&" if parts.query else "?") + query
    try:
        link.request("POST", target, body, headers)
        answer = link.getresponse()
        told = answer.read(ANSWER_BYTES)
    except http.client.HTTPException as error:
        raise UndeliveredError(f"{type(error).__name__}: {error}") from None
    finally:
        link.close()
    _check(to, answer.status, told)


def _check(to: Webhook, status: int, told: bytes) -> None:
    if not 200 <= status < 300:
        raise UndeliveredError(say(f"对方回答 HTTP {status}", f"it answered HTTP {status}"))
    if to.form == "json":
        return
    try:
        said: Any = json.loads(told)
        code = next(said[key] for key in ("errcode", "code", "StatusCode") if key in said)
    except (ValueError, TypeError, StopIteration):
        raise UndeliveredError(
            say("对方的回答不是机器人接口的回答", "the answer is not that of such a robot")
        ) from None
    if code != 0:
        text = str(said.get("errmsg") or said.get("msg") or "")[:200]
        raise UndeliveredError(f"{code} {text}".strip())


def formed(
    to: Webhook, letter: Letter, plant: str, secret: str, now_s: int
) -> tuple[bytes, dict[str, str], str]:
    """Body, headers, and what is added to the query."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "smelter"}
    query = ""
    text = f"{letter.title}\n\n{letter.text}"
    if len(text) > MOST_CHARS:
        text = text[: MOST_CHARS - 1] + "…"
    said: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
    if to.form == "json":
        said = {
            "schema": SCHEMA,
            "id": letter.id,
            "plant": plant,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)),
            "title": letter.title,
            "text": letter.text,
            "matters": [
                {"topic": each.topic, "key": each.key, "zh": each.zh, "en": each.en}
                for each in letter.matters
            ],
        }
    elif to.form == "dingtalk" and secret:
        stamp = str(now_s * 1000)
        digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256")
        query = f"timestamp={stamp}&sign={quote(base64.b64encode(digest), safe='')}"
    elif to.form == "feishu":
        said = {"msg_type": "text", "content": {"text": text}}
        if secret:
            key = f"{now_s}\n{secret}".encode()
            digest = hmac.digest(key, b"", "sha256")
            said |= {"timestamp": str(now_s), "sign": base64.b64encode(digest).decode()}
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    if to.form == "json":
        headers["X-Smelter-Id"] = letter.id
        if secret:
            headers["X-Smelter-Signature"] = signature(secret, now_s, body)
    return body, headers, query


def signature(secret: str, now_s: int, body: bytes) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA256 over ``<seconds>.<body>``."""
    digest = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={digest}"
