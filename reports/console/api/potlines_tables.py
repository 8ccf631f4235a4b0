"""Tables of potlines, pots and energy as CSV that Excel opens: UTF-8 with mark, CRLF."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from fastapi import Response

from drivers.language import say
from reports.periods import PLANT_TIME

MARK: Final = "\ufeff"
RISKY: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula
Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A file to save; what is not known is an empty cell, never 0."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        (MARK + out.getvalue()).encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(RISKY):
        return f"'{value}"
    return value


def _named(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def map_table(told: dict[str, Any]) -> Table:
    """A row for each pot."""
    layers = told["layers"]
    head = [say("槽", "pot"), say("状态", "state"), *(_named(x["name"], x["unit"]) for x in layers)]
    columns = [told["pots"], told["states"], *(layer["values"] for layer in layers)]
    return head, zip(*columns, strict=True)


def curves_table(told: dict[str, Any]) -> Table:
    """A row for each step, plant time."""
    curves = told["curves"]
    count = len(curves[0]["values"]) if curves else 0
    times = (
        datetime.fromtimestamp(told["start_s"] + k * told["step_s"], PLANT_TIME).isoformat()
        for k in range(count)
    )
    head = [say("时间", "time"), *(_named(each["name"], each["unit"]) for each in curves)]
    return head, zip(times, *(each["values"] for each in curves), strict=True)


def events_table(told: dict[str, Any]) -> Table:
    """A row for each event."""
    head = say(
        "开始|结束|事件|持续 (s)|峰值 (V)|平均 (V)|过电压积分 (V·s)|未见 (s)|说明",
        "begin|end|event|seconds|peak (V)|mean (V)|overvoltage (V·s)|unseen (s)|text",
    ).split("|")
    keys = ("start", "end", "name", "seconds", "peak_v", "mean_v", "overvoltage_vs", "gap_s")
    return head, ([*(each[key] for key in keys), each["text"]] for each in told["events"])


def ranking_table(ranking: dict[str, Any] | None) -> Table:
    """A row for each pot, the ranked ones first."""
    head = say(
        "名次|槽|有效天数|平均 (V)|设定 (V)|超出 (mV)|多耗 (kWh/t)|年多耗 (kWh)|可信度|说明",
        "rank|pot|days|mean (V)|set (V)|excess (mV)|excess (kWh/t)|a year (kWh)|sure|why",
    ).split("|")
    keys = (
        *("rank", "pot", "days", "mean_v", "set_v", "excess_mv", "kwh_per_t", "kwh_per_year"),
        "confidence",
    )
    pots = [] if ranking is None else ranking["pots"]
    lang = say("zh", "en")
    return head, ([*(pot[key] for key in keys), pot["sentence"][lang]] for pot in pots)


def lines_table(lines: Sequence[dict[str, Any]]) -> Table:
    """A row for each line of a report."""
    head = say("编号|项目|数值|单位|来源|标记|说明", "id|figure|value|unit|how|signs|notes").split(
        "|"
    )
    keys = ("id", "label", "value", "unit", "how", "marks")
    return head, ([*(each[key] for key in keys), "; ".join(each["why"])] for each in lines)


def exchangers_table(told: Sequence[dict[str, Any]]) -> Table:
    """A row for each figure of each exchanger."""
    head = say("设备|名称|项目|数值|单位|说明", "equipment|name|figure|value|unit|why").split("|")
    return head, (
        [each["equipment"], each["name"], f["label"], f["value"], f["unit"], f["why"]]
        for each in told
        for f in each["figures"]
    )
