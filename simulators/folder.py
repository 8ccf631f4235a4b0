"""Writes what a site would edit for a served plant: gateway, historian, site and point tables."""

from dataclasses import dataclass
from pathlib import Path

from simulators.plant import Plant
from simulators.points import opcua_rows, write_table
from simulators.smoke_site import design_of, gateway_stack, site_stack
from simulators.world import World

CHINESE = "一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths of one simulated site below ``root``."""

    root: Path

    @property
    def gateway(self) -> Path:
        return self.root / "gateway.toml"

    @property
    def historian(self) -> Path:
        return self.root / "historian.toml"

    @property
    def site(self) -> Path:
        return self.root / "site.toml"

    @property
    def plan(self) -> Path:
        return self.root / "plan.toml"

    @property
    def alert_plan(self) -> Path:
        return self.root / "alert-plan.toml"

    @property
    def points(self) -> Path:
        return self.root / "points"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def truth(self) -> Path:
        return self.root / "truth-live.json"

    def history(self, month: str) -> Path:
        return self.root / "history" / f"{month}.parquet"

    def month_truth(self, month: str) -> Path:
        return self.root / "history" / f"truth-{month}.json"

    def entries(self, month: str) -> Path:
        return self.root / "entries" / f"entries-{month}.xlsx"

    @property
    def reports(self) -> Path:
        return self.root / "reports"


def write_folder(folder: Folder, world: World, broker: str, listen: dict[str, str]) -> None:
    """
    All config files of a served plant.

    ``broker`` is ``host:port``; ``listen`` has the health addresses of ``agent`` and ``historian``
    and that of the ``console``, where they shall be served.
    """
    folder.root.mkdir(parents=True, exist_ok=True)
    folder.points.mkdir(exist_ok=True)
    for device in world.devices:
        rows = [column.row() for column in device.columns]
        write_table(folder.points / f"{device.name}.csv", rows)
    if world.opcua is not None:
        write_table(folder.points / "dcs.csv", opcua_rows(world.plant))
    name = world.plant.scenario.name
    folder.gateway.write_text(_gateway(world, name, broker, listen.get("agent", "")), "utf-8")
    folder.historian.write_text(historian_text(name, broker, listen.get("historian", "")), "utf-8")
    served = ""
    if "console" in listen:
        served = console_table(listen["console"], listen["historian"])
    folder.site.write_text(_site(world.plant) + served, "utf-8")


def console_table(listen: str, historian: str) -> str:
    """``[console]`` of a simulated site; both are ``host:port``."""
    return f'\n[console]\nlisten = "{listen}"\nhistorian = "http://{historian}"\n'


def _gateway(world: World, plant: str, broker: str, listen: str) -> str:
    lines = [
        "# The gateway of the simulated smelter. 仿真电解铝厂的网关配置。",
        f'plant    = "{plant}"',
        'gateway  = "gw1"',
        'data_dir = "data/agent"',
        "",
        "[mqtt]",
        f'url = "mqtt://{broker}"',
        "",
        "[exchangers]",
        "acid_dew_c = 75.0 # the gas leaves with 76 to 93 degC 仿真烟气出口为 76 至 93 ℃",
    ]
    if listen:
        lines += ["", "[health]", f'listen = "{listen}"']
    for device in world.devices:
        lines += [
            "",
            "[[device]]",
            f'name = "{device.name}"',
            f'driver = "{device.driver}"',
            f'address = "{world.addresses[device.name]}"',
            f"unit = {device.unit}",
            f"interval_s = {device.interval_s:g}",
            f'points = "points/{device.name}.csv"',
        ]
    if world.opcua is not None:
        lines += [
            "",
            "[[device]]",
            'name = "dcs"',
            'driver = "opcua"',
            'security = "none"',
            f'address = "{world.addresses["dcs"]}"',
            "interval_s = 1",
            "timeout_s = 2",
            'mode = "subscribe"',
            'points = "points/dcs.csv"',
        ]
    for section in world.plant.sections:
        lines += gateway_stack(design_of(section))
    return "\n".join(lines) + "\n"


def historian_text(plant: str, broker: str, listen: str) -> str:
    """``historian.toml``; ``listen`` is the health address, "" for none."""
    health = f'\n[health]\nlisten = "{listen}"\n' if listen else ""
    return (
        "# The historian of the simulated smelter. 仿真电解铝厂的历史库配置。\n"
        f'plants   = ["{plant}"]\n'
        'data_dir = "data/historian"\n\n'
        f'[mqtt]\nurl = "mqtt://{broker}"\n\n[lake]\nflush_s = 2.0\n{health}'
    )


def site_exchanger(number: int) -> str:
    """The heat exchanger behind the gas treatment of that potline."""
    zh = f"{CHINESE[number - 1]}系列烟气换热器"
    return (
        f'\n[[exchangers]]\nequipment = "gtc{number}/hx1"\n'
        f'name = {{ zh = "{zh}", en = "Exchanger of potline {number}" }}\n'
        'use = "heating"\n'
    )


def _site(plant: Plant) -> str:
    scenario = plant.scenario
    design = scenario.design
    parts = [
        f"""\
# The simulated smelter, for reports. 仿真电解铝厂，供报告使用。
plant = "{scenario.name}"
name = {{ zh = "示例铝业有限公司（仿真）", en = "Example Aluminium Co., Ltd. (simulated)" }}
province = "henan"
lake = "data/historian/lake"
originals = "data/historian/originals"
entries = "data/entries.jsonl"
"""
    ]
    for section in plant.sections:
        name, number = section.name, section.number
        capacity = round(section.pots.count * design.metal_kg_s * 86_400 * 365 / 1000 * 1.02)
        parts.append(
            f'\n[[potline]]\nid = "{name}"\n'
            f'name = {{ zh = "{CHINESE[number - 1]}系列", en = "Potline {number}" }}\n'
            f'process = "{number}"\n'
            f"capacity_t_per_year = {capacity}\n"
            f"design_current_ka = {design.current_ka:g}\n"
            "design_voltage_v = 4.0\n"
            f"pots = {section.pots.count}\n"
            f"rectifiers = {section.line.rectifiers}\n"
            "started = 2024-01-01\n"
            f'ac_meters = ["{name}/ac1", "{name}/ac2"]\n'
            f'aux_meters = ["{name}/aux1"]\n'
        )
        parts.append(site_exchanger(number))
    stacks = [design_of(section) for section in plant.sections]
    return "".join([*parts, *(site_stack(stack, stack.potline) for stack in stacks)])
