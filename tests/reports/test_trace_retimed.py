"""A window that was moved to its true time is found in the originals under its old stamp."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.batches.log import BatchLog
from reports.citations import MeterUse, RegisterUse
from reports.metered import amount
from reports.package.originals import Needed, cited, segment
from reports.package.verify import Archive, Package, Verdict, read_batches
from reports.periods import clock_text
from reports.series.lake import open_lake
from reports.trace.text import window_text
from reports.trace.tracer import Tracer
from tests.agent.time_bench import POINT, SECOND, SYNCED, TRUE_NS, UNSYNCED, Run, World, run

DAY_NS = 86_400 * SECOND


async def ten_minutes_then_sync(world: World) -> None:
    await asyncio.sleep(600)
    world.wrong_ns, world.kernel = 0, SYNCED
    await asyncio.sleep(150)


def on_disk(done: Run, root: Path) -> Path:
    """The record log as the historian keeps it."""

    async def write() -> None:
        folder = root / "demo" / "gw1"
        async with BatchLog(folder, stream="record", log=done.record.log_id) as log:
            for each in done.record.batches:

                def make(seq: int, prev: str, payload: bytes = each.payload) -> tuple[bytes, int]:
                    plain = payload.replace(b"0" * 64, prev.encode(), 1)
                    return plain, payload.count(b"\n")

                await log.append(make, closed_ns=each.closed_ns, urgent=True)

    asyncio.run(write())
    return root


@pytest.fixture(scope="module", params=[-1_790_000_000, 40], ids=["1970", "ahead"])
def moved(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, Path, list[RegisterUse]]:
    """A run whose clock was set after ten minutes; registers as a report would cite them."""
    folder = tmp_path_factory.mktemp("moved")
    done = run(
        Run(folder), World(wrong_ns=request.param * SECOND, kernel=UNSYNCED), ten_minutes_then_sync
    )
    with open_lake("demo", done.lake()) as series:
        windows = series.windows(POINT, TRUE_NS - DAY_NS, TRUE_NS + DAY_NS)
    cited_at = [
        RegisterUse(
            time=clock_text(int(windows.start_ns[n]) + 60 * SECOND),
            window_ns=int(windows.start_ns[n]),
            last=amount(float(windows.last[n])),
            raw="",
            gateway="gw1",
            log=str(windows.log[n]),
            seq=int(windows.seq[n]),
        )
        for n in range(2, 8)
    ]
    return done, on_disk(done, folder / "originals"), cited_at


def meter_of(register: RegisterUse) -> MeterUse:
    use = {"id": "boiler", "equipment": POINT.equipment, "quantity": POINT.quantity, "batches": ()}
    return SimpleNamespace(**use, begin=register, end=None, windows=1)  # type: ignore[return-value]


def test_a_trace_falls_back_to_gateway_log_and_number(
    moved: tuple[Run, Path, list[RegisterUse]],
) -> None:
    _, root, registers = moved
    content = SimpleNamespace(plant=SimpleNamespace(id="demo"))
    stamped = set()
    for register in registers:
        for seq, log in ((register.seq, register.log), (0, "")):  # InfluxDB names no batch
            asked = register.model_copy(update={"seq": seq, "log": log})
            node = Tracer(content, root)._register(meter_of(asked), asked)  # type: ignore[arg-type]
            assert node["verified"] is True, node
            assert node["seq"] == register.seq
            stamped.add(node["stamped"])
        at = Tracer(content, root, register.window_ns).window(meter_of(register))  # type: ignore[arg-type]
        assert at["seq"] > 0, at
    assert len(stamped) == len(registers)
    assert "stamped" in window_text(node) or "原始时间" in window_text(node)


def test_a_package_takes_the_line_that_moved_it_and_the_verifier_follows(
    moved: tuple[Run, Path, list[RegisterUse]],
) -> None:
    _, root, registers = moved
    register = registers[3]
    meter = meter_of(register)
    wanted = Needed(root, "demo")
    cited(wanted, [meter])
    ((log, seqs),) = wanted.batches.items()
    assert len(seqs) == 2, "the window's batch and the one that says how it was moved"
    assert verdict_on(root, log, seqs, register) == (1, [])
    alone = verdict_on(root, log, {register.seq}, register)
    assert alone[0] == 0, "nothing in the package explains the other stamp"
    other = register.model_copy(update={"last": register.last + 1})
    assert verdict_on(root, log, seqs, other)[0] == 0
    late = register.model_copy(update={"window_ns": register.window_ns + 30 * SECOND})
    assert verdict_on(root, log, seqs, late)[0] == 0


def verdict_on(
    root: Path, log: str, seqs: set[int], register: RegisterUse
) -> tuple[int, list[dict[str, str]]]:
    data, _, missing = segment(root, log, seqs, 1 << 24)
    assert not missing
    verdict = Verdict()
    package = Package(Archive.__new__(Archive), verdict)
    package.batches[log] = read_batches(verdict, "batches", log, data)
    meter = {"id": "boiler", "equipment": POINT.equipment, "quantity": POINT.quantity}
    row = register.model_dump(mode="json")
    return package._check_register("demo", meter, "begin", row), verdict.changed
