"""CyRK: its C++ solvers called from compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from CyRK.nb.numba_solver import cyjit_sig, nbsolve2_ivp
from numba import carray, cfunc, njit
from numpy.typing import NDArray

from tests.benchmarks.model import SIZE, STATES, Case, rhs, walk
from tests.benchmarks.peers import Settings, Solve

NAME = "CyRK"
PACKAGES = ("CyRK",)
# DOP853 without a longest step needs a hundred times the accuracy to be good enough
CANDIDATES = (
    *(Settings(name, 0.0) for name in ("RK45", "TSIT5", "VERN7", "VERN8", "LSODA", "BDF", "RADAU")),
    Settings("DOP853", 0.0, step=0.25),
    Settings("DOP853", 0.0, step=0.125),
)
# of 60 mice; RADAU, VERN7 and VERN8 looked slower, for BDF the scan found no
# tolerance that is good enough
TUNED = {
    "LSODA": Settings("LSODA", 5e-8, floor=1e-2),
    "TSIT5": Settings("TSIT5", 3.1e-8),
    "RK45": Settings("RK45", 2e-8),
    "DOP853": Settings("DOP853", 1.2e-10, step=0.125),
}
MICE = 30


@cfunc(cyjit_sig)
def _rhs(dy, t, y, d):
    rhs(t, carray(y, STATES), carray(dy, STATES), carray(d, SIZE))


_ADDRESS = _rhs.address


@cache
def _mouse(method: str, step: float):
    longest = min(step, 1e3)

    @njit(error_model="numpy")
    def segment(y, times, d, rtol, atol):
        solved = nbsolve2_ivp(
            _ADDRESS,
            (times[0], times[-1]),
            y,
            method,
            times,
            False,
            d,
            rtol,
            atol,
            max_step=longest,
        )
        states = solved.y.T.copy() if solved.success else np.full((len(times), STATES), np.nan)
        solved.free()
        return states

    return njit(walk(segment))


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Nothing to prepare; compiled at the first call."""

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        p = parameters[list(mice)]
        return cases[number].solve(_mouse(s.method, s.step), p, s.rtol, s.atol)

    return solve
