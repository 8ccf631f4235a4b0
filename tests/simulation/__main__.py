"""
``python -m tests.simulation``: many seeds on all cores, or one of them told step by step.

Exit code 0: every promise held; 1: one was broken (the seed is printed); 2: wrong use.
"""

import argparse
import gc
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.run import Result, run

CHUNK = 20  # seeds to a process: what they leave in memory goes with it
FULL = 10_000


def _play(chunk: tuple[list[int], str]) -> list[Result]:
    """In a process of its own."""
    gc.disable()  # a collection would close the coroutines of the dead
    seeds, mutation = chunk
    if mutation:
        from tests.simulation.mutations import mutate

        mutate(mutation)
    return [run(seed) for seed in seeds]


def results(seeds: list[int], jobs: int, mutation: str = "") -> Iterator[Result]:
    """As they come."""
    chunks = [(seeds[at : at + CHUNK], mutation) for at in range(0, len(seeds), CHUNK)]
    context = multiprocessing.get_context("fork")
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        for found in pool.imap_unordered(_play, chunks):
            yield from found


def _hunt(name: str) -> tuple[str, int, str]:
    """The first seed that finds a mutation; 0 when none of many does. In a process of its own."""
    from tests.simulation.mutations import FAULTS, MOST_SEEDS, mutate

    gc.disable()
    mutate(name)
    for seed in range(1, MOST_SEEDS + 1):
        result = run(seed, always=FAULTS.get(name, ()))
        if result.broken:
            return name, seed, result.broken
    return name, 0, ""


def _sound(found: tuple[str, int, str]) -> tuple[str, int, str, str]:
    """The same seed with the same faults, played with the product as it is."""
    from tests.simulation.mutations import FAULTS

    gc.disable()
    name, seed, broken = found
    return name, seed, broken, run(seed, always=FAULTS.get(name, ())).broken if seed else ""


def _mutations(jobs: int) -> int:
    """Every way in which the product can be broken on purpose is found, and for that reason."""
    from tests.simulation.mutations import MUTATIONS

    missed = 0
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        found = pool.imap_unordered(_hunt, MUTATIONS, chunksize=1)
        for name, seed, broken, anyway in pool.imap_unordered(_sound, found, chunksize=1):
            missed += not seed or bool(anyway)
            text = f"BROKEN ANYWAY: {anyway[:150]}" if anyway else broken[:150]
            print(f"{name}: seed {seed}: {text}" if seed else f"{name}: NOT FOUND", flush=True)
    return 1 if missed else 0


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return found.stdout.strip() or "?"


def _many(seeds: list[int], jobs: int, options: argparse.Namespace) -> int:
    begun_s = time.monotonic()
    counts: Counter[str] = Counter()
    broken: list[Result] = []
    virtual_s, done = 0.0, 0
    for result in results(seeds, jobs, options.mutation):
        done += 1
        counts.update(result.counts)
        virtual_s += result.virtual_s
        if options.traces:
            print(result.seed, result.trace)
        if result.broken:
            broken.append(result)
            print(f"seed {result.seed}: {result.broken}\n  faults: {result.faults}")
            print(f"  replay: python -m tests.simulation --seed {result.seed} --trace", flush=True)
            if options.first:
                break
        if sys.stderr.isatty() or done % 500 == 0:
            left_s = (time.monotonic() - begun_s) / done * (len(seeds) - done)
            print(f"{done}/{len(seeds)} {len(broken)} broken, {left_s:.0f} s left", file=sys.stderr)
    said = {
        "id": "A19",
        "seeds": done,
        "first": seeds[0],
        "broken": sorted(each.seed for each in broken),
        "virtual_hours": round(virtual_s / 3600, 1),
        "seconds": round(time.monotonic() - begun_s),
        "commit": _commit(),
        "counts": dict(sorted(counts.items())),
    }
    if options.json:
        print(json.dumps(said))
    else:
        print(
            f"{done} seeds, {said['virtual_hours']} h of plant time in {said['seconds']} s: "
            f"{len(broken)} broken promises; {said['counts']}"
        )
    return 1 if broken else 0


def _one(seed: int, *, told: bool, mutation: str) -> int:
    gc.disable()
    if mutation:
        from tests.simulation.mutations import mutate

        mutate(mutation)
    result = run(seed, told=told)
    print(f"seed {seed}: {result.faults}")
    print(
        f"trace {result.trace}, {result.events} events, {result.virtual_s:.1f} s; {result.counts}"
    )
    print(f"BROKEN: {result.broken}" if result.broken else "every promise held")
    return 1 if result.broken else 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: print what happens")
    parser.add_argument("--seeds", type=int, default=FULL, help="how many, from --from on")
    parser.add_argument("--from", type=int, default=1, dest="first_seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mutation", default="", help="play a product that is broken on purpose")
    parser.add_argument("--first", action="store_true", help="stop at the first broken promise")
    parser.add_argument("--json", action="store_true", help="one line of figures at the end")
    parser.add_argument("--traces", action="store_true", help="print seed and trace of each")
    parser.add_argument("--mutations", action="store_true", help="find each broken product")
    options = parser.parse_args()
    if options.mutations:
        return _mutations(options.jobs)
    if options.seed is not None:
        return _one(options.seed, told=options.trace, mutation=options.mutation)
    seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    return _many(seeds, options.jobs, options)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # without closing the coroutines of the dead
