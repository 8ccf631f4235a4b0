"""What a gateway says of its logs: ``…/state``, retained."""

import json

from agent.historian.branches import Advertised
from agent.historian.received import STREAMS

_STATE_BYTES = 64 << 10


def read_state(payload: bytes) -> list[tuple[str, str, Advertised]] | None:
    """
    (stream, log, what it still holds) of a gateway that is online.

    None when it is not readable, empty when the gateway is offline.
    """
    if len(payload) > _STATE_BYTES:
        return None
    try:
        said = json.loads(payload) if payload else {}
        found = []
        for stream, log in said.get("logs", {}).items() if said.get("online") else ():
            lost = tuple((int(first), int(last)) for first, last in log.get("lost", ()))
            holds = Advertised(int(log["oldest"]), lost, int(log.get("ahead", 0)))
            found.append((str(stream), str(log["log"]), holds))
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # arithmetic: a JSON number like 1e999 is infinite
    return [each for each in found if each[0] in STREAMS]
