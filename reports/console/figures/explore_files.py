"""Rows of points as files: a workbook that explains itself, Parquet with units and time zone."""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from drivers.language import language, say
from drivers.model import ConfigError
from reports.console.figures.explore import meters_of
from reports.console.figures.explore_export import (
    COLUMNS,
    MOST_ROWS,
    clock_of,
    column_names,
    rows_of,
)
from reports.console.figures.explore_points import exploring
from reports.console.office import Office
from reports.periods import PLANT_TIME
from reports.site import Meter

OLD_S: Final = 3600.0  # a file that nobody fetched
NUMBERS: Final = ("mean", "low", "high", "amount", "good")
SECOND: Final = 1_000_000


def file(
    office: Office,
    points: Sequence[str],
    planned: dict[str, Any],
    resolution: str,
    form: str,
    who: str,
) -> str:
    """An XLSX or Parquet file for one visitor; who fetched it deletes it. Its path."""
    folder = office.data / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > OLD_S:
            old.unlink(missing_ok=True)
    path = folder / f"{secrets.token_hex(16)}.{form}"
    write = _write_parquet if form == "parquet" else _write_workbook
    try:
        write(office, path, meters_of(points), planned, resolution, who)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return str(path)


def _write_parquet(
    office: Office,
    path: Path,
    meters: Sequence[Meter],
    planned: dict[str, Any],
    resolution: str,
    who: str,
) -> None:
    """Columns by their English keys; what they mean is in the metadata of the schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "time": pa.timestamp("us", "+08:00"),
        "seconds": pa.int32(),
        "windows": pa.int32(),
        **dict.fromkeys(NUMBERS, pa.float64()),
    }
    about = {name: f"{text.zh} | {text.en}" for name, text in COLUMNS.items()}
    about |= {key: value for key, value, _ in _about(office, planned, resolution, who)}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS], metadata=about)
    with exploring(office) as explorer, pq.ParquetWriter(path, schema, compression="zstd") as out:
        for part in planned["parts"]:
            rows = rows_of(office, explorer, meters, part, resolution)
            columns = dict(rows.columns)
            columns["time"] = [round(at_s * SECOND) for at_s in columns["time"]]
            arrays = [pa.array(columns[each.name], each.type) for each in schema]
            out.write_table(pa.table(arrays, schema=schema))


def _write_workbook(
    office: Office,
    path: Path,
    meters: Sequence[Meter],
    planned: dict[str, Any],
    resolution: str,
    who: str,
) -> None:
    """A sheet of rows, and one that says what they are."""
    import xlsxwriter

    count = 0
    with (
        xlsxwriter.Workbook(path, {"constant_memory": True, "nan_inf_to_errors": False}) as book,
        exploring(office) as explorer,
    ):
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        clock = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = book.add_worksheet(say("数据", "data"))
        sheet.freeze_panes(1, 0)
        for at, (name, width) in enumerate(zip(column_names(), WIDTHS, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, name, bold)
        for part in planned["parts"]:
            rows = rows_of(office, explorer, meters, part, resolution)
            for row in zip(*rows.columns.values(), strict=True):
                count += 1
                if count > MOST_ROWS["xlsx"]:
                    _refuse_rows()
                moment = datetime.fromtimestamp(row[0], PLANT_TIME).replace(tzinfo=None)
                sheet.write_datetime(count, 0, moment, clock)
                for at, value in enumerate(row[1:], 1):
                    if isinstance(value, str):
                        sheet.write_string(count, at, value)
                    elif value is not None:
                        sheet.write_number(count, at, value)
        sheet.autofilter(0, 0, max(1, count), len(COLUMNS) - 1)
        told = book.add_worksheet(say("说明", "about"))
        told.set_column(0, 0, 26)
        told.set_column(1, 1, 90)
        for line, (_, value, label) in enumerate(_about(office, planned, resolution, who)):
            told.write_string(line, 0, label, bold)
            told.write_string(line, 1, value)


WIDTHS: Final = (20, 9, 18, 28, 24, 8, 12, 12, 12, 14, 12, 9, 14)


def _refuse_rows() -> None:
    most = MOST_ROWS["xlsx"]
    raise ConfigError(
        [say(f"超过 {most:,} 行；请缩短时段或改用 CSV", f"more than {most:,} rows; take CSV")]
    )


def _about(
    office: Office, planned: dict[str, Any], resolution: str, who: str
) -> list[tuple[str, str, str]]:
    """Key, value, label: which data these are, so that a file explains itself."""
    names = {
        "raw": say("原始采样", "raw samples"),
        "minute": say("分钟窗口（按入库原样）", "windows as they were stored, mostly minutes"),
        "hour": say("小时", "hours"),
        "day": say("日（北京时间 0 时起）", "days of plant time"),
    }
    interval = f"{clock_of(planned['start_s'])} – {clock_of(planned['end_s'])}"
    made = datetime.now(UTC).astimezone(PLANT_TIME).isoformat(timespec="seconds")
    rule = say(
        "平均值按有效时间加权；计数器给出增量；没有数据的时段没有行，不填零",
        "means are weighted by good time; counters give increments; a gap has no row, never zero",
    )
    return [
        ("plant", office.site.name.of(language()), say("企业", "plant")),
        ("points", planned["details"]["points"], say("点", "points")),
        ("interval", interval, say("时段（含起，不含止）", "interval [start, end)")),
        ("time_zone", say("北京时间 UTC+08:00", "UTC+08:00, fixed"), say("时区", "time zone")),
        ("resolution", names[resolution], say("分辨率", "resolution")),
        ("rule", rule, say("口径", "how it is counted")),
        ("made", f"{made} {who}", say("导出", "exported")),
    ]
