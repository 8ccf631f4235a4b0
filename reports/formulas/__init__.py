"""
The catalogue: every formula of the system by name, pure arithmetic without I/O, dates or packs.

A formula takes plain numbers (a few also a word or a table) and returns a named tuple whose field
names carry the units. Each room ends with its part of the catalogue; ``parameters.py`` says what a
name means.
"""

from itertools import chain

from reports.formulas import (
    allowances,
    anode,
    baking,
    balance,
    cbam,
    energy,
    fuels,
    intensity,
    metering,
    pfc,
    uncertainty,
)
from reports.formulas.formula import Formula

__all__ = ["FORMULAS", "Formula"]

_PARTS = (
    anode.CATALOGUE,
    pfc.CATALOGUE,
    intensity.CATALOGUE,
    baking.CATALOGUE,
    fuels.CATALOGUE,
    energy.CATALOGUE,
    allowances.CATALOGUE,
    balance.CATALOGUE,
    cbam.CATALOGUE,
    metering.CATALOGUE,
    uncertainty.CATALOGUE,
)

FORMULAS: dict[str, Formula] = {formula.name: formula for formula in chain(*_PARTS)}
