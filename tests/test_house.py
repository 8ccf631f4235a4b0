"""The style as a test: sizes, names, docstrings, read-only drivers, documents that are true.

An exemption stands in a list with its reason; the list may only shrink.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from drivers.quantities import quantities

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "drivers", "reports", "simulators")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
LONG_FILES: dict[str, str] = {  # path -> reason
    "reports/package/verify.py": "carried whole in every package: an auditor runs one file"
}
LONG_FUNCTIONS: dict[str, str] = {}  # path:function -> reason

# Calls by which a driver could change something in a PLC; none may exist in drivers/ or agent/.
WRITING_CALLS = re.compile(
    r"\.(write_registers?|write_coils?|mask_write_register|readwrite_registers|write_values?|"
    r"write_value|set_value|write_attribute\w*|call_method|write_file_record)\("
)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / part for part in listed.split("\0") if part and (ROOT / part).is_file()]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_file_is_short_and_says_what_lives_there(path: Path) -> None:
    text = path.read_text("utf-8")
    assert path.stem not in BANNED_NAMES, f"{name(path)}: name the topic instead"
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{name(path)}: the first line says what lives there"
    lines = text.count("\n")
    assert lines <= FILE_LINES_MAX or name(path) in LONG_FILES, f"{name(path)}: {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_functions_can_be_seen_at_once(path: Path) -> None:
    for function in functions(ast.parse(path.read_text("utf-8"))):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if not body:
            continue
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
        place = f"{name(path)}:{function.name}"
        assert lines <= FUNCTION_LINES_MAX or place in LONG_FUNCTIONS, f"{place}: {lines} lines"


@pytest.mark.parametrize("room", ["drivers", "agent"])
def test_no_code_that_could_write_to_a_plc(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not WRITING_CALLS.search(line), f"{name(path)}:{number}: {line.strip()}"


def test_no_address_of_a_package_registry_and_no_machine_path() -> None:
    hosts = "|".join(["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.", "crates" + r"\.io"])
    paths = "|".join(["/" + "work/", "/root/" + r"\."])
    forbidden = re.compile(f"{hosts}|{paths}")
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found = forbidden.search(text)
        assert not found, f"{name(path)}: {found.group() if found else ''}"


def test_lock_pins_everything_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    for block in blocks:
        assert "==" in block.splitlines()[0], block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_every_command_is_found_and_in_both_readmes() -> None:
    commands = {entry.name: entry for entry in entry_points(group="smelter.commands")}
    assert {"agent", "historian", "report", "trace", "compute", "demo"} <= commands.keys()
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text("utf-8")
        for command, entry in commands.items():
            assert f"smelter {command}" in text, f"{readme}: smelter {command} is missing"
            assert callable(entry.load())


def test_the_chinese_readme_has_every_section_of_the_english_one() -> None:
    english = (ROOT / "README.md").read_text("utf-8")
    chinese = (ROOT / "README.zh-CN.md").read_text("utf-8")
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("```") == chinese.count("```")


def test_every_driver_has_a_simulator_and_every_import_contract_a_reason() -> None:
    modules = {entry.value.partition(":")[0] for entry in entry_points(group="smelter.drivers")}
    for module in modules:
        protocol = module.split(".")[1]
        assert (ROOT / "simulators" / f"{protocol}.py").is_file(), module
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        assert len(contract["name"]) > 15, contract


def test_dictionary_labels_are_in_both_languages_and_distinct() -> None:
    for quantity in quantities().values():
        assert re.search(r"[\u4e00-\u9fff]", quantity.zh), quantity.name
        assert not re.search(r"[\u4e00-\u9fff]", quantity.en), quantity.name
        assert quantity.low <= quantity.high, quantity.name
    per_measurement: dict[tuple[str, str], str] = {}
    for quantity in quantities().values():
        key = (quantity.measurement, quantity.zh)
        assert key not in per_measurement, f"{quantity.name} and {per_measurement[key]}"
        per_measurement[key] = quantity.name


def test_files_of_the_architecture_page_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for path in re.findall(r"`((?:drivers|agent|reports|simulators)/[\w/]+\.py)`", page):
        assert (ROOT / path).is_file(), f"docs/architecture.md names {path}"
