"""SciPy: odeint and solve_ivp, with the compiled right-hand side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.integrate import odeint, solve_ivp

from tests.benchmarks.model import STATES, Case, rhs, walk
from tests.benchmarks.peers import Settings, Solve

NAME = "scipy"
PACKAGES = ("scipy",)
CANDIDATES = tuple(
    Settings(name, 0.0)
    for name in ("odeint", "solve_ivp LSODA", "solve_ivp DOP853", "solve_ivp RK45")
)
# of 10 mice; explicit methods of solve_ivp take three times as long and more
TUNED = {
    "odeint": Settings("odeint", 5.6e-8, floor=1e-2),
    "solve_ivp LSODA": Settings("solve_ivp LSODA", 5.6e-8, floor=1e-2),
}
MICE = 2


@njit(error_model="numpy")
def _rates(t, y, d):
    dy = np.empty(STATES)
    rhs(t, y, dy, d)
    return dy


def _odeint(y, times, d, rtol, atol):
    return odeint(_rates, y, times, (d,), rtol=rtol, atol=atol, mxstep=100_000, tfirst=True)


def _solve_ivp(method):
    def segment(y, times, d, rtol, atol):
        return solve_ivp(
            _rates, (times[0], times[-1]), y, method, times, args=(d,), rtol=rtol, atol=atol
        ).y.T

    return segment


_MOUSE = {"odeint": walk(_odeint)} | {
    s.method: walk(_solve_ivp(s.method.split()[1])) for s in CANDIDATES if s.method != "odeint"
}


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Nothing to prepare; compiled at the first call."""

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        return cases[number].solve(_MOUSE[s.method], parameters[list(mice)], s.rtol, s.atol)

    return solve
