"""How long a pot has been in its feed phase, and how much alumina it lacks."""

import numpy as np

from drivers.model import Floats

ALUMINIUM_G, ALUMINA_G, FARADAY_A_S = 26.98154, 101.96128, 96_485.33
ALUMINA_KG_PER_KA_S = ALUMINA_G / (6 * FARADAY_A_S)  # at current efficiency 1
SECOND_NS = 1_000_000_000


def alumina_need(current_ka: float, current_efficiency: float, seconds: float) -> float:
    """Alumina that electrolysis uses up, kg (Faraday: two Al of one Al2O3, six electrons)."""
    return ALUMINA_KG_PER_KA_S * current_ka * current_efficiency * seconds


class Phase:
    """Seconds since the feed state of each pot last changed; NaN until a state is known."""

    def __init__(self, count: int) -> None:
        self._state = np.full(count, np.nan)
        self._since_ns = np.zeros(count, dtype=np.int64)

    def add(self, at_ns: int, states: Floats) -> None:
        """States at one time; NaN: not known, and so as before."""
        changed = np.isfinite(states) & (states != self._state)
        if changed.any():
            self._state = np.where(changed, states, self._state)
            self._since_ns[changed] = at_ns

    def seconds(self, at_ns: int) -> Floats:
        age_s = (at_ns - self._since_ns) / SECOND_NS
        return np.where(np.isnan(self._state), np.nan, np.maximum(age_s, 0.0))


class Deficit:
    """
    Alumina used less alumina fed, kg, forgetting with a time constant.

    Positive: the pot lacks alumina. It wanders with the feed cycle; shots of another weight than
    ``shot_kg`` or another current efficiency shift it, and forgetting bounds that shift.
    NaN while shots or current are not known, and it begins anew at 0 after that.
    """

    def __init__(
        self, count: int, shot_kg: float, current_efficiency: float, forget_s: float
    ) -> None:
        self.shot_kg = shot_kg
        self.current_efficiency = current_efficiency
        self.forget_s = forget_s
        self.value = np.full(count, np.nan)
        self._shots = np.full(count, np.nan)

    def step(self, shots: Floats, current_ka: float, seconds: float) -> Floats:
        """Counter readings at the end of ``seconds`` with that mean current (kA)."""
        fed_kg = (shots - self._shots) * self.shot_kg
        self._shots = shots.copy()
        fed_kg = np.where(fed_kg >= 0, fed_kg, np.nan)  # a reset tells nothing
        need_kg = alumina_need(current_ka, self.current_efficiency, seconds)
        before = np.where(np.isnan(self.value), 0.0, self.value)
        self.value = before * np.exp(-seconds / self.forget_s) + need_kg - fed_kg
        return self.value
