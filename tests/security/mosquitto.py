"""Real mosquitto behind TLS with any certificate, a wrong one too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import servers
from tests.security.pki import Signed

# Of wrong_tls.KINDS: what mosquitto itself can be made to show.
CASES = ("unknown authority", "self-signed", "expired", "wrong host", "revoked")


@contextmanager
def serving(folder: Path, shown: Signed, ca: Path) -> Iterator[servers.Server]:
    """Wants a client's certificate and takes its name as the user; logs everything."""
    folder = folder / "broker"
    folder.mkdir(exist_ok=True)
    port = servers.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\ncafile {ca}\ncertfile {shown.cert}\nkeyfile {shown.key}\n"
        "require_certificate true\nuse_identity_as_username true\nallow_anonymous true\n"
        "user root\nlog_type all\n",
        "utf-8",
    )
    made = servers.Server(
        [servers.program("mosquitto", "mosquitto"), "-c", str(config)],
        port,
        lambda: servers.listening(port),
        folder / "broker.log",
    )
    made.start()
    try:
        yield made
    finally:
        made.end()
