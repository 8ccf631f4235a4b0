"""``smelter agent certificates``: from authority to renewal and revocation, before openssl."""

import contextlib
import datetime as dt
import json
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from typer.testing import CliRunner

from agent.certificates import doctor
from agent.certificates.commands import certificates_app
from agent.certificates.named import named_in
from agent.certificates.place import Place
from agent.certificates.watch import Watch, Watched, look
from drivers.audit import AuditTrail
from drivers.authority import Authority, Owner, new_key, request_of
from drivers.doctor import Given
from drivers.model import ConfigError
from drivers.opcua.certificates import load_key
from drivers.tls import TlsFiles
from tests.security.pki import CLIENT, Maker

CONFIG = 'plant = "demo"\ngateway = "gw1"\ndata_dir = "data"\n[mqtt]\nurl = "mqtts://192.0.2.20"\n'


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *words: str, language: str = "en") -> Done:
    """In this process: a new one for each command takes seconds on a busy machine."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(
            certificates_app, list(words), env={"SMELTER_LANG": language, "SMELTER_PERSON": "li"}
        )
    if isinstance(done.exception, ConfigError):  # `smelter` itself makes 2 of it
        return Done(2, done.stdout, str(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def certificates(folder: Path, *words: str, language: str = "en") -> str:
    done = run(folder, *words, language=language)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and a gateway that has a certificate of it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "gateway.toml").write_text(CONFIG)
    certificates(folder, "authority", "create", "--name", "Example authority")
    certificates(folder, "authority", "issue", "broker", "--host", "192.0.2.20")
    create = ("create", "-c", "gateway.toml", "--for", "mqtt", "--authority", "authority")
    said = certificates(folder, *create, language="zh")
    assert "写入 [mqtt]" in said
    return folder


def openssl(folder: Path, *words: str) -> int:
    lists = ("-CAfile", "authority/authority.pem", "-CRLfile", "authority/crl.pem", "-crl_check")
    verify = ["openssl", "verify", "-x509_strict", *lists, *words]
    return subprocess.run(verify, cwd=folder, capture_output=True, check=False).returncode


def test_what_was_made_stands_before_openssl_and_is_private(site: Path) -> None:
    cert = "data/certificates/mqtt/cert.pem"
    assert openssl(site, "-purpose", "sslclient", cert) == 0
    assert openssl(site, "-purpose", "sslserver", cert) != 0
    broker = "authority/issued/broker.pem"
    assert openssl(site, "-purpose", "sslserver", "-verify_ip", "192.0.2.20", broker) == 0
    assert openssl(site, "-verify_ip", "192.0.2.21", broker) != 0
    for key in ("data/certificates/mqtt/key.pem", "authority/authority.key"):
        assert stat.S_IMODE((site / key).stat().st_mode) == 0o600
    made = x509.load_pem_x509_certificate((site / cert).read_bytes())
    assert made.subject.rfc4514_string() == "CN=demo-gw1"


def test_create_replaces_nothing_and_renew_turns_both_files_at_once(site: Path) -> None:
    command = ("-c", "gateway.toml", "--for", "mqtt", "--authority", "authority")
    again = run(site, "create", *command)
    assert again.returncode == 2
    assert "use renew" in again.stderr
    place = Place(site / "data" / "certificates", "mqtt")
    before = {name: (place.current / name).read_bytes() for name in ("cert.pem", "key.pem")}
    old = place.current.resolve()
    certificates(site, "renew", *command)
    assert place.current.resolve() != old
    for name, content in before.items():
        assert (place.current / name).read_bytes() != content
        assert (old / name).read_bytes() == content  # the old pair is whole, for a way back
    assert openssl(site, "data/certificates/mqtt/cert.pem") == 0
    acts = [each.act for each in AuditTrail(site / "data" / "audit").read()]
    assert [act.what for act in acts] == ["certificate.made", "certificate.renewed"]
    assert {act.who for act in acts} == {"li"}


def test_a_request_travels_and_only_its_own_certificate_is_installed(site: Path) -> None:
    said = certificates(site, "create", "-c", "gateway.toml", "--for", "modbus", "--role", "观察员")
    request = site / "data/certificates/modbus.next/request.csr"
    assert str(request.relative_to(site)) in said
    sign = ("authority", "sign", str(request), "--for", "client", "--out", "gw1.pem", "--name")
    other = run(site, *sign, "demo-gw2", language="zh")
    assert other.returncode == 2
    assert "未签发" in other.stderr
    assert "urn:" in other.stdout  # the other names it asks for are shown before
    taken = run(site, *sign, "demo-gw1")  # mqtt has it: the same name on another machine?
    assert taken.returncode == 2
    assert "--same-machine" in taken.stderr
    assert not (site / "gw1.pem").exists()
    refused = [x.act for x in AuditTrail(site / "authority" / "audit").read()]
    assert any(x.result == "refused" and "demo-gw2" in x.why for x in refused)
    said = certificates(site, *sign, "demo-gw1", "--same-machine")
    assert "CN demo-gw1" in said
    install = ("install", "-c", "gateway.toml", "--for", "modbus")
    wrong = run(site, *install, "authority/issued/broker.pem")
    assert wrong.returncode == 2
    assert "not of the key" in wrong.stderr
    assert not (site / "data/certificates/modbus").exists()
    certificates(site, *install, "gw1.pem")
    made = x509.load_pem_x509_certificate((site / "data/certificates/modbus/cert.pem").read_bytes())
    role = made.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1"))
    assert isinstance(role.value, x509.UnrecognizedExtension)
    assert role.value.value == b"\x0c\x09" + "观察员".encode()  # UTF8String, 9 octets


def test_show_counts_days_and_fails_where_one_is_over(tmp_path: Path) -> None:
    maker = Maker(tmp_path, "ca")
    maker.leaf("soon", use=CLIENT, days=(-1, 12.5))
    maker.leaf("over", days=(-9, -2.5))
    text = CONFIG + 'cert = "soon.pem"\nkey = "soon.key"\n'
    (tmp_path / "gateway.toml").write_text(text)
    good = run(tmp_path, "show", "-c", "gateway.toml", "--json")
    assert good.returncode == 0
    (row,) = json.loads(good.stdout)["certificates"]
    assert (row["name"], row["days_left"], row["state"]) == ("mqtt.cert", 12, "soon")
    (tmp_path / "gateway.toml").write_text(text + 'ca = "over.pem"\ncrl = "none.pem"\n')
    bad = run(tmp_path, "show", "-c", "gateway.toml", language="zh")
    assert bad.returncode == 1
    assert "剩余 12 天" in bad.stdout
    assert "过期" in bad.stdout
    assert "文件不存在" in bad.stdout


def test_revoking_needs_a_reason_and_something_to_revoke(site: Path) -> None:
    words = ("authority", "revoke")
    assert run(site, *words, "broker").returncode == 2
    certificates(site, "authority", "issue", "lost", "--for", "client")
    assert openssl(site, "authority/issued/lost.pem") == 0
    certificates(site, "authority", "revoke", "lost", "--why", "stolen")
    assert openssl(site, "authority/issued/lost.pem") != 0
    assert run(site, *words, "lost", "--why", "again").returncode == 1
    rows = json.loads(certificates(site, "authority", "show", "--json"))
    (lost,) = [row for row in rows if row["name"] == "lost"]
    assert lost["why"] == "stolen"
    assert lost["revoked"]


def test_what_a_request_asks_for_beyond_its_names_is_not_given(tmp_path: Path) -> None:
    """A CSR with CA:TRUE and every use gets a plain client's certificate."""
    from cryptography.hazmat.primitives import hashes

    authority = Authority.create(tmp_path, "site")
    key = new_key("client")
    greedy = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(request_of(key, Owner("demo-gw1")).subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = authority.sign(greedy, "client", 99_999)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.not_valid_after_utc <= authority.certificate.not_valid_after_utc
    with pytest.raises(ConfigError):
        Authority.create(tmp_path, "another")


def test_a_power_cut_during_a_renewal_leaves_the_old_pair(tmp_path: Path) -> None:
    """Up to the turn of the link nothing that is in use has changed."""
    authority = Authority.create(tmp_path / "authority", "site")
    place = Place(tmp_path / "certificates", "mqtt")
    for _ in range(2):
        _, request = place.begin(Owner("demo-gw1"))
        csr = x509.load_pem_x509_csr(request.read_bytes())
        place.complete([authority.sign(csr, "client")])
    before = (place.current / "cert.pem").read_bytes()
    place.begin(Owner("demo-gw1"))
    assert (place.current / "cert.pem").read_bytes() == before
    with pytest.raises(ConfigError):
        place.complete([x509.load_pem_x509_certificate(before)])
    assert (place.current / "cert.pem").read_bytes() == before


def test_a_change_is_told_once() -> None:
    said: list[str] = []
    watch, now = Watch(said.append), dt.datetime(2026, 11, 1, tzinfo=dt.UTC)

    def at(days: float) -> None:
        until = now + dt.timedelta(days=days)
        watch.pass_on([Watched("mqtt.cert", Path("x"), "CN=a", "CN=b", until)], now)

    for days in (100, 30, 29.9, 12, -1, -2, 400):
        at(days)
    assert len(said) == 3  # below thirty, over, good again
    assert "29 days left" in said[0]


def test_every_file_a_config_names_is_looked_at(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "pki" / "trusted", "plc")
    (tmp_path / "gateway.toml").write_text(
        CONFIG + '[[device]]\nname = "dcs"\ntrust = "pki"\ncertificate = "a.der"\n'
        '[[device]]\nname = "plc"\n[device.tls]\nca = "b.pem"\n[[influxdb]]\nca = "c.pem"\n'
    )
    found = look(named_in(tmp_path / "gateway.toml").files)
    names = {each.name for each in found}
    expected = {"device dcs.certificate", "device plc.tls.ca", "influxdb 1.ca"}
    assert expected | {"device dcs.trust/trusted/ca.pem"} <= names
    assert maker.path in {each.path for each in found if each.until}


def test_the_doctor_tells_days_and_what_anybody_could_read(tmp_path: Path) -> None:
    maker = Maker(tmp_path, "ca")
    maker.leaf("soon", use=CLIENT, days=(-1, 12.5))
    maker.leaf("over", days=(-9, -2.5))
    (tmp_path / "gateway.toml").write_text(
        CONFIG.replace("mqtts://", "mqtt://") + 'cert = "soon.pem"\nca = "over.pem"\n'
        '[[device]]\nname = "dcs"\nsecurity = "none"\n'
    )
    found = list(doctor.check(Given(gateway=tmp_path / "gateway.toml")))
    told = {(each.level, each.where.split(":")[0]) for each in found}
    assert told == {
        ("bad", "mqtt.ca"),
        ("warn", "mqtt.cert"),
        ("warn", "gateway.toml"),
    }
    assert len(found) == 4
    assert all(each.what.zh != each.what.en and each.what_to_do.zh for each in found)
    assert list(doctor.check(Given())) == []


def test_nobody_becomes_the_historian_by_a_request(site: Path) -> None:
    (site / "forged").mkdir()
    (site / "forged" / "historian.toml").write_text('data_dir = "data"\n')
    certificates(site / "forged", "create", "-c", "historian.toml", "--for", "mqtt")
    request = str(site / "forged/data/certificates/mqtt.next/request.csr")
    sign = ("authority", "sign", request, "--for", "client", "--name")
    refused = run(site, *sign, "demo-gw1")
    assert refused.returncode == 2
    assert "historian" in refused.stderr
    assert run(site, *sign[:-1]).returncode == 2  # without a name nothing is signed at all


def test_two_gateways_of_one_name_are_not_two_certificates(site: Path) -> None:
    """Gateway c of plant a-b and gateway b-c of plant a are both a-b-c to the broker."""
    for folder, plant, gateway in (("one", "a-b", "c"), ("two", "a", "b-c")):
        (site / folder).mkdir()
        text = CONFIG.replace('"demo"', f'"{plant}"').replace('"gw1"', f'"{gateway}"')
        (site / folder / "gateway.toml").write_text(text)
    make = ("--for", "mqtt", "--authority", "authority")
    certificates(site, "create", "-c", "one/gateway.toml", *make)
    second = run(site, "create", "-c", "two/gateway.toml", *make)
    assert second.returncode == 2
    assert "another name" in second.stderr
    assert run(site, "authority", "issue", "a-b-c", "--for", "client").returncode == 2
    certificates(site, "renew", "-c", "one/gateway.toml", *make)  # the same machine renews
    certificates(site, "create", "-c", "one/gateway.toml", "--for", "modbus", *make[2:])


def test_a_broken_index_names_its_line(tmp_path: Path) -> None:
    made = Authority.create(tmp_path / "authority", "site")
    made.sign(request_of(new_key("client"), Owner("gw1")), "client")
    index = tmp_path / "authority" / "issued.jsonl"
    index.write_text(index.read_text("utf-8") + '{"serial": "1"', "utf-8")
    for words in (("show",), ("revoke", "gw1", "--why", "x"), ("issue", "b", "--host", "b")):
        done = run(tmp_path, "authority", *words)
        assert done.returncode == 2, words
        assert "issued.jsonl:2" in done.stderr


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_not_loaded(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(tmp_path, "ca")
    mine = maker.leaf("gw1", use=CLIENT)
    files = TlsFiles(maker.path, mine.cert, mine.key)
    assert files.problems() == []
    assert files.context()
    mine.key.chmod(mode)
    for language, word in (("zh", "他人可读"), ("en", "others can read it")):
        monkeypatch.setenv("SMELTER_LANG", language)
        [problem] = files.problems()
        assert word in problem
        assert "chmod 600" in problem
        with pytest.raises(OSError, match=word):
            files.context()
        with pytest.raises(OSError, match=word):
            load_key(mine.key)
    authority = Authority.create(tmp_path / "authority", "site")
    (authority.folder / "authority.key").chmod(mode)
    with pytest.raises(ConfigError, match="others can read it"):
        Authority(authority.folder)
