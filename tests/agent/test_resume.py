"""What a run leaves for the next one, where the disk does not take it."""

import logging
from pathlib import Path

import pytest

from agent.edge.resume import Resume, save


def test_a_disk_that_takes_no_state_stops_no_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.tmp").symlink_to("/dev/full")
    with caplog.at_level(logging.ERROR):
        save(tmp_path / "state.json", Resume(texts={"a/b": "x" * 10_000}), "00" * 8, 7)
    assert "No space left on device" in caplog.text
    assert "the record log will speak" in caplog.text
    assert not (tmp_path / "state.json").exists()
