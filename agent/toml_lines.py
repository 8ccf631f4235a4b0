"""Where a key stands in a TOML file, so that a message can name the line."""

import re

Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*([A-Za-z0-9_."'-]+)\s*=""")


def line_numbers(text: str) -> dict[Place, int]:
    """
    Line of each table and key by its path: ``("device", 0, "interval_s") -> 14``.

    A plain reading of lines: a key inside a multi-line string is taken for a key, which at worst
    names a wrong line in a message.
    """
    found: dict[Place, int] = {}
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            names = _names(header[2])
            table = _below(names[:-1], counts)
            if header[1] == "[[":
                path = (*table, names[-1])
                counts[path] = counts.get(path, -1) + 1
                table = (*path, counts[path])
            else:
                table = (*table, names[-1])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_names(key[1])), number)
    return found


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _below(names: tuple[str, ...], counts: dict[Place, int]) -> Place:
    path: Place = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(lines: dict[Place, int], place: Place) -> int | None:
    """The line of the place, or of the nearest table around it."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return None
