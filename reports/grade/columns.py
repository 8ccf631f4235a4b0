"""Columns of the workbook into which an officer types an official table, and what goes in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reports.grade.evidence import KINDS
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column: key in the file, head in both languages, width in characters."""

    key: str
    head: Text
    width: int = 14
    required: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """Under which key each general column goes for a kind of evidence; "" = leave it empty."""

    subject: str = ""
    number: str = ""
    unit: str = ""  # the only unit that may be written
    items: str = ""
    reference_o2: str = ""


PARTS: Final[Mapping[str, Parts]] = {
    "limits_met": Parts("pollutant", "limit", "mg/m3", "stacks", "reference_o2"),
    "no_exceedance": Parts(items="stacks"),
    "uptime": Parts("of", "percent", "%"),
    "retention": Parts("of", "days", "d"),
    "interlock": Parts("", "minutes", "min", "stacks"),
    "document": Parts("what", "count", "份"),
    "declaration": Parts("what"),
    "no_penalty": Parts(),
    "share": Parts("of", "percent", "%", "classes"),
    "ledger": Parts(items="entries"),
}
UNITS: Final = tuple(dict.fromkeys(part.unit for part in PARTS.values() if part.unit))
COLUMNS: Final = (
    Column(
        "name", Text(zh="编号（英文字母、数字）", en="id, letters and digits"), 18, required=True
    ),
    Column("family", Text(zh="指标类别", en="family"), 26, required=True),
    Column("levels", Text(zh="等级，如 A 或 A, B", en="level, e.g. A or A, B"), 12, required=True),
    Column("zh", Text(zh="原文条件", en="condition, Chinese"), 56, required=True),
    Column("en", Text(zh="英文（可空）", en="condition, English (may be empty)"), 36),
    Column("locator", Text(zh="页码、表号、条款", en="page, table, clause"), 22, required=True),
    Column("kind", Text(zh="证据种类", en="kind of evidence"), 34, required=True),
    Column(
        "subject",
        Text(zh="对象：污染物、cems/dcs、文件种类", en="of what: pollutant, cems/dcs, document"),
        24,
    ),
    Column("number", Text(zh="数值", en="number"), 10),
    Column("unit", Text(zh="单位", en="unit"), 9),
    Column("reference_o2", Text(zh="基准氧 %", en="reference O2 %"), 10),
    Column(
        "items", Text(zh="清单：排放口、车辆类别、台账项", en="list: outlets, classes, ledgers"), 30
    ),
)
DOCUMENT: Final = (
    Column("table", Text(zh="指标表", en="indicator table"), required=True),
    Column("industry", Text(zh="行业（仅通用表）", en="industry (general tables only)")),
    Column("title", Text(zh="实际打开的文件名称、文号", en="text that was opened"), required=True),
    Column("issuer", Text(zh="发布机关", en="issuer"), required=True),
    Column("published", Text(zh="发布日期 2020-06-29 格式，可空", en="published, may be empty")),
    Column("where", Text(zh="何处可得", en="where it is found"), required=True),
    Column("seen", Text(zh="怎样看到的", en="how it was read"), required=True),
    Column("document", Text(zh="依据文件名，放在本表旁", en="file beside this one"), required=True),
    Column(
        "sha256", Text(zh="该文件 SHA-256，空则检查时给出", en="its SHA-256; the check tells it")
    ),
    Column("entered_by", Text(zh="录入人", en="typed by"), required=True),
    Column("checked_by", Text(zh="核对人，须为另一人", en="checked by another"), required=True),
    Column("checked_on", Text(zh="核对日期", en="day of the check"), required=True),
)
STATES: Final[Mapping[str, Text]] = {
    "complete": Text(zh="全部已录入", en="all conditions typed"),
    "none": Text(zh="表中无要求", en="the table asks nothing"),
    "partial": Text(zh="只录入一部分", en="some typed"),
}
SHEETS: Final = ("文件 document", "覆盖 coverage", "指标 indicators", "说明 notes", "lists")


def label(key: str, text: Text) -> str:
    """What a list shows; read back by what stands in brackets."""
    return f"{text.zh} [{key}]"


def key_of(cell: str) -> str:
    """The key of a cell chosen from a list, or typed bare."""
    _, found, rest = cell.rpartition("[")
    return rest.rstrip("] ") if found else cell.strip()


KIND_LABELS: Final = tuple(label(kind, KINDS[kind]) for kind in PARTS)
