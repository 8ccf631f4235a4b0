"""Reports that lie beside site.toml are in a backup, and still find their site after a restore."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

from drivers.backup_commands import backup, restore
from drivers.cli import _app

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


def test_reports_beside_the_site_file_come_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(ROOT / "config", home)
    made = home / "reports" / "2026-10" / "carbon-v1.json"
    made.parent.mkdir(parents=True)
    made.write_text('{"site": "../../site.example.toml"}')
    target = tmp_path / "site.smelter"
    call = [str(home / "site.example.toml"), "--out", str(target)]
    assert RUN.invoke(_app("backup", backup), call).exit_code == 0
    back = [str(target), "--to", str(tmp_path / "to"), "--json"]
    told = RUN.invoke(_app("restore", restore), back)
    (config,) = json.loads(told.output)["restored"].values()
    again = Path(config).parent / "reports" / "2026-10" / "carbon-v1.json"
    assert again.read_bytes() == made.read_bytes()
    site = json.loads(again.read_text())["site"]
    assert (again.parent / site).resolve() == Path(config).resolve()
