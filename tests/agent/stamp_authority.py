"""A time-stamp authority on loopback: ``openssl ts`` behind a small HTTP server."""

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers import program

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_PURPOSES = """
[tsa]
basicConstraints = CA:FALSE
extendedKeyUsage = critical,timeStamping
[web]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
"""


def _openssl(*call: str) -> None:
    done = subprocess.run([program("openssl", "openssl"), *call], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


class StampAuthority:
    """``ca``, a signing certificate of ``kind`` (rsa, ec, sm2) and an address; up or away."""

    def __init__(self, folder: Path, kind: str = "rsa") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.ca = folder, folder / "ca.pem"
        self.answers = 0
        self.spoil = False
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "purposes.cnf").write_text(_PURPOSES)
        key = {
            "rsa": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
            "ec": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        }[kind]
        for name in ("ca", "tsa"):
            _openssl("genpkey", *key, "-out", str(folder / f"{name}.key"))
        subject = ("-subj", "/C=CN/O=Simulated/CN=Simulated time-stamp root")
        ca = ("-key", str(folder / "ca.key"), "-out", str(self.ca), "-days", "30")
        _openssl("req", "-x509", "-new", *ca, *subject)
        self.sign("tsa")

    def sign(self, purpose: str) -> None:
        """A certificate of the authority's key for ``purpose`` (tsa or web)."""
        asked = self.folder / "tsa.csr"
        subject = ("-subj", "/C=CN/O=Simulated/CN=Simulated time stamps")
        key = str(self.folder / "tsa.key")
        _openssl("req", "-new", "-key", key, "-out", str(asked), *subject)
        by = ("-CA", str(self.ca), "-CAkey", str(self.folder / "ca.key"), "-CAcreateserial")
        purposes = ("-extfile", str(self.folder / "purposes.cnf"), "-extensions", purpose)
        out = ("-out", str(self.folder / "tsa.pem"), "-days", "30")
        _openssl("x509", "-req", "-in", str(asked), *by, *purposes, *out)

    def answer(self, query: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as place:
            asked, said = Path(place, "q"), Path(place, "r")
            asked.write_bytes(query)
            config = ("-config", str(self.folder / "tsa.cnf"), "-section", "here")
            _openssl("ts", "-reply", *config, "-queryfile", str(asked), "-out", str(said))
            return said.read_bytes()

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        """The address, while it is up."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = authority.answer(query)
                if authority.spoil:
                    answer = answer[:-5] + bytes((answer[-5] ^ 1,)) + answer[-4:]
                authority.answers += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Silent."""

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)
