"""Each way in which a month can stray from its quality plan, planted once and found."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest

from reports.basis import Basis
from reports.carbon.monthly import assemble_month
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.model import How, Line
from reports.plan.deviations import deviations
from reports.plan.in_force import plan_in_force
from reports.rules.packs import packs
from reports.series.store import open_series
from tests.reports import planned, plant
from tests.reports.conftest import Office

FILED = date(2026, 1, 5)
PARAMETER = "[[parameter]]\nfigure = "


@contextmanager
def october(office: Office) -> Iterator[Basis]:
    site = office.site
    with open_series(site) as series:
        ledger, lodgings = read_ledger(site.entries), read_lodgings(site.entries)
        yield Basis(site, plant.OCTOBER, ledger, series, packs(), lodgings)


def lines_of(basis: Basis) -> tuple[Line, ...]:
    return tuple(assemble_month(basis).assembly.lines.values())


def strayed(office: Office) -> dict[str, list[str]]:
    """Deviations of October by line, in English."""
    found: dict[str, list[str]] = {}
    with october(office) as basis:
        for doubt in deviations(basis, lines_of(basis)):
            found.setdefault(doubt.line, []).append(doubt.text.en)
    return found


def file_plan(office: Office, text: str = planned.PLAN, *, certificates: str = "") -> None:
    planned.plan(office, text)
    office.enter(certificates or planned.CERTIFICATES, "certificates.csv")
    planned.hand_in(office, 2026, FILED)


def edited(figure: str, old: str, new: str) -> str:
    """The plan with one thing changed in the parameter of ``figure``."""
    start = planned.PLAN.index(f'{PARAMETER}"{figure}"')
    end = planned.PLAN.index("\n[[", start + 1)
    assert old in planned.PLAN[start:end]
    part = planned.PLAN[start:end].replace(old, new, 1)
    return planned.PLAN[:start] + part + planned.PLAN[end:]


def test_a_clean_month_has_none(kept: Office) -> None:
    file_plan(kept)
    assert strayed(kept) == {}


def test_a_site_without_any_plan_is_not_asked(kept: Office) -> None:
    assert strayed(kept) == {}


def test_entries_of_another_kind(kept: Office) -> None:
    file_plan(kept, edited("*.anode_consumed", '"anode_consumed", ', ""))
    assert strayed(kept) == {
        "line1.anode_consumed": [
            "it comes from anode consumed, not from the source of the plan (plan 2026 v1)"
        ]
    }


def test_entered_by_hand_where_a_meter_is_promised(kept: Office) -> None:
    site = kept.site_file.read_text("utf-8")
    kept.site_file.write_text(site.replace('aux_meters = ["line1/aux1"]', ""), "utf-8")
    kept.enter("项目,工序,期间,数值,单位\n工序动力电量,line1,2026-10,6749,MWh\n", "aux.csv")
    file_plan(kept)
    assert (
        "the plan promises meters, the figure was entered by hand (plan 2026 v1)"
        in (strayed(kept)["line1.electricity_aux"])
    )


def test_a_meter_where_records_are_promised(kept: Office) -> None:
    text = edited("*.electricity_aux", '"measured"', '"calculated"\nentries = ["electricity_aux"]')
    text = text.replace('instruments = ["em_aux1"]\n', "")
    text = text.replace(
        'measures = ["line1/aux1", "line1.electricity_aux"]', 'measures = ["line1/aux1"]'
    )
    file_plan(kept, text)
    assert strayed(kept)["line1.electricity_aux"] == [
        "the plan promises entered records, the figure was taken from meters (plan 2026 v1)",
        "the instrument em_aux1 was used; the plan does not name it here (plan 2026 v1)",
    ]


def test_a_meter_that_is_no_instrument_of_the_plan(kept: Office) -> None:
    text = planned.PLAN.replace('measures = ["line2/ac1", ', "measures = [")
    planned.plan(kept, text)
    kept.enter(planned.CERTIFICATES, "certificates.csv")
    planned.hand_in(kept, 2026, FILED)
    assert strayed(kept) == {
        "line2.electricity_ac": [
            "the meter line2/ac1 meter.energy_import is no instrument of the plan (plan 2026 v1)"
        ]
    }


def test_a_meter_of_another_figure(kept: Office) -> None:
    text = planned.PLAN.replace(
        'measures = ["line1/ac2", "line1.electricity_ac"]',
        'measures = ["line1/ac2", "line2.electricity_ac"]',
    )
    file_plan(kept, text)
    assert strayed(kept) == {
        "line1.electricity_ac": [
            "the instrument em_ac2 was used; the plan does not name it here (plan 2026 v1)"
        ],
        "line2.electricity_ac": ["the instrument em_ac2 of the plan was not used (plan 2026 v1)"],
    }


def test_no_certificate(kept: Office) -> None:
    rows = "".join(planned.certificate(x) for x in planned.INSTRUMENTS if x != "em_l2")
    file_plan(kept, certificates=planned.HEAD + rows)
    assert strayed(kept) == {
        "line2.electricity_ac": [
            "em_l2 Energy meter, potline 2 has no calibration certificate (plan 2026 v1)"
        ]
    }


@pytest.mark.parametrize(
    ("calibrated", "until", "says"),
    [
        (
            "2025-10-16",
            "2026-10-15",
            "16 days without a valid certificate: 2026-10-16 … 2026-10-31",
        ),
        ("2025-11-01", "2026-10-30", "1 days without a valid certificate: 2026-10-31"),
        ("2026-10-03", "2027-10-02", "has no"),  # none before: the first two days are bare
        ("2025-09-20", "2027-09-19", "since it was calibrated, 31 days: 2026-10-01 … 2026-10-31"),
        ("2025-10-30", "2027-10-29", "since it was calibrated, 1 days: 2026-10-31"),
    ],
)
def test_a_certificate_that_ended_or_an_interval_exceeded(
    kept: Office, calibrated: str, until: str, says: str
) -> None:
    rows = "".join(planned.certificate(x) for x in planned.INSTRUMENTS if x != "em_l2")
    late = planned.certificate("em_l2", calibrated, until)
    file_plan(kept, certificates=planned.HEAD + rows + late)
    ((line, (text,)),) = strayed(kept).items()
    assert line == "line2.electricity_ac"
    wanted = says.replace("has no", "2 days without a valid certificate: 2026-10-01, 2026-10-02")
    assert wanted in text


@pytest.mark.parametrize(("calibrated", "until"), [("2025-10-31", "2026-10-31")])
def test_the_last_day_of_a_certificate_counts(kept: Office, calibrated: str, until: str) -> None:
    rows = "".join(planned.certificate(x) for x in planned.INSTRUMENTS if x != "em_l2")
    late = planned.certificate("em_l2", calibrated, until)
    file_plan(kept, certificates=planned.HEAD + rows + late)
    assert strayed(kept) == {}


def test_a_failed_calibration_covers_nothing(kept: Office) -> None:
    head = planned.HEAD.replace("证书编号", "证书编号,检定结论")
    rows = "".join(planned.certificate(x).strip() + ",合格\n" for x in planned.INSTRUMENTS)
    failed = planned.certificate("ladle1", "2026-10-11").strip() + ",不合格\n"
    file_plan(kept, certificates=head + rows + failed)
    found = strayed(kept)
    assert set(found) == {"line1.aluminium", "line2.aluminium"}
    assert "21 days without" in found["line1.aluminium"][0]  # 11 to 31 October


def test_entered_by_the_month_where_days_are_promised(kept: Office) -> None:
    file_plan(kept, edited("*.aluminium", 'recording = "monthly"', 'recording = "daily"'))
    says = "entered by the month, more seldom than the plan says (plan 2026 v1)"
    assert strayed(kept) == {"line1.aluminium": [says], "line2.aluminium": [says]}


LABORATORY = """
[parameter.laboratory]
sampling = { zh = "每批", en = "each batch" }
preparation = { zh = "破碎", en = "crushed" }
method = "YS/T 63.20"
laboratory = { zh = "质检中心", en = "Laboratory" }
accreditation = "CNAS L1"
"""


def test_a_default_where_an_analysis_is_promised(kept: Office) -> None:
    text = edited("*.anode_sulphur", '"default"', '"laboratory"')
    text = text.replace('department = "lab"\n', f'department = "lab"\n{LABORATORY}', 1)
    file_plan(kept, text)
    says = "the plan promises that Sulphur in the anode is measured, a default was used"
    assert strayed(kept) == {
        f"{line}.anode_co2": [f"{says} (plan 2026 v1)"] for line in ("line1", "line2")
    }


def test_a_default_heat_value_where_an_analysis_is_promised(kept: Office) -> None:
    kept.enter(BURNED, "gas.csv")
    file_plan(kept, planned.PLAN + GAS + GAS_NCV)
    says = "the plan promises a measurement, a default was used (plan 2026 v1)"
    assert strayed(kept) == {"plant.gas_ncv.natural_gas": [says]}


def test_a_default_where_a_measurement_is_promised(kept: Office) -> None:
    measured = '"measured"\ninstruments = ["ladle1"]'
    file_plan(kept, edited("*.pfc", '"default"', measured))
    says = "the plan promises a measurement, a default was used (plan 2026 v1)"
    assert strayed(kept) == {f"{line}.pfc": [says] for line in ("line1", "line2")}


GAS = """
[[parameter]]
figure = "plant.fuel_consumed.natural_gas"
name = { zh = "天然气消耗量", en = "Natural gas" }
unit = "万Nm3"
acquisition = "calculated"
source = { zh = "台账", en = "ledger" }
record.name = { zh = "台账", en = "ledger" }
record.form = { zh = "电子", en = "file" }
record.cover = { zh = "月", en = "month" }
monitoring = "monthly"
recording = "monthly"
missing = { code = "invoice", text = { zh = "结算单", en = "invoice" } }
conservative = { zh = "不低估", en = "never less" }
department = "energy"
"""
GAS_NCV = (
    GAS.replace("fuel_consumed", "gas_ncv").replace('"calculated"', '"laboratory"') + LABORATORY
)
BURNED = "项目,工序,期间,数值,单位,品种\ngas_consumed,plant,2026-10,12.5,万Nm3,natural_gas\n"
FOUND = (
    "项目,工序,期间,数值,单位,品种,样品编号,检测方法,检测机构,资质编号（CMA/CNAS）,检测日期\n"
    "gas_ncv,plant,2026-10,389,GJ/万Nm3,natural_gas,S1,{method},{laboratory},{accreditation},2026-10-09\n"
)


def test_a_figure_of_which_the_plan_knows_nothing(kept: Office) -> None:
    kept.enter(BURNED, "gas.csv")
    file_plan(kept)
    assert strayed(kept) == {
        "plant.fuel_consumed.natural_gas": [
            "the plan has no parameter for this figure (plan 2026 v1)"
        ]
    }


@pytest.mark.parametrize(
    ("method", "laboratory", "accreditation", "says"),
    [
        ("YS/T 63.20", "质检中心", "CNAS L1", ""),
        ("ys/t63.20", "Laboratory", "CNAS  L1", ""),  # spaces and capitals make no difference
        ("GB/T 213", "质检中心", "CNAS L1", "the method of NCV of gas is 'GB/T 213'"),
        ("YS/T 63.20", "外部", "CNAS L1", "the laboratory of NCV of gas is '外部'"),
        ("YS/T 63.20", "质检中心", "CNAS L9", "the accreditation of NCV of gas is 'CNAS L9'"),
    ],
)
def test_laboratory_facts(
    kept: Office, method: str, laboratory: str, accreditation: str, says: str
) -> None:
    kept.enter(BURNED, "gas.csv")
    kept.enter(
        FOUND.format(method=method, laboratory=laboratory, accreditation=accreditation), "ncv.csv"
    )
    file_plan(kept, planned.PLAN + GAS + GAS_NCV)
    found = strayed(kept).get("plant.gas_ncv.natural_gas", [""])
    assert len(found) == 1
    assert says in found[0]
    assert bool(says) is bool(found[0])


def test_an_analysis_of_which_the_plan_knows_nothing(kept: Office) -> None:
    kept.enter(BURNED, "gas.csv")
    kept.enter(FOUND.format(method="m", laboratory="l", accreditation="a"), "ncv.csv")
    file_plan(kept, planned.PLAN + GAS)
    assert strayed(kept) == {
        "plant.gas_ncv.natural_gas": [
            "NCV of gas was used; the plan lays down no analysis of it (plan 2026 v1)"
        ]
    }


def test_missing_data_replaced_in_another_way(kept: Office) -> None:
    file_plan(kept)
    with october(kept) as basis:
        line = next(x for x in lines_of(basis) if x.id == "line1.aluminium")
        changed = {"how": How.SUBSTITUTED, "substituted": Decimal("0.1")}
        as_planned = line.model_copy(update=changed | {"method": "production_record"})
        otherwise = line.model_copy(update=changed | {"method": "guess"})
        assert deviations(basis, [as_planned]) == []
        (doubt,) = deviations(basis, [otherwise])
    assert doubt.text.zh == "缺失数据按 guess 处理，计划规定为 production_record（计划 2026 v1）"


def test_months_inside_a_year_are_held_against_their_own_plan(kept: Office) -> None:
    file_plan(kept, edited("*.aluminium", 'recording = "monthly"', 'recording = "daily"'))
    with october(kept) as basis:
        line = next(x for x in lines_of(basis) if x.id == "line1.aluminium")
        month = line.model_copy(update={"id": "line1.aluminium@2026-10"})
        found = deviations(basis.of(plant.OCTOBER.whole_year), [line, month])
    assert [doubt.line for doubt in found] == ["line1.aluminium@2026-10"]


# --- which plan governs


def test_the_plan_that_had_been_lodged_by_the_day(kept: Office) -> None:
    """2026 filed 5 January and again 1 July; 2027 filed before it began."""
    planned.plan(kept)
    kept.enter(planned.CERTIFICATES, "certificates.csv")
    planned.hand_in(kept, 2026, date(2026, 1, 5))
    planned.plan(kept, planned.PLAN.replace("东门", "西门"))
    planned.hand_in(kept, 2026, date(2026, 7, 1))
    planned.hand_in(kept, 2027, date(2026, 12, 20))
    with october(kept) as basis:
        governs = {
            day: None if (found := plan_in_force(basis, day)) is None else found.name
            for day in (
                date(2026, 1, 4),
                date(2026, 1, 5),
                date(2026, 6, 30),
                date(2026, 7, 1),
                date(2026, 12, 31),
                date(2027, 1, 1),
                date(2027, 12, 31),
                date(2028, 1, 1),
            )
        }
    names = [None, "2026 v1", "2026 v1", "2026 v2", "2026 v2", "2027 v1", "2027 v1", None]
    assert list(governs.values()) == names


@pytest.mark.parametrize(
    ("on", "says"),
    [
        (date(2026, 10, 1), ""),
        (date(2026, 10, 2), "the days before had none"),
        (date(2026, 10, 31), "the days before had none"),
        (date(2026, 11, 1), "no quality plan had been lodged for the month"),
    ],
)
def test_a_plan_filed_late(kept: Office, on: date, says: str) -> None:
    planned.plan(kept)
    kept.enter(planned.CERTIFICATES, "certificates.csv")
    planned.hand_in(kept, 2026, on)
    found = [text for texts in strayed(kept).values() for text in texts]
    assert len(found) == bool(says)
    assert all(says in text for text in found)
