"""How the mice of one experiment differ: each around its particle, the typical mouse.

A particle is what science does not know; the spread around it is what an inbred strain, one cell
line and one laboratory still leave (log-normal, ``cv`` in parameters.csv). Kosinsky 2018 (doi
10.1186/s40425-018-0327-9) found a spread of 0.7 in the one parameter that carried it all; here it
is spread over many.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nichetrial.cohort.space import NAMES
from nichetrial.engine.elementary import exp, log
from nichetrial.engine.normal import normal_quantile
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.model.parameters import PARAMETERS

__all__ = ["SPREAD", "vary"]

Floats = NDArray[np.float64]

SPREAD: dict[str, float] = {p.name: p.cv for p in PARAMETERS.values()}
"""Parameter -> coefficient of variation between the mice of one experiment."""


@njit(cache=True, error_model="numpy")
def _spread(values, u, cv):
    width = np.sqrt(log(1.0 + cv * cv))
    for i in range(values.shape[0]):
        values[i] *= exp(width * normal_quantile(u[i]))


def vary(
    typical: Floats,
    *,
    seed: int,
    mice: NDArray[np.int64],
    attempts: NDArray[np.int64],
    spread: Mapping[str, float] = SPREAD,
) -> Floats:
    """Mice (n, NAMES) around their particles ``typical`` (n, NAMES).

    ``mice`` (n,) are their keys. The draws depend on seed, mouse, parameter and attempt: a mouse
    has the same place within its experiment whatever the particle.
    """
    out = typical.copy()
    for k, name in enumerate(NAMES):
        if (cv := spread[name]) > 0.0:
            u = uniforms(np.uint64(seed), 0, mice, purpose(f"between:{name}"), attempts)
            column = np.ascontiguousarray(out[:, k])
            _spread(column, u, cv)
            out[:, k] = column
    return out
