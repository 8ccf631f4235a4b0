"""What ``[mqtt]`` may say of TLS and logins. What wrong peers meet: tests/security."""

from pathlib import Path

import pytest

from agent.mqtt import MqttConfig


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"url": "http://192.0.2.1"}, "write mqtt://host:1883"),
        ({"url": "mqtt://192.0.2.1:99999"}, "write mqtt://host:1883"),
        ({"url": "mqtt://user:secret@192.0.2.1"}, "username and password_file"),
        ({"url": "mqtt://192.0.2.1", "ca": "ca.pem"}, "need TLS"),
        ({"url": "mqtts://192.0.2.1", "cert": "c.pem"}, "give both or none"),
        ({"url": "mqtt://192.0.2.1", "username": "gw1"}, "give both or none"),
        ({"url": "mqtt://192.0.2.1", "qos": 1}, "Extra inputs"),
    ],
)
def test_mistakes_in_the_mqtt_table_are_named(table: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MqttConfig.model_validate(table)


def test_unreadable_files_are_problems(tmp_path: Path) -> None:
    config = MqttConfig(url="mqtts://192.0.2.1", ca=Path("no-such.pem")).below(tmp_path)
    assert config.problems() == [f"mqtt.ca: {tmp_path}/no-such.pem: No such file or directory"]
    (tmp_path / "no-such.pem").write_text("not a certificate")
    assert "is not usable" in config.problems()[0]
