"""``python -m tests.reliability [ID …] [--full] [--seed N] [--write docs/reliability.md]``."""

import argparse
import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import tests.reliability
from tests.reliability.cases import CASES, Result, run_case
from tests.reliability.table import commit, in_order, keep, rewrite

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
    parser.add_argument("--write", type=Path, help="page whose table is to be rewritten")
    parser.add_argument("--folder", type=Path, help="keep the files of each case here")
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
    results: list[Result] = []
    code = commit()
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="reliability-", ignore_cleanup_errors=True) as own:
            folder = given.folder or Path(own)
            result = run_case(
                CASES[name], folder, seed=given.seed, full=given.full, share=given.share
            )
        results.append(result)
        sys.stdout.write(f"{name:5} {result.verdict:8} {result.seconds:8.1f} s  {result.figure}\n")
        sys.stdout.flush()
        if given.write:
            keep(given.write, result, code)
            rewrite(given.write)
    return int(any(result.verdict == "fail" for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
