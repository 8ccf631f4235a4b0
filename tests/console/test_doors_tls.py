"""TLS: another machine never without it; renewed while it runs; it stops when it is told to."""

import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.authority import PEM as FORM
from drivers.authority import Owner, key_bytes, new_key, self_signed
from drivers.model import ConfigError
from reports.console.doors.listener import open_listener
from reports.site_console import Console
from tests import servers
from tests.console.conftest import plant_folder
from tests.console.served import PASSWORD, Served, people, serve
from tests.reports.conftest import Built


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """For 127.0.0.1; who believes it believes itself."""
    key = new_key("server")
    made = self_signed(key, Owner(name, ("127.0.0.1",)), "server", 30)
    cert_path, key_path = folder / "console.pem", folder / "console.key"
    key_path.touch(0o600)
    key_path.write_bytes(key_bytes(key))
    cert_path.write_bytes(made.public_bytes(FORM))
    return cert_path, key_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, console_plant: Built) -> Path:
    root = tmp_path_factory.mktemp("tls")
    site_file = plant_folder(root, console_plant.root)
    certificate(root, "first")
    said = '\n[console]\ncert = "console.pem"\nkey = "console.key"\n'
    site_file.write_text(site_file.read_text("utf-8") + said, "utf-8")
    people(site_file)
    return root


def shown(port: int) -> str:
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=240)


def test_tls_cookie_renewal_and_an_orderly_stop(folder: Path) -> None:
    log = folder / "serve.log"
    mailbox = folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(mailbox))
        heard.settimeout(240)
        environ = {"NOTIFY_SOCKET": str(mailbox)}
        served = serve(folder / "site.toml", environ=environ, ca=folder / "console.pem")
        told = {heard.recv(100), heard.recv(100)}
        assert told == {b"WATCHDOG=1", b"READY=1"}
        port = int(served.url.rpartition(":")[2])

        client = served.nobody()
        sent = {"name": "officer", "password": PASSWORD}
        came = client.post("/login", data=sent)
        cookie = came.headers["set-cookie"]
        assert cookie.startswith("__Host-smelter=")
        assert "Secure" in cookie
        assert came.headers["strict-transport-security"].startswith("max-age=")
        assert client.get("/account").status_code == 200

        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1 is"):
            old.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises(ssl.SSLError):
            old.wrap_socket(raw)

        before = shown(port)
        certificate(folder, "second")
        served.process.send_signal(signal.SIGHUP)
        servers.wait_until(lambda: shown(port) != before, "the renewed certificate", 240)
        renewed = shown(port)
        assert renewed.strip() == (folder / "console.pem").read_text().strip()
        (folder / "console.pem").write_text("broken")
        served.process.send_signal(signal.SIGHUP)
        servers.wait_until(lambda: "cert, key:" in log.read_text("utf-8"), "the refusal", 240)
        assert shown(port) == renewed  # and goes on with the one before
        assert client.get("/alive").status_code == 200
        for each in served.clients:
            each.close()
        served.process.terminate()
        assert served.process.wait(240) == 0
        while heard.recv(100) != b"STOPPING=1":
            pass


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_but_loopback_without_a_certificate(
    console_plant: Built, tmp_path: Path, lang: str
) -> None:
    site_file = plant_folder(tmp_path, console_plant.root)
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from drivers.cli import main; main()", "serve"),
            *("--config", str(site_file), "--listen", "0.0.0.0:18443"),
        ],
        capture_output=True,
        text=True,
        env={"SMELTER_LANG": lang, "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == 2
    assert ("只能监听本机" if lang == "zh" else "only this machine") in done.stderr


def test_what_keeps_it_from_listening(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "x")
    for settings, told in (
        (Console(listen="192.0.2.1:8443"), "only this machine"),
        (Console(cert=cert), "give cert and key together"),
        (Console(key=key), "give cert and key together"),
        (Console(cert=tmp_path / "none.pem", key=key), "none.pem"),
        (Console(cert=key, key=key), "cannot be used together"),
        (Console(listen="127.0.0.1:99999"), "write host:port"),
    ):
        with pytest.raises(ConfigError, match=told):
            open_listener(settings)
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="key"):
        open_listener(Console(cert=cert, key=key))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="cannot listen"):
            open_listener(Console(), f"127.0.0.1:{port}")


def test_an_open_page_does_not_hold_up_the_stop(own_console: Served) -> None:
    """Browsers keep connections open; somebody sends half a request."""
    port = int(own_console.url.rpartition(":")[2])
    own_console.client("officer")
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        own_console.process.terminate()
        assert own_console.process.wait(240) == 0
