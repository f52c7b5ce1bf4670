"""numbalsoda: LSODA in C++ and DOP853 in Fortran, called from compiled code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import carray, cfunc, njit
from numbalsoda import dop853, lsoda, lsoda_sig
from numpy.typing import NDArray

from tests.benchmarks.model import SIZE, STATES, Case, rhs, walk
from tests.benchmarks.peers import Settings, Solve

NAME = "numbalsoda"
PACKAGES = ("numbalsoda",)
CANDIDATES = (Settings("LSODA", 0.0), Settings("DOP853", 0.0))
# of 150 mice; DOP853 needs 5.6e-12 and takes three times as long
TUNED = {"LSODA": Settings("LSODA", 5.3e-8, floor=1e-2)}
MICE = 30


@cfunc(lsoda_sig)
def _rhs(t, y, dy, d):
    rhs(t, carray(y, STATES), carray(dy, STATES), carray(d, SIZE))


_ADDRESS = _rhs.address


@njit(error_model="numpy")
def _lsoda(y, times, d, rtol, atol):
    states, _ = lsoda(_ADDRESS, y, times, d, rtol, atol, 100_000)
    return states


@njit(error_model="numpy")
def _dop853(y, times, d, rtol, atol):
    states, _ = dop853(_ADDRESS, y, times, d, rtol, atol, 100_000)
    return states


_MOUSE = {"LSODA": njit(walk(_lsoda)), "DOP853": njit(walk(_dop853))}


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Nothing to prepare; compiled at the first call."""

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        return cases[number].solve(_MOUSE[s.method], parameters[list(mice)], s.rtol, s.atol)

    return solve
