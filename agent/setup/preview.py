"""The first values of a device as lines of a terminal of 80 columns, or why there are none."""

import re
from unicodedata import east_asian_width

from agent.edge.reading import Reading
from drivers.language import language, say

MOST = 15  # values shown of a device
WIDTH = 80


def columns(text: str) -> int:
    """Places a text takes: Chinese characters take two."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _cut(text: str, most: int) -> str:
    while columns(text) > most:
        text = text[:-2] + "…"
    return text


def preview(readings: list[Reading]) -> list[str]:
    """Equipment, quantity, value, unit, quality; then what the quantity is, as far as it fits."""
    rows = [row for reading in readings for row in reading.rows(zh=language() == "zh")]
    shown = []
    for _, equipment, quantity, value, unit, quality, _ in rows[:MOST]:
        name, _, text = quantity.partition(" ")
        shown.append((_cut(equipment, 16), _cut(name, 24), _cut(value, 14), unit, quality, text))
    wide = [max((columns(row[i]) for row in shown), default=0) for i in range(5)]
    lines = []
    for equipment, name, value, unit, quality, text in shown:
        line = (
            f"  {_to(equipment, wide[0])} {_to(name, wide[1])} {value:>{wide[2]}} "
            f"{_to(unit, wide[3])} {_to(quality, wide[4])} "
        )
        room = WIDTH - columns(line)
        lines.append((line + (_cut(text, room) if room > 3 else "")).rstrip())
    if len(rows) > MOST:
        lines.append(say(f"  … 共 {len(rows)} 个", f"  … {len(rows)} in all"))
    return lines


def _to(text: str, wide: int) -> str:
    return text + " " * (wide - columns(text))


_ZH = (  # what the drivers say, in English as in their logs
    (
        r"cannot reach (\S+): .*(refused|Connect call failed).*",
        r"连不上 \1：连接被拒绝，或网络不通",
    ),
    (r"cannot reach (\S+): (.*)", r"连不上 \1：\2"),
    (r"no connection to (\S+) within ([\d.]+) s", r"\2 s 内未能连上 \1"),
    (r"(?:.*: )?no (?:answer|reply) .*?within ([\d.]+) s.*", r"\1 s 内没有应答"),
)


def plainly(reason: str) -> str:
    """Why a device did not answer, for a person who set it up; the driver's words where unknown."""
    if language() != "zh" or any("\u4e00" <= letter <= "\u9fff" for letter in reason):
        return reason
    for pattern, zh in _ZH:
        if match := re.fullmatch(pattern, reason):
            return match.expand(zh)
    return f"没有可用的应答（{reason}）"
