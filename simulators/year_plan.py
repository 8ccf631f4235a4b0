"""``plan.toml`` of a simulated plant: who measures what with which instrument, and what if not."""

from collections.abc import Iterator
from datetime import date

from simulators.year import Year

LATE = "line1-anode-scale"  # the instrument whose certificate has a gap
DRAWINGS = {
    "site_plan": ("厂区平面布置图（仿真）", "site plan (simulated)"),
    "process": ("工艺流程图（仿真）", "process diagram (simulated)"),
    "metering": ("计量器具网络图（仿真）", "metering diagram (simulated)"),
}
ENGLISH = {
    "铝液产量": "liquid aluminium",
    "阳极消耗量": "anode consumed",
    "阳极净消耗量": "net anode consumption",
    "阳极效应排放": "anode-effect PFC",
    "阳极含硫量": "sulphur in the anode",
    "阳极灰分": "ash in the anode",
    "交流电量": "AC electricity",
    "动力电量": "auxiliary electricity",
    "天然气": "natural gas",
    "柴油": "diesel",
    "柴油低位发热量": "heat value of diesel",
    "天然气低位发热量": "heat value of natural gas",
    "石灰石": "limestone",
    "石灰石纯度": "purity of limestone",
    "净购入电量": "net purchased electricity",
    "净购入热量": "net purchased heat",
}
_BODY = ("示例计量检定所（仿真）", "Example metrology office (simulated)")


def instruments(year: Year) -> list[str]:
    """Ids of every instrument of the plan, in its order."""
    return [line.split('"')[1] for line in _instruments(year) if line.startswith("id = ")]


def plan_text(year: Year) -> str:
    """The whole file."""
    first = date(year.year - 1, 12, 1)
    parts = [
        "# 数据质量控制计划（仿真）。Data quality control plan of the simulated plant.",
        "difference_percent = 1.0",
        "",
        "[boundary]",
        _words("process", "各铝电解工序：炭阳极消耗、阳极效应", "potlines: anodes, anode effects"),
        _words(
            "enterprise",
            "铝电解工序、铸造、厂内运输和烟气脱硫",
            "potlines, cast house, vehicles on site, desulphurisation",
        ),
        _words("excluded", "无自备电厂", "no captive power plant"),
        _words("products", "铝液、铝锭", "liquid aluminium, ingots"),
        "",
        *_departments(),
        *_drawings(),
        *_facilities(year),
        *_instruments(year),
        *_parameters(year),
        "[[role]]",
        _words("name", "碳排放数据管理员", "carbon data officer"),
        _words("person", "王敏", "Wang Min"),
        'department = "environment"',
        _words("duty", "月度填报与存证", "monthly figures and lodging"),
        "",
        "[[training]]",
        f'on = "{year.year}-03"',
        _words("topic", "指南与台账", "the guide and the ledgers"),
        _words("who", "各部门统计员", "clerks of all departments"),
        "",
        "[audit]",
        'frequency = "quarterly"',
        'department = "environment"',
        _words("text", "交叉核对台账、结算单与系统数据", "ledgers against invoices and the system"),
        "",
        "[archive]",
        "years = 10",
        _words("place", "环保部档案室", "archive of the environment department"),
        _words("text", "原始记录与电子数据", "raw records and electronic data"),
        "",
        *_changes(year),
        "[[version]]",
        'number = "1.0"',
        f"on = {first}",
        _words("author", "王敏", "Wang Min"),
        _words("reason", f"{year.year} 年度计划", f"plan of {year.year}"),
        "",
    ]
    return "\n".join(parts)


def _words(key: str, zh: str, en: str) -> str:
    return f'{key} = {{ zh = "{zh}", en = "{en}" }}'


def _departments() -> Iterator[str]:
    for name, zh, en in (
        ("environment", "环保部", "environment"),
        ("potroom", "电解车间", "potrooms"),
        ("energy", "动力部", "energy"),
        ("laboratory", "化验室", "laboratory"),
    ):
        yield "[[department]]"
        yield f'id = "{name}"'
        yield _words("name", zh, en)
        yield _words("contact", "李四", "Li Si")
        yield _words("duty", "数据采集与记录", "collects and records data")
        yield ""


def _drawings() -> Iterator[str]:
    for kind, (zh, en) in DRAWINGS.items():
        yield "[[drawing]]"
        yield f'kind = "{kind}"'
        yield _words("title", zh, en)
        yield f'file = "drawings/{kind}.svg"'
        yield ""


def _facilities(year: Year) -> Iterator[str]:
    for section in year.plant.sections:
        run = year.runs[section.name]
        yield "[[facility]]"
        yield f'id = "{section.name}"'
        yield _words("name", f"电解系列 {section.number}", f"potline {section.number}")
        spec = f"{section.design.current_ka:g} kA × {section.pots.count}"
        yield _words("spec", spec, spec)
        yield _words("place", "电解厂房", "potroom")
        yield f'potline = "{section.name}"'
        yield f"since = {run.started or date(2020, 1, 1)}"
        if run.stopped is not None:
            yield f"stopped = {run.stopped}"
        yield ""


def _instrument(
    name: str, names: tuple[str, str], measures: list[str], accuracy: float, rule: str
) -> Iterator[str]:
    yield "[[instrument]]"
    yield f'id = "{name}"'
    yield _words("name", *names)
    yield 'model = "SIM-1"'
    yield f'serial = "SN-{name}"'
    yield _words("place", "现场", "on site")
    yield f"measures = [{', '.join(repr(each).replace(chr(39), chr(34)) for each in measures)}]"
    yield f"accuracy_class_percent = {accuracy}"
    yield f'regulation = "{rule}"'
    yield "interval_months = 12"
    yield _words("body", *_BODY)
    yield 'department = "energy"'
    yield ""


def _instruments(year: Year) -> Iterator[str]:
    for section in year.plant.sections:
        line, zh = section.name, f"系列 {section.number}"
        yield from _instrument(
            f"{line}-ladle-scale",
            (f"{zh} 抬包电子秤", f"ladle scale of {line}"),
            [f"{line}.aluminium"],
            0.5,
            "JJG 539",
        )
        yield from _instrument(
            f"{line}-anode-scale",
            (f"{zh} 阳极电子秤", f"anode scale of {line}"),
            [f"{line}.anode_consumed"],
            0.5,
            "JJG 539",
        )
        for unit in ("ac1", "ac2", "aux1"):
            yield from _instrument(
                f"{line}-{unit}",
                (f"{zh} 电能表 {unit}", f"energy meter {unit} of {line}"),
                [f"{line}/{unit}"],
                0.5,
                "JJG 596",
            )
    for name, names, measures, accuracy, rule in (
        (
            "gas-meter",
            ("天然气流量计", "gas meter"),
            ["plant.fuel_consumed.natural_gas"],
            1.5,
            "JJG 1030",
        ),
        ("fuel-pump", ("加油机", "fuel dispenser"), ["plant.fuel_consumed.diesel"], 0.5, "JJG 443"),
        (
            "truck-scale",
            ("汽车衡", "truck scale"),
            ["plant.carbonate_consumed.calcium_carbonate"],
            0.5,
            "JJG 1118",
        ),
        (
            "grid-meter",
            ("关口电能表", "grid meter"),
            ["plant.electricity_purchased"],
            0.2,
            "JJG 596",
        ),
        ("heat-meter", ("热量表", "heat meter"), ["plant.heat_purchased"], 2.0, "JJG 225"),
    ):
        yield from _instrument(name, names, measures, accuracy, rule)


def _parameters(year: Year) -> Iterator[str]:
    for section in year.plant.sections:
        line = section.name
        yield from _measured(f"{line}.aluminium", "铝液产量", "daily", [f"{line}-ladle-scale"])
        yield from _measured(
            f"{line}.anode_consumed", "阳极消耗量", "monthly", [f"{line}-anode-scale"]
        )
        yield from _measured(
            f"{line}.electricity_ac", "交流电量", "hourly", [f"{line}-ac1", f"{line}-ac2"], "MWh"
        )
        yield from _measured(
            f"{line}.electricity_aux", "动力电量", "hourly", [f"{line}-aux1"], "MWh"
        )
    for figure, name, instrument, unit in (
        ("fuel_consumed.natural_gas", "天然气", "gas-meter", "万Nm3"),
        ("fuel_consumed.diesel", "柴油", "fuel-pump", "t"),
        ("carbonate_consumed.calcium_carbonate", "石灰石", "truck-scale", "t"),
        ("heat_purchased", "净购入热量", "heat-meter", "GJ"),
    ):
        yield from _measured(f"plant.{figure}", name, "monthly", [instrument], unit)
    for figure, name in (("*.anode_net", "阳极净消耗量"), ("*.pfc", "阳极效应排放")):
        yield from _parameter(figure, name, "t", "default", "monthly")
        yield ""
    yield from _measured(
        "plant.electricity_purchased", "净购入电量", "monthly", ["grid-meter"], "MWh"
    )
    for figure, name in (("*.anode_sulphur", "阳极含硫量"), ("*.anode_ash", "阳极灰分")):
        yield from _parameter(figure, name, "%", "default", "monthly")
        yield ""
    yield from _parameter("plant.fuel_ncv.diesel", "柴油低位发热量", "GJ/t", "default", "monthly")
    yield ""
    for figure, name, unit, method in (
        ("plant.gas_ncv.natural_gas", "天然气低位发热量", "GJ/万Nm3", "GB/T 11062"),
        ("plant.carbonate_purity.calcium_carbonate", "石灰石纯度", "%", "GB/T 3286.9"),
    ):
        yield from _parameter(figure, name, unit, "laboratory", "monthly")
        yield "[parameter.laboratory]"
        yield _words("sampling", "每批取样", "a sample of each batch")
        yield _words("preparation", "缩分、研磨", "divided, ground")
        yield f'method = "{method}"'
        yield _words("laboratory", "示例检测中心（仿真）", "Example laboratory (simulated)")
        yield 'accreditation = "CNAS L00000"'
        yield ""


def _measured(
    figure: str, name: str, often: str, instruments: list[str], unit: str = "t"
) -> Iterator[str]:
    quoted = ", ".join(f'"{each}"' for each in instruments)
    yield from _parameter(figure, name, unit, "measured", often, f"instruments = [{quoted}]")
    yield ""


def _parameter(
    figure: str, name: str, unit: str, how: str, often: str, *more: str
) -> Iterator[str]:
    yield "[[parameter]]"
    yield f'figure = "{figure}"'
    yield _words("name", name, ENGLISH.get(name, name))
    yield f'unit = "{unit}"'
    yield f'acquisition = "{how}"'
    yield _words("source", "台账", "ledger")
    yield from more
    yield (
        f'record = {{ name = {{ zh = "{name}台账", en = "ledger of {ENGLISH.get(name, name)}" }}, '
        'form = { zh = "电子表格", en = "spreadsheet" }, '
        'cover = { zh = "全年", en = "whole year" } }'
    )
    yield f'monitoring = "{often}"'
    yield f'recording = "{often}"'
    code, zh, en = ("none", "查明后填报", "found, then reported")
    if figure.endswith((".aluminium", ".anode_consumed")):
        code, zh, en = ("conservative_v1", "按保守方法替代", "substituted conservatively")
    yield f'missing = {{ code = "{code}", text = {{ zh = "{zh}", en = "{en}" }} }}'
    yield _words("conservative", "不低估排放", "never underestimates the emission")
    yield 'department = "environment"'


def _changes(year: Year) -> Iterator[str]:
    for name, run in year.runs.items():
        for day, zh, en in (
            (run.started, "投运", "started"),
            (run.stopped, "停运", "stopped"),
        ):
            if day is None:
                continue
            yield "[[change]]"
            yield f"on = {day}"
            yield _words("text", f"{name} {zh}", f"{name} {en}")
            yield _words("reason", "产能置换（仿真）", "capacity replaced (simulated)")
            yield f'figures = ["{name}.*", "plant.*"]'
            yield ""
