"""
Fixtures every test may use: real servers, one fresh instance per test.

And the count over the whole session: one request that would change something in a simulated device
fails it, whichever process sent it (docs/read-only.md).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators import counting
from tests import servers

OWN_COUNT = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The session's folder of counts, unless whoever started it wants them in his."""
    if counting.FOLDER not in os.environ:
        config.stash[OWN_COUNT] = Path(tempfile.mkdtemp(prefix="requests-"))
        os.environ[counting.FOLDER] = str(config.stash[OWN_COUNT])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    counting.flush()
    folder = session.config.stash.get(OWN_COUNT, None)
    if folder is not None and counting.total(folder).writes:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    folder = config.stash.get(OWN_COUNT, None)
    if folder is None:
        return
    heard = counting.total(folder)
    terminalreporter.section("requests heard by simulated devices")
    terminalreporter.write_line(str(heard), red=bool(heard.writes))
    for name, count in heard.writes.items():
        terminalreporter.write_line(f"WRITE: {name}, {count} times", red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(OWN_COUNT, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ[counting.FOLDER]


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
