"""Order of the integrator, on the model itself: steps of fixed length against much smaller ones.

Eight mice, one a lane, far from rest, with inputs that change all the time: a vector, a growing
tumour, and small doses of every drug; some hours later, when all is smooth. Rodas5P is of order 5,
its error estimate of order 4. Measured: 4.78 to 4.96, and 4.8 to 5.0 in one step.
"""

from __future__ import annotations

import numpy as np

from nichetrial.engine import forcing, lanes
from nichetrial.engine.integrate import attempt
from nichetrial.engine.kernels import CONSTANT_COUNT, PARAMETER_NAMES, constants
from nichetrial.engine.steady import steady_state
from tests.support.mice import cohort

P = np.ascontiguousarray(cohort(8)[list(PARAMETER_NAMES)], dtype=np.float64)
ON = np.ones(forcing.TUMOUR_ON + 1, np.bool_)
ANY_ERROR = 1e6
"""A relative tolerance with which every step is accepted."""
STATES = slice(lanes.STATE, lanes.STATE + 13)
HOST = np.ones(4)
EVENTS = [("bolus", k, dose) for k, dose in enumerate((20.0, 0.5, 0.5, 0.5, 0.5, 20.0))] + [
    ("vector", 0, 9.0),
    ("implant", 0, 1e6),
    ("cells", 0, 1e3),
]


def start() -> np.ndarray:
    """A workspace (slots, lanes) of mice that were disturbed some hours ago."""
    w, q, y = np.zeros(8 * forcing.SLOTS), np.empty(CONSTANT_COUNT), np.empty(13)
    at, rng = w.reshape(-1, 8), np.random.default_rng(5)
    for i, p in enumerate(P):
        constants(p, HOST, q)
        steady_state(p, HOST, q, y)
        at[STATES, i] = y * rng.uniform(0.5, 2, 13)
        at[lanes.CONSTANT : lanes.CONSTANT + CONSTANT_COUNT, i] = q
        forcing.settle(w, i, p, HOST, True)
        for kind, channel, amount in EVENTS:
            forcing.give(w, i, forcing.EVENT[kind], channel, amount, p)
    at[lanes.STOP] = np.inf
    go(at, 0.2, 2000)
    return at


def go(at: np.ndarray, length: float, steps: int) -> np.ndarray:
    """States after so many equal steps, and that all were taken; ``at`` moves on."""
    w = at.reshape(-1)
    for _ in range(steps):
        at[lanes.STEP] = length / steps
        attempt(w, ON, 8, ANY_ERROR)
        assert (at[lanes.ACCEPTED] == 1).all()
        assert (at[lanes.TRIED] == length / steps).all()
    return at[STATES].copy()


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference relative to the state, in each mouse."""
    return np.max(np.abs(one - other) / (np.abs(other) + 1e-3), axis=0)


def slopes(lengths: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Orders seen between one length and the next: (lengths - 1, mice)."""
    return np.diff(np.log(errors), axis=0) / np.diff(np.log(lengths))[:, None]


def test_order_of_the_method():
    """Over ten hours, in 24, 48 and 96 steps, against 800: more would only add rounding."""
    exact, counts = go(start(), 0.4, 800), np.array([24, 48, 96])
    errors = np.array([apart(go(start(), 0.4, n), exact) for n in counts])
    assert (errors[-1] < 1e-8).all()
    seen = slopes(1 / counts, errors)
    assert (np.abs(seen - 5) < 0.3).all(), seen


def test_order_of_the_error_estimate():
    """In one step: the estimate falls with its fifth power, and is above the error."""
    lengths = 0.01 * 0.5 ** np.arange(4)
    estimates, errors = [], []
    for h in lengths:
        at = start()
        one = go(at, h, 1)
        estimates.append(np.sqrt(at[lanes.ERROR]) * ANY_ERROR)
        errors.append(apart(one, go(start(), h, 64)))
    seen = slopes(lengths, np.array(estimates))
    assert (np.abs(seen[-2:] - 5) < 0.3).all(), seen
    assert (np.array(estimates) > np.array(errors)).all()
