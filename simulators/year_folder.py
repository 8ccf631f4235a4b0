"""Files of a simulated year: what a site would edit, what its office fills in, what happened."""

from datetime import date
from pathlib import Path

from simulators.folder import CHINESE, Folder, console_table, historian_text, site_exchanger
from simulators.months import month_span
from simulators.officer import write_workbook
from simulators.officer_gate import gate_entries
from simulators.officer_year import (
    PLATFORM_FILE,
    burnt,
    certificates,
    entries_of_month,
    entries_of_year,
)
from simulators.plant import Scenario, Section
from simulators.smoke_alert import write_alert_plan
from simulators.smoke_site import design_of, site_stack
from simulators.smoke_year import lay_in, smoke_of_year, write_smoke_year
from simulators.truth import write
from simulators.year import Run, Year
from simulators.year_files import truth_of, write_hours
from simulators.year_plan import DRAWINGS, LATE, instruments, plan_text

LINES = 3
PLANS = 'plan = "plan.toml"\nalert_plan = "alert-plan.toml"'


def the_year(year: int, pots: int, seed: int) -> Year:
    """Three potlines: one runs throughout, one stops in September, one starts in mid April."""
    begin_s, _ = month_span(f"{year}-01")
    runs = {
        "line2": Run(stopped=date(year, 9, 1)),
        "line3": Run(started=date(year, 4, 16)),
    }
    return Year(Scenario(begin_s, pots, seed, LINES), year, runs)


def write_year_folder(
    folder: Folder, year: int, pots: int, seed: int, broker: str, listen: dict[str, str]
) -> None:
    """``site.toml``, ``plan.toml`` and ``historian.toml``; ``listen`` as of ``write_folder``."""
    made = the_year(year, pots, seed)
    name = made.plant.scenario.name
    folder.historian.write_text(historian_text(name, broker, listen["historian"]), "utf-8")
    served = console_table(listen["console"], listen["historian"])
    folder.site.write_text(_site(made) + served, "utf-8")
    folder.plan.write_text(plan_text(made), "utf-8")
    write_alert_plan(folder.alert_plan, year)
    drawings = folder.root / "drawings"
    drawings.mkdir(exist_ok=True)
    for kind, titles in DRAWINGS.items():
        (drawings / f"{kind}.svg").write_text(_drawing(" ".join(titles), made), "utf-8")


def write_year(folder: Folder, year: int, pots: int, seed: int) -> int:
    """Import file, truth, and a workbook of entries a month; returns the rows of the file."""
    made = the_year(year, pots, seed)
    months = list(made.months())
    name = str(year)
    folder.history(name).parent.mkdir(parents=True, exist_ok=True)
    office = folder.entries(name).parent
    office.mkdir(parents=True, exist_ok=True)
    smoke = smoke_of_year(made)
    lay_in(months, smoke)
    rows = write_hours(folder.history(name), made, months)
    write_smoke_year(folder.history(name).parent, office, smoke)
    truth = truth_of(made, months)
    for month in months:
        consumed = burnt(made, month)
        truth["months"][month.month]["burnt"] = {
            key: getattr(consumed, key) for key in consumed.__slots__
        }
        rows_of_month = [*entries_of_month(made, month), *gate_entries(made, month)]
        write_workbook(folder.entries(month.month), rows_of_month)
    of_year = [*entries_of_year(made), *certificates(made, instruments(made), LATE)]
    write_workbook(folder.entries(name), of_year)
    _platform(office / PLATFORM_FILE)
    write(folder.month_truth(name), truth | {"history_rows": rows})
    return rows


def _drawing(title: str, year: Year) -> str:
    """The potlines as boxes under a title."""
    boxes = "".join(
        f'<rect x="20" y="{40 + 40 * n}" width="300" height="30" fill="none" stroke="black"/>'
        f'<text x="30" y="{60 + 40 * n}">{section.name}: {section.pots.count}</text>'
        for n, section in enumerate(year.plant.sections)
    )
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="200">'
    return f'{head}<text x="20" y="24">{title}</text>{boxes}</svg>\n'


def _platform(path: Path) -> None:
    path.write_text("仿真数据，并非平台截图。Simulated; no picture of the platform.\n", "utf-8")


def _site(year: Year) -> str:
    scenario = year.plant.scenario
    design = scenario.design
    parts = [
        f"""\
# A simulated year, for reports. 仿真全年，供报告使用。
plant = "{scenario.name}"
name = {{ zh = "示例铝业有限公司（仿真）", en = "Example Aluminium Co., Ltd. (simulated)" }}
province = "henan"
lake = "data/historian/lake"
originals = "data/historian/originals"
entries = "data/entries.jsonl"
{PLANS}
fuels = ["natural_gas", "diesel"]
carbonates = ["calcium_carbonate"]
pv_meters = ["plant/pv1"]
green_meters = ["plant/green1"]
water_meters = {{ fresh = ["plant/water1"] }}

[tariff]
price_cny_per_kwh = 0.45

[enterprise]
address = {{ zh = "河南省示例市示例路 1 号（仿真）", en = "1 Example Road (simulated)" }}
legal_representative = "张三（仿真）"

[abroad]
bakes_anodes = false
country = "china"
precursors = []

[[abroad.products]]
cn = "76011000"
name = {{ zh = "非合金铝锭", en = "unalloyed ingots" }}
"""
    ]
    parts += [_exchanger(section, year.runs[section.name]) for section in year.plant.sections]
    for section in year.plant.sections:
        name, number, run = section.name, section.number, year.runs[section.name]
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
            f"started = {run.started or date(2020, 1, 1)}\n"
            + (f"stopped = {run.stopped}\n" if run.stopped else "")
            + 'cell = "pfpb_l"\n'
            f'ac_meters = ["{name}/ac1", "{name}/ac2"]\n'
            f'aux_meters = ["{name}/aux1"]\n'
            f'dc_meters = ["{name}/dc1"]\n'
            f'fgd_meters = ["{name}/fgd1"]\n'
        )
    for section in year.plant.sections:
        run = year.runs[section.name]
        parts.append(site_stack(design_of(section, run.started), section.name, run.stopped))
    return "".join(parts)


def _exchanger(section: Section, run: Run) -> str:
    """The heat exchanger of a line, which works while the line does."""
    works = f"started = {run.started}\n" if run.started else ""
    works += f"stopped = {run.stopped}\n" if run.stopped else ""
    return site_exchanger(section.number) + works
