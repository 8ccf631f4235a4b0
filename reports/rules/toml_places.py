"""On which line of a TOML file a key stands, so that a mistake can be found where it is."""

import re


def place(text: str, loc: tuple[int | str, ...]) -> int:
    """
    Line of the deepest part of ``loc`` that the file has, counted from 1.

    A number chooses one of several ``[[…]]`` blocks. Headers and keys are found by their looks; a
    file that writes them in another way gets the line of the nearest header, or 1.
    """
    lines = text.splitlines()
    found, path = 0, ""
    parts = list(loc)
    while parts and (at := _header(lines, path, parts)) is not None:
        used, path, found = at
        parts = parts[used:]
    if parts:
        key = re.compile(rf"\s*{re.escape(str(parts[0]))}\s*=")
        for number in range(found + 1, len(lines) + 1):
            if lines[number - 1].lstrip().startswith("["):
                break
            if key.match(lines[number - 1]):
                return number
    return max(found, 1)


def _header(lines: list[str], path: str, parts: list[int | str]) -> tuple[int, str, int] | None:
    """How many parts the next header names, its full name, its line."""
    for used in range(1, len(parts) + 1):
        words = [str(part) for part in parts[:used] if isinstance(part, str)]
        name = ".".join([path, *words] if path else words)
        index = parts[used] if used < len(parts) else None
        same = [n for n, line in enumerate(lines, 1) if _names(line, name)]
        if isinstance(index, int) and len(same) > index and lines[same[0] - 1].startswith("[["):
            return used + 1, name, same[index]
        if same and not isinstance(parts[used - 1], int):
            return used, name, same[0]
    return None


def _names(line: str, name: str) -> bool:
    bare = line.partition("#")[0].strip()
    return bare in {f"[{name}]", f"[[{name}]]"}
