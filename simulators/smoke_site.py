"""What a site writes of its stacks: ``[[stacks]]`` of ``site.toml`` and of ``gateway.toml``."""

import math
from collections.abc import Sequence
from datetime import date

from simulators.plant import Section
from simulators.smoke_plan import POT_GAS, StackDesign

SOURCE = "仿真排污许可证 副本 表 5 / simulated permit, table 5"
PERMIT = "91410000SIM000001X001P"
FOREVER = date(2015, 1, 1)
CHINESE = "一二三四五六七八九十"


def design_of(section: Section, started: date | None = None) -> StackDesign:
    """The stack of a potline of the served plant, which is measured hot and wet."""
    number, stack = section.number, section.stack
    usual = dict.fromkeys(("pm", "so2", "nox", "fluoride"), 0.0)
    return StackDesign(
        id=f"DA{number:03d}",
        equipment=f"{stack.area}/stack1",
        zh=f"{CHINESE[number - 1]}系列电解烟气排放口",
        en=f"pot gas of potline {number}",
        industry=POT_GAS.industry,
        usual=usual,
        limits={"pm": 10.0, "so2": 35.0, "nox": 100.0, "fluoride": 2.0},
        gas_nm3_h=7_500.0 * section.pots.count,
        area_m2=stack.duct_m2,
        warm_c=52.0,
        moisture=0.115,
        o2=20.55,
        potline=section.name,
        wet=True,
        ambient_pa=101_325.0,
        started=started or date(2020, 1, 1),
        controls=(
            (f"{stack.area}/scrubber1", "scrubber.running"),
            (f"{stack.area}/fgd1", "desulphurisation.running"),
        ),
    )


def site_stack(stack: StackDesign, potline: str = "", stopped: date | None = None) -> str:
    """One ``[[stacks]]`` of ``site.toml``; ``potline`` is its id there, "" for none."""
    lines = [
        "",
        "[[stacks]]",
        f'id = "{stack.id}"',
        f'name = {{ zh = "{stack.zh}", en = "{stack.en}" }}',
        f'equipment = "{stack.equipment}"',
        f'industry = "{stack.industry}"',
        *_shared(stack),
        f'permit = {{ number = "{PERMIT}", document = "permit-simulated.txt" }}',
        f"started = {stack.started}",
    ]
    if stopped is not None:
        lines.append(f"stopped = {stopped}")
    if potline:
        lines.append(f'potlines = ["{potline}"]')
        lines.append(f'production = "{stack.potline}/series potline.current"')
    if stack.controls:
        points = ", ".join(f'"{equipment} {quantity}"' for equipment, quantity in stack.controls)
        lines.append(f"controls = [{points}]")
    return "\n".join([*lines, *_limits(stack), ""])


def gateway_stack(stack: StackDesign) -> list[str]:
    """Lines of one ``[[stacks]]`` of ``gateway.toml``."""
    return ["", "[[stacks]]", f'equipment = "{stack.equipment}"', *_shared(stack), *_limits(stack)]


def _shared(stack: StackDesign) -> list[str]:
    lines = [
        f"area_m2 = {stack.area_m2:g}",
        f"velocity_coefficient = {stack.velocity_coefficient:g}",
        f"ambient_pa = {stack.ambient_pa:g}",
        f"wet = {str(stack.wet).lower()}",
    ]
    if stack.reference_o2 is not None and not math.isnan(stack.reference_o2):
        lines.append(f"reference_o2 = {stack.reference_o2:g}")
    return lines


def _limits(stack: StackDesign) -> list[str]:
    lines = []
    for pollutant, limit in stack.limits.items():
        lines += [
            "",
            "[[stacks.limits]]",
            f'pollutant = "{pollutant}"',
            f"hour_mg_m3 = {limit:g}",
            f"from = {FOREVER}",
            f'source = "{SOURCE}"',
        ]
    return lines


def smoke_site(plant: str, stacks: Sequence[StackDesign]) -> str:
    """A ``site.toml`` of a plant of which only the stacks matter, and its one potline."""
    potlines = {stack.potline for stack in stacks if stack.potline} or {"line1"}  # a site has one
    parts = [
        f"""\
# Stacks of a simulated year. 仿真全年排放口。
plant = "{plant}"
name = {{ zh = "示例铝业有限公司（仿真）", en = "Example Aluminium Co., Ltd. (simulated)" }}
province = "henan"
lake = "data/historian/lake"
originals = "data/historian/originals"
entries = "data/entries.jsonl"
"""
    ]
    parts += [
        f"""
[[potline]]
id = "{name}"
name = {{ zh = "{CHINESE[n]}系列", en = "Potline {n + 1}" }}
process = "{n + 1}"
capacity_t_per_year = 13000
design_current_ka = 400
design_voltage_v = 4.0
pots = 12
rectifiers = 4
started = 2020-01-01
ac_meters = ["{name}/ac1"]
"""
        for n, name in enumerate(sorted(potlines))
    ]
    parts += [site_stack(stack, stack.potline) for stack in stacks]
    return "".join(parts)
