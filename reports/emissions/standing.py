"""What a figure of a stack stands on: its points, what site.toml says of the gas, the equations."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from reports.assembly import Argument
from reports.citations import MeterUse
from reports.model import Input
from reports.site_stacks import SOURCES_NOX, Stack
from reports.values import Text

STATE: Final = ("temperature", "pressure", "humidity", "ambient_pressure")  # of the gas
OXYGEN: Final = ("o2", "o2_dry")
FLOW: Final = ("velocity", "flow", "flow_standard")
MASS: Final = "Σ C·Q / 10^9"  # (33, 34) of HJ 212-2017 D.2: mg/m3 and m3/h give t


def points(
    stack: Stack, pollutant: str, sources: Sequence[MeterUse], *, flow: bool
) -> list[Argument]:
    """Measured and derived points of one pollutant that brought windows."""
    own = [pollutant, *(SOURCES_NOX[stack.nox_from] if pollutant == "nox" else ())]
    names = [*own, f"{pollutant}_dry", f"{pollutant}_converted", *STATE, "instrument_state"]
    names += OXYGEN if stack.reference_o2 is not None else ()
    names += FLOW if flow else ()
    return gauges(stack, names, sources)


def gauges(stack: Stack, names: Sequence[str], sources: Sequence[MeterUse]) -> list[Argument]:
    """
    Those of the named fields of a stack that brought windows, and what says that it ran.

    Of other equipment only points of production are among the sources.
    """
    wanted = {f"stack.{name}" for name in names}
    return [
        Argument(Input(name=each.quantity, kind="meter", ref=each.id, value=None, unit=each.unit))
        for each in sources
        if each.quantity in wanted or each.equipment != stack.equipment
    ]


def stated(stack: Stack, sources: Sequence[MeterUse], *, flow: bool) -> Iterator[Argument]:
    """What site.toml says and no instrument measured."""
    measured = {each.quantity for each in sources}
    if flow:
        yield _site(stack, "area_m2", stack.area_m2, "m2")
        yield _site(stack, "velocity_coefficient", stack.velocity_coefficient, "1")
    if "stack.ambient_pressure" not in measured:
        yield _site(stack, "ambient_pa", stack.ambient_pa, "Pa")
    if "stack.pressure" not in measured and stack.static_pa is not None:
        yield _site(stack, "static_pa", stack.static_pa, "Pa")
    if "stack.humidity" not in measured and stack.moisture_percent is not None:
        yield _site(stack, "moisture_percent", stack.moisture_percent, "%")
    if stack.reference_o2 is not None:
        yield _site(stack, "reference_o2", stack.reference_o2, "%")
        yield _site(stack, "initial_o2", stack.initial_o2, "%")


def _site(stack: Stack, name: str, value: Decimal, unit: str) -> Argument:
    ref = f"stacks.{stack.id}.{name}"
    return Argument(Input(name=name, kind="site", ref=ref, value=value, unit=unit))


def concentration(stack: Stack, pollutant: str) -> str:
    """How a minute becomes what is judged; the numbers of HJ 212-2017 D.2."""
    found = "C"
    if pollutant in stack.measured_so("actual"):
        found += "·(273+t)/273·101325/(Ba+Ps)"
    if pollutant in stack.measured_so("wet"):
        found += "/(1-Xsw)"
    if stack.reference_o2 is not None:
        initial, reference = stack.initial_o2, stack.reference_o2
        found += f"·({initial:f}-{reference:f})/({initial:f}-O2)"
    return found


def formulas_note(stack: Stack, pollutant: str, *, flow: bool) -> Text:
    """Which formulas of ``smelter compute`` those are."""
    names = []
    if pollutant in stack.measured_so("actual"):
        names.append("standard_state")
    if pollutant in stack.measured_so("wet"):
        names.append("dry_basis")
    if flow:
        names += ["dry_standard_flow", "mass_rate"]
    elif stack.reference_o2 is not None:
        names.append("reference_oxygen")
    told = ", ".join(names) or "—"
    return Text(
        zh=f"公式（HJ 212-2017 附录 D.2；可用 smelter compute 复算）：{told}",
        en=f"formulas (HJ 212-2017 appendix D.2; smelter compute has them): {told}",
    )
