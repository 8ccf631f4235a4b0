"""Reports in the archive: which there are, what one says, making it, rendering, signing it."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from drivers.audit import current_person
from drivers.language import language, say
from drivers.model import ConfigError
from reports.acts import record_act
from reports.console import archive_names as names
from reports.console.figures.wording import retold
from reports.console.office import Office
from reports.lodgings import Lodgings, read_lodgings
from reports.make import REPORTS, is_trial, make_report, note_report, refuse_unless_due
from reports.model import Change, Content, Report
from reports.periods import PLANT_TIME, Period, plant_now
from reports.render.items import changed
from reports.render.labels import reference_labels
from reports.rules.overlay import same_person
from reports.values import Text
from reports.versions import read_report, render_report
from reports.words import number_text

Node = dict[str, Any]
ROLES: Final = {  # as the signature block of every report has them
    "prepared": ("填报人", "Prepared by"),
    "checked": ("审核人", "Checked by"),
    "approved": ("单位负责人", "Approved by"),
}
CHANGES_SHOWN: Final = 60


def kinds(_: Office) -> list[Node]:
    """Every report that can be made."""
    return [
        {"name": name, "title": say(kind.zh, kind.en), "span": kind.span, "ahead": kind.ahead}
        for name, kind in REPORTS.items()
    ]


def listed(
    office: Office, report: str = "", period: str = "", *, limit: int = 200, after: str = ""
) -> Node:
    """Versions in the archive by name; ``period`` takes what begins with it: 2025, 2025-10."""
    lodgings = read_lodgings(office.site.entries)
    found = [path for path in _all(office) if path.name > after]
    kept = [x for x in found if _is(x, report, period)]
    shown = kept[: max(1, min(limit, 1000))]
    return {
        "reports": [brief(path, lodgings) for path in shown],
        "next": shown[-1].name if len(kept) > len(shown) else None,
    }


def _all(office: Office) -> list[Path]:
    if not office.reports.is_dir():
        return []
    return sorted(x for x in office.reports.iterdir() if names.REPORT.fullmatch(x.name))


def _is(path: Path, report: str, period: str) -> bool:
    name = path.stem.rpartition("-v")[0]
    longest = sorted(REPORTS, key=len, reverse=True)
    known = next((each for each in longest if name.startswith(f"{each}-")), "")
    if report and known != report:
        return False
    return name.removeprefix(f"{known}-").startswith(period)


def brief(path: Path, lodgings: Lodgings) -> Node:
    """Of a file that is perhaps not whole; what cannot be read says so."""
    try:
        table = json.loads(path.read_bytes())
        content = table["content"]
        lodged = [x for x in lodgings.lodgings if x.content_sha256 == table["content_sha256"]]
        return {
            "file": path.name,
            "report": content["report"],
            "title": content["title"][language()],
            "period": content["period"]["name"],
            "version": table["version"],
            "written": table["written"],
            "complete": content["complete"],
            "content_sha256": table["content_sha256"],
            "lodged": {"on": lodged[-1].on, "receipt": lodged[-1].receipt} if lodged else None,
            "files": [x.name for x in files_of(path)],
            "package": names.package_of(path).is_file(),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError([f"{path.name}: {error}"]) from None


def files_of(path: Path) -> list[Path]:
    """The report, its renderings, signatures and package, as far as they are there."""
    rendered = [
        x for x in sorted(path.parent.glob(f"{path.stem}.*")) if names.RENDERING.fullmatch(x.name)
    ]
    package = names.package_of(path)
    rest = [*names.signatures_of(path), *([package] if package.is_file() else [])]
    return [path, *rendered, *rest]


def files(office: Office, file: str) -> Node:
    """What can be downloaded of one version, with size and SHA-256."""
    path = place(office, file)
    return {
        "file": file,
        "files": [
            {
                "name": each.name,
                "bytes": each.stat().st_size,
                "sha256": hashlib.sha256(each.read_bytes()).hexdigest(),
            }
            for each in files_of(path)
        ],
    }


def place(office: Office, file: str) -> Path:
    """Raises ConfigError for a name that the archive does not hold."""
    path = names.named(office.reports, file, names.REPORT)
    if path is None:
        raise ConfigError([say(f"没有报告文件 {file}", f"no report file {file}")])
    return path


def one(office: Office, file: str) -> Node:
    """What a version says first: headline, what is missing, doubts, changes; its papers."""
    path = place(office, file)
    report = read_report(path)
    content, lang = report.content, language()
    lodgings = read_lodgings(office.site.entries)
    lodged = lodgings.latest(content.report, content.period.name)
    versions = names.versions(office.reports, content.report, content.period.name)
    return {
        "file": path.name,
        "report": content.report,
        "title": content.title.of(lang),
        "period": content.period.name,
        "version": report.version,
        "written": report.written,
        "content_sha256": report.content_sha256,
        "complete": content.complete,
        "trial": is_trial(content),
        "headline": [_line(content, each) for each in content.headline],
        "missing": _missing(report),
        "doubts": _doubts(report),
        "stamps": [stamp.source.title for stamp in content.stamps],
        "changes": _changes(report, report.changes),
        "since_lodged": _changes(report, report.since_lodged),
        "duties": [
            {"text": x.text.of(lang), "due": x.due, "met": report.met(x)} for x in content.duties
        ],
        "lodged": None
        if lodged is None
        else {"version": lodged.version, "on": lodged.on, "receipt": lodged.receipt}
        | {"author": lodged.author, "this": lodged.content_sha256 == report.content_sha256},
        "newest": versions[0].name,
        "versions": [x.name for x in versions],
        "files": [x.name for x in files_of(path)],
        "signatures": signatures(path),
    }


def _line(content: Content, identity: str) -> Node:
    line = content.line(identity)
    return {
        "id": line.id,
        "label": line.label.of(language()),
        "value": None if line.value is None else number_text(line.rounded, line.decimals),
        "unit": line.unit,
        "why": [text.of(language()) for text in line.missing],
    }


def _missing(report: Report) -> list[Node]:
    labels = reference_labels(report, language())
    return [
        {"why": text.of(language()), "lines": [labels.get(each, each) for each in stopped]}
        for text, stopped in report.content.reasons().items()
    ]


def _doubts(report: Report) -> list[Node]:
    labels = reference_labels(report, language())
    return [
        {"line": labels.get(x.line, x.line), "id": x.line, "text": x.text.of(language())}
        for x in report.content.warnings
    ]


def _changes(report: Report, found: tuple[Change, ...]) -> list[Node]:
    labels = reference_labels(report, language())
    return [
        {
            "what": each.what,
            "label": changed(each, labels, language()),
            "before": _said(each.before),
            "after": _said(each.after),
            "why": "" if each.why is None else each.why.of(language()),
        }
        for each in found[:CHANGES_SHOWN]
    ]


def _said(value: object) -> str:
    """A value of a change as a person reads it; what was not there is a dash."""
    if value is None:
        return "—"
    return value.of(language()) if isinstance(value, Text) else str(value)


def make(office: Office, report: str, period: str) -> Node:
    """A new version, or the one that says the same. Raises ConfigError. Long."""
    if report not in REPORTS:
        known = ", ".join(REPORTS)
        raise ConfigError(
            [say(f"没有报告 {report!r}；有：{known}", f"no report {report!r}: {known}")]
        )
    span, kind = Period.parse(period), REPORTS[report]
    fits = {"month": span.is_month, "year": span.is_year, "any": True}[kind.span]
    if not fits:
        wanted = say("月份" if kind.span == "month" else "年份", f"a {kind.span}")
        raise ConfigError([say(f"{report} 的期间须为{wanted}", f"{report} is of {wanted}")])
    try:
        trial = not kind.ahead and span.end > plant_now()
        if trial and report == "carbon-monthly":
            refuse_unless_due(span, plant_now(), preliminary=False)
        written = make_report(
            report, office.site_file, span, office.reports, ("json",), "zh", preliminary=trial
        )
    except ConfigError as error:
        raise retold(error) from None
    note_report(office.site_file, written)
    content = written.report.content
    return {
        "file": written.path.name,
        "version": written.report.version,
        "fresh": written.fresh,
        "complete": content.complete,
        "missing": list(content.missing),
        "report": report,
        "period": period,
    }


def render(office: Office, file: str, kind: str, lang: str) -> Node:
    """PDF, XLSX or HTML of a version, made once. Raises ConfigError."""
    path = place(office, file)
    made = render_report(read_report(path), path, kind, lang)
    return {"rendered": made.name}


def signatures(path: Path) -> list[Node]:
    """Who signed a version as what; each statement is a note signed by the office's key."""
    found = []
    for each in names.signatures_of(path):
        lines = each.read_text("utf-8").splitlines()
        role = lines[4] if len(lines) > 6 else ""
        found.append(
            {
                "file": each.name,
                "role": role,
                "as": say(*ROLES[role]) if role in ROLES else role,
                "person": lines[5] if len(lines) > 6 else "",
                "time": lines[6] if len(lines) > 6 else None,
            }
        )
    return found


def sign(office: Office, file: str, role: str, content_sha256: str) -> Node:
    """
    The visitor answers for a version as ``role``; the office's key signs his statement.

    ``content_sha256`` is what he saw. Raises ConfigError: seen another, twice, incomplete role.
    """
    from reports.package.ring import open_ring

    path, site, person = place(office, file), office.site, current_person()
    report = read_report(path)
    done = signatures(path)
    if problems := _why_not(report, role, content_sha256, done, person):
        raise ConfigError(problems)
    ring = open_ring(site.entries, site.plant)
    moment = plant_now().astimezone(PLANT_TIME).isoformat(timespec="seconds")
    said = ["smelter-signature/1", site.plant, path.stem, report.content_sha256, role, person]
    text = "\n".join([*said, moment])
    target = path.with_name(f"{path.stem}.signature-{len(done) + 1}.txt")
    beside = target.with_name(f".{target.name}")
    beside.write_text(ring.signed(text + "\n"), "utf-8")
    beside.replace(target)
    details = {"content_sha256": report.content_sha256, "role": role, "key": ring.vkey}
    record_act(site, "report.signed", path.stem, who=person, details=details)
    return {"file": target.name, "role": role, "person": person, "time": moment}


def _why_not(
    report: Report, role: str, content_sha256: str, done: list[Node], person: str
) -> list[str]:
    problems = []
    if role not in ROLES:
        problems.append(f"{role}: {', '.join(ROLES)}")
    if report.content_sha256 != content_sha256:
        problems.append(say("报告已变，请重新查看", "this is not what you looked at; look again"))
    own = {each["role"] for each in done if same_person(each["person"], person)}
    if role in own:
        problems.append(say(f"{person}已以此身份签字", f"{person} signed in this capacity already"))
    apart = {"prepared", "checked"}
    if role in apart and own & (apart - {role}):
        problems.append(
            say(
                "填报人与审核人须为不同的人；请由另一人登录后签字",
                "one person cannot prepare and check; let somebody else log in and sign",
            )
        )
    return problems
