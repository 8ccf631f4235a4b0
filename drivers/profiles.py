"""Device profiles that come with the product: where they lie, whose they are, how sure they are."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from drivers.language import language, say
from drivers.model import ConfigError
from drivers.tables import decode_table

Confirmed = Literal["manual seen", "secondary", "unverified"]
LEVELS: tuple[Confirmed, ...] = get_args(Confirmed)
LEVELS_SAID: dict[Confirmed, tuple[str, str]] = {
    "manual seen": ("手册已见", "manual seen"),
    "secondary": ("二手资料，先核对手册", "secondary: check the manual first"),
    "unverified": ("未核实，先核对手册", "unverified: check the manual first"),
}
KINDS = {  # kind of equipment → what it is called
    "pot": ("槽控机", "pot controller"),
    "rectifier": ("整流机组", "rectifier"),
    "meter": ("电能表", "energy meter"),
    "flow": ("流量、热量计量", "flow and heat"),
    "cems": ("烟气在线监测", "CEMS"),
}
_HEAD = re.compile(r"#\s*(profile|kind|manual|confirmed|note|max_registers)\s*:\s*(.+)")


@dataclass(frozen=True, slots=True)
class Profile:
    """The head of a profile; ``confirmed`` says how well its registers are known."""

    path: Path
    title: str  # "中文 | English", like the note
    kind: str
    manual: str  # in both languages too; begins "none" where there is none: a form to fill in
    confirmed: Confirmed
    note: str
    driver: str  # modbus or hj212
    quantities: tuple[str, ...]
    max_registers: int = 0  # a request may ask for; 0: what Modbus allows

    @property
    def name(self) -> str:
        return self.path.stem

    def said(self, text: str) -> str:
        """The half of a text in the language of this run."""
        zh, bar, en = text.partition(" | ")
        return (zh if language() == "zh" else en) if bar else text

    @property
    def is_form(self) -> bool:
        """True where there is no manual: the registers are the supplier's, of each project."""
        return self.manual.rpartition(" | ")[2].startswith("none:")

    @property
    def doubt(self) -> str:
        """What an engineer must do before the figures count; empty when the manual was seen."""
        if self.confirmed == "manual seen":
            return ""
        if self.is_form:
            reason = re.sub(r"^(none: |无：)", "", self.said(self.manual))
            return say(
                f"{self.path.name}：寄存器号是占位，须向供货方索取寄存器表后填写（{reason}）",
                f"{self.path.name}: its register numbers are places to fill in; ask the supplier "
                f"for the list ({reason})",
            )
        found = say("来源为二手资料", "from second-hand sources")
        if self.confirmed == "unverified":
            found = say("寄存器未经核实", "registers are unverified")
        return say(
            f"{self.path.name}：{found}，先核对手册（{self.said(self.manual)}）",
            f"{self.path.name}: {found}; compare with the manual first ({self.said(self.manual)})",
        )

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.said(self.title),
            "kind": self.kind,
            "driver": self.driver,
            "manual": self.said(self.manual),
            "confirmed": self.confirmed,
            "note": self.said(self.note),
            "max_registers": self.max_registers or None,
            "quantities": list(self.quantities),
        }


def read_head(path: Path) -> Profile | None:
    """Of a profile that has a head; None for one a plant made without it."""
    text = decode_table(path.read_bytes(), path.name)
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if match := _HEAD.fullmatch(line.strip()):
            found.setdefault(match[1], match[2])
    if "confirmed" not in found:
        return None
    missing = [key for key in ("profile", "kind", "manual") if key not in found]
    level = next((level for level in LEVELS if level == found["confirmed"]), None)
    if missing or level is None or found["kind"] not in KINDS:
        levels = ", ".join(LEVELS)
        told = say(
            f"表头须写 profile、kind（{'、'.join(KINDS)}）、manual，confirmed 为 {levels} 之一",
            f"the head says profile, kind ({', '.join(KINDS)}), manual, and as confirmed "
            f"one of {levels}",
        )
        raise ConfigError([f"{path.name}: {told}"])
    most = found.get("max_registers", "0")
    if not most.isdecimal() or int(most) > 125:
        told = say("max_registers 须为 1 到 125", "max_registers is 1 to 125")
        raise ConfigError([f"{path.name}: {told}"])
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    logger = any(re.match(r"(rtd|state|min|hour|day)\b", row.get("address") or "") for row in rows)
    return Profile(
        path,
        found["profile"],
        found["kind"],
        found["manual"],
        level,
        found.get("note", ""),
        "hj212" if logger else "modbus",
        tuple(row.get("quantity") or "" for row in rows),
        int(most),
    )


def folder() -> Path:
    """Where the product's own profiles lie: in the package, or beside it in a source tree."""
    package = Path(str(files("drivers")))
    packaged = package / "device_profiles"
    return packaged if packaged.is_dir() else package.parent / "config" / "profiles"


def profiles(where: Path | None = None) -> list[Profile]:
    """All with a head, by kind and name."""
    found = [read_head(path) for path in sorted((where or folder()).glob("*.csv"))]
    order = list(KINDS)
    return sorted(
        (profile for profile in found if profile is not None),
        key=lambda profile: (order.index(profile.kind), profile.name),
    )


def doubts(paths: Iterable[Path]) -> list[str]:
    """What to check before the figures of these profiles count."""
    heads = (read_head(path) for path in dict.fromkeys(paths))
    return [head.doubt for head in heads if head is not None and head.doubt]
