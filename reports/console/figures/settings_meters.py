"""Meters of the site by role, instruments of the plan and until when their certificates hold."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from drivers.audit import current_person
from drivers.language import say
from drivers.model import ConfigError
from drivers.quantities import quantities
from reports.console.office import Office
from reports.duties.duties import CERTIFICATE_DAYS
from reports.entries.certificates import KIND, Certificate, certificates
from reports.entries.importing import preview_import
from reports.entries.kinds import KINDS
from reports.entries.ledger import Ledger, read_ledger
from reports.entries.taking import Wish, take
from reports.periods import plant_now
from reports.plan.file import load_plan
from reports.plan.plan import Instrument
from reports.site import Potline
from reports.site_meters import Meter
from reports.values import Text

LINE_ROLES: Final = {
    "ac_meters": Text(zh="交流侧电能", en="AC energy"),
    "aux_meters": Text(zh="系列辅助用电", en="auxiliaries of the line"),
    "heat_meters": Text(zh="用热", en="heat used"),
    "dc_meters": Text(zh="直流侧电能", en="DC energy"),
    "fgd_meters": Text(zh="脱硫用电", en="desulphurisation"),
    "start_meters": Text(zh="焙烧启动用电", en="baking and starting pots"),
    "short_meters": Text(zh="停槽短路口用电", en="short-circuited pots"),
    "cast_meters": Text(zh="铸造用电", en="cast house"),
}
PLANT_ROLES: Final = {
    "cast_meters": Text(zh="铸造用电", en="cast house"),
    "aux_meters": Text(zh="全厂辅助用电", en="auxiliaries of the plant"),
    "pv_meters": Text(zh="自备光伏", en="own solar power"),
    "green_meters": Text(zh="绿色电力", en="green power"),
}


def meters(office: Office) -> dict[str, Any]:
    """Each meter of the site with its instrument; each instrument with its certificate."""
    site, today = office.site, plant_now().date()
    plan = None if site.plan is None else load_plan(site.plan, site)
    ledger = read_ledger(site.entries)
    instruments = () if plan is None else plan.instrument
    rows = []
    for place, role, meter in _meters(office):
        mine = [each for each in instruments if each.is_meter(str(meter))]
        now = next((each for each in mine if each.in_place(today)), mine[-1] if mine else None)
        rows.append(
            {
                "place": place,
                "role": role,
                "equipment": meter.equipment,
                "quantity": meter.quantity,
                "name": _quantity(meter.quantity),
                "unit": str(meter.unit),
                "instrument": now.id if now else "",
                "certificate": _certificate(ledger, now, today) if now else None,
            }
        )
    return {
        "day": today,
        "meters": rows,
        "instruments": [_instrument(ledger, each, today) for each in instruments],
        "plan": plan is not None,
        "warn_days": CERTIFICATE_DAYS,
    }


def _meters(office: Office) -> Iterator[tuple[Text, Text, Meter]]:
    site = office.site
    for line in site.potline:
        for key, role in LINE_ROLES.items():
            yield from ((_place(line), role, meter) for meter in getattr(line, key))
    whole = Text(zh="全厂", en="plant")
    for key, role in PLANT_ROLES.items():
        yield from ((whole, role, meter) for meter in getattr(site, key))
    for role, found in (
        (Text(zh="取新水", en="fresh water"), site.water_meters.fresh),
        (Text(zh="回用水", en="water used again"), site.water_meters.reused),
    ):
        yield from ((whole, role, meter) for meter in found)
    recovered = Text(zh="余热回收", en="heat recovered")
    for exchanger in site.exchangers:
        yield from ((exchanger.label, recovered, meter) for meter in exchanger.counters)


def _place(line: Potline) -> Text:
    return Text(zh=line.name.zh, en=line.name.en)


def _quantity(name: str) -> dict[str, str]:
    known = quantities()[name]
    return {"zh": known.zh, "en": known.en}


def _instrument(ledger: Ledger, each: Instrument, today: date) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": {"zh": each.name.zh, "en": each.name.en},
        "model": each.model,
        "serial": each.serial,
        "accuracy": float(each.accuracy_class_percent),
        "regulation": each.regulation,
        "interval_months": each.interval_months,
        "measures": list(each.measures),
        "in_place": each.in_place(today),
        "counts": each.counts,
        "certificate": _certificate(ledger, each, today),
    }


def _certificate(ledger: Ledger, instrument: Instrument, today: date) -> dict[str, Any]:
    """The newest calibration decides, also when it failed; none is ``missing``, never valid."""
    known = [x for x in certificates(ledger, instrument.id) if x.calibrated <= today]
    if not known:
        text = say("没有录入任何证书", "no certificate was entered")
        return {
            "state": "missing",
            "badge": "bad",
            "text": text,
            "until": None,
            "left": None,
            "number": "",
            "body": "",
        }
    last = known[-1]
    left = (last.valid_until - today).days
    state, badge, text = _state(last, left)
    return {
        "state": state,
        "badge": badge,
        "text": text,
        "until": last.valid_until,
        "left": left,
        "number": last.number,
        "body": last.body,
        "calibrated": last.calibrated,
        "error_percent": float(last.error_percent),
        "entry": last.entry.number,
        "document": last.entry.figure.document.name if last.entry.figure.document else "",
    }


def _state(last: Certificate, left: int) -> tuple[str, str, str]:
    if not last.passed:
        return "failed", "bad", say("结论不合格", "it did not pass")
    if left < 0:
        return "expired", "bad", say(f"已过期 {-left} 天", f"expired {-left} days ago")
    if left <= CERTIFICATE_DAYS:
        return "expiring", "warn", say(f"还剩 {left} 天", f"{left} days left")
    return "valid", "good", say("有效", "valid")


def certificate_form(office: Office) -> dict[str, Any]:
    """What a certificate asks for: the columns of the table that ``smelter entries`` imports."""
    kind = KINDS[KIND]
    plan = None if office.site.plan is None else load_plan(office.site.plan, office.site)
    return {
        "instruments": [
            {"id": each.id, "name": {"zh": each.name.zh, "en": each.name.en}}
            for each in (() if plan is None else plan.instrument)
        ],
        "low": float(kind.low),
        "high": None if kind.high is None else float(kind.high),
        "facts": [
            {
                "id": fact.id,
                "name": {"zh": fact.zh, "en": fact.en},
                "is_date": fact.is_date,
                "required": fact.required,
                "choices": list(fact.choices),
            }
            for fact in kind.facts
        ],
    }


def add_certificate(office: Office, given: dict[str, str], path: str) -> dict[str, Any]:
    """
    A certificate with its document, as an import of one row; a newer one of a day revises.

    Raises ConfigError with every mistake of the row, recorded as a refused act.
    """
    kind, document, now = KINDS[KIND], Path(path), plant_now()
    reason = given.get("reason", "").strip()
    if not reason:
        raise ConfigError([say("请写明理由", "say why")])
    asked = ("line", "period", "value", *(fact.id for fact in kind.facts), "voucher", "note")
    row = {name: " ".join(given.get(name, "").split()) for name in asked}
    row |= {"kind": kind.id, "unit": next(iter(kind.units)), "document": document.name}
    # the time makes two tables that say the same two files: importing one twice is refused
    table = document.with_name(f"certificate-{row['line'][:40]}-{now:%Y%m%dT%H%M%S}.csv")
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    wish = Wish(current_person(), reason, revising=given.get("revise") == "1")
    preview = preview_import(table, office.site, read_ledger(office.site.entries), now)
    if not preview.changing:
        raise ConfigError([say("这份证书已经录入", "this certificate is entered already")])
    ledger = take(table, office.site, preview, wish, now)
    return {"entry": ledger.entries[-1].number}
