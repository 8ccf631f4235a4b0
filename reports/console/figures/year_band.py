"""The year drawn: emission measured and forecast, and the allowance, as bars on one axis from 0."""

import math
from typing import Any, Final

Node = dict[str, Any]
ROWS: Final = ("emission", "allowance")
_STEPS: Final = (1, 2, 2.5, 5, 10)  # of ticks, times a power of ten
_TICKS: Final = 4


def picture(content: Node | None) -> Node | None:
    """
    Places on an axis of 0 to 100 of an allowance report's ``content``; None: nothing to draw.

    ``rows``: id, ``value``, ``low``, ``high`` (places or None), ``measured`` (where the months
    that are measured end; None: all of it is). ``ticks``: place and tonnes.
    """
    if content is None:
        return None
    lines = {line["id"]: line for line in content["lines"]}
    known = {name: _ends(lines, name) for name in ROWS}
    most = max((x for ends in known.values() for x in ends.values() if x is not None), default=0)
    if most <= 0:
        return None
    step = _step(most / _TICKS)
    top = step * math.ceil(most / step)
    rows = [
        {"id": name, **{end: None if x is None else _place(x, top) for end, x in ends.items()}}
        for name, ends in known.items()
        if any(x is not None for x in ends.values())
    ]
    for row in rows:
        row["measured"] = None
    ahead = months(lines)
    if known["emission"]["value"] is not None and ahead["forecast"]:
        rows[0]["measured"] = _place(_measured(lines), top)
    ticks = [{"at": _place(step * k, top), "value": step * k} for k in range(round(top / step) + 1)]
    return {"rows": rows, "ticks": ticks}


def _ends(lines: dict[str, Node], name: str) -> dict[str, float | None]:
    found = {}
    for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
        line = lines.get(f"plant.{name}{suffix}")
        found[end] = None if line is None or line["rounded"] is None else float(line["rounded"])
    return found


def _place(value: float, top: float) -> float:
    return round(max(value, 0) / top * 100, 2)


def _step(least: float) -> float:
    """The smallest round step that is not under ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(x * power for x in _STEPS if x * power >= least * 0.999)


def months(lines: dict[str, Node]) -> dict[str, int]:
    """How many months of the year are measured, and how many are forecast."""
    found = _emissions(lines)
    ahead = {month for _, month, forecast in found if forecast}
    return {"measured": len({month for _, month, _ in found} - ahead), "forecast": len(ahead)}


def _measured(lines: dict[str, Node]) -> float:
    """Emission of the potlines in months that are not forecast, t; only to draw its length."""
    found = _emissions(lines)
    return sum(float(lines[name]["rounded"]) for name, _, forecast in found if not forecast)


def _emissions(lines: dict[str, Node]) -> list[tuple[str, str, bool]]:
    """Line id, month, whether it is forecast; of each potline and month that is known."""
    found = []
    for name in lines:
        head, _, month = name.partition("@")
        known = lines[name]["rounded"] is not None
        if known and month and head.endswith(".emission") and not head.startswith("plant."):
            found.append((name, month, _is_forecast(lines, head, month)))
    return found


def _is_forecast(lines: dict[str, Node], head: str, month: str) -> bool:
    scope = head.partition(".")[0]
    names = ("aluminium", "anode_consumed", "emission")
    methods = [lines.get(f"{scope}.{name}@{month}", {}).get("method") for name in names]
    return "forecast" in methods
