"""``python -m benchmarks [NAME…] [--write PAGE]``: runs benchmarks, keeps their tables."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks import table
from benchmarks.machine import counting_ns, foreign_load, sync_ms, this_machine
from benchmarks.plant import Setting
from benchmarks.table import Section

# name -> module:function, in the order of the page
BENCHMARKS = {
    "points1000": "edge:run_points1000",
    "modbus50": "edge:run_modbus50",
    "flatout": "edge:run_flatout",
    "steps": "steps:run",
    "opcua": "opcua:run",
    "smelter": "smelter:run_modbus",
    "smelter-opcua": "smelter:run_opcua",
    "start": "start:run",
    "lake": "views:run_lake",
    "influx": "views:run_influx",
    "encoder": "encoder:run",
    "log": "log:run",
    "report": "report:run",
    "energy": "energy:run",
    "emissions": "emissions:run",
    "console": "console:run",
}


def _run(name: str, folder: Path, seconds: float) -> Section:
    module, _, function = BENCHMARKS[name].partition(":")
    run: Callable[[Setting], Section] = getattr(import_module(f"benchmarks.{module}"), function)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as scratch:
        return run(Setting(Path(scratch), seconds))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--write", type=Path, metavar="PAGE", help="keep the tables in this page")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long a steady load is watched"
    )
    parser.add_argument(
        "--dir", type=Path, default=Path(tempfile.gettempdir()), help="scratch, on the disk to test"
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return given


def _measure(names: Sequence[str], folder: Path, seconds: float) -> tuple[list[Section], list[str]]:
    sections, failed = [], []
    for name in names:
        start = time.monotonic()
        try:
            section = _run(name, folder, seconds)
        except Exception as error:  # noqa: BLE001 - one benchmark must not take the others along
            failed.append(f"{name}: {type(error).__name__}: {error}")
            print(f"{failed[-1]}\n", file=sys.stderr)
            continue
        sections.append(section)
        print(section.markdown())
        print(f"{name}: {time.monotonic() - start:.0f} s\n", file=sys.stderr)
    return sections, failed


def main() -> int:
    """0 when everything ran (goals met or not), 1 when something could not be measured."""
    given = _arguments()
    load = foreign_load()
    machine = (
        f"{this_machine(given.dir)}; empty loop {counting_ns():.0f} ns a turn, fdatasync "
        f"{sync_ms(given.dir):.2g} ms; {100 * load:.0f} % busy with other things at the start"
    )
    print(f"{machine}\n")
    sections, failed = _measure(given.names or list(BENCHMARKS), given.dir, given.seconds)
    if given.write:
        table.update(given.write, machine, sections)
    missed = [
        f"{section.name}: {row.what} {row.cells[1]} {row.unit}, goal {row.goal}"
        for section in sections
        for row in section.rows
        if row.met == "**no**"
    ]
    print("\n".join(["goals not met:", *missed]) if missed else "every goal met")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
