"""
The licences of what a plant installs, from the packages' own metadata, and which are accepted.

Accepted is what may be combined with a program under Apache-2.0 and handed on to a plant. Unknown
is refused, so is a licence that asks more of the whole program (GPL, AGPL, SSPL, non-commercial).
"""

import re
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from typing import cast

from tests.supply.lock import RUNTIME, Pin, read_lock

ACCEPTED = frozenset({
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "EPL-2.0", "ISC",
    "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "OFL-1.1", "PSF-2.0", "Unlicense", "Zlib",
})  # fmt: skip
# What people wrote before there were identifiers -> SPDX. "BSD" does not say how many clauses.
OLD_WORDS = {
    "mit license": "MIT",
    "mit": "MIT",
    "bsd": "BSD",
    "bsd license": "BSD",
    "apache software license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "python software foundation license": "PSF-2.0",
}
# A word on each that asks something of whoever hands it on.
DUTIES = {
    "LGPL-3.0-or-later": "used unchanged as a package of its own, which a plant may replace",
    "MPL-2.0": "used unchanged; its files stay under their licence",
    "EPL-2.0": "offered beside BSD-3-Clause, which is taken",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """Of one package, as its metadata says it."""

    pin: Pin
    expression: str  # SPDX; "" unknown
    home: str

    @property
    def accepted(self) -> bool:
        return acceptable(self.expression)


def acceptable(expression: str) -> bool:
    """Of an SPDX expression of AND, OR and parentheses; of OR one side is enough."""
    text = expression.strip()
    while text.startswith("(") and text.endswith(")") and _whole(text):
        text = text[1:-1].strip()
    for word, enough in ((" OR ", any), (" AND ", all)):
        parts = _apart(text, word)
        if len(parts) > 1:
            return enough(acceptable(part) for part in parts)
    return text in ACCEPTED


def _whole(text: str) -> bool:
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if not depth:
            return at == len(text) - 1
    return False


def _apart(text: str, word: str) -> list[str]:
    parts, depth = [""], 0
    for piece in re.split(rf"({word}|[()])", text):
        depth += (piece == "(") - (piece == ")")
        if piece == word and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def expression_of(about: Message) -> str:
    """The licence expression; else the classifiers, else the words in ``License``, as SPDX."""
    said = about.get("License-Expression", "")
    if said:
        return str(said)
    old = [
        each.rpartition("::")[2].strip()
        for each in about.get_all("Classifier") or []
        if each.startswith("License :: OSI Approved ::")
    ]
    words = old or [str(about.get("License", ""))]
    known = [OLD_WORDS.get(word.strip().lower(), word.strip()) for word in words]
    exact = str(about.get("License", "")).strip()
    if known == ["BSD"] and exact in ACCEPTED:
        return exact
    return " OR ".join(known) if all(known) and all(len(each) < 40 for each in known) else ""


def licences(pins: list[Pin] | None = None) -> list[Licence]:
    """Of the runtime lock's packages for this machine, as installed here. KeyError: not there."""
    found = []
    for pin in read_lock(RUNTIME) if pins is None else pins:
        if pin.here:
            about = cast(Message, metadata.metadata(pin.name))
            if about["Version"] != pin.version:
                raise KeyError(f"{pin.name} {about['Version']} is installed, not {pin.version}")
            found.append(Licence(pin, expression_of(about), str(about.get("Home-page", ""))))
    return found


def page() -> str:
    """docs/licences.md."""
    rows = licences()
    elsewhere = [pin for pin in read_lock(RUNTIME) if not pin.here]
    lines = [
        "# Licences of what a plant installs",
        "",
        "本页由 `python -m tests.supply licences --write` 按各软件包自带的元数据生成，",
        "`make test` 核对：许可证未知，或与本程序（Apache-2.0）不相容的，一律不收。",
        "",
        "Made from the packages' own metadata by `python -m tests.supply licences --write`;",
        "`make test` refuses a package whose licence is unknown or cannot be combined with this",
        "program (Apache-2.0) and handed on to a plant.",
        "",
        "| package | version | licence | note |",
        "|---|---|---|---|",
        "| smelter-agent | this | Apache-2.0 | this program; the fonts in reports/fonts: OFL-1.1 |",
    ]
    for each in rows:
        words = [text for name, text in DUTIES.items() if name in each.expression]
        lines.append(
            f"| {each.pin.name} | {each.pin.version} | {each.expression} | {'; '.join(words)} |"
        )
    lines += [
        "",
        "Not installed on this kind of machine and so not looked at (marker in the lock):",
    ]
    lines += [f"* {pin.name} {pin.version} (`{pin.marker}`)" for pin in elsewhere]
    lines += ["", f"Accepted: {', '.join(sorted(ACCEPTED))}.", ""]
    return "\n".join(lines)
