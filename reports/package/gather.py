"""What goes into a package: the report, what people entered, the rules, originals and proofs."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

from drivers.language import say
from drivers.model import ConfigError
from reports.citations import DocumentUse
from reports.entries.documents import folder_of
from reports.entries.ledger import read_ledger
from reports.journal.journal import read_journal
from reports.lodgings import read_lodgings
from reports.model import Content, LedgerUse, Report
from reports.package.anchors import anchoring
from reports.package.originals import Needed, cited, everything, in_hour, segment
from reports.package.readme import readme
from reports.package.ring import Ring
from reports.package.tiles import Heads, SignedHead, TreeError
from reports.package.verify import MOST_LEAVES, OWN, Broken, Head, Note
from reports.periods import Period
from reports.rules.overlay import lay, read_overlays
from reports.rules.packs import packs
from reports.site import Site
from reports.trace.originals import OriginalsError
from reports.values import Text

_SECRET: Final = re.compile(r"(?m)^(\s*(?:username|password_file|token_file|url)\s*=).*$")
_NOTED: Final = ("emissions", "grade")  # reports that stand on the journal


@dataclass(frozen=True)
class Wish:
    """What a person asks for beyond the batches that the report cites."""

    whole: bool = False  # every batch between the first and the last that any meter's figure used
    hours_ns: tuple[int, ...] = ()  # every batch with windows of these hours
    since: tuple[Path, ...] = ()  # checkpoints that the auditor keeps from earlier
    most_bytes: int = 200 << 20  # of original payload


@dataclass
class Gathered:
    """``files`` by name in the package; ``left_out`` says why something cannot be in it."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: dict[str, Text] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def lacks(self, key: str, zh: str, en: str) -> None:
        self.left_out[key] = Text(zh=zh, en=en)


def gather(
    report: Report, path: Path, site: Site, site_file: Path, ring: Ring, wish: Wish
) -> Gathered:
    """Everything for a report file. Raises ConfigError for what a person must put right."""
    found = Gathered()
    content = report.content
    found.files["report.json"] = path.read_bytes()
    for rendering in sorted(path.parent.glob(f"{path.stem}.*.*")):
        if rendering.suffix in {".pdf", ".xlsx", ".html"}:
            found.files[f"renderings/{rendering.name}"] = rendering.read_bytes()
    for number, signed in enumerate(sorted(path.parent.glob(f"{path.stem}.signature-*.txt")), 1):
        found.files[f"signatures/{number}.txt"] = signed.read_bytes()
    _site(found, site, site_file)
    anchors = anchoring(site)  # before the chains, which only grow
    _entered(found, report, site)
    _documents(found, report, site)
    _rules(found, report, site)
    _originals(found, report, site, wish, anchors)
    found.files["keys/report.json"] = _notes(ring.notes)
    found.files["verify.py"] = resources("reports").joinpath("package/verify.py").read_bytes()
    name = f"{content.report}-{content.period.name}-v{report.version}"
    found.files["README.txt"] = readme(report, name, ring.vkey).encode()
    found.said |= {
        "plant": content.plant.id,
        "report": name,
        "content_sha256": report.content_sha256,
        "batches": "all" if wish.whole else "cited",
        "left_out": {key: text.model_dump() for key, text in sorted(found.left_out.items())},
    }
    return found


def _notes(notes: Sequence[str]) -> bytes:
    return (json.dumps(list(notes), ensure_ascii=False, indent=1) + "\n").encode()


def _site(found: Gathered, site: Site, site_file: Path) -> None:
    """The site file without addresses and accounts of stores, and what it names."""
    text = site_file.read_text("utf-8")
    found.files["site/site.toml"] = _SECRET.sub(r'\1 "(left out)"', text).encode()
    for path in (site.plan, site.alert_plan, *site.grade.tables):
        if path is not None and path.is_file():
            found.files[f"site/{_plain(path.name)}"] = path.read_bytes()


def _plain(name: str) -> str:
    """A name of ASCII letters, for any file system."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", name).lstrip(".-") or "file"


def _entered(found: Gathered, report: Report, site: Site) -> None:
    """
    The ledger as the report read it, journal and lodgings as they are now.

    Raises ConfigError, every mistake at once: a chain that is broken or that does not go on from
    what the report read proves nothing, and the auditor would call it changed.
    """
    wrong: list[str] = []
    chains: tuple[tuple[str, Path, Callable[[], object]], ...] = (
        ("entries", site.entries, lambda: read_ledger(site.entries)),
        ("journal", site.journal, lambda: read_journal(site.journal)),
        ("lodgings", site.entries.with_name("lodgings.jsonl"), lambda: read_lodgings(site.entries)),
    )
    used = {"entries": report.content.ledger, "journal": report.content.journal}
    for name, path, read in chains:
        try:
            read()
        except ConfigError as error:
            wrong += error.problems
            continue
        lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
        seen = used.get(name)
        if seen is not None and not _leads_to(lines, seen):
            wrong.append(_not_led_to(path, len(lines), seen))
        kept = lines if name != "entries" else lines[: report.content.ledger.entries]
        if kept or name == "entries":
            found.files[f"entries/{name}.jsonl"] = b"".join(line + b"\n" for line in kept)
    if wrong:
        raise ConfigError(wrong)


def _leads_to(lines: Sequence[bytes], seen: LedgerUse) -> bool:
    count = seen.entries
    return not count or (len(lines) >= count and sha256(lines[count - 1]).hexdigest() == seen.head)


def _not_led_to(path: Path, now: int, seen: LedgerUse) -> str:
    return say(
        f"{path}：报告用了 {seen.entries} 条（末条 {seen.head[:16]}），现有 {now} 条且不再延续："
        "被截断、替换或改写；请用备份恢复后再打包",
        f"{path}: the report stood on {seen.entries} lines, head {seen.head[:16]}; the {now} there "
        "now do not lead to it: cut, replaced or rewritten; restore it from a backup, then package",
    )


def _documents(found: Gathered, report: Report, site: Site) -> None:
    """What the cited entries, journal records and overlays name, by SHA-256."""
    folder = folder_of(site.entries)
    kept = {path.name[:64]: path for path in sorted(folder.glob("*"))} if folder.is_dir() else {}
    for overlay in site.overlays:
        kept |= {_sha(path): path for path in overlay.parent.iterdir() if path.is_file()}
    for used in _used(report, site):
        kept_file = kept.get(used.sha256)
        if kept_file is None or _sha(kept_file) != used.sha256:
            found.lacks(used.sha256, "未保存在 documents/ 中", "is not kept in documents/")
            continue
        suffix = _plain(Path(used.name).suffix)[-12:]
        found.files[f"documents/{used.sha256}.{suffix.lstrip('.')}"] = kept_file.read_bytes()


def _sha(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _used(report: Report, site: Site) -> Iterator[DocumentUse]:
    for entry in report.content.entries:
        yield from (each for each in (entry.document, entry.source) if each is not None)
    for legal in report.content.legals:
        if legal.overlay is not None:
            yield legal.overlay.document
    if report.content.report in _NOTED:
        period = Period.parse(report.content.period.name)
        for record in read_journal(site.journal).all:
            if record.touches(period.start_ns, period.end_ns):
                named = [*record.evidence, *([record.source] if record.source else [])]
                yield from (DocumentUse(name=e.name, sha256=e.sha256) for e in named)


def _rules(found: Gathered, report: Report, site: Site) -> None:
    """Packs as text, and the overlays laid on them, in order."""
    overlays = read_overlays(site.overlays)
    laid: dict[str, list[str]] = {}
    for overlay in overlays:
        name = f"overlays/{_plain(overlay.path.name)}"
        touched = sorted({stretch.legal.pack for stretch in overlay.stretches})
        if any(pack in report.content.packs for pack in touched):
            found.files[name] = overlay.path.read_bytes()
        for pack in touched:
            laid.setdefault(pack, []).append(name)
    found.said["overlays"] = {p: n for p, n in sorted(laid.items()) if p in report.content.packs}
    folder = resources("reports").joinpath("rules")
    now = lay(overlays)
    for pack, digest in sorted(report.content.packs.items()):
        name = f"rules/{pack}.toml"
        if pack not in packs() or now[pack].digest != digest:
            found.lacks(
                name,
                "程序或补充规则已更新，报告所用文本不在本机",
                "the program or an overlay changed since; the text used is not here",
            )
            continue
        found.files[name] = folder.joinpath(f"{pack}.toml").read_bytes()


def _originals(
    found: Gathered, report: Report, site: Site, wish: Wish, anchors: dict[str, set[int]]
) -> None:
    content, root = report.content, site.originals
    if root is None:
        if content.meters:
            raise ConfigError([say("site.toml 未写 originals", "site.toml names no originals")])
        return
    wanted = _wanted(root, content, wish)
    for log, seqs in anchors.items():
        wanted.batches.setdefault(log, set()).update(seqs)
    found.left_out |= wanted.missing
    heads, spent = Heads(root), 0
    senders: set[str] = set()
    counts: dict[str, list[int]] = {}  # first, last, how many
    for log, seqs in sorted(wanted.batches.items()):
        try:
            data, read, missing = segment(root, log, seqs, wish.most_bytes - spent)
        except OriginalsError as error:
            raise ConfigError([str(error)]) from None
        found.left_out |= missing
        spent += len(data)
        found.files[f"batches/{log}.seg"] = data
        if read:
            counts[log] = [read[0], read[-1], len(read)]
        head = _head(found, heads, log, read)
        if head is not None:
            senders.add("/".join(log.split("/")[:2]))
            _proofs(found, heads, head, read, wish)
            found.files |= {f"stamps/{name}": d for name, d in heads.stamps(log).items()}
    for sender in sorted(senders):
        keys = None if sender.endswith(f"/{OWN}") else heads.keys(sender)  # those of the witness
        if keys is not None:
            found.files[f"keys/{sender}.json"] = keys
    found.said["counts"] = counts
    witness = heads.keys("")
    if senders and witness is not None:
        found.files["keys/witness.json"] = witness


def _wanted(root: Path, content: Content, wish: Wish) -> Needed:
    wanted = Needed(root, content.plant.id)
    cited(wanted, content.meters)
    if wish.whole:
        everything(wanted, content.meters)
    for hour_ns in wish.hours_ns:
        in_hour(wanted, content.meters, hour_ns)
    return wanted


def _head(found: Gathered, heads: Heads, log: str, seqs: Sequence[int]) -> SignedHead | None:
    try:
        head = heads.of(log)
    except TreeError as error:
        raise ConfigError([str(error)]) from None
    if head is None:
        for seq in seqs:
            found.lacks(
                f"{log}#{seq}",
                "该日志还没有会签的检查点（请运行历史库）",
                "its log has no cosigned checkpoint yet (run the historian)",
            )
        return None
    found.files[f"checkpoints/{log}"] = head.text.encode()
    return head


def _proofs(
    found: Gathered, heads: Heads, head: SignedHead, seqs: Sequence[int], wish: Wish
) -> None:
    """A line per batch: index and path; all leaves where they are few; steps from older heads."""
    lines = []
    for seq in seqs:
        try:
            path = head.path(seq)
        except TreeError as error:
            found.lacks(f"{head.log}#{seq}", str(error), str(error))
            continue
        lines.append(" ".join([str(seq - 1), *(b64encode(part).decode() for part in path)]))
    found.files[f"proofs/{head.log}.txt"] = "".join(f"{line}\n" for line in lines).encode()
    if head.head.size <= MOST_LEAVES:
        leaves = head.leaves()
        if leaves:
            found.files[f"leaves/{head.log}.bin"] = b"".join(leaves)
            return
    steps = {}
    for known in [*heads.older(head.log), *_known(wish, head)]:
        if 0 < known.size < head.head.size and known.hash == head.head.hash:
            parts = head.since(known)
            steps[known.size] = [b64encode(part).decode() for part in parts]
    text = "".join(" ".join([str(size), *parts]) + "\n" for size, parts in sorted(steps.items()))
    if text:
        found.files[f"consistency/{head.log}.txt"] = text.encode()


def _known(wish: Wish, head: SignedHead) -> Iterator[Head]:
    for path in wish.since:
        try:
            known = Head(Note(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, Broken) as error:
            raise ConfigError([f"{path}: {error}"]) from None
        if known.origin == head.head.origin:
            yield known
