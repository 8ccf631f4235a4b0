"""What the doctor sees of a site: its file, the chains beside it, the law it reports by, duties."""

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from drivers.doctor import NOTHING, Finding, Given, Text
from drivers.model import ConfigError
from reports.doctor_console import check_console
from reports.duties.duties import Office, State, duties
from reports.entries.ledger import Ledger, read_ledger
from reports.journal.journal import read_journal
from reports.lodgings import read_lodgings
from reports.periods import PLANT_TIME
from reports.plan.file import load_plan
from reports.rules.listing import absent_table
from reports.rules.overlay import load_packs
from reports.site import Site, load_site


def check(given: Given) -> Iterable[Finding]:
    """Site file, entries, journal, lodgings, documents, rules and overlays, duties."""
    if given.site is None:
        return
    try:
        site = load_site(given.site)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("bad", "site", Text(problem, problem), Text("请改正", "mend it"))
        return
    lines, stacks = len(site.potline), len(site.stacks)
    told = Text(
        f"正确：{lines} 个系列，{stacks} 个排放口", f"right: {lines} potlines, {stacks} stacks"
    )
    yield Finding("ok", "site", told, where=str(given.site))
    yield from _data(site)
    yield from check_console(site, given.now_ns)
    day = datetime.fromtimestamp(given.now_ns / 1e9, UTC).astimezone(PLANT_TIME).date()
    ledger = None
    readers: tuple[tuple[Path, Callable[[Path], object]], ...] = (
        (site.entries, read_ledger),
        (site.journal, read_journal),
        (site.entries, read_lodgings),
    )
    for name, read in readers:
        found = yield from _chain(name, read)
        ledger = found if isinstance(found, Ledger) else ledger
    yield from _rules(site, day)
    if ledger is not None:
        yield from _duties(site, ledger, day)


def _data(site: Site) -> Iterator[Finding]:
    """Where reports take windows and originals from; they may be mounted from elsewhere."""
    for name, path in (("lake", site.lake), ("originals", site.originals)):
        if path is None:
            continue
        if path.exists():
            yield Finding("ok", "site", Text(f"{name} 可读", f"{name} is there"), where=str(path))
        else:
            yield Finding(
                "bad",
                "site",
                Text(f"{name} 不存在，报告没有数据", f"{name} is not there: reports have no data"),
                Text("检查挂载，或改正 site.toml", "look at the mount, or mend site.toml"),
                str(path),
            )


def _chain(path: Path, read: Callable[[Path], object]) -> Generator[Finding, None, object]:
    """Yields what is wrong with a chain; returns what was read."""
    try:
        found = read(path)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding(
                "bad",
                "entries",
                Text(problem, problem),
                Text(
                    "用 smelter restore 把备份恢复到另一目录，比对后取回该文件",
                    "smelter restore a backup to another folder, compare, take the file from there",
                ),
            )
        return None
    count = next(
        (len(x) for n in ("entries", "records", "lodgings") if (x := getattr(found, n, None))), 0
    )
    names = {"read_ledger": ("录入", "entries"), "read_journal": ("环保记录", "journal")}
    zh, en = names.get(getattr(read, "__name__", ""), ("存证登记", "lodgings"))
    told = Text(f"{zh} {count} 条，哈希链完整", f"{en}: {count} lines, the chain is whole")
    yield Finding("ok", "entries", told, where=str(path.parent))
    return found


def _rules(site: Site, day: date) -> Iterator[Finding]:
    try:
        packs = load_packs(site)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("bad", "rules", Text(problem, problem), Text("请改正", "mend it"))
        return
    values = [
        str(stretch.legal.confirmed)
        for pack in packs.values()
        for name in pack.parameters
        for stretch in pack.stretches(name)
    ]
    absent = len(absent_table(packs, day))
    official, site_own = values.count("official"), values.count("site")
    second = len(values) - official - site_own
    yield Finding(
        "note" if absent or second else "ok",
        "rules",
        Text(
            f"取值：官方 {official}，企业确认 {site_own}，二手或未核实 {second}；缺 {absent} 项",
            f"values: {official} official, {site_own} read by the plant, {second} secondary or "
            f"unverified; {absent} absent",
        ),
        Text(
            "smelter rules list 查看；用到缺失项的报告会写明应打开哪份文件",
            "see smelter rules list; a report that needs an absent one names the text to open",
        )
        if absent
        else NOTHING,
    )


def _duties(site: Site, ledger: Ledger, day: date) -> Iterator[Finding]:
    try:
        plan = None if site.plan is None else load_plan(site.plan, site)
        office = Office(site, ledger, read_lodgings(site.entries), load_packs(site), plan)
        found = duties(office, day)
    except ConfigError as error:
        problem = error.problems[0]
        yield Finding("warn", "duties", Text(f"无法判断：{problem}", f"cannot be told: {problem}"))
        return
    late = [each for each in found if each.state is State.OVERDUE]
    soon = [
        each
        for each in found
        if each.state is State.OPEN and each.due is not None and (each.due - day).days <= 14
    ]
    for each in late[:5]:
        yield Finding(
            "warn",
            "duties",
            Text(f"逾期：{each.text.zh}（{each.due}）", f"overdue: {each.text.en} ({each.due})"),
            Text("smelter duties --site site.toml", "smelter duties --site site.toml"),
            each.period,
        )
    if len(late) > 5:
        more = len(late) - 5
        yield Finding("warn", "duties", Text(f"另有 {more} 项逾期", f"{more} more are overdue"))
    for each in soon[:5]:
        told = Text(f"{each.due} 前：{each.text.zh}", f"by {each.due}: {each.text.en}")
        yield Finding("note", "duties", told, where=each.period)
    if not late:
        yield Finding("ok", "duties", Text("没有逾期事项", "nothing is overdue"))
