"""
The report as one page for a browser: the same view as the PDF, pictures inside, nothing fetched.

Every text is escaped, there is no script, and the page forbids the browser to load anything, so a
name typed into a ledger can do no harm. Pictures come from ``reports.charts``, which escapes too.
"""

import re
from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files
from typing import Final

from reports.model import Report
from reports.render.printed import ZERO_WIDTH_SPACE, View
from reports.render.view import view

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LOWERED: Final = (
    (re.compile(r"\bC2F6\b"), "C<sub>2</sub>F<sub>6</sub>"),
    (re.compile(r"CO2"), "CO<sub>2</sub>"),
    (re.compile(r"\bCF4\b"), "CF<sub>4</sub>"),
    (re.compile(r"\bNm3\b"), "Nm<sup>3</sup>"),
)
_STYLES: Final = frozenset({"strong", "small", "small-ink", "grey", "formula", "amber", "red"})


def render_html(report: Report, lang: str) -> bytes:
    """A self-contained page, UTF-8; the same report gives the same bytes."""
    return _Page(view(report, lang)).text().encode()


def safe(text: str) -> str:
    """Text as HTML: escaped, long runs may break, formulas with lowered figures."""
    shown = escape(text, quote=True)
    for pattern, written in _LOWERED:
        shown = pattern.sub(written, shown)
    return shown.replace(ZERO_WIDTH_SPACE, "<wbr>")


class _Page:
    """One report's view on its way to a page."""

    def __init__(self, shown: View) -> None:
        self._view = shown
        self._zh = shown["lang"] == "zh"
        self._blocks: dict[str, Callable[[View], str]] = {
            "table": self._table,
            "paragraph": self._paragraph,
            "facts": lambda block: self._facts(block["facts"]),
            "short": self._short,
            "signatures": self._signatures,
            "chart": self._chart,
        }

    def _say(self, zh: str, en: str) -> str:
        return zh if self._zh else en

    def text(self) -> str:
        v = self._view
        style = files("reports").joinpath("render", "report.css").read_text("utf-8")
        title = escape(f"{v['title']} {v['period']} {v['plant']}")
        return (
            f'<!DOCTYPE html>\n<html lang="{self._say("zh-CN", "en-GB")}">\n<head>\n'
            f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" '
            f'content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
            f"{self._front()}\n{self._chapters()}\n{self._foot()}\n</body>\n</html>\n"
        )

    # --- first screen

    def _front(self) -> str:
        v = self._view
        head = (
            f"<header><p>{safe(v['operator'])}</p><h1>{safe(v['title'])}</h1>"
            f"<p><b>{safe(v['period'])}</b></p></header>"
        )
        figures = "".join(
            f"<div>{safe(h['name'])}<b>{_one(h['figure'])} <small>{safe(h['unit'])}</small></b>"
            "</div>"
            for h in v["headline"]
        )
        parts = [head, self._facts(v["facts"]), *self._alarms()]
        if figures:
            parts.append(f'<div class="headline">{figures}</div>')
        parts += [
            f'<p class="note"><sup class="mark">{safe(s["sign"])}</sup> {safe(s["meaning"])}</p>'
            for s in v["signs"]
        ]
        entries = "".join(
            f'<li><a href="#c{n}">{safe(chapter["title"])}</a></li>'
            for n, chapter in enumerate(self._all(), 1)
        )
        return "\n".join([*parts, f"<nav><ol>{entries}</ol></nav>"])

    def _alarms(self) -> list[str]:
        """What must be said before any figure, in the order of the paper."""
        v, say = self._view, self._say
        found = []
        if not v["complete"]:
            joined = say("、", ", ")
            items = (
                f"<b>{safe(m['why'])}</b> → {safe(joined.join(m['lines']))}" for m in v["missing"]
            )
            title = say("数据不完整——不得上报", "Not complete – not to be lodged")
            found.append(_box("amber", title, items))
        if v["lodged"] is not None:
            found.append(self._lodged(v["lodged"]))
        found += [
            _box(colour, title, items)
            for colour, title, items in (
                ("red", say("法规参数缺失", "Legal values not known"), self._absent()),
                (
                    "amber",
                    say(
                        "本厂录入并核对的法规参数", "Legal values entered and checked by the plant"
                    ),
                    self._checked(),
                ),
                (
                    "red",
                    say(
                        "法规参数未经官方文本核实：上报前须有人打开下列文件并核对",
                        "Legal values not confirmed in the official text: before lodging, a person "
                        "must open these texts and check",
                    ),
                    self._stamps(),
                ),
            )
            if items
        ]
        doubts = [f"{safe(w['line'])}{say('：', ': ')}{safe(w['text'])}" for w in v["warnings"]]
        if doubts:
            rows = "<br>".join(doubts)
            found.append(f'<div class="warning"><b>{say("提示", "Doubts")}</b><br>{rows}</div>')
        return found

    def _lodged(self, lodged: View) -> str:
        table = "" if lodged["table"] is None else self._table(lodged["table"])
        more = f'<p class="note">{safe(lodged["more"])}</p>' if lodged["more"] else ""
        colour = "red" if lodged["differs"] else ""
        title = self._say("已上报", "Lodged before")
        return _box(colour, title, (), f"<p>{safe(lodged['text'])}</p>{table}{more}")

    def _absent(self) -> list[str]:
        say = self._say
        return [
            f"<b>{safe(a['name'])}</b>{say('：须打开', ': open')} {safe(a['title'])} "
            f"({safe(a['where'])}; {safe(a['locator'])})"
            f"{say('，以补充规则录入', ' and enter in an overlay')} <small>{safe(a['id'])}</small>"
            for a in self._view["absent"]
        ]

    def _checked(self) -> list[str]:
        colon = self._say("：", ": ")
        return [
            f"<b>{safe(c['name'])}</b> {safe(c['value'])}{colon}{safe(c['text'])}"
            for c in self._view["checked"]
        ]

    def _stamps(self) -> list[str]:
        joined, colon = self._say("、", ", "), self._say("：", ": ")
        return [
            f"<b>{safe(s['title'])}</b> ({safe(s['where'])}) "
            f'<span class="s-red">{safe(s["confirmed"])}</span>{colon}'
            f"{safe(joined.join(s['parameters']))}"
            for s in self._view["stamps"]
        ]

    # --- chapters

    def _all(self) -> list[View]:
        return [chapter for group in self._view["groups"] for chapter in group["chapters"]]

    def _chapters(self) -> str:
        return "\n".join(
            f'<section id="c{n}">\n<h2>{safe(chapter["title"])}</h2>\n'
            + "\n".join(self._blocks[block["kind"]](block) for block in chapter["blocks"])
            + "\n</section>"
            for n, chapter in enumerate(self._all(), 1)
        )

    def _foot(self) -> str:
        v = self._view
        notes = "".join(f"<li>{safe(note)}</li>" for note in v["notes"])
        title = self._say("说明", "Notes")
        return (
            f'<footer><h3>{title}</h3><ul class="notes">{notes}</ul>'
            f"<p>{safe(v['plant'])} · {safe(v['title'])} · {safe(v['period'])} · "
            f"v{v['version']} · SHA-256 {safe(v['digest'])}</p></footer>"
        )

    # --- blocks

    def _title(self, block: View) -> str:
        title = block.get("title", "")
        return f"<h3>{safe(title)}</h3>" if title else ""

    def _paragraph(self, block: View) -> str:
        kind = {"plain": "text", "note": "note", "warning": "warning"}[block["tone"]]
        return f'{self._title(block)}<p class="{kind}">{safe(block["text"])}</p>'

    @staticmethod
    def _facts(facts: Iterable[Iterable[str]]) -> str:
        rows = "".join(f"<dt>{safe(n)}</dt><dd>{safe(v)}</dd>" for n, v in facts)
        return f"<dl>{rows}</dl>"

    @staticmethod
    def _short(block: View) -> str:
        said = "　".join(
            f"{safe(line['name'])}{_one(line['figure'])}{safe(line['rest'])}"
            for line in block["lines"]
        )
        return f'<p class="note">{said}</p>'

    def _signatures(self, block: View) -> str:
        colon = self._say("：", ": ")
        people = "".join(f"<div>{safe(who)}{colon}</div>" for who in block["who"])
        return f'<div class="sign">{people}</div>'

    def _chart(self, block: View) -> str:
        notes = "<br>".join(safe(note) for note in block["notes"])
        caption = f"<figcaption>{notes}</figcaption>" if notes else ""
        return f"<figure>{self._title(block)}<div>{block['svg']}</div>{caption}</figure>"

    def _table(self, block: View) -> str:
        heads = "".join(
            f'<th scope="col"{_right(h)}>{safe(h["label"])}'
            + (f"<small>{safe(h['unit'])}</small>" if h["unit"] else "")
            + "</th>"
            for h in block["heads"]
        )
        rows = "\n".join(
            f"<tr{_tone(row['tone'])}>"
            + "".join(
                f"<td{_right(h)}>{''.join(f'<div>{_one(part)}</div>' for part in cell)}</td>"
                for h, cell in zip(block["heads"], row["cells"], strict=True)
            )
            + "</tr>"
            for row in block["rows"]
        )
        whole = ' class="full"' if block["share"] >= 1.0 else ""
        notes = "".join(f'<p class="note">{safe(note)}</p>' for note in block["notes"])
        return (
            f'{self._title(block)}<div class="sheet"><table{whole}><thead><tr>{heads}</tr></thead>'
            f"\n<tbody>\n{rows}\n</tbody></table></div>{notes}"
        )


def _one(part: View) -> str:
    """One line of a cell in its style, with its signs raised."""
    style = f' class="s-{part["s"]}"' if part["s"] in _STYLES else ""
    body = f"<span{style}>{safe(part['t'])}</span>" if style else safe(part["t"])
    return body + (f'<sup class="mark">{safe(part["m"])}</sup>' if part["m"] else "")


def _right(head: View) -> str:
    return ' class="r"' if head["right"] else ""


def _tone(tone: str) -> str:
    return f' class="{tone}"' if tone in {"strong", "small"} else ""


def _box(colour: str, title: str, items: Iterable[str], more: str = "") -> str:
    """A framed alarm; ``items`` and ``more`` are HTML already."""
    rows = "".join(f"<li>{item}</li>" for item in items)
    listed = f"<ul>{rows}</ul>" if rows else ""
    return f'<div class="box {colour}"><b>{safe(title)}</b>{listed}{more}</div>'
