"""Bootstrap over particles with keyed draws: the same are drawn for every arm and outcome."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nichetrial.engine.philox import purpose, uniform_pair

__all__ = ["BATCHES", "Bootstrap"]

BATCHES = 5000
"""Beyond so many particles, batches of them are drawn instead: as valid, since particles are
independent, and the cost no longer grows with the cohort."""


@njit(cache=True)
def _counts(seed, resamples, n, key):
    counts = np.zeros((resamples, n))
    for r in range(resamples):
        for i in range((n + 1) // 2):
            u, v = uniform_pair(seed, i, r, key, 0)
            counts[r, int(u * n)] += 1.0
            if 2 * i + 1 < n:
                counts[r, int(v * n)] += 1.0
    return counts


@njit(cache=True)
def _weighted(counts, values):
    """``counts @ values``, always summed in the same order: BLAS changes it with its threads."""
    out = np.zeros((counts.shape[0], values.shape[1]))
    for r in range(counts.shape[0]):
        for i in range(counts.shape[1]):
            if counts[r, i] != 0.0:
                for k in range(values.shape[1]):
                    out[r, k] += counts[r, i] * values[i, k]
    return out


class Bootstrap:
    """Resamples of ``n`` particles, each with all its mice.

    Args:
        seed: of the study. n: particles. resamples: how many. interval: e.g. 0.95.
    """

    def __init__(self, *, seed: int, n: int, resamples: int, interval: float) -> None:
        self.n = n
        self.tail = 50.0 * (1.0 - interval)
        self.units = min(n, BATCHES)
        key = np.uint32(purpose("bootstrap"))
        self.counts: NDArray[np.float64] = _counts(np.uint64(seed), resamples, self.units, key)

    def means(self, values: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Means (resamples, columns) of ``values`` (mice, columns) over the ``valid`` (mice,).

        The mice of a particle stand in a row, as many of each. Raises ValueError otherwise.
        """
        each, left = divmod(len(values), self.n)
        if left:
            raise ValueError(f"{len(values)} mice are not those of {self.n} particles")
        unit = np.arange(len(values)) // each % self.units
        weight = np.bincount(unit, valid, self.units)
        kept = np.column_stack(
            [np.bincount(unit, np.where(valid, column, 0.0), self.units) for column in values.T]
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            return _weighted(self.counts, kept) / _weighted(self.counts, weight[:, None])

    def bounds(self, statistic: NDArray[np.float64]) -> tuple[float, float]:
        """Percentile interval of a statistic (resamples,); NaN where it is not defined."""
        if not np.isfinite(statistic).all():
            return float("nan"), float("nan")
        low, high = np.percentile(statistic, [self.tail, 100.0 - self.tail])
        return float(low), float(high)
