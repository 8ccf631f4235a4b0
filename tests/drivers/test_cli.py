"""``smelter … --help`` of every command: plain text, in one language, brackets kept."""

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

ALL = """
import contextlib, io, json, re, sys
from importlib.metadata import entry_points
from drivers.cli import main

def helped(*words):
    said = io.StringIO()
    sys.argv = ["smelter", *words, "--help"]
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main()
    return said.getvalue()

found = {"": helped()}
for entry in entry_points(group="smelter.commands"):
    found[entry.name] = said = helped(entry.name)
    commands = said.partition("Commands:")[2]
    for name in re.findall(r"^  ([\\w-]+)", commands, re.M):
        found[f"{entry.name} {name}"] = helped(entry.name, name)
json.dump(found, sys.stderr)
"""
HAN = re.compile("[\u4e00-\u9fff]")


@cache
def helps(lang: str) -> dict[str, str]:
    environment = os.environ | {"SMELTER_LANG": lang, "COLUMNS": "100", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ALL], env=environment, capture_output=True, check=True, timeout=60
    )
    found: dict[str, str] = json.loads(done.stderr)
    return found


def test_every_command_is_there() -> None:
    assert helps("en").keys() == helps("zh").keys()
    assert {"", "agent run", "historian verify", "entries revise", "report"} <= helps("en").keys()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_help_is_plain(lang: str) -> None:
    for command, text in helps(lang).items():
        assert text.startswith(("Usage: smelter", "用法：smelter")), command
        assert not re.search("[\u2500-\u257f\x1b]", text), command
    assert "[[device]]" in helps("en")["browse"]
    assert "[?unit=1]" in helps(lang)["browse"]


def test_help_speaks_one_language() -> None:
    for command, text in helps("en").items():
        assert not HAN.search(text), text
        described = helps("zh")[command].split("\n\n")[1]
        assert HAN.search(described), f"{command}: {described}"


CRASH = """
import sys
from importlib.metadata import EntryPoint
import drivers.cli
broken = EntryPoint("entries", "tests.drivers.no_such_module:nothing", "smelter.commands")
drivers.cli.entry_points = lambda group: [broken]
sys.argv = ["smelter", "entries", "list"]
drivers.cli.main()
"""


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "程序内部错误"), ("en", "internal error; report it")]
)
def test_a_crash_is_no_answer(lang: str, words: str) -> None:
    environment = os.environ | {"SMELTER_LANG": lang, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CRASH], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert words in done.stderr
    assert "no_such_module" in done.stderr
