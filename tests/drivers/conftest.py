"""Fixtures of the driver tests."""

import pytest


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting to an OPC UA server in vain is given up sooner, so that a test of it is short."""
    monkeypatch.setattr("drivers.opcua.session.CONNECT_TIMEOUT_S", 1.0)
