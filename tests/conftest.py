"""Fixtures every test may use: real servers, one fresh instance per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers


@pytest.fixture(autouse=True)
def english_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests name their language; the developer's locale must not."""
    for name in ("SMELTER_LANG", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[servers.Server]:
    server = servers.mosquitto(tmp_path).start()
    yield server
    server.end()


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[servers.Server]:
    server = servers.influxd(tmp_path).start()
    yield server
    server.end()
