"""Other ways to integrate the same mice, each a module with the same few names.

    NAME, PACKAGES      what it is, and the distributions whose versions are recorded
    TUNED               label -> Settings: fastest ones found with an error of at most LIMIT
    CANDIDATES          methods that `tests.benchmarks.tune` tries
    MICE                mice an arm in one round of the benchmark
    prepare(cases, parameters) -> solve
    solve(number of the case, mice, settings) -> states (mice, grid, 13)

A module whose package is not installed fails to import, and is reported as not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LIMIT", "NAMES", "ROUNDS", "Settings", "Solve"]

LIMIT = 1e-5
"""Largest relative error of any state of any mouse at any grid time that a peer may have."""

ROUNDS = 5
"""Rounds of the benchmark; a peer gets other mice in each, and is tuned on all of them."""

NAMES = ("scipy", "numbalsoda", "cyrk", "roadrunner", "copasi", "amici", "diffrax")


@dataclass(frozen=True)
class Settings:
    """How a solver is run."""

    method: str
    rtol: float
    floor: float = 1e-3
    """Absolute over relative tolerance, of all states alike: as the error is measured."""
    step: float = math.inf
    """The longest step that is allowed, in days."""

    @property
    def atol(self) -> float:
        """Absolute tolerance."""
        return self.rtol * self.floor


Solve = Callable[[int, Sequence[int], Settings], NDArray[np.float64]]
