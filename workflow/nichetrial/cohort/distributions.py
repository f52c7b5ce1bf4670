"""Quantile functions of the priors: a uniform draw becomes a parameter value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

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
        return a * np.exp(u * np.log(b / a))
    if kind == "log_normal":
        return a * np.exp(np.sqrt(np.log1p(b * b)) * special.ndtri(u))
    if kind == "beta":
        return special.betaincinv(a * b, (1.0 - a) * b, u)
    raise ValueError(f"unknown distribution {kind!r}")
