"""The first values of a device as lines of a terminal of 80 columns."""

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
