"""The two ways to write to InfluxDB: ``/write`` of 1.x, and the v2 client for 2.x and 3.x."""

import zlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import urllib3

from agent.influx.config import InfluxConfig
from drivers.model import ConfigError
from drivers.peer import Refusal
from drivers.secret import read_secret
from drivers.tls import refusal_of

_NO_ANSWER: Final = 0
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; status 0 when nothing came back."""

    status: int
    text: str = ""
    retry_after_s: float | None = None
    refusal: Refusal | None = None  # of ours: the server is not who it should be

    def __str__(self) -> str:
        return f"{self.status} {self.text}".strip() if self.status else self.text


class Door(Protocol):
    """One way in. ``post`` blocks, never raises for what a server or a network can do."""

    def post(self, body: bytes) -> Answer: ...

    def close(self) -> None: ...


def door_of(config: InfluxConfig) -> Door:
    """The door that ``api`` names. Raises OSError when a password or token file cannot be read."""
    return _Renewing(config)


def _open(config: InfluxConfig) -> Door:
    return V1Door(config) if config.api == "v1" else V2Door(config)


class _Renewing:
    """Opens anew when certificate, key, list, password or token were renewed on disk."""

    def __init__(self, config: InfluxConfig) -> None:
        self._config = config
        secrets = (config.password_file, config.token_file)
        self._files = [*config.tls_files.files.values(), *(x for x in secrets if x is not None)]
        self._stamp = self._now()
        self._door = _open(config)

    def _now(self) -> list[tuple[int, int, int]]:
        found = []
        for path in self._files:
            try:
                state = path.stat()
                found.append((state.st_ino, state.st_mtime_ns, state.st_size))
            except OSError:
                found.append((0, 0, 0))
        return found

    def post(self, body: bytes) -> Answer:
        if (stamp := self._now()) != self._stamp:
            try:
                fresh = _open(self._config)
            except (ConfigError, OSError) as error:  # half of the new files is there: the next try
                return Answer(_NO_ANSWER, str(error))
            self._door.close()
            self._door, self._stamp = fresh, stamp
        return self._door.post(body)

    def close(self) -> None:
        self._door.close()


class V1Door:
    """``POST /write?db=…&precision=ns`` of InfluxDB 1.x, gzip level 1."""

    def __init__(self, config: InfluxConfig) -> None:
        query = {"db": config.database, "precision": "ns"}
        if config.retention_policy:
            query["rp"] = config.retention_policy
        self._url = f"{config.url.rstrip('/')}/write?{urlencode(query)}"
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        if config.username and config.password_file:
            password = read_secret(config.password_file)
            basic = urllib3.make_headers(basic_auth=f"{config.username}:{password}")
            self._headers |= dict(basic)
        if config.gzip:
            self._headers["Content-Encoding"] = "gzip"
        self._gzip = config.gzip
        self._pool = urllib3.PoolManager(
            maxsize=4,
            timeout=config.timeout_s,
            retries=False,
            ssl_context=config.tls_context(),
        )
        self._where = config.url

    def post(self, body: bytes) -> Answer:
        if self._gzip:
            packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
            body = packer.compress(body) + packer.flush()
        try:
            got = self._pool.request("POST", self._url, body=body, headers=self._headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return _nothing(error, self._where)
        return Answer(got.status, _short(got.data), _seconds(got.headers.get("Retry-After")))

    def close(self) -> None:
        self._pool.clear()


class V2Door:
    """influxdb-client's synchronous write, fed bytes; batching and retrying stay ours."""

    def __init__(self, config: InfluxConfig) -> None:
        from influxdb_client import InfluxDBClient
        from influxdb_client.client.write_api import SYNCHRONOUS

        token = read_secret(config.token_file) if config.token_file else ""
        self._bucket, self._org = config.bucket, config.org
        self._client = InfluxDBClient(
            url=config.url.rstrip("/"),
            token=token,
            org=config.org or "-",
            timeout=int(config.timeout_s * 1000),
            retries=False,
            verify_ssl=True,
            ssl_context=config.tls_context(),
        )
        self._where = config.url
        self._write: Any = self._client.write_api(write_options=SYNCHRONOUS)

    def post(self, body: bytes) -> Answer:
        from influxdb_client.rest import ApiException

        try:
            self._write.write(self._bucket, self._org or "-", body, write_precision="ns")
        except ApiException as error:
            if not error.status:  # a failed handshake, in the clothes of an answer
                return _nothing(error, self._where)
            headers = error.headers or {}
            text = _short(error.body or str(error.reason))
            return Answer(error.status or _NO_ANSWER, text, _seconds(headers.get("Retry-After")))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return _nothing(error, self._where)
        return Answer(204)

    def close(self) -> None:
        self._write.close()
        self._client.close()


def _nothing(error: Exception, where: str) -> Answer:
    """No answer: of the network, or because the server is not who it should be."""
    refusal = refusal_of(error, where, "TLS ≥ 1.2")
    return Answer(_NO_ANSWER, str(refusal or error), refusal=refusal)


def _short(body: bytes | str) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    return " ".join(text.split())[:500]


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After``: seconds, or a date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    except ValueError:
        return None
