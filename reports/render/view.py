"""The report as ready-made texts for one language: what the PDF prints, nothing computed here."""

from typing import Final

from reports.chapters import Chapter, Standard, days_left
from reports.model import DutyUse, Report
from reports.render.blocks import Pages, figure, pages_of, printed
from reports.render.items import legal_value
from reports.render.labels import CONFIRMED, SUBJECTS, label
from reports.render.marks import MEANING
from reports.render.parts import changes_table, left_text, met_text, standard
from reports.render.printed import LANDSCAPE_PT, PORTRAIT_PT, View, is_wide, laid_out
from reports.rules.places import place_text
from reports.values import Text

FRONT_DUTIES: Final = 4  # on the first page; the rest stands in its chapter
FRONT_CHANGES: Final = 8
CONTENTS_FROM: Final = 10  # a report with so many chapters has a table of contents
_DIGITS: Final = "〇一二三四五六七八九"


def view(report: Report, lang: str) -> View:
    """Everything the template needs, as strings, lists and flags."""
    pages = pages_of(report, lang)
    groups = _groups(pages)
    many = sum(len(group["chapters"]) for group in groups) >= CONTENTS_FROM
    made = {"groups": groups, "contents": many, "notes": _notes(pages)}
    return _head(pages) | _alarms(pages) | made


def _head(pages: Pages) -> View:
    report, content = pages.report, pages.report.content
    plant = content.plant
    return {
        "lang": pages.lang,
        "title": pages.of(content.title),
        "period": period_text(content.period.name, pages.lang),
        "plant": pages.of(plant.name),
        "operator": pages.of(plant.operator or plant.name),
        "facts": front_facts(pages),
        "version": report.version,
        "digest": report.content_sha256,
        "headline": [
            {
                "name": pages.of(content.line(key).label),
                "figure": figure(pages, content.line(key)),
                "unit": content.line(key).unit,
            }
            for key in content.headline
        ],
    }


def front_facts(pages: Pages) -> list[list[str]]:
    """Names and values of the first page: who, when, which version, by when."""
    say, report, content = pages.say, pages.report, pages.report.content
    start, end = content.period.start[:10], content.period.end[:10]
    replaces = say(f"（替代 v{report.version - 1}）", f" (replaces v{report.version - 1})")
    facts = [
        [say("厂区", "Plant"), pages.of(content.plant.name)],
        [say("统一社会信用代码", "Credit code"), content.plant.credit_code or "—"],
        [
            say("核算期", "Period"),
            say(f"{start} 零时 至 {end} 零时", f"{start} – {end}, 00:00 (+08:00)"),
        ],
        [
            say("版本", "Version"),
            f"v{report.version}{replaces if report.previous_sha256 else ''}"
            + say(f"，编制于 {report.written}", f", written {report.written}"),
        ],
    ]
    return facts + [
        [
            pages.of(duty.text) + say("截止", " by"),
            f"{duty.due}"
            + say("（", " (")
            + (met_text(pages, duty) or left_text(days_left(duty.due, report.written), pages.lang))
            + say("）", ")"),
        ]
        for duty in _nearest(pages)
    ]


def _nearest(pages: Pages) -> list[DutyUse]:
    """The duties that come next from the day the report was written; else the last ones."""
    duties = sorted(pages.report.content.duties, key=lambda duty: duty.due)
    ahead = [duty for duty in duties if duty.due >= pages.report.written]
    return (ahead or duties[-FRONT_DUTIES:])[:FRONT_DUTIES]


def _alarms(pages: Pages) -> View:
    """What the first page must say before any figure."""
    content, labels = pages.report.content, pages.labels
    signs = set("".join(pages.marks.values()))
    return {
        "complete": content.complete,
        "missing": [
            {"why": pages.of(text), "lines": [labels[key] for key in stopped]}
            for text, stopped in content.reasons().items()
        ],
        "absent": [
            {
                "name": pages.of(absent.label),
                "title": absent.source.title,
                "where": place_text(absent.source.where, pages.lang),
                "locator": place_text(absent.locator, pages.lang),
                "id": absent.id,
            }
            for absent in content.absent
        ],
        "checked": [
            {
                "name": pages.of(legal.label),
                "value": legal_value(legal, pages.lang),
                "text": pages.of(legal.overlay.text),
            }
            for legal in content.legals
            if legal.overlay is not None
        ],
        "stamps": [
            {
                "title": stamp.source.title,
                "where": place_text(stamp.source.where, pages.lang),
                "confirmed": CONFIRMED[stamp.confirmed].of(pages.lang),
                "parameters": [pages.of(text) for text in stamp.parameters],
            }
            for stamp in content.stamps
        ],
        "signs": [
            {"sign": sign, "meaning": pages.of(meaning)}
            for sign, meaning in MEANING.items()
            if sign in signs
        ],
        "warnings": [
            {
                "line": labels.get(d.line) or label(SUBJECTS, d.line, pages.lang),
                "text": pages.of(d.text),
            }
            for d in content.warnings
        ],
        "lodged": _lodged(pages),
    }


def _lodged(pages: Pages) -> View | None:
    """What was handed in before, and how this version differs."""
    report, say = pages.report, pages.say
    lodged = report.lodged
    if lodged is None:
        return None
    told = say(
        f"本期已于 {lodged.on} 上报第 {lodged.version} 版，回执 {lodged.receipt}"
        f"（{lodged.author}）。",
        f"Version {lodged.version} of this period was lodged on {lodged.on}, receipt "
        f"{lodged.receipt} ({lodged.author}).",
    )
    if not report.since_lodged:
        same = say("本版与已上报内容相同。", " This version says the same.")
        return {"text": told + same, "differs": False, "table": None, "more": ""}
    shown = report.since_lodged[:FRONT_CHANGES]
    left = len(report.since_lodged) - len(shown)
    table = laid_out(changes_table(pages, shown, ""), PORTRAIT_PT - 16)
    more = say(f"另有 {left} 项，见版本差异。", f"{left} more, see the changes.") if left else ""
    return {
        "text": told + say("本版与其不同：", " This version differs from it:"),
        "differs": True,
        "table": table,
        "more": more,
    }


def front_alarms(pages: Pages) -> list[str]:
    """The alarms of the first page, one sentence each."""
    say, alarms = pages.say, _alarms(pages)
    found = []
    if not alarms["complete"]:
        found.append(say("数据不完整——不得上报。", "Not complete – not to be lodged."))
        found += [f"{m['why']} → {say('、', ', ').join(m['lines'])}" for m in alarms["missing"]]
    if alarms["lodged"] is not None:
        found.append(alarms["lodged"]["text"])
    found += [
        say(
            f"法规参数缺失：{a['name']}，须打开 {a['title']}（{a['where']}；{a['locator']}），"
            f"以补充规则录入 {a['id']}",
            f"Legal value not known: {a['name']}; open {a['title']} ({a['where']}; "
            f"{a['locator']}) and enter {a['id']} in an overlay",
        )
        for a in alarms["absent"]
    ]
    found += [
        say(
            f"本厂录入并核对的法规参数：{c['name']} {c['value']}，{c['text']}",
            f"Legal value entered and checked by the plant: {c['name']} {c['value']}, {c['text']}",
        )
        for c in alarms["checked"]
    ]
    found += [
        say(
            f"法规参数未经官方文本核实（{s['confirmed']}），须打开 {s['title']}（{s['where']}）"
            f"核对：{'、'.join(s['parameters'])}",
            f"Legal values not confirmed in the official text ({s['confirmed']}); open "
            f"{s['title']} ({s['where']}) and check: {', '.join(s['parameters'])}",
        )
        for s in alarms["stamps"]
    ]
    found += [f"{w['line']}{say('：', ': ')}{w['text']}" for w in alarms["warnings"]]
    return found + [f"{s['sign']} {s['meaning']}" for s in alarms["signs"]]


def _groups(pages: Pages) -> list[View]:
    """Chapters in order, those of one orientation together; front chapters by themselves."""
    groups: list[View] = []
    number = 0
    for chapter in pages.report.content.chapters:
        blocks = _blocks(pages, chapter)
        if not blocks:
            continue
        number += 1
        wide = any(is_wide(block) for block in blocks)
        width = LANDSCAPE_PT if wide else PORTRAIT_PT
        if not groups or (groups[-1]["landscape"], groups[-1]["front"]) != (wide, chapter.front):
            groups.append({"landscape": wide, "front": chapter.front, "chapters": []})
        groups[-1]["chapters"].append(
            {
                "title": numbered(number, pages.of(chapter.title), pages.lang),
                "blocks": [laid_out(block, width) for block in blocks],
            }
        )
    return groups


def _blocks(pages: Pages, chapter: Chapter) -> list[View]:
    """The shapes of a chapter; none when all it holds is optional and empty."""
    found: list[View] = []
    for block in chapter.blocks:
        if isinstance(block, Standard):
            found += standard(pages, block.part)
        else:
            found += printed(pages, block, front=chapter.front)
    return found


def numbered(number: int, title: str, lang: str) -> str:
    """``三、工序基本信息``, ``3  Processes``."""
    if lang != "zh":
        return f"{number}  {title}"
    return f"{chinese(number)}、{title}"


def chinese(number: int) -> str:
    """A number from 1 to 99 in Chinese: 十二, 二十一."""
    tens, ones = divmod(number, 10)
    high = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return high + (_DIGITS[ones] if ones or not tens else "")


def period_text(name: str, lang: str) -> str:
    """``2026 年 10 月`` of 2026-10, ``2026 年`` of 2026; of other days the first and the last."""
    first, _, last = name.partition("_")
    if last:
        return f"{first} 至 {last}" if lang == "zh" else f"{first} to {last}"
    year, *parts = name.split("-")
    if lang != "zh" or not year.isdigit():
        return name
    if parts and parts[0].startswith("Q"):
        return f"{year} 年第{chinese(int(parts[0][1:]))}季度"
    return " ".join([f"{year} 年", *(f"{int(n)} {x}" for n, x in zip(parts, "月日", strict=False))])


_REMARKS: Final = (
    Text(
        zh="每个数字可用 smelter trace 追溯到录入凭证、批次和表计寄存器；公式可用 smelter compute "
        "复算。",
        en="Every figure can be traced by smelter trace to entries, batches and registers; "
        "formulas can be run by smelter compute.",
    ),
    Text(
        zh="窗口按开始时刻计入核算期 [起, 止)；时间为北京时间。缺数据不等于零：缺口由表底补齐或"
        "标为未知。",
        en="A window counts in the period in which it starts, [begin, end), plant time +08:00. "
        "Missing is not zero.",
    ),
)


def _journal(pages: Pages) -> str:
    used = pages.report.content.journal
    if used is None:
        return ""
    return pages.say(
        f"；环保记录：{used.entries} 条，末条摘要 {used.head}",
        f"; journal: {used.entries} records, head {used.head}",
    )


def _notes(pages: Pages) -> list[str]:
    """The small print at the end."""
    say, content = pages.say, pages.report.content
    return [
        *(pages.of(text) for text in _REMARKS),
        say("数据来源：", "Series: ")
        + content.series
        + say("；录入台账：", "; ledger: ")
        + say(
            f"{content.ledger.entries} 条，末行摘要 {content.ledger.head}",
            f"{content.ledger.entries} lines, head {content.ledger.head}",
        )
        + _journal(pages),
        *(say("规则包 ", "rule pack ") + f"{n}: {d}" for n, d in sorted(content.packs.items())),
        say("内容摘要", "content") + f" SHA-256: {pages.report.content_sha256}",
    ]
