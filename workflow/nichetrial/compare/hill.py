"""The Hill (Emax) curve of an outcome against dose, its inverse, and its least-squares fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

__all__ = ["COEFFICIENTS", "Hill", "fit_hill"]

ED50_BEYOND = 100.0
"""How far outside the doses tried, as a multiple, ED50 is looked for."""
COEFFICIENTS = (0.1, 20.0)
"""Range of the Hill coefficient."""
STARTS = (0.5, 1.0, 2.0, 4.0, 8.0)

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hill:
    """E(d) = e0 + (emax - e0) d^h / (ed50^h + d^h); ed50 in the unit of the doses."""

    e0: float
    emax: float
    ed50: float
    h: float

    def at(self, dose: _Array) -> _Array:
        """The outcome at these doses (any shape)."""
        return self.e0 + (self.emax - self.e0) * _occupied(dose, np.log(self.ed50), self.h)

    def dose(self, outcome: float) -> float:
        """The dose that gives ``outcome``; infinite at ``emax`` and beyond."""
        if outcome == self.e0:
            return 0.0
        odds = (outcome - self.e0) / (self.emax - outcome) if outcome != self.emax else np.inf
        if not 0.0 < odds < np.inf:
            return float("inf")
        return float(self.ed50 * np.exp(np.log(odds) / self.h))


def _occupied(dose: _Array, log_ed50: float, h: float) -> _Array:
    with np.errstate(divide="ignore"):
        away = np.clip(h * (np.log(dose) - log_ed50), -700.0, 700.0)
    return np.where(dose > 0.0, 1.0 / (1.0 + np.exp(-away)), 0.0)


def fit_hill(dose: _Array, outcome: _Array, e0: float, start: Hill | None = None) -> Hill:
    """The curve from ``e0`` closest to ``outcome`` (n,) at ``dose`` (n,), all above zero.

    ED50 and the Hill coefficient are fitted as logarithms within bounds, Emax from 0 to ten times
    the largest outcome. Without ``start`` it begins at the best of a grid, so it is one fit for
    one set of data.
    """
    lowest, highest = float(dose.min()), float(dose.max())
    top = 10.0 * max(float(outcome.max()), e0, 1e-9)
    low = np.array([0.0, np.log(lowest / ED50_BEYOND), np.log(COEFFICIENTS[0])])
    high = np.array([top, np.log(highest * ED50_BEYOND), np.log(COEFFICIENTS[1])])

    def residual(p: _Array) -> _Array:
        return e0 + (p[0] - e0) * _occupied(dose, p[1], np.exp(p[2])) - outcome

    def slopes(p: _Array) -> _Array:
        h = np.exp(p[2])
        s = _occupied(dose, p[1], h)
        steep = (p[0] - e0) * s * (1.0 - s) * h
        return np.column_stack([s, -steep, steep * (np.log(dose) - p[1])])

    if start is None:
        first, least = np.zeros(3), np.inf
        for log_ed50 in np.linspace(np.log(lowest / 3.0), np.log(highest * 3.0), 13):
            for h in STARTS:
                s = _occupied(dose, log_ed50, h)
                emax = e0 + float(s @ (outcome - e0)) / max(float(s @ s), 1e-300)
                p = np.array([min(max(emax, 0.0), top), log_ed50, np.log(h)])
                size = float(np.sum(residual(p) ** 2))
                if size < least:
                    first, least = p, size
    else:
        first = np.array([start.emax, np.log(start.ed50), np.log(start.h)])
    inside = 1e-9 * (high - low)
    found = least_squares(
        residual,
        np.clip(first, low + inside, high - inside),
        slopes,
        (low, high),
        x_scale="jac",
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-14,
        max_nfev=300,
    )
    emax, log_ed50, log_h = found.x
    return Hill(e0, float(emax), float(np.exp(log_ed50)), float(np.exp(log_h)))
