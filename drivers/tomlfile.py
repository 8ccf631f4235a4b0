"""A TOML file as plain tables, and changing the value of one key without touching the rest."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.language import say, why
from drivers.model import ConfigError


def parsed(text: str, number: Callable[[str], Any] = float) -> dict[str, Any]:
    """As ``tomllib.loads``; U+0000 in a text is refused: no path and no name can hold it."""
    if "\\u0000" in text or "\\U00000000" in text:
        raise tomllib.TOMLDecodeError(
            say("文字中有 U+0000 字符", "a text holds the character U+0000")
        )
    return tomllib.loads(text, parse_float=number)


def read_tables(path: Path) -> dict[str, object]:
    """Raises ConfigError for what cannot be read."""
    try:
        return parsed(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: {why(error)}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {say('不是 TOML', 'is no TOML')}: {error}"]) from None


def with_value(text: str, key: str, value: str, table: str = "") -> str:
    """
    ``key = "value"`` in place of what stands there; the text as it was when the key is absent.

    ``table`` is the plain table ``[table]`` that has the key, "" the top of the file. The old line
    stays as a comment.
    """
    here, out = "", []
    pattern = re.compile(rf"\s*([\"']?){re.escape(key)}\1\s*=")
    for line in text.splitlines(keepends=True):
        if head := re.match(r"\s*\[\[?\s*([A-Za-z0-9_.\"-]+)\s*\]", line):
            here = head[1]
        if here == table and pattern.match(line):
            out.append(f"# {line.strip()}  # before the restore\n")
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            out.append(f'{key} = "{escaped}"\n')
        else:
            out.append(line)
    return "".join(out)
