"""An office with a quality plan: the example file, drawings beside it, a meter for line2."""

from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from reports.lodgings import Lodging, lodge
from reports.make import make_report
from reports.periods import Period
from reports.site import load_site
from reports.versions import Written
from tests.reports.conftest import NOW

EXAMPLE = (Path(__file__).parents[2] / "config" / "plan.example.toml").read_text("utf-8")
LINE2_METER = """
[[instrument]]
id = "em_l2"
name = { zh = "二系列电能表", en = "Energy meter, potline 2" }
model = "DTZ188"
serial = "E-2001"
place = { zh = "整流所", en = "rectifier station" }
measures = ["line2/ac1", "line2.electricity_ac"]
accuracy_class_percent = 0.5
regulation = "JJG 596"
interval_months = 12
body = { zh = "省电力计量中心", en = "Provincial Metering Centre" }
department = "energy"
"""
KINDS = ("site_plan", "process", "metering")
TITLE = 'title = { zh = "图", en = "drawing" }'
DRAWINGS = "".join(
    f'\n[[drawing]]\nkind = "{kind}"\n{TITLE}\nfile = "{kind}.pdf"\n' for kind in KINDS
)
PLAN = EXAMPLE + LINE2_METER + DRAWINGS
INSTRUMENTS = ("ladle1", "truck1", "em_ac1", "em_ac2", "em_aux1", "em_l2")
HEAD = "项目,工序,期间,数值,单位,有效期至,检定/校准机构,证书编号\n"


def certificate(instrument: str, day: str = "2026-03-10", until: str = "2027-03-09") -> str:
    """A line of a table of certificates: calibrated on ``day``, an error of 0.1 %."""
    kind = "instrument_certificate"
    return f"{kind},{instrument},{day},0.1,%,{until},省电力计量中心,J-{instrument}-{day[:4]}\n"


CERTIFICATES = HEAD + "".join(certificate(name) for name in INSTRUMENTS)


class Folder(Protocol):
    """An office, with meters or without."""

    @property
    def root(self) -> Path: ...

    @property
    def site_file(self) -> Path: ...


def plan(office: Folder, text: str = PLAN) -> Path:
    """Put the plan and its drawings into the office, and name it in its site file."""
    path = office.root / "plan.toml"
    path.write_text(text, "utf-8")
    for kind in KINDS:
        (office.root / f"{kind}.pdf").write_bytes(kind.encode())
    site = office.site_file.read_text("utf-8")
    if "plan.toml" not in site:
        entries = 'entries = "entries.jsonl"'
        site = site.replace(entries, f'{entries}\nplan = "plan.toml"')
        office.site_file.write_text(site, "utf-8")
    return path


def made(
    office: Folder, name: str, period: int | Period, formats: tuple[str, ...] = ("json",)
) -> Written:
    """A report of the year or month, as the command makes it."""
    out = office.root / "out"
    whole = Period.year(period) if isinstance(period, int) else period
    return make_report(name, office.site_file, whole, out, formats, "zh")


def hand_in(
    office: Folder,
    period: int | Period,
    on: date,
    name: str = "quality-plan",
    time: datetime = NOW,
) -> Written:
    """Make the report and lodge it on that day; recorded at ``time``."""
    written = made(office, name, period)
    report = written.report
    lodging = Lodging(
        number=0,
        report=name,
        period=str(period),
        version=report.version,
        content_sha256=report.content_sha256,
        file=written.path.name,
        receipt=f"R-{period}-{report.version}",
        on=on,
        author="王敏",
        time=time,
    )
    lodge(load_site(office.site_file).entries, lodging, written.path.read_bytes())
    return written
