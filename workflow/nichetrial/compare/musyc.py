"""MuSyC: a surface over two doses with synergy of potency (alpha) and of efficacy (beta) apart.

Four states, free, with either drug, with both; the outcome is the mean over their shares at steady
state. Meyer 2019 (doi 10.1016/j.cels.2019.01.003), Wooten 2021 (doi 10.1038/s41467-021-24789-z),
with cooperativity as of each drug alone (gamma = 1) and equal rates of unbinding.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from nichetrial.compare.hill import Hill

__all__ = ["Musyc", "fit_musyc", "independent"]

_Array = NDArray[np.float64]
ALPHA = 1e4
"""alpha12 and alpha21 are looked for within this factor of 1."""
BEYOND = 100.0
COEFFICIENTS = (0.1, 20.0)


@dataclass(frozen=True)
class Musyc:
    """The surface of drugs ``a`` and ``b``; ``e3`` is the outcome with both without end.

    ``alpha12``: by what factor drug a makes doses of drug b count for more, ``alpha21``: b those
    of a; above 1 is synergy of potency.
    """

    a: Hill
    b: Hill
    e3: float
    alpha12: float = 1.0
    alpha21: float = 1.0

    @property
    def beta(self) -> float:
        """Gain over the better drug as share of its effect; above 0 synergy; NaN: no effect."""
        best = min(self.a.emax, self.b.emax)
        return (best - self.e3) / (self.a.e0 - best) if self.a.e0 > best else float("nan")

    def at(self, dose_a: _Array, dose_b: _Array) -> _Array:
        """The outcome at pairs of doses (any shape)."""
        return _surface(
            self.a.e0,
            self.a.emax,
            self.b.emax,
            self.e3,
            _odds(dose_a, self.a.ed50, self.a.h),
            _odds(dose_b, self.b.ed50, self.b.h),
            _odds(dose_a * self.alpha21, self.a.ed50, self.a.h),
            _odds(dose_b * self.alpha12, self.b.ed50, self.b.h),
        )


def independent(a: Hill, b: Hill) -> Musyc:
    """The null model: neither drug changes the potency of the other, both at most as the better."""
    return Musyc(a, b, min(a.emax, b.emax))


def _odds(dose: _Array, ed50: float, h: float) -> _Array:
    """Bound over free at steady state: (dose / ed50)^h, kept where cubes do not overflow."""
    with np.errstate(divide="ignore"):
        return np.where(
            dose > 0.0, np.exp(np.clip(h * (np.log(dose) - np.log(ed50)), -100.0, 100.0)), 0.0
        )


def _surface(
    e0: float, e1: float, e2: float, e3: float, a: _Array, b: _Array, a_on: _Array, b_on: _Array
) -> _Array:
    """Mean outcome over the four states. ``a``, ``b``: odds of binding alone; ``a_on``: of a where
    b is bound, ``b_on``: of b where a is bound.

    The states are a ring; each weight is the sum over the ring's four trees that lead to it.
    """
    free = 2.0 + a_on + b_on
    first = 2.0 * a + a * a_on + b * a_on
    second = 2.0 * b + b * b_on + a * b_on
    both = b * a_on * (1.0 + b_on) + a * b_on * (1.0 + a_on)
    return (e0 * free + e1 * first + e2 * second + e3 * both) / (free + first + second + both)


def fit_musyc(
    dose_a: _Array, dose_b: _Array, outcome: _Array, a: Hill, b: Hill, start: Musyc | None = None
) -> Musyc:
    """The surface closest to ``outcome`` (n,) at pairs of doses (n,), from the curves ``a``, ``b``
    of the drugs alone, whose ``e0`` it keeps. Without ``start`` it tries several and keeps the
    best."""
    e0 = a.e0
    top = 10.0 * max(float(outcome.max()), e0, 1e-9)
    far, log_h = np.log(BEYOND), np.log(COEFFICIENTS)
    spans = [np.log(np.array([d[d > 0.0].min(), d.max()])) for d in (dose_a, dose_b)]
    low = [0.0] * 3 + [log_h[0]] * 2 + [s[0] - far for s in spans] + [-np.log(ALPHA)] * 2
    high = [top] * 3 + [log_h[1]] * 2 + [s[1] + far for s in spans] + [np.log(ALPHA)] * 2
    bounds = np.array(low), np.array(high)

    def made(p: _Array) -> Musyc:
        h1, h2, c1, c2, alpha12, alpha21 = (float(v) for v in np.exp(p[3:]))
        return Musyc(
            Hill(e0, float(p[0]), c1, h1),
            Hill(e0, float(p[1]), c2, h2),
            float(p[2]),
            alpha12,
            alpha21,
        )

    def residual(p: _Array) -> _Array:
        return made(p).at(dose_a, dose_b) - outcome

    if start is None:
        best = min(a.emax, b.emax)
        last = float(outcome[np.argmax(dose_a / dose_a.max() + dose_b / dose_b.max())])
        tries = [
            Musyc(a, b, e3, x, y)
            for e3, x, y in itertools.product({best, last}, (0.3, 3.0), (0.3, 3.0))
        ]
        tries = sorted(tries, key=lambda m: float(np.sum((m.at(dose_a, dose_b) - outcome) ** 2)))
    else:
        tries = [start]
    most = 200 if start is None else 60
    inside = 1e-9 * (bounds[1] - bounds[0])
    found, least = tries[0], np.inf
    for m in tries:
        logs = np.log([m.a.h, m.b.h, m.a.ed50, m.b.ed50, m.alpha12, m.alpha21])
        first = np.concatenate([[m.a.emax, m.b.emax, m.e3], logs])
        fit = least_squares(
            residual,
            np.clip(first, bounds[0] + inside, bounds[1] - inside),
            bounds=bounds,
            x_scale="jac",
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-14,
            max_nfev=most,
        )
        if fit.cost < least * (1.0 - 1e-9):
            found, least = made(fit.x), float(fit.cost)
        if least < 1e-20:
            break
    return found
