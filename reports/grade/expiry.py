"""What a grade stands on and ends soon: documents, permits, certificates, calibration gases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from reports.grade.bench import Bench
from reports.grade.evidence import POLLUTANTS
from reports.grade.findings import Expiry
from reports.grade.judge import expiring
from reports.grade.papers import until
from reports.grade.scheme import Graded
from reports.journal.control import AUTOMATIC
from reports.journal.due import Due, checks_due
from reports.periods import PLANT_TIME
from reports.values import Text


def all_expiring(bench: Bench, found: list[Graded]) -> list[Expiry]:
    """Everything that ends within the warning time after the day, first what ends first."""
    proofs = [each for graded in found for judged in graded.judged for each in judged.expires]
    more = [
        *_documents(bench),
        *_permits(bench),
        *_certificates(bench),
        *_gases(bench),
        *_checks(bench),
    ]
    return expiring((*proofs, *more), bench.day)


def _documents(bench: Bench) -> Iterator[Expiry]:
    for record in bench.journal.of("document"):
        last = until(record)
        if last is not None and record.facts.get("valid_until"):
            title = record.facts.get("title", "")
            yield Expiry(
                Text(
                    zh=f"{title}（环保记录 {record.number}）",
                    en=f"{title} (journal {record.number})",
                ),
                last,
            )


def _permits(bench: Bench) -> Iterator[Expiry]:
    for number, last in dict.fromkeys(
        (stack.permit.number, stack.permit.valid_until)
        for stack in bench.basis.site.stacks
        if stack.permit is not None and stack.permit.valid_until is not None
    ):
        if last is not None:
            yield Expiry(Text(zh=f"排污许可证 {number}", en=f"discharge permit {number}"), last)


def _certificates(bench: Bench) -> Iterator[Expiry]:
    """The newest certificate of each instrument of the quality plan."""
    newest: dict[tuple[str, str], tuple[date, date]] = {}
    names: dict[tuple[str, str], Text] = {}
    for entry in bench.basis.ledger.current().values():
        stated = entry.figure.fact("valid_until")
        if stated:
            key = entry.figure.kind.id, entry.figure.line
            made = entry.figure.period.first, date.fromisoformat(stated)
            newest[key] = max(newest.get(key, made), made)
            kind = entry.figure.kind
            names[key] = Text(
                zh=f"{kind.zh} {entry.figure.line}", en=f"{kind.en} {entry.figure.line}"
            )
    for key, (_, last) in newest.items():
        yield Expiry(names[key], last)


def _gases(bench: Bench) -> Iterator[Expiry]:
    """The gas bottle of the newest check of each stack and pollutant."""
    newest: dict[tuple[str, tuple[str, ...]], Expiry] = {}
    for record in bench.journal.of("check"):
        day = datetime.fromtimestamp(record.start_ns // 10**9, UTC).astimezone(PLANT_TIME).date()
        stated = record.facts.get("gas_expiry", "")
        if day <= bench.day and stated:
            bottle = record.facts.get("gas_bottle", "")
            where = f"{record.equipment} {', '.join(record.pollutants)}".rstrip()
            newest[record.equipment, record.pollutants] = Expiry(
                Text(zh=f"{where} 标准气体 {bottle}", en=f"{where} calibration gas {bottle}"),
                date.fromisoformat(stated),
            )
    yield from newest.values()


def _checks(bench: Bench) -> Iterator[Expiry]:
    """
    Calibrations, verifications and audits that are due by rule, the first of each kind and stack.

    Daily automatic ones are left out; one that is overdue stands on the day itself.
    """
    basis = bench.basis
    for stack in basis.site.stacks:
        first: dict[str, list[Due]] = {}
        for due in checks_due(bench.journal, stack, basis.packs, bench.day):
            if due.id in {AUTOMATIC, "gas_bottle"} or due.due is None:
                continue
            same = first.setdefault(due.id, [due])
            if due.due == same[0].due and due is not same[0]:
                same.append(due)
        for together in first.values():
            yield _check(stack.id, together, bench.day)


def _check(stack: str, together: list[Due], day: date) -> Expiry:
    """One kind of check of a stack, for the pollutants that are due on the same day."""
    last = together[0].due or day
    named = [name for due in together for name in due.pollutants]
    names = [POLLUTANTS.get(name, Text(zh=name, en=name)) for name in dict.fromkeys(named)]
    zh = f"{stack} {'、'.join(name.zh for name in names)}".rstrip()
    en = f"{stack} {', '.join(name.en for name in names)}".rstrip()
    late = ("已逾期，应于", "overdue since") if last < day else ("最迟", "due by")
    text = together[0].text
    return Expiry(
        Text(zh=f"{zh} {text.zh}，{late[0]} {last}", en=f"{en}: {text.en}, {late[1]} {last}"),
        max(last, day),
    )
