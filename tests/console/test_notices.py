"""Notices against real sinks on loopback: an SMTP server with and without TLS, an HTTP listener."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from typer.testing import CliRunner

from reports.console.notices.commands import notices_app
from reports.console.notices.matters import Matter
from reports.console.notices.service import deliver
from reports.console.notices.webhook import formed, signature
from reports.console.notices.words import Letter
from reports.site import load_site
from reports.site_notices import Mail, Notice, Told, Webhook
from reports.values import Text
from tests.console.conftest import plant_folder
from tests.console.sinks import listener, mailbox
from tests.reports.conftest import Built
from tests.servers import wait_until

DAY_S = 86_400.0
PLANT = Text(zh="示例铝业", en="Example Aluminium")
EXCEEDED = Matter("exceedances", "event/1", "DA001 二氧化硫 均值 41 mg/m3", "DA001 SO2 at 41 mg/m3")
DUE = Matter("duties", "lodge/2026-10/left-7", "2026-10 月度存证：还剩 7 天", "lodge 2026-10")
NOTE = Letter("0123456789abcdef", "【示例铝业】超标 1 项", "超标\n- DA001", (EXCEEDED,))
recipient = TypeAdapter[Any](Notice).validate_python


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A CA file, and the context of a server called 127.0.0.1 under it."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "ca.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)
    return cert, context


def secret_file(folder: Path, text: str) -> Path:
    path = folder / "hook.secret"
    path.write_text(text)
    path.chmod(0o600)
    return path


# --- e-mail


def mail(port: int, **more: Any) -> Mail:
    base = {"kind": "mail", "name": "duty", "host": "127.0.0.1", "port": port, "timeout_s": 5}
    base |= {"sender": "smelter@plant.example", "to": ["a@plant.example", "b@plant.example"]}
    made = recipient(base | more)
    assert isinstance(made, Mail)
    return made


def test_a_mail_arrives_whole() -> None:
    with mailbox() as box:
        assert deliver(mail(box.port, security="plain"), NOTE, "demo") == ""
    (got,) = box.mails
    assert got["Subject"] == NOTE.title
    assert got.get_content().strip() == NOTE.text
    assert got["Message-ID"] == "<0123456789abcdef.smelter@plant.example>"
    assert box.to == ["rcpt TO:<a@plant.example>", "rcpt TO:<b@plant.example>"]


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_mail_is_encrypted_before_anybody_logs_in(
    way: str, authority: tuple[Path, ssl.SSLContext], tmp_path: Path
) -> None:
    ca, context = authority
    password = secret_file(tmp_path, "quiet river")
    with mailbox(context, way) as box:
        to = mail(box.port, security=way, ca=ca, username="smelter", password_file=password)
        assert deliver(to, NOTE, "demo") == ""
        assert box.encrypted == [True]
        assert box.log_in == "\0smelter\0quiet river"
        stranger = mail(box.port, security=way, username="smelter", password_file=password)
        box.log_in = ""
        told = deliver(stranger, NOTE, "demo")  # nobody vouches for that server
        assert told
        assert "quiet river" not in told
        assert (box.log_in, len(box.mails)) == ("", 1)


def test_a_server_without_starttls_gets_nothing() -> None:
    with mailbox() as box:
        told = deliver(mail(box.port, security="starttls"), NOTE, "demo")
        assert "TLS" in told or "加密" in told
        assert not box.mails


def test_what_the_mail_server_refuses_is_told() -> None:
    with mailbox() as box:
        box.refuse = "550 no such user"
        assert "550" in deliver(mail(box.port, security="plain"), NOTE, "demo")
    assert "127.0.0.1" in deliver(mail(box.port, security="plain"), NOTE, "demo")  # it is gone


# --- webhook


def hook(url: str, **more: Any) -> Webhook:
    made = recipient({"kind": "webhook", "name": "group", "url": url, "timeout_s": 5} | more)
    assert isinstance(made, Webhook)
    return made


def test_a_webhook_is_signed(tmp_path: Path) -> None:
    with listener() as heard:
        to = hook(f"{heard.url}/hook?of=plant", key_file=secret_file(tmp_path, "s3cret"))
        assert deliver(to, NOTE, "demo") == ""
    ((path, headers, body),) = heard.requests
    assert path == "/hook?of=plant"
    said = json.loads(body)
    assert (said["schema"], said["plant"], said["id"]) == ("smelter.notice/1", "demo", NOTE.id)
    assert said["matters"][0] == {
        "topic": "exceedances", "key": "event/1", "zh": EXCEEDED.zh, "en": EXCEEDED.en
    }  # fmt: skip
    given = dict(part.split("=") for part in headers["X-Smelter-Signature"].split(","))
    signed = f"{given['t']}.".encode() + body
    assert given["v1"] == hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()


def test_signature_by_hand() -> None:
    """echo -n '1000.{}' | openssl dgst -sha256 -hmac key"""
    want = "c32de42341dece79a1511c9e7f74a2734112edcfcf48943c976faf07047065db"
    assert signature("key", 1000, b"{}") == f"t=1000,v1={want}"


def test_no_redirect_is_followed_and_failures_are_told() -> None:
    with listener() as heard:
        for status in (302, 404, 500):
            heard.status = status
            assert str(status) in deliver(hook(heard.url), NOTE, "demo")
        assert [path for path, _, _ in heard.requests] == ["/", "/", "/"]


@pytest.mark.parametrize("form", ["wecom", "dingtalk", "feishu"])
def test_robots_of_chat_groups(form: str, tmp_path: Path) -> None:
    with listener() as heard:
        to = hook(heard.url, form=form, key_file=secret_file(tmp_path, "s3cret"))
        heard.answer = b'{"errcode":0,"errmsg":"ok"}' if form != "feishu" else b'{"code":0}'
        assert deliver(to, NOTE, "demo") == ""
        heard.answer = b'{"errcode":310000,"errmsg":"sign not match"}'
        assert "310000" in deliver(to, NOTE, "demo")
        heard.answer = b"<html>a portal</html>"
        assert deliver(to, NOTE, "demo")
    path, _, body = heard.requests[0]
    said = json.loads(body)
    text = said["content"]["text"] if form == "feishu" else said["text"]["content"]
    assert NOTE.title in text
    assert ("sign=" in path) == (form == "dingtalk")
    assert ("sign" in said) == (form == "feishu")


def test_chat_signatures_are_those_of_their_services() -> None:
    """DingTalk: HMAC of ``<ms>\\n<secret>`` under the secret; Feishu: of nothing, that as key."""
    to = hook("http://127.0.0.1:1/", form="dingtalk")
    _, _, query = formed(to, NOTE, "demo", "SEC1", 1_700_000_000)
    digest = hmac.new(b"SEC1", b"1700000000000\nSEC1", hashlib.sha256).digest()
    from urllib.parse import parse_qs

    assert parse_qs(query)["sign"] == [base64.b64encode(digest).decode()]
    to = hook("http://127.0.0.1:1/", form="feishu")
    body, _, _ = formed(to, NOTE, "demo", "SEC1", 1_700_000_000)
    digest = hmac.new(b"1700000000\nSEC1", b"", hashlib.sha256).digest()
    assert json.loads(body)["sign"] == base64.b64encode(digest).decode()


# --- what may be configured


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "webhook", "url": "http://198.51.100.7/hook"},  # readable on the way
        {"kind": "webhook", "url": "https://user:pass@h.example/"},
        {"kind": "webhook", "url": "ftp://h.example/"},
        {"kind": "mail", "host": "mail.example", "security": "plain"},
        {"kind": "mail", "security": "plain", "username": "u", "password_file": "p", "host": "m.e"},
        {"kind": "mail", "host": "mail.example", "username": "u"},
        {"kind": "mail", "host": "mail.example", "to": ["a@b.example\nBcc: c@d.example"]},
        {"kind": "mail", "host": "mail.example", "quiet_from": "22:00"},
        {"kind": "fax"},
        {"kind": "webhook", "url": "https://h.example/", "about": ["everything"]},
    ],
)
def test_a_recipient_that_would_leak_or_lie_is_refused(wrong: dict[str, Any]) -> None:
    base: dict[str, Any] = {"name": "x"}
    if wrong["kind"] == "mail":
        base |= {"sender": "s@p.example", "to": ["a@p.example"]}
    with pytest.raises(ValidationError):
        recipient(base | wrong)


# --- the whole way: smelter serve, and the command


def with_hook(site_file: Path, url: str, more: str = "") -> None:
    text = site_file.read_text("utf-8")
    notice = f'[[console.notices]]\nname = "group"\nkind = "webhook"\nurl = "{url}"\n'
    site_file.write_text(f'{text}\n[console]\nhistorian = ""\n{notice}{more}', "utf-8")


def test_the_console_tells_what_is_due_once(console_plant: Built, tmp_path: Path) -> None:
    """Two runs of ``smelter serve`` over the same folder: one message in all."""
    from tests.console.served import people, serve

    site_file = plant_folder(tmp_path / "p", console_plant.root)
    people(site_file)
    with listener() as heard:
        about = 'about = ["duties", "certificates", "backup"]\n'
        with_hook(site_file, heard.url, about)
        served = serve(site_file)
        wait_until(lambda: len(heard.requests) == 1, "the first notice", 300)
        administrator = served.client("administrator")
        assert (
            administrator.post("/settings/notices/test", data={"name": "group"}).status_code == 200
        )
        assert len(heard.requests) == 2  # the trial
        refused = administrator.post("/settings/notices/test", data={"name": "http://10.0.0.1/"})
        assert "没有" in refused.text
        assert served.client("officer").get("/settings/notices").status_code == 403
        served.end()
        kept = json.loads((site_file.parent / "console" / "notices.json").read_text("utf-8"))
        served = serve(site_file)
        client = served.client("administrator")
        page = client.get("/settings/notices").text
        served.end()
    assert len(heard.requests) == 2  # nothing twice
    assert kept["group"]["told"]
    assert "示例" in page or "group" in page
    first = json.loads(heard.requests[0][2])
    assert {each["topic"] for each in first["matters"]} <= {"duties", "certificates", "backup"}


def test_the_command_tries_each_recipient(console_plant: Built, tmp_path: Path) -> None:
    site_file = plant_folder(tmp_path / "p", console_plant.root)
    run: Callable[..., Any] = CliRunner().invoke
    empty = run(notices_app, ["list", "--site", str(site_file)])
    assert empty.exit_code == 1
    with listener() as heard:
        with_hook(site_file, heard.url)
        assert run(notices_app, ["test", "--site", str(site_file)]).exit_code == 0
        assert len(heard.requests) == 1
        heard.status = 500
        assert run(notices_app, ["test", "group", "--site", str(site_file)]).exit_code == 1
        listed = run(notices_app, ["list", "--site", str(site_file)])
        assert "127.0.0.1" in listed.output
    from reports.acts import trail_of

    acts = [each.act for each in trail_of(load_site(site_file)).read()]
    assert [(each.what, each.result) for each in acts] == [
        ("notice.tested", "ok"),
        ("notice.tested", "failed"),
    ]


def test_recipients_share_what_they_may_say() -> None:
    assert isinstance(hook("http://127.0.0.1/"), Told)
    assert isinstance(mail(1, security="plain"), Told)
