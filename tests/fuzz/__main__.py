"""``python -m tests.fuzz [NAME …] --inputs N --seed S``: figures; exit code 1 when broken."""

import argparse
import sys

from tests.fuzz.loop import TARGETS, BrokenError, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="inputs per target")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    unknown = [name for name in asked.name if name not in TARGETS]
    if unknown:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    for name in asked.name or TARGETS:
        try:
            report = run(name, inputs=asked.inputs, seed=asked.seed)
        except BrokenError as broken:
            print(broken)
            return 1
        print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
