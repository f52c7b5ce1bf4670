"""The untreated host at rest: where every mouse starts."""

from __future__ import annotations

import numpy as np
from numba import njit

from nichetrial.engine.kernels import (
    FILL,
    INPUT_NAMES,
    NONZERO,
    STATE_NAMES,
    basal,
    factor,
    jacobian,
    rates,
    solve,
)

__all__ = ["steady_state"]

LONGEST, SMALLEST_MOVE, MOST_STEPS = 1e9, 1e-14, 80


@njit(cache=True, error_model="numpy")
def steady_state(p, host, q, y):
    """Steady state of the untreated host, into ``y``; the wild type's is known in closed form.

    Implicit Euler steps that grow without bound: Newton's method with the model's own Jacobian.
    """
    basal(p, host, y)
    if np.all(host == 1.0):
        return
    u, dy = np.zeros(len(INPUT_NAMES) + 1), np.empty(len(STATE_NAMES))
    jac, lu = np.empty(NONZERO), np.empty(FILL)
    h = 0.01
    for _ in range(MOST_STEPS):
        rates(y, u, q, dy)
        jacobian(y, u, q, jac)
        factor(jac, 1.0 / h, lu)
        solve(lu, dy)
        moves = False
        for i in range(dy.shape[0]):
            moves = moves or abs(dy[i]) > SMALLEST_MOVE * (abs(y[i]) + 1.0)
            y[i] = max(y[i] + dy[i], 0.0)
        if h >= LONGEST and not moves:
            return
        h = min(h * 4.0, LONGEST)
