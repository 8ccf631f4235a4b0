"""The data catalogue: every kind of data by class, for a person, as CSV or as JSON."""

import csv
import json
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from drivers.classes import NAMES, RANK, ClassRules, rules_of
from drivers.doctor import Text
from drivers.keeping import Holding, keeper_of
from drivers.language import say

ROWS = (
    (Text("内容", "what"), "what"),
    (Text("存放", "where"), "places"),
    (Text("可读", "readers"), "readers"),
    (Text("保存", "kept"), "kept"),
    (Text("静态", "at rest"), "at_rest"),
    (Text("传输", "in transit"), "in_transit"),
    (Text("起始", "since"), "since"),
    (Text("数据项", "quantities"), "quantities"),
)
SHOWN = 6  # quantities of a row; the CSV has all


def tell(configs: list[Path], csv_file: Path | None, as_json: bool) -> None:
    """Raises ConfigError for a config that cannot be read."""
    rules = rules_of(*configs)
    found = [(path, holding) for path in configs for holding in keeper_of(path)[1].holdings(path)]
    if csv_file is not None:
        _write(csv_file, found)
        rows = say(f"{csv_file}：{len(found)} 行", f"{csv_file}: {len(found)} rows")
        typer.echo(rows)
    elif as_json:
        table = {
            "holdings": [{"config": str(path), **each.as_json()} for path, each in found],
            "changed": [
                {"name": name, "usual": str(usual), "now": str(now), "why": reason}
                for name, usual, now, reason in rules.changed
            ],
            "export": rules.export.model_dump(mode="json"),
        }
        typer.echo(json.dumps(table, ensure_ascii=False, indent=1))
    else:
        _show(found, rules)


def _cell(holding: Holding, name: str, *, most: int | None = None) -> str:
    value = getattr(holding, name)
    if not isinstance(value, tuple):
        return str(value)
    if most is None or len(value) <= most:
        return ", ".join(value)
    rest = len(value) - most
    return ", ".join(value[:most]) + say(f" 等 {len(value)} 项", f" and {rest} more")


def _write(file: Path, found: list[tuple[Path, Holding]]) -> None:
    """With a byte order mark, so that a spreadsheet shows Chinese."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        rows = csv.writer(out)
        heads = [str(head) for head, _ in ROWS]
        rows.writerow([say("等级", "class"), say("类别", "kind"), *heads, say("配置", "config")])
        for path, each in sorted(found, key=lambda x: -RANK.index(x[1].data_class)):
            cells = [_cell(each, name) for _, name in ROWS]
            rows.writerow([str(NAMES[each.data_class]), each.kind, *cells, str(path)])


def _show(found: list[tuple[Path, Holding]], rules: ClassRules) -> None:
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    for of in reversed(RANK):
        mine = [each for _, each in found if each.data_class is of]
        if not mine:
            continue
        title = say(f"{NAMES[of].zh}数据", f"{NAMES[of].en} data")
        console.print(
            f"\n{title}  [export] {of} = {rules.export.rule(of)}", style="bold", markup=False
        )
        for each in mine:
            grid = Table.grid(padding=(0, 1))
            grid.add_column(width=12, justify="right", style="dim")
            grid.add_column(overflow="fold")
            for head, name in ROWS:
                if text := _cell(each, name, most=SHOWN):
                    style = "bold" if name == "what" else ""
                    grid.add_row(str(head), Rich(text, style=style))
            console.print(grid)
            console.print()
    for name, usual, now, reason in rules.changed:
        console.print(
            say(
                f"! {name}：缺省“{NAMES[usual].zh}”，本厂定为“{NAMES[now].zh}” {reason}",
                f"! {name}: usually {NAMES[usual].en}, here {NAMES[now].en} {reason}",
            ),
            markup=False,
        )
    typer.echo(
        say(
            "等级为本程序的建议值，须由企业按 工信部网安〔2022〕166号 认定并备案（[classes]）",
            "Classes are our proposal; the plant decides and files them (工信部网安〔2022〕166号).",
        )
    )
