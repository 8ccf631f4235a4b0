"""An SVG under way: shapes and texts in points, everything that comes from outside escaped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from unicodedata import east_asian_width

FONT: Final = "Noto Sans CJK SC"
INK, GREY, RULE, PAPER = "#1a2b3c", "#5b6875", "#d5dce4", "#ffffff"
ACCENT: Final = "#1f4e79"
COLOURS: Final = ("#1f4e79", "#c8553d", "#3a8f6f", "#b8860b", "#6b5b95", "#4a9bc4", "#7a8793")
TONES: Final = {"limit": "#b3261e", "target": "#2e7d4f", "mean": "#5b6875"}
LATIN_EM: Final = 0.56  # a figure or letter of the font, about
# XML knows no control characters; they are left out rather than breaking the whole picture.
_ILLEGAL: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOWERED: Final = re.compile(r"(?<=CO)2|(?<=CF)4")
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


def escaped(text: str) -> str:
    """Text that is safe inside an element and inside quotes."""
    plain = _ILLEGAL.sub("", text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        plain = plain.replace(sign, entity)
    return plain


def digits(value: float) -> str:
    """A length with at most two decimals, as short as possible."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def width_of(text: str, size: float) -> float:
    """Width of a text, about, in points."""
    return size * sum(1.0 if east_asian_width(c) in {"W", "F"} else LATIN_EM for c in text)


def shortened(text: str, size: float, room: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width_of(text, size) <= room:
        return text
    while text and width_of(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"


def path_of(points: Sequence[Point]) -> str:
    """``M x y L x y …`` through the points."""
    return "M" + "L".join(f"{digits(x)} {digits(y)}" for x, y in points)


@dataclass(slots=True)
class Canvas:
    """A page of ``width`` × ``height`` points; shapes lie in the order in which they are drawn."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def text(  # noqa: PLR0913 - a text has a place, a size, a side and a look
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 7.5,
        anchor: Anchor = "start",
        fill: str = INK,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """``y`` is the base line; ``turned`` runs upwards."""
        look = f' font-size="{digits(size)}" fill="{fill}"'
        look += "" if anchor == "start" else f' text-anchor="{anchor}"'
        look += ' font-weight="bold"' if bold else ""
        look += f' transform="rotate(-90 {digits(x)} {digits(y)})"' if turned else ""
        lowered = rf'<tspan font-size="{digits(size * 0.72)}">\g<0></tspan>'
        body = _LOWERED.sub(lowered, escaped(text))
        self.parts.append(f'<text x="{digits(x)}" y="{digits(y)}"{look}>{body}</text>')

    def rect(
        self,
        corner: Point,
        size: Point,
        fill: str,
        *,
        tip: str = "",
        opacity: float = 1.0,
    ) -> None:
        (x, y), (w, h) = corner, size
        look = f'x="{digits(x)}" y="{digits(y)}" width="{digits(w)}" height="{digits(h)}"'
        look += f' fill="{fill}"' + (f' fill-opacity="{digits(opacity)}"' if opacity < 1 else "")
        self._shape("rect", look, tip)

    def line(
        self, start: Point, end: Point, colour: str, *, width: float = 0.5, dash: str = ""
    ) -> None:
        (x1, y1), (x2, y2) = start, end
        look = f'x1="{digits(x1)}" y1="{digits(y1)}" x2="{digits(x2)}" y2="{digits(y2)}"'
        look += f' stroke="{colour}" stroke-width="{digits(width)}"'
        self._shape("line", look + (f' stroke-dasharray="{dash}"' if dash else ""), "")

    def stroke(self, path: str, colour: str, *, width: float = 1.2, dash: str = "") -> None:
        look = f'd="{path}" fill="none" stroke="{colour}" stroke-width="{digits(width)}"'
        look += ' stroke-linejoin="round" stroke-linecap="butt"'
        self._shape("path", look + (f' stroke-dasharray="{dash}"' if dash else ""), "")

    def area(self, path: str, fill: str, *, opacity: float = 1.0, tip: str = "") -> None:
        look = f'd="{path}" fill="{fill}"'
        look += f' fill-opacity="{digits(opacity)}"' if opacity < 1 else ""
        self._shape("path", look, tip)

    def dot(self, at: Point, radius: float, fill: str, *, tip: str = "", seen: bool = True) -> None:
        look = f'cx="{digits(at[0])}" cy="{digits(at[1])}" r="{digits(radius)}" fill="{fill}"'
        self._shape("circle", look + ("" if seen else ' fill-opacity="0"'), tip)

    def raw(self, part: str) -> None:
        """A piece of SVG that holds no text from outside."""
        self.parts.append(part)

    def _shape(self, name: str, look: str, tip: str) -> None:
        """A shape; ``tip`` is what a browser says when the mouse rests on it."""
        end = f"><title>{escaped(tip)}</title></{name}>" if tip else "/>"
        self.parts.append(f"<{name} {look}{end}")

    def svg(self, title: str) -> str:
        """The whole picture; ``title`` is read out to who cannot see it."""
        w, h = digits(self.width), digits(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}pt" '
            f'height="{h}pt" role="img" aria-label="{escaped(title)}" font-family="{FONT}">\n'
            + "\n".join(self.parts)
            + "\n</svg>"
        )
