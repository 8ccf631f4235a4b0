"""What is installed here: version, Python, and whether the libraries are those of the lock file."""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, requires, version

from drivers.doctor import NOTHING, Finding, Given, Text

NAME = "smelter-agent"
EXTRAS = ("edge", "historian", "reports")


def check(_given: Given) -> Iterable[Finding]:
    """Version, and every library that an installed part asks for in that version."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    told = f"smelter {version(NAME)}, Python {python}"
    where = str(distribution(NAME).locate_file(""))
    yield Finding("ok", "program", Text(told, told), NOTHING, where)
    parts = [extra for extra in EXTRAS if not _lacking(extra)]
    absent = [extra for extra in EXTRAS if extra not in parts]
    if absent:
        lacking = "; ".join(f"{extra}: {', '.join(_lacking(extra))}" for extra in absent)
        yield Finding(
            "note",
            "program",
            Text(
                f"已安装部件 {', '.join(parts) or '无'}；本机缺少 {lacking}",
                f"parts installed: {', '.join(parts) or 'none'}; lacking here: {lacking}",
            ),
        )
    else:
        listed = ", ".join(parts)
        yield Finding("ok", "program", Text(f"部件齐全：{listed}", f"parts installed: {listed}"))


def _lacking(extra: str) -> list[str]:
    """Libraries of that part which are not here, or in a version that is too old or too new."""
    found = []
    for text in requires(NAME) or ():
        wanted, _, marker = text.partition(";")
        if f"extra == '{extra}'" not in marker.replace('"', "'") or NAME in wanted:
            continue
        name = re.match(r"[A-Za-z0-9._-]+", wanted.strip())
        if name is None:
            continue
        try:
            here = version(name[0])
        except PackageNotFoundError:
            found.append(name[0])
            continue
        bounds = re.findall(r"(>=|<)\s*([0-9.]+)", wanted)
        if not all((_parts(here) >= _parts(v)) is (sign == ">=") for sign, v in bounds):
            found.append(f"{name[0]} {here} ({wanted.strip()})")
    return found


def _parts(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:3])
