"""Quantile functions of the priors: a uniform draw becomes a parameter value.

exp, log and the normal quantile are the engine's, whose bits are the same on every processor; those
of beta priors are SciPy's, which uses the C library of the machine.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import special

from nichetrial.engine.elementary import exp, log
from nichetrial.engine.normal import normal_quantile

__all__ = ["quantile"]


def quantile(kind: str, a: float, b: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (n,) of a distribution at probabilities ``u`` (n,), see ``model.parameters``.

    Raises:
        ValueError: unknown kind.
    """
    if kind == "fixed":
        return np.full_like(u, a)
    if kind == "uniform":
        return a + (b - a) * u
    if kind == "log_uniform":
        return _log_uniform(a, b, u)
    if kind == "log_normal":
        return _log_normal(a, b, u)
    if kind == "beta":
        return special.betaincinv(a * b, (1.0 - a) * b, u)
    raise ValueError(f"unknown distribution {kind!r}")


@njit(cache=True, error_model="numpy")
def _log_uniform(a, b, u):
    out = np.empty_like(u)
    width = log(b / a)
    for i in range(u.shape[0]):
        out[i] = a * exp(u[i] * width)
    return out


@njit(cache=True, error_model="numpy")
def _log_normal(a, b, u):
    out = np.empty_like(u)
    spread = np.sqrt(log(1.0 + b * b))
    for i in range(u.shape[0]):
        out[i] = a * exp(spread * normal_quantile(u[i]))
    return out
