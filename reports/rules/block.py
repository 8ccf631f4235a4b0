"""The block of an overlay file, ready for a person to fill in."""

import json
from dataclasses import dataclass
from datetime import date

from reports.rules.packfile import Source
from reports.rules.units import RuleUnit


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value a person may enter: what it is, and the text in which it is found."""

    pack: str
    name: str
    what: str
    zh: str
    unit: RuleUnit
    source: Source
    locator: str
    yearly: bool = False

    @property
    def id(self) -> str:
        return f"{self.pack}.{self.name}"


def block(wanted: Wanted, day: date, *, replaces_official: bool = False) -> str:
    """
    ``[[values]]`` with everything known filled in; "" marks what the person must write.

    A file with these empty texts does not load: each is refused by name until it is filled in.
    """
    source = wanted.source
    start = date(day.year, 1, 1) if wanted.yearly else day
    span = (
        "按年取值：写该年 1 月 1 日，只适用于该年 · yearly: 1 January; stands for that year only"
        if wanted.yearly
        else "适用起始日 · first day on which it applies"
    )
    published = f"published = {source.published}" if source.published else 'published = ""'
    lines = [
        f"# {wanted.zh} · {wanted.what}",
        f"# 请打开 · open: {source.title}（{wanted.locator}）",
        f"# 何处可得 · where: {source.where}",
        "[[values]]",
        f'parameter = "{wanted.id}"',
        f"applies_from = {start}   # {span}",
        f'value = ""   # {_how(wanted.unit)}',
        f'unit = "{wanted.unit}"',
        f"title = {_text(source.title)}   # 实际打开的文件 · the text that was opened",
        f"issuer = {_text(source.issuer)}",
        f"{published}   # 发布日期，不加引号；没有则留空 · no quotes; leave empty if none",
        f"where = {_text(source.where)}",
        f"locator = {_text(wanted.locator)}   # 条款、表号、页码 · clause, table, page",
        'seen = ""   # 怎样看到的，如“登录平台截图” · how it was read',
        'document = ""   # 依据文件，放在本文件旁 · file beside this one',
        'sha256 = ""   # 该文件的 SHA-256；留空时检查会给出 · left empty, the check tells it',
        'entered_by = ""   # 录入人 · who entered it',
        'checked_by = ""   # 核对人，须为另一人 · who checked it: another person',
        'checked_on = ""   # 核对日期，不加引号 · day of the check, no quotes',
    ]
    if replaces_official:
        lines.append(
            'replaces_official = ""   # 为何取代官方值 · why it replaces an official value'
        )
    return "\n".join(lines) + "\n"


def _how(unit: RuleUnit) -> str:
    if unit is RuleUnit.NAME:
        return "方法名，加引号 · name of a method, in quotes"
    if unit is RuleUnit.DATE:
        return "日期，不加引号，如 2026-03-31 · a date, no quotes"
    return f"数字，不加引号，单位 {unit} · a number, no quotes, in {unit}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
