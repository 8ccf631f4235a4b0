"""What somebody hostile tries at the console and what its files are read with; each once got in."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from drivers.model import ConfigError
from reports.entries.sheets import read_sheets
from reports.periods import Period
from tests.console.served import Served

FAR = "XFD1048576"  # the last cell that a workbook may have


def workbook(path: Path, **cells: str) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for at, text in {"A1": "kind", **cells}.items():
        sheet[at] = text
    book.save(path)
    return path


def test_a_workbook_of_one_far_cell_takes_no_memory(tmp_path: Path) -> None:
    """Five kilobytes that would be 17 thousand million cells."""
    with pytest.raises(ConfigError, match="17,179,869,184"):
        read_sheets(workbook(tmp_path / "far.xlsx", **{FAR: "x"}))


def test_a_workbook_merged_from_end_to_end_takes_no_memory(tmp_path: Path) -> None:
    plain, merged = workbook(tmp_path / "plain.xlsx"), tmp_path / "merged.xlsx"
    more = f'</sheetData><mergeCells count="1"><mergeCell ref="A1:{FAR}"/></mergeCells>'
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(merged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</sheetData>", more.encode()))
    with pytest.raises(ConfigError, match="17,179,869,184"):
        read_sheets(merged)


def test_a_table_of_line_ends_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(b"\n" * 1_100_000)
    with pytest.raises(ConfigError, match="1,000,001"):
        read_sheets(path)


def test_figures_of_other_scripts_are_no_period(console: Served) -> None:
    """``\\d`` takes them; as part of a header or of a file's name they are a fault."""
    for text in ("２０２６-10", "٢٠٢٦-١٠", "2026-1０-05", "２０２６-10-05_2026-11-05"):
        with pytest.raises(ValueError, match="2026-10-05"):
            Period.parse(text)
    client = console.client("officer")
    for text in ("２０２６-10", "٢٠٢٦-١٠"):
        assert client.get(f"/carbon/{text}").status_code == 404
        answer = client.post(f"/carbon/{text}/drop", data={"staged": "0" * 16})
        assert answer.status_code == 404
