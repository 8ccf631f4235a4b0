"""What notices are made from: duties with days left, the newest backup; a trial as an act."""

from typing import Any

from drivers.audit_act import Result
from reports.acts import record_act, trail_of
from reports.console.office import Office
from reports.duties.duties import Office as DutyOffice
from reports.duties.duties import State, duties
from reports.entries.ledger import read_ledger
from reports.lodgings import read_lodgings
from reports.periods import plant_now
from reports.plan.file import load_plan
from reports.rules.overlay import load_packs


def rows(office: Office) -> dict[str, Any]:
    """Duties that are open or overdue; wall time in s of the newest backup, None: never."""
    site, today = office.site, plant_now().date()
    plan = None if site.plan is None else load_plan(site.plan, site)
    known = DutyOffice(
        site, read_ledger(site.entries), read_lodgings(site.entries), load_packs(site), plan
    )
    found = [
        {
            "id": duty.id,
            "period": duty.period,
            "text": duty.text,
            "due": duty.due,
            "left": duty.left(today),
            "state": duty.state.value,
            "note": duty.note,
        }
        for duty in duties(known, today)
        if duty.state in {State.OPEN, State.OVERDUE}
    ]
    return {"duties": found, "backup_s": _backup_s(office)}


def _backup_s(office: Office) -> float | None:
    newest = None
    for each in trail_of(office.site).read():
        if each.act.what == "backup.made" and each.act.result == "ok":
            newest = each.act.at_ns / 1e9
    return newest


def tested(office: Office, name: str, problem: str) -> bool:
    """Somebody pressed the button."""
    details = {"problem": problem} if problem else {}
    result: Result = "failed" if problem else "ok"
    record_act(office.site, "notice.tested", name, result=result, details=details)
    return True
