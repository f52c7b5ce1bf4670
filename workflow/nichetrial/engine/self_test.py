"""Is the compiled model the model? Every channel at once, against the plain reference.

``python -m nichetrial.engine.self_test`` compiles the engine on the way; exit code 1 if the two do
not agree. A channel that runs another one's code is off by far more than the tolerance.
"""

from __future__ import annotations

import sys

import numpy as np

from nichetrial.engine import reference
from nichetrial.engine.ensemble import Ensemble, Events, Reading, grid, run
from nichetrial.engine.forcing import CHANNELS, EVENT
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.engine.outcome import Outcome
from nichetrial.model.parameters import PARAMETERS, Parameter

__all__ = ["disagreement", "exercise", "main"]

DAYS = (0.5, 1.25, 2.0)
HOST = (1.0, 1.0, 1.0, 1.0)
READING = Reading(1.0, 2.0, 3.0, 100.0, 1e6, 1e9)
FLOOR = np.array([1e-3] * 9 + [1.0, 1.0, 1.0, 1e-3])
"""nM, fold, cells; below it a state does not matter."""
TOLERANCE = 1e-5
"""Relative error of a state. The engine's own at this setting is below 1e-7."""


def disagreement() -> float:
    """Largest relative difference of any state on DAYS between the engine and the reference, in two
    mice to which everything is done that the engine knows. Infinite if a mouse did not finish."""
    p = _mice()
    events, ours = _everything(p[0]), exercise()
    if not (ours.status == Outcome.FINISHED).all():
        return np.inf
    theirs = reference.courses(p.T, np.array(HOST), events, DAYS, reference.basal(p.T), rtol=1e-7)
    here = ours.courses[:, np.searchsorted(grid(READING), DAYS)].transpose(1, 2, 0)
    return float(np.max(np.abs(here - theirs) / np.maximum(np.abs(theirs), FLOOR[:, None])))


def exercise() -> Ensemble:
    """Have the engine do everything that it knows, to two mice."""
    p = _mice()
    given = _everything(p[0])
    return run(p, HOST, given, READING, seed=1, mice=np.arange(2), keep=2, rtol=1e-9)


def _mice() -> np.ndarray:
    return np.array([[_middle(PARAMETERS[n], shift) for n in PARAMETER_NAMES] for shift in (0, 1)])


def _middle(parameter: Parameter, shift: int) -> float:
    """A value in the middle of a prior; with a ``shift`` of 1 a little next to it."""
    a, b = parameter.a, parameter.b
    middle = {"uniform": (a + b) / 2, "log_uniform": np.sqrt(a * b)}.get(parameter.kind, a)
    return float(middle) * (1.0 if parameter.kind == "fixed" else 1.0 - 0.05 * shift)


def _everything(p: np.ndarray) -> Events:
    """A vector, a tumour, cells, and each drug once, at ten times its half-effect and in turn."""
    rows = [(0.0, "vector", 0, 10.0), (0.0, "implant", 0, 5e5), (1.0, "cells", 0, 1e5)]
    of = dict(zip(PARAMETER_NAMES, p, strict=True))
    for k, drug in enumerate(CHANNELS):
        kind = drug if drug in ("amd3100", "mmp_inhibitor") else "antibody"
        half = of[reference.HALF_EFFECT[k]]
        amount = 10.0 * half * of[f"{kind}_volume"] / of[f"{kind}_bioavailability"]
        rows.append((0.1 + 0.15 * k, "bolus", k, amount))
    rows.sort()
    times, kinds, channels, amounts = zip(*rows, strict=True)
    return Events(
        np.array(times),
        np.array([EVENT[kind] for kind in kinds], dtype=np.int64),
        np.array(channels, dtype=np.int64),
        np.array(amounts),
    )


def main() -> int:
    """Compile, test, and report what is wrong."""
    off = disagreement()
    if off < TOLERANCE:
        return 0
    print(f"states differ from the reference by {off:.1e} of their value", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
