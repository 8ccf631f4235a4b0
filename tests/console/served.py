"""A real ``smelter serve`` over a small plant folder, with one account for each role."""

import contextlib
import functools
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import Cookie
from pathlib import Path

import httpx

from reports.console.doors.passwords import hashed
from reports.console.doors.roles import Role
from reports.console.doors.store import Store
from reports.console.office import Office
from tests import servers

PASSWORD = "quiet-river-under-frost"  # noqa: S105 - of simulated persons
PERSONS = {
    "viewer": "赵云",
    "officer": "王敏",
    "engineer": "李强",
    "administrator": "孙丽",
    "officer2": "周洁",  # the second person
}


@dataclass
class Served:
    """``url`` without a slash at its end."""

    url: str
    site_file: Path
    process: "subprocess.Popen[bytes]"
    ca: Path | None = None  # whom to believe; None: plain HTTP
    clients: list[httpx.Client] = field(default_factory=list)
    _sessions: dict[str, tuple[list[Cookie], str]] = field(default_factory=dict)

    def client(
        self, role: str = "officer", lang: str = "zh", *, fresh: bool = False
    ) -> httpx.Client:
        """
        Logged in; sends what a browser sends with a form: Origin and the session's word.

        A log-in is dear on purpose, so clients of an account share one session. A test that ends
        its session, or is about sessions, wants a ``fresh`` one.
        """
        client = self.nobody(lang)
        if fresh or role not in self._sessions:
            done = client.post("/login", data={"name": role, "password": PASSWORD})
            assert done.status_code == 303, done.text
            client.headers["X-CSRF-Token"] = csrf_in(client.get("/account").text)
            if not fresh:
                kept = [each for each in client.cookies.jar if each.name != "lang"]
                self._sessions[role] = kept, client.headers["X-CSRF-Token"]
        else:
            kept, client.headers["X-CSRF-Token"] = self._sessions[role]
            for each in kept:
                client.cookies.jar.set_cookie(each)
        return client

    def nobody(self, lang: str = "zh") -> httpx.Client:
        """Not logged in."""
        client = httpx.Client(
            base_url=self.url,
            headers={"Origin": self.url},
            cookies={"lang": lang},
            trust_env=False,
            timeout=240,  # of a machine with much else to do
            verify=_believes(self.ca),
        )
        self.clients.append(client)
        return client

    def end(self) -> None:
        for client in self.clients:
            client.close()
        self.process.terminate()
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def csrf_in(page: str) -> str:
    """The word of the session, from any page."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found, page[:2000]
    return found[1]


def _believes(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca) if ca else _plain()


@functools.cache
def _plain() -> ssl.SSLContext:
    """Made once: reading all authorities for each client costs more than what it asks."""
    return ssl.create_default_context()


@functools.cache
def hash_of(password: str) -> str:
    return hashed(password)


def people(site_file: Path) -> None:
    """An account for each role, named like it, and a second officer."""
    store = Store(Office(site_file).data)
    for name, person in PERSONS.items():
        role = Role(name.removesuffix("2"))
        store.add_user(name, person, [role], hash_of(PASSWORD), "test", must_change=False)
    store.close()


def serve(
    site_file: Path, port: int = 0, environ: Mapping[str, str] | None = None, ca: Path | None = None
) -> Served:
    """Starts it and waits until it answers; its log goes beside the site."""
    port = port or servers.free_port()
    log = site_file.with_name("serve.log")
    trust = _believes(ca)
    command = [sys.executable, "-c", "from drivers.cli import main; main()", "serve"]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command, "--config", str(site_file), "--listen", f"127.0.0.1:{port}"],
            stdout=out,
            stderr=out,
            env={**os.environ, "SMELTER_LANG": "zh", **(environ or {})},
        )
    served = Served(f"{'https' if ca else 'http'}://127.0.0.1:{port}", site_file, process, ca)

    def ready() -> bool:
        assert process.poll() is None, log.read_text("utf-8")
        if not servers.listening(port):
            return False
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(
                f"{served.url}/alive", trust_env=False, verify=trust, timeout=60
            ).is_success
        return False

    try:
        servers.wait_until(ready, f"smelter serve: {log}", 300)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return served
