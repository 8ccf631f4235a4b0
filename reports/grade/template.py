"""The same table to fill in as TOML, for who prefers a text editor."""

import json
from typing import Final

from reports.grade.evidence import KINDS, number_of
from reports.grade.table import ANY, FAMILIES, INDUSTRIES, IndicatorTable, plain
from reports.rules.packfile import Source

QUOTES: Final = '""'
EXAMPLES: Final = (
    'limits_met     { kind = "limits_met", pollutant = "so2", limit = …, stacks = ["DA001"] }',
    'no_exceedance  { kind = "no_exceedance" }',
    'uptime         { kind = "uptime", of = "cems", percent = … }     # cems | dcs',
    'retention      { kind = "retention", of = "dcs", days = … }',
    'interlock      { kind = "interlock", stacks = ["DA001"], minutes = 0 }',
    'document       { kind = "document", what = "control_design", count = 1 }',
    'declaration    { kind = "declaration", what = "…" }',
    'no_penalty     { kind = "no_penalty" }',
    'share          { kind = "share", of = "gate_trips", classes = ["electric"], percent = … }',
    'ledger         { kind = "ledger", entries = ["consumable_used"] }',
)


def toml_template(table: IndicatorTable) -> str:
    """
    The file with everything known filled in; "" marks what a person must write.

    It does not load before it is filled in: every empty text is refused by name.
    """
    source = next((x for x in table.indicators if x.absent), table.indicators[0]).source
    lines = [*_head(table, source), *_coverage(table), "", *_rows(table)]
    return "\n".join(lines) + "\n"


def _head(table: IndicatorTable, source: Source) -> list[str]:
    title = table.file.title
    published = "" if source.published is None else str(source.published)
    general = (
        f'industry = ""   # 只用于一个行业时写 · for one industry only: {", ".join(INDUSTRIES)}'
    )
    return [
        f"# {title}：由官方指标表录入，两人确认 · typed from the official table, two persons",
        f"# 何处可得 · where: {source.where}",
        "# 检查 · check: smelter rules check FILE；然后列入 site.toml [grade] tables",
        f'table = "{table.name}"',
        *([general] if table.file.industry == ANY else []),
        f"title = {_quoted(source.title)}   # 实际打开的文件 · the text that was opened",
        f"issuer = {_quoted(source.issuer)}",
        f'published = {published or QUOTES}   # 不加引号，没有则留空 · no quotes; "" if none',
        f"where = {_quoted(source.where)}",
        'seen = ""         # 怎样看到的 · how it was read',
        'document = ""     # 依据文件，放在本文件旁 · file beside this one',
        'sha256 = ""       # 留空时检查会给出 · left empty, the check tells it',
        'entered_by = ""   # 录入人 · typed by',
        'checked_by = ""   # 核对人，须为另一人 · checked by another person',
        'checked_on = ""   # 核对日期，不加引号 · no quotes',
        "",
        "# 每个类别、等级是否全部录入：complete 全部，partial 一部分，none 官方表无此项要求；",
        "# 未录入的请删去该行，仍视为未知 · delete lines of what was not typed: they stay unknown",
    ]


def _coverage(table: IndicatorTable) -> list[str]:
    lines = ["coverage = ["]
    for level in table.file.levels:
        for family, name in FAMILIES.items():
            if any((x.family, x.level) == (family, level) for x in table.indicators):
                told = f'family = "{family}", level = "{level}", state = ""'
                lines.append(f"  {{ {told} }},   # {name.zh}")
    return [*lines, "]"]


def _rows(table: IndicatorTable) -> list[str]:
    """What was seen by others, to be compared; then an empty row and the kinds of evidence."""
    lines = ["# 证据种类 · kinds of evidence:", *(f"#   {each}" for each in EXAMPLES)]
    lines += [f"#   {kind}: {text.zh} · {text.en}" for kind, text in KINDS.items()][:-1]
    seen = [x for x in table.indicators if x.confirmed in {"secondary", "unverified"}]
    if seen:
        lines += ["", "# 二手资料所见，须对照原文 · seen by others, to be compared:"]
    for each in seen:
        numbers = [plain(n[0]) for e in each.evidence if (n := number_of(e)) is not None]
        shown = f"{each.text.zh} {' / '.join(numbers)}".rstrip()
        lines.append(f"#   {each.level} {each.family} {each.name}: {shown}")
    return [
        *lines,
        "",
        "[[indicators]]",
        'name = ""       # 编号，英文字母和数字 · id',
        f'family = ""     # {" | ".join(FAMILIES)}',
        "levels = []     # 等级 · e.g. " + ", ".join(f'"{level}"' for level in table.file.levels),
        'zh = ""         # 原文条件 · the condition in Chinese',
        'en = ""         # 可空 · may be empty',
        'locator = ""    # 页码、表号、条款 · page, table, clause',
        "evidence = []   # 全部需要 · all of them are needed",
    ]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
