"""What a config or an act says is not carried further: passwords in addresses, PW, acts."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.audit import audit_line
from agent.batches.batch import Batch
from agent.forward.settings import ForwardConfig
from agent.influx.view import pieces
from agent.mqtt import BrokerConfig
from agent.views import Source, StoredBatch
from drivers.audit import Act
from drivers.audit_act import Recorded
from drivers.config import LoggerConfig
from drivers.hj212.driver import read_pw
from drivers.model import ConfigError

CANARY = "hunter2-canary"


@pytest.mark.parametrize(
    "url",
    [
        f"mqtt://agent:{CANARY}@broker:1883",
        f"http://agent:{CANARY}@broker:1883",
        f"mqtt://agent:{CANARY}@[broker",
        f"mqtt://agent:{CANARY}@broker:port",
        f"mqtt://agent:{CANARY}@\u2100broker",
        f"agent:{CANARY}@broker",
    ],
)
def test_a_password_in_a_broker_address_is_repeated_by_no_message(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BrokerConfig(url=url)
    said = [each["msg"] for each in caught.value.errors()]
    assert "password_file" in said[0]
    assert CANARY not in json.dumps(said)


@pytest.mark.parametrize("url", ["http://broker", "mqtt://[broker", "mqtt://b:port", "mqtt://b/x"])
def test_a_wrong_broker_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match=r"write mqtt://|only host and port"):
        BrokerConfig(url=url)


def test_pw_of_hj212_comes_from_a_file_or_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "da001.password"
    place.write_text("654321\n")
    place.chmod(0o640)
    with pytest.raises(ConfigError, match="others can read it"):
        read_pw(place)
    place.chmod(0o600)
    assert read_pw(place) == "654321"
    place.write_text(CANARY)
    with pytest.raises(ConfigError, match="PW has 6 characters, this one 14") as caught:
        read_pw(place)
    assert CANARY not in str(caught.value)
    (tmp_path / "pw").write_text("abcdef")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_pw(Path("/etc/smelter/credential:pw")) == "abcdef"
    sent = {"name": "eco", "address": "127.0.0.1:1", "equipment": "l/s", "mn": "1" * 24}
    config = ForwardConfig.model_validate({**sent, "pw_file": "eco.password"})
    assert config.below(tmp_path).pw_file == tmp_path / "eco.password"
    assert LoggerConfig.model_validate({"mn": "1" * 24, "pw_file": "x"}).pw == ""


def test_acts_stay_out_of_influxdb_unless_they_are_asked_for() -> None:
    act = Act(1, "王敏", "entry.added", "#1")
    line = audit_line("demo", "historian", "office", Recorded(1, "0" * 64, act))
    others = b"batch,plant=demo x=1i 1\n", b"event,plant=demo x=1i 2\n"
    payload = others[0] + line + b"\n" + others[1]
    batch = Batch.of(1, 0, 3, payload)
    stored = [StoredBatch(Source("demo", "historian", "record", "l"), batch)]
    [kept] = pieces(stored, 100, audit=False)
    assert kept.body == (others[0] + others[1]).rstrip()
    [whole] = pieces(stored, 100, audit=True)
    assert line in whole.body
