"""Global warming potentials, only ever as the pair of one assessment report."""

from dataclasses import dataclass
from typing import Final

from reports.assembly import Argument, Assembly
from reports.rules.packs import Legal

PACK: Final = "gwp"
NAMES: Final = {
    "sar": "SAR",
    "tar": "TAR",
    "ar4": "AR4",
    "ar5": "AR5",
    "ar5_feedback": "AR5 (feedback)",
    "ar6": "AR6",
}


@dataclass(frozen=True, slots=True)
class GwpSet:
    """
    CF4 and C2F6 from the same report, over 100 years.

    Raises ValueError when the two are not of the set it names: potentials are never mixed.
    """

    name: str  # as the rule names it: sar, ar4, ar5 …
    cf4: Legal
    c2f6: Legal

    def __post_init__(self) -> None:
        wanted = [(PACK, f"cf4_{self.name}"), (PACK, f"c2f6_{self.name}")]
        given = [(legal.pack, legal.name) for legal in (self.cf4, self.c2f6)]
        if given != wanted:
            raise ValueError(f"GWP set {self.name}: {given} are not its values {wanted}")

    @property
    def label(self) -> str:
        return NAMES.get(self.name, self.name)

    def arguments(self, assembly: Assembly) -> list[Argument]:
        """``gwp_cf4`` and ``gwp_c2f6``, as every formula of anode effects takes them."""
        return [assembly.law("gwp_cf4", self.cf4), assembly.law("gwp_c2f6", self.c2f6)]


def gwp_set(assembly: Assembly, pack: str) -> GwpSet:
    """The set that the rule ``pack`` names in ``gwp_set``. Raises RuleError."""
    name = str(assembly.legal(pack, "gwp_set").value)
    return GwpSet(name, assembly.legal(PACK, f"cf4_{name}"), assembly.legal(PACK, f"c2f6_{name}"))
