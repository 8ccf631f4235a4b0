"""
Line protocol of batches, as the views read it.

Held for each input: nothing raises; every line is understood or kept as rejected, none is dropped;
a number that came out is one that Python reads from the text of a field of the payload.
"""

import math
import random
from collections.abc import Callable

from agent.batches.batch import Batch, line_count
from agent.views import Source, StoredBatch
from agent.wire.parse import Parser
from tests.fuzz.mutants import mutated

RAW = Source("demo", "gw1", "raw", "3f9a3f9a3f9a3f9a")
RECORD = Source("demo", "gw1", "record", "77aa77aa77aa77aa")
NS = 1_790_000_000_000_000_000
PIECES = (
    *(b" ", b",", b"=", b'"', b"\\", b"\n", b"i", b"e9", b"nan", b"inf", b"-", b"1e999", b"\xff"),
    *(b"_q=", b"voltage=", b"unit=pot001", "电".encode(), b"\r", b"\0", b"_n=1i", b"9" * 30, b"t"),
)
LINES = (
    "pot,plant=demo,line=line1,unit=pot001 voltage=4.012,noise_hf=8.1 {}",
    "pot,plant=demo,line=line1,unit=pot002 voltage=-0.0,noise_hf=5e-324 {}",
    'pot,plant=demo,line=line1,unit=pot003 voltage_q="stuck" {}',
    "pot_1m,plant=demo,line=line1,unit=pot001 voltage=4.01,voltage_min=4,voltage_n=60i {}",
    "meter_1m,plant=demo,line=line1,unit=ac1 energy_import_inc=12.5,energy_import_n=60i {}",
    'meter_1m,plant=demo,line=line1,unit=ac1 energy_import_raw="0001e240",energy_import_n=1i {}',
    "frame,plant=demo,gateway=gw1,device=plc,interval=1 points=20i,bad=0i,lag_ms=12.5 {}",
    'event,plant=demo,gateway=gw1,kind=gap,line=line1,unit=pot001 id="a",text="b, c=\\"d\\"" {}',
)


def make() -> Callable[[random.Random], str]:
    """The target."""
    parsers = {RAW: Parser(), RECORD: Parser()}
    fresh = 0

    def trial(chance: random.Random) -> str:
        nonlocal fresh
        fresh += 1
        if fresh % 5_000 == 0:  # names met are kept: junk fills a parser up, as is meant
            parsers.update({RAW: Parser(), RECORD: Parser()})
        source = chance.choice((RAW, RECORD))
        body = "\n".join(
            chance.choice(LINES).format(NS + n) for n in range(chance.randrange(1, 5))
        ).encode()
        if chance.random() < 0.8:
            body = mutated(body, PIECES, chance)
        return _read(parsers[source], source, body)

    return trial


def _read(parser: Parser, source: Source, body: bytes) -> str:
    head = (
        f"batch,plant=demo,gateway=gw1,stream={source.stream} "
        f'log="{source.log}",seq=1i,lines=1i,config="0",prev="{"0" * 64}" {NS}\n'
    ).encode()
    payload = head + body
    lines = [line for line in body.split(b"\n") if line.strip()]
    columns = parser.parse([StoredBatch(source, Batch.of(1, NS, line_count(payload), payload))])
    rows = len(columns.samples) + len(columns.windows) + len(columns.events) + columns.frames
    assert rows + len(columns.rejects) >= len({*lines}) - _silent(lines), body
    for value in columns.samples.value:
        assert math.isnan(value) or _said(float(value), body), (value, body)
    if columns.rejects:
        return "with rejected lines"
    return "with rows" if rows else "empty"


def _silent(lines: list[bytes]) -> int:
    """Lines of measurements that no view keeps: they may go without a row."""
    return sum(line.startswith((b"batch", b"#")) for line in lines)


def _said(value: float, body: bytes) -> bool:
    """Whether some field of the text reads as this number, to the bit."""
    for part in body.replace(b"\n", b" ").replace(b",", b" ").split(b" "):
        text = part.rpartition(b"=")[2].decode("utf-8", "replace").removesuffix("i")
        try:
            if float(text) == value or text.lower() in {"t", "f", "true", "false"}:
                return True
        except ValueError:
            if text.lower() in {"t", "f", "true", "false"}:
                return True
    return False
