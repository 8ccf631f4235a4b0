"""docs/metrics.md and config/prometheus/alerts.yml against what agent and historian really say."""

import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.oracle.device import FakePlc
from tests.oracle.plant import Plant, wait

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
ALERTS = (ROOT / "config" / "prometheus" / "alerts.yml").read_text("utf-8")
ROW = re.compile(r"^\| `(smelter_\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$")
SERIES_MOST = 40  # of one name from one small gateway: labels are bounded


def rows(section: str) -> dict[str, tuple[str, ...]]:
    """name → (type, labels, zh, en, when) of a section of the page."""
    text = PAGE.split(f"## {section}", 1)[1].split("\n## ", 1)[0]
    return {m[1]: m.groups()[1:] for line in text.splitlines() if (m := ROW.match(line))}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("metrics")
    broker = servers.mosquitto(folder).start()
    try:
        with FakePlc(20) as plc, Plant(folder, plc.port, broker.port, points=20) as plant:
            port = servers.free_port()
            text = plant.historian_toml.read_text()
            plant.historian_toml.write_text(
                text.replace('listen = ""', f'listen = "127.0.0.1:{port}"')
            )
            plant.agent.start()
            plant.historian.start()
            ports = {"Agent": plant.health, "Historian": port}
            wait(lambda: "receipt_age" in scrape(ports["Agent"]), "a receipt heard", 90)
            wait(lambda: "log_newest" in scrape(ports["Historian"]), "a log there", 90)
            yield {name: scrape(port) for name, port in ports.items()}
    finally:
        broker.end()


def scrape(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text: str = page.read().decode()
    except OSError:
        time.sleep(0.2)
        return ""
    return text


def types(text: str) -> dict[str, str]:
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("process", ["Agent", "Historian"])
def test_the_page_says_every_name_and_no_other(said: dict[str, str], process: str) -> None:
    documented, found = rows(process), types(said[process])
    assert len(documented) > 10
    missing = {f"| `{name}` | {kind} |" for name, kind in found.items() if name not in documented}
    assert not missing, f"docs/metrics.md, {process}: " + "\n".join(sorted(missing))
    for name, (kind, _, zh, en, when) in documented.items():
        assert re.search(r"[\u4e00-\u9fff]", zh), name
        assert not re.search(r"[\u4e00-\u9fff]", en), name
        if not when.strip():
            assert name in found, f"{process}: {name} is documented and not there"
        if name in found:
            assert found[name] == kind, name


@pytest.mark.parametrize("process", ["Agent", "Historian"])
def test_labels_are_those_of_the_page_and_few(said: dict[str, str], process: str) -> None:
    documented, series = rows(process), dict[str, int]()
    for name, labels in re.findall(r"^(smelter_\w+)(?:\{(.*)\})? ", said[process], re.MULTILINE):
        base = name if name in documented else re.sub(r"_(bucket|sum|count)$", "", name)
        told = set(re.findall(r"`(\w+)`", documented[base][1]))
        assert set(re.findall(r'(\w+)="', labels)) - {"le"} <= told, name
        series[name] = series.get(name, 0) + 1
    assert max(series.values()) <= SERIES_MOST, series


def alerts() -> list[tuple[str, str]]:
    """Name and text of each alert."""
    parts = ALERTS.split("      - alert: ")[1:]
    return [(part.split("\n", 1)[0].strip(), part) for part in parts]


def test_alerts_use_documented_names_and_say_what_to_do_in_both_languages() -> None:
    known = rows("Agent").keys() | rows("Historian").keys()
    known |= {f"{name}_bucket" for name in known}
    found = alerts()
    assert len(found) >= 12
    assert len({name for name, _ in found}) == len(found)
    for name, text in found:
        used = set(re.findall(r"\bsmelter_\w+", text.split("annotations:")[0]))
        assert used or "up{" in text, name
        assert used <= known, f"{name}: {used - known}"
        for key in ("summary", "summary_zh", "action", "action_zh"):
            match = re.search(rf'^          {key}: "(.+)"$', text, re.MULTILINE)
            assert match, f"{name} lacks {key}"
            assert bool(re.search(r"[\u4e00-\u9fff]", match[1])) == key.endswith("_zh"), name
        assert re.search(r"^        for: \d+[smh]$", text, re.MULTILINE), name
        assert re.search(r"^          severity: (warning|critical)$", text, re.MULTILINE), name
        expression = re.search(r"^        expr: (.+)$", text, re.MULTILINE)
        assert expression, name
        assert expression[1].count("(") == expression[1].count(")"), name
        assert expression[1].count("{") == expression[1].count("}"), name


def test_commands_of_the_alerts_can_be_run_as_written() -> None:
    """A config is named, and every option and command is one that is there."""
    actions = re.findall(r'^          action(?:_zh)?: "(.+)"$', ALERTS, re.MULTILINE)
    commands = [
        found
        for action in actions
        for found in re.findall(
            r"(?<!systemctl status )(?<!-u )\bsmelter (?:[a-z]+ ?)[^;；，]*", action
        )
    ]
    assert len(commands) >= 10
    for command in commands:
        assert re.search(r"/etc/smelter/(gateway|historian)\.toml\b", command), command
