"""
Tables that people hand in: figures to enter (CSV, now and then XLSX), point tables, history.

Held for each input: rows come out, or ConfigError says what is wrong; nothing else is raised.
Figures are finite decimals, or none.
"""

import atexit
import csv
import io
import random
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook

from drivers.config import DeviceConfig
from drivers.model import ConfigError
from drivers.points import load_points
from reports.entries.reading import number
from reports.entries.table import read_table
from tests.fuzz.mutants import mutated

PIECES = (
    *(b",", b";", b'"', b"\n", b"\r\n", b"\xef\xbb\xbf", b"\0", b"\xff", b"\t", "，".encode("gbk")),
    *(b"1e999", b"nan", b"-0", b"1,234.5", b"1,5", b"=1+1", b"#", b"%", b"2026-13", b"{001..036}"),
    *(b"{1..99999999}", b"holding:65535", b"value", "数值".encode(), b"9" * 400, b"float32"),
)
ENTRIES = (
    "kind,line,period,value,unit,voucher,note\n"
    'aluminium,line1,2026-10-05,"1,234.5",t,V1,\n'
    "aluminium,line1,2026-10-06,998.25,t,V2,测试\n"
).encode()
POINTS = (
    b"equipment,quantity,address,type,stride,order,scale,unit\n"
    b"line1/pot{001..036},pot.voltage,holding:100,float32,20,CDAB,1,V\n"
    b"line1/ac1,meter.energy_import,input:30,uint32,,,0.001,kWh\n"
)
NUMBERS = (
    *("1", "1,234.5", "12,5", "-3", "1e999", "nan", "Infinity", "１２", "0.1", "", "9" * 50),
    *("1_000", "0x10", " 5", "5 ", "1e-400", "--1", "1,23,456", "１，２３４"),
)


def make() -> Callable[[random.Random], str]:
    """The target."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    book = _workbook()

    def trial(chance: random.Random) -> str:
        dice = chance.random()
        if dice < 0.004:
            return "workbook " + _table(folder / "t.xlsx", _broken_book(book, chance))
        if dice < 0.5:
            return "entries " + _table(folder / "t.csv", mutated(_entries(chance), PIECES, chance))
        if dice < 0.6:
            return "figure " + _figure(chance)
        return "points " + _points(folder, mutated(POINTS, PIECES, chance))

    return trial


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a million small files


def _entries(chance: random.Random) -> bytes:
    return ENTRIES.decode().encode("gbk") if chance.random() < 0.3 else ENTRIES


def _table(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's remarks about odd workbooks
            table = read_table(path)
    except ConfigError as error:
        return "refused" if error.problems else "refused without a word"
    return "read" if table.rows else "read as nothing"


def _figure(chance: random.Random) -> str:
    text = mutated(chance.choice(NUMBERS).encode(), PIECES, chance, most=2).decode(
        "utf-8", "replace"
    )
    value = number(text)
    if value is None:
        return "refused"
    assert value.is_finite()
    return "read"


def _points(folder: Path, content: bytes) -> str:
    (folder / "points.csv").write_bytes(content)
    device = DeviceConfig.model_validate(
        {
            "name": "plc",
            "driver": "modbus-tcp",
            "address": "127.0.0.1:502",
            "points": "points.csv",
        }
    )
    try:
        points = load_points(device, folder)
    except ConfigError as error:
        return "refused" if error.problems else "refused without a word"
    assert all(point.where for point in points)
    return "read"


def _workbook() -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in csv.reader(io.StringIO(ENTRIES.decode())):
        page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _broken_book(book: bytes, chance: random.Random) -> bytes:
    """Bytes of the file changed, or of one part inside an otherwise whole file."""
    if chance.random() < 0.5:
        return mutated(book, PIECES, chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(stream, "w") as new:
        chosen = chance.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, mutated(content, PIECES, chance) if name == chosen else content)
    return stream.getvalue()
