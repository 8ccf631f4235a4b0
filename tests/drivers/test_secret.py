"""Where secrets may come from, what is refused, and that no message repeats one."""

from pathlib import Path

import pytest

from agent.historian.config import load_historian
from agent.mqtt import BrokerConfig, unreadable
from drivers.model import ConfigError
from drivers.secret import ServiceOnlyError, read_secret, secret_trouble

CANARY = "kanarie-7f3a91"


def kept(folder: Path, mode: int = 0o600) -> Path:
    path = folder / "mqtt.password"
    path.unlink(missing_ok=True)  # its owner may not write it either, with mode 0400
    path.write_text(f"{CANARY}\n")
    path.chmod(mode)
    return path


def test_a_file_of_its_owner_a_credential_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_secret(kept(tmp_path)) == CANARY
    assert read_secret(kept(tmp_path, 0o400)) == CANARY
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    kept(tmp_path, 0o440)  # as systemd's access list shows
    assert read_secret(Path("/etc/smelter/credential:mqtt.password")) == CANARY
    monkeypatch.setenv("SMELTER_MQTT_PASSWORD", CANARY)
    assert read_secret(Path("/etc/smelter/env:SMELTER_MQTT_PASSWORD")) == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o620])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_others_can_read_is_refused(
    tmp_path: Path, mode: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", language)
    told = secret_trouble(kept(tmp_path, mode))
    assert f"chmod 600 {tmp_path}" in told
    assert ("他人可读" in told) == (language == "zh")
    assert CANARY not in told


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere.password", "nowhere.password: No such file"),
        ("env:NOT_SET_HERE", "NOT_SET_HERE is not set"),
        ("credential:mqtt.password", "LoadCredential=mqtt.password"),
        ("credential:../x", "credential"),
        (CANARY, "a file, not the secret"),
    ],
)
def test_every_refusal_says_what_to_do(
    tmp_path: Path, place: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("INVOCATION_ID", "of a service")
    told = secret_trouble(tmp_path / place)
    assert said in told
    assert CANARY not in told


def test_a_person_may_check_what_only_the_service_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SMELTER_LANG", "en")
    for name in ("CREDENTIALS_DIRECTORY", "INVOCATION_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("drivers.secret.GIVEN", tmp_path)
    place = Path("/etc/smelter/credential:mqtt.password")
    assert secret_trouble(place) == ""
    assert "only the running service has the credential mqtt.password" in caplog.text
    key = {"key": tmp_path / "smelter-agent.service/mqtt.key"}
    assert unreadable(key) == []
    monkeypatch.setenv("INVOCATION_ID", "of the service")
    assert "mqtt.key: " in unreadable(key)[0]
    monkeypatch.delenv("INVOCATION_ID")
    with pytest.raises(ServiceOnlyError):
        read_secret(place)
    given = tmp_path / "smelter-agent.service"
    given.mkdir()
    kept(given, 0o440)
    assert read_secret(place) == CANARY  # the service runs, and this is its user


def test_empty_and_binary_files(tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.write_bytes(b"\n")
    assert "empty" in secret_trouble(path)
    path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in secret_trouble(path)


@pytest.mark.parametrize(
    "line",
    [
        f'password = "{CANARY}"',
        f'password_file = "{CANARY}"',
        f'url = "mqtt://gw1:{CANARY}@127.0.0.1"',
    ],
)
def test_a_secret_in_a_config_is_refused_and_not_repeated(tmp_path: Path, line: str) -> None:
    given = "" if line.startswith("url") else 'url = "mqtt://127.0.0.1"\nusername = "gw1"\n'
    file = tmp_path / "historian.toml"
    file.write_text(f'data_dir = "data"\n[mqtt]\n{given}{line}\n')
    with pytest.raises(ConfigError) as caught:
        load_historian(file)
    assert CANARY not in str(caught.value.problems)


def test_the_broker_takes_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    table = {"url": "mqtt://127.0.0.1", "username": "x"}
    table |= {"password_file": "credential:mqtt.password"}
    broker = BrokerConfig.model_validate(table).below(tmp_path / "etc")
    assert broker.problems() == []
    assert broker.password() == CANARY
