"""
``python -m tests.reliability [ID …] [--full] [--seed N] [--write docs]``.

What is still to be done, in one command: ``--full --lacking --write docs [--minutes 120]``.
"""

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import tests.reliability
from tests.reliability.cases import CASES, Result, run_case
from tests.reliability.order import lacking, read_rows
from tests.reliability.table import commit, in_order, keep, page_of, rewrite

SEED = 20261123


def load_cases() -> None:
    """Imports every module of this package, so that its cases are registered."""
    for module in pkgutil.iter_modules(tests.reliability.__path__):
        if module.name != "__main__":
            importlib.import_module(f"tests.reliability.{module.name}")


def main() -> int:
    """0: all asked for passed or could not run here; 1: a failure; 2: no such case."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="A1 A2 …; none: all")
    parser.add_argument("--full", action="store_true", help="the numbers of the pass marks")
    parser.add_argument("--share", type=float, default=1.0, help="of the full numbers")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--write", type=Path, help="docs: the row goes on the page it belongs to; or one page"
    )
    parser.add_argument(
        "--lacking",
        action="store_true",
        help="only rows without a full pass of today's code, shortest first",
    )
    parser.add_argument("--minutes", type=float, help="begin nothing that may take longer")
    parser.add_argument("--folder", type=Path, help="keep the files of each case here")
    parser.add_argument("--json", action="store_true", help="one line a result, for programs")
    parser.add_argument("--list", action="store_true", help="the cases there are")
    given = parser.parse_args()
    load_cases()
    strange = [name for name in given.ids if name not in CASES]
    if strange:
        sys.stderr.write(
            f"no such case: {' '.join(strange)}; there are {' '.join(in_order(CASES))}\n"
        )
        return 2
    wanted = in_order(given.ids or CASES)
    if given.list:
        for name in wanted:
            sys.stdout.write(f"{name:5} {CASES[name].fault}: {CASES[name].mark}\n")
        return 0
    minutes: dict[str, float] = {}
    if given.lacking:
        where = given.write or Path("docs")
        rows = read_rows({page_of(name, where) for name in wanted})
        minutes = {each.id: each.minutes for each in lacking(rows, wanted)}
        wanted = list(minutes)
    return run(given, wanted, minutes)


def run(given: argparse.Namespace, wanted: list[str], minutes: dict[str, float]) -> int:
    """One after the other. ``minutes``: what each may take, where a budget was given."""
    results: list[Result] = []
    end_s = time.monotonic() + 60 * given.minutes if given.minutes else None
    for name in wanted:
        left_min = (end_s - time.monotonic()) / 60 if end_s else None
        if left_min is not None and minutes.get(name, 0.0) * given.share > left_min:
            sys.stdout.write(
                f"{name:5} left out: {minutes[name]:.0f} min, {max(left_min, 0):.0f} left\n"
            )
            continue
        code = commit()
        with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as own:
            folder = given.folder or Path(own)
            result = run_case(
                CASES[name], folder, seed=given.seed, full=given.full, share=given.share
            )
        results.append(result)
        told = f"{name:5} {result.verdict:8} {result.seconds:8.1f} s  {result.figure}"
        sys.stdout.write(f"{json.dumps(asdict(result)) if given.json else told}\n")
        sys.stdout.flush()
        if given.write:
            page = page_of(name, given.write)
            keep(page, result, code)
            rewrite(page)
    return int(any(result.verdict == "fail" for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
