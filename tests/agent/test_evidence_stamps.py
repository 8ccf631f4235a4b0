"""RFC 3161 over the day's roots: a real authority (openssl ts), away, lying; one byte wrong."""

import json
import secrets
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificates
from typer.testing import CliRunner

from agent.evidence.heads import HeadStore, day_of
from agent.evidence.keys import KeyRing
from agent.evidence.note import Head, b64
from agent.evidence.rfc3161 import StampError, UnknownSchemeError, check, imprint_of, request
from agent.historian.commands import historian_app
from agent.historian.config import load_historian
from agent.historian.stamps import DailyStamps, TimestampConfig, verify_day
from drivers.model import ConfigError
from tests.agent.stamp_authority import StampAuthority
from tests.servers import free_port

IMPRINT = imprint_of(b"the roots of a day")
NONCE = 0x8123_4567_89AB_CDEF  # the highest bit set: DER needs a leading zero


@pytest.fixture(scope="module", params=["rsa", "ec"])
def authority(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> StampAuthority:
    return StampAuthority(tmp_path_factory.mktemp(request.param), request.param)


def believed(authority: StampAuthority, answer: bytes, imprint: bytes = IMPRINT) -> bool:
    anchors = load_pem_x509_certificates(authority.ca.read_bytes())
    try:
        check(answer, imprint, NONCE, anchors)
    except StampError:
        return False
    return True


@pytest.mark.filterwarnings("ignore")  # the library warns of what broken certificates say
def test_an_answer_is_believed_and_no_byte_of_it_can_change(authority: StampAuthority) -> None:
    answer = authority.answer(request(IMPRINT, NONCE))
    assert believed(authority, answer)
    for at in range(len(answer)):
        wrong = bytearray(answer)
        wrong[at] ^= 1 << at % 8
        assert not believed(authority, bytes(wrong)), f"byte {at}"
    for other in (answer + b"\0", answer[:-1], b"", b"\x30\x00", answer[: len(answer) // 2]):
        assert not believed(authority, other)
    assert not believed(authority, answer, imprint_of(b"other roots"))


def test_the_answer_to_another_request_is_not_believed(authority: StampAuthority) -> None:
    assert not believed(authority, authority.answer(request(IMPRINT, NONCE + 1)))


def test_another_authority_is_not_believed(authority: StampAuthority, tmp_path: Path) -> None:
    other = StampAuthority(tmp_path, "ec")
    assert not believed(authority, other.answer(request(IMPRINT, NONCE)))


def test_a_certificate_that_is_not_for_time_stamps_is_not_believed(tmp_path: Path) -> None:
    authority = StampAuthority(tmp_path, "ec")
    query = request(IMPRINT, NONCE)
    assert believed(authority, authority.answer(query))
    config = tmp_path / "purposes.cnf"
    config.write_text(
        config.read_text().replace("critical,timeStamping", "critical,timeStamping,codeSigning")
    )
    authority.sign("tsa")
    try:
        answer = authority.answer(query)
    except AssertionError:
        return  # openssl itself refuses to stamp with it
    assert not believed(authority, answer)


# days

DAY_S = 86400
NOON = 1_790_000_000  # 2026-09-21 22:13:20 in UTC+8


def kept_heads(folder: Path, at_s: int, size: int = 7) -> None:
    ring = KeyRing.opened(folder / "keys", "smelter/demo/gw1", "ed25519")
    for stream in ("record", "raw"):
        log = f"demo/gw1/{stream}/00112233445566ff"
        head = Head(f"smelter/{log}", size, bytes(31) + bytes((size,)))
        HeadStore(folder / "checkpoints" / log).keep(ring.signed(head), at_s)


def stamps(folder: Path, config: TimestampConfig | None, now: Callable[[], float]) -> DailyStamps:
    return DailyStamps(folder / "checkpoints", config, now)


async def test_a_day_gets_its_file_when_it_is_over(tmp_path: Path) -> None:
    now = [float(NOON)]
    daily = stamps(tmp_path, None, lambda: now[0])
    kept_heads(tmp_path, NOON)
    kept_heads(tmp_path, NOON + 60, size=8)
    await daily.look()
    assert daily.waiting() == [], "the day is not over"
    now[0] += 7200  # 00:13:20 of the 22nd in the plant, the 21st in Greenwich
    await daily.look()
    assert daily.waiting() == ["2026-09-21"]
    root = b64(bytes(31) + b"\x08")
    assert (daily.folder / "2026-09-21.txt").read_text() == (
        "smelter-day/1\n2026-09-21\n"
        f"smelter/demo/gw1/raw/00112233445566ff 8 {root}\n"
        f"smelter/demo/gw1/record/00112233445566ff 8 {root}\n"
    )


def test_days_are_those_of_the_plant() -> None:
    """2026-09-21T16:00:00Z is midnight in UTC+8: 1789948800 = 20717 × 86400 + 0 h - 8 h."""
    midnight = 1790006400  # 2026-09-21T16:00:00Z
    assert day_of(midnight - 1) == "2026-09-21"
    assert day_of(midnight) == "2026-09-22"


async def test_the_queue_waits_for_the_authority(tmp_path: Path) -> None:
    authority = StampAuthority(tmp_path / "tsa", "ec")
    port = free_port()
    config = TimestampConfig(url=f"http://127.0.0.1:{port}/", ca=authority.ca, retry_s=0.1)
    for day in range(3):
        kept_heads(tmp_path, NOON + day * DAY_S, size=7 + day)
    daily = stamps(tmp_path, config, lambda: NOON + 5 * DAY_S)
    await daily.look()
    assert len(daily.waiting()) == 3
    assert daily.counts.unreachable == 1, "one try, not one a day"
    assert "127.0.0.1" in daily.trouble
    daily = stamps(tmp_path, config, lambda: NOON + 5 * DAY_S)  # a restart: the queue is the disk
    with authority.served(port):
        await daily.look()
    assert daily.waiting() == []
    assert daily.counts.stamped == 3
    assert daily.trouble == ""
    for name in ("2026-09-21", "2026-09-22", "2026-09-23"):
        assert "Simulated time stamps" in verify_day(daily.folder, name, authority.ca).signer
    assert not list(daily.folder.glob("asked-*"))
    answer = daily.folder / "2026-09-22.tsr"
    good = answer.read_bytes()
    answer.write_bytes(good[:700] + bytes((good[700] ^ 1,)) + good[701:])
    with pytest.raises(StampError):
        verify_day(daily.folder, "2026-09-22", authority.ca)
    answer.write_bytes(good)
    text = daily.folder / "2026-09-22.txt"
    text.write_text(text.read_text().replace(" 8 ", " 9 "))
    with pytest.raises(StampError, match="other data"):
        verify_day(daily.folder, "2026-09-22", authority.ca)


async def test_an_answer_that_is_wrong_is_not_kept(tmp_path: Path) -> None:
    authority = StampAuthority(tmp_path / "tsa", "ec")
    kept_heads(tmp_path, NOON)
    with authority.served() as url:
        config = TimestampConfig(url=url, ca=authority.ca, retry_s=0.1)
        daily = stamps(tmp_path, config, lambda: NOON + DAY_S)
        authority.spoil = True
        await daily.look()
        assert daily.counts.refused == 1
        assert daily.waiting() == ["2026-09-21"]
        authority.spoil = False
        daily = stamps(tmp_path, config, lambda: NOON + DAY_S)
        await daily.look()
        assert daily.waiting() == []


def test_what_only_the_openssl_program_knows_is_asked_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands in for SM2: our own check says that it does not know the scheme."""
    authority = StampAuthority(tmp_path, "rsa")
    folder = tmp_path / "daily"
    folder.mkdir()
    (folder / "2026-09-21.txt").write_bytes(b"roots")
    query = request(imprint_of(b"roots"), secrets.randbits(63))
    (folder / "2026-09-21.tsq").write_bytes(query)
    (folder / "2026-09-21.tsr").write_bytes(authority.answer(query))
    ours = verify_day(folder, "2026-09-21", authority.ca)

    def unknown(*_: object) -> None:
        raise UnknownSchemeError("not known")

    monkeypatch.setattr("agent.historian.stamps.check", unknown)
    with pytest.raises(UnknownSchemeError):
        verify_day(folder, "2026-09-21", authority.ca)  # RSA is none of the program's business
    monkeypatch.setattr("agent.historian.stamps._GM", b"")
    theirs = verify_day(folder, "2026-09-21", authority.ca)
    assert theirs.at.replace(microsecond=0) == ours.at.replace(microsecond=0)
    (folder / "2026-09-21.txt").write_bytes(b"rootz")
    with pytest.raises(StampError):
        verify_day(folder, "2026-09-21", authority.ca)


CONFIG = """
data_dir = "."
mqtt.url = "mqtt://127.0.0.1:1"
[timestamp]
url = "{url}"
ca = "{ca}"
"""


def test_the_config_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = StampAuthority(tmp_path / "tsa", "ec")
    config = tmp_path / "historian.toml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1/", ca="tsa/ca.pem"))
    settings = load_historian(config)
    assert settings.timestamp is not None
    assert settings.timestamp.ca == authority.ca
    kept_heads(tmp_path, NOON)
    run = CliRunner()
    said = json.loads(run.invoke(historian_app, ["checkpoints", str(config), "--json"]).output)
    assert [row["size"] for row in said["logs"]] == [7, 7]
    monkeypatch.setenv("SMELTER_LANG", "zh")
    assert "已会签至批次 7" in run.invoke(historian_app, ["checkpoints", str(config)]).output
    for url, ca, what in (
        ("ftp://x", "tsa/ca.pem", "时间戳服务"),
        ("http://x", "no.pem", "no.pem"),
    ):
        config.write_text(CONFIG.format(url=url, ca=ca))
        with pytest.raises(ConfigError, match=what):
            load_historian(config)


def test_nothing_listens() -> None:
    """What `unreachable` rests on: a refused connection is an OSError."""
    assert issubclass(urllib.error.URLError, OSError)
