"""The historian killed with SIGKILL while its own log grows: no act lost, none changed, no fork."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.audit_evidence import compare, witnessed
from drivers.audit import Act, AuditTrail

KILLS = 3
CALL = sys.executable, "-c", "from drivers.cli import main; main()", "historian", "run"


def until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + 90
    while not ready():
        assert process.poll() is None, "the historian stopped"
        assert time.monotonic() < end_s, "not in 90 s"
        time.sleep(0.05)


class Newer:
    """The log holds acts that were not there before."""

    def __init__(self, known: Callable[[], int], before: int) -> None:
        self.known, self.before = known, before

    def __call__(self) -> bool:
        return self.known() > self.before


def test_kills_while_acts_arrive_lose_none_and_fork_nothing(tmp_path: Path) -> None:
    config = tmp_path / "historian.toml"
    config.write_text(
        'plants = ["demo"]\ndata_dir = "data"\n[mqtt]\nurl = "mqtt://127.0.0.1:9"\n'
        '[audit]\nfollow = ["office"]\n[health]\nlisten = "127.0.0.1:0"\n',
        "utf-8",
    )
    office, chance = AuditTrail(tmp_path / "office"), random.Random(6)
    originals, count = tmp_path / "data" / "originals", 0

    def known() -> int:
        return max((x.n for x in witnessed(originals) if x.trail.endswith("office")), default=0)

    for number in range(KILLS + 1):
        with subprocess.Popen([*CALL, config], stderr=subprocess.DEVNULL) as process:
            before = known()
            for _ in range(2):
                acts = [Act(count + n, "王敏", "entry.added", f"#{count + n}") for n in range(40)]
                office.add_all(acts)
                count += len(acts)
                until(Newer(known, before), process)
            if number < KILLS:
                time.sleep(chance.uniform(0, 0.05))
                process.kill()
            else:
                until(Newer(known, count - 1), process)
                process.terminate()
                assert process.wait(60) == 0
    told = [each for each in witnessed(originals) if each.trail.endswith("office")]
    assert {each.n for each in told} == set(range(1, count + 1))
    assert len({(each.n, each.hash) for each in told}) == count  # put twice it is the same act
    assert compare(office.read(), told).differing == ""
    assert len({each.log for each in told}) == 1, "one log: no branch was begun"
    own = AuditTrail(tmp_path / "data" / "audit")
    assert own.check() is None
    done = [each.act.what for each in own.read()]
    assert done.count("process.started") == KILLS + 1
    assert "log.damaged" not in done
    heads = list((tmp_path / "data" / "checkpoints").glob("demo/historian/record/*/checkpoint"))
    assert len(heads) == 1
    newest = max(each.seq for each in told)
    assert int(heads[0].read_text().split("\n")[1]) >= newest
    print(f"{KILLS} kills, {count} acts, {len(told) - count} put twice")
