"""The tests that a lab would use on its two groups of mice, over many simulated experiments.

They say how often a real experiment of that size would come out significant. They are never used
on the virtual cohort itself: its size is a choice, and so would its p-value be.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import special, stats

__all__ = ["Tested", "adjusted", "log_rank", "mann_whitney", "welch"]

Floats = NDArray[np.float64]

EXACT = 8
"""Mann-Whitney is exact where the smaller group has at most so many mice and there are no ties, as
in ``scipy.stats.mannwhitneyu``."""


class Tested(NamedTuple):
    """Of each experiment: two-sided p-value, 1 where there is nothing to test; and the direction,
    1 where the first group has the higher values (or the later events), -1 lower, 0 neither."""

    p: Floats
    sign: NDArray[np.int8]


def _tested(p: Floats, statistic: Floats) -> Tested:
    return Tested(np.where(np.isnan(p), 1.0, p), np.sign(np.nan_to_num(statistic)).astype(np.int8))


@njit(cache=True)
def _ranked(a, b):
    """U of the first group, and the sum of t^3 - t over groups of t tied values."""
    u, ties = np.zeros(a.shape[0]), np.zeros(a.shape[0])
    n = a.shape[1]
    pooled = np.empty(n + b.shape[1])
    for e in range(a.shape[0]):
        pooled[:n], pooled[n:] = a[e], b[e]
        for i in range(pooled.size):
            same = 0.0
            for j in range(pooled.size):
                if pooled[i] == pooled[j]:
                    same += 1.0
                    if i < n <= j:
                        u[e] += 0.5
                elif i < n <= j and pooled[i] > pooled[j]:
                    u[e] += 1.0
            ties[e] += same * same - 1.0
    return u, ties


@lru_cache(maxsize=256)
def _exact(n: int, m: int) -> Floats:
    """p-value of each U from 0 to n m, by scipy, on groups made to have that U."""
    above = np.arange(n * m + 1)[:, None] - m * np.arange(n)
    first = np.clip(above, 0, m) + (1.0 + np.arange(n)) / (n + 2)
    second = np.tile(np.arange(1.0, m + 1.0), (n * m + 1, 1))
    return np.asarray(stats.mannwhitneyu(first, second, axis=1, method="exact").pvalue)


def mann_whitney(a: Floats, b: Floats) -> Tested:
    """Mann-Whitney's U test of groups ``a`` (experiments, n) and ``b`` (experiments, m).

    Each experiment alone as ``scipy.stats.mannwhitneyu(method="auto")`` has it: exact where it can
    be, else normal with corrections for ties and continuity.
    """
    n, m = a.shape[1], b.shape[1]
    u, ties = _ranked(np.ascontiguousarray(a), np.ascontiguousarray(b))
    distance = np.abs(u - n * m / 2.0)
    total = n + m
    spread = np.sqrt(n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0))))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.minimum(2.0 * special.ndtr(-(distance - 0.5) / spread), 1.0)
    if min(n, m) <= EXACT:
        untied = ties == 0.0
        p[untied] = _exact(n, m)[u[untied].astype(np.int64)]
    return _tested(p, u - n * m / 2.0)


def welch(a: Floats, b: Floats) -> Tested:
    """Welch's t test of groups ``a`` (experiments, n) and ``b`` (experiments, m)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        result = stats.ttest_ind_from_stats(
            a.mean(axis=1),
            a.std(axis=1, ddof=1),
            a.shape[1],
            b.mean(axis=1),
            b.std(axis=1, ddof=1),
            b.shape[1],
            equal_var=False,
        )
    return _tested(np.asarray(result.pvalue), np.asarray(result.statistic))


@njit(cache=True)
def _events(a, a_seen, b, b_seen):
    """Events of the first group less those expected of it, and the variance of that."""
    excess, variance = np.zeros(a.shape[0]), np.zeros(a.shape[0])
    n = a.shape[1]
    days = np.empty(n + b.shape[1])
    seen = np.empty(n + b.shape[1], np.bool_)
    for e in range(a.shape[0]):
        days[:n], days[n:] = a[e], b[e]
        seen[:n], seen[n:] = a_seen[e], b_seen[e]
        for i in range(days.size):
            if not seen[i]:
                continue
            risk = risk_a = events = 0.0
            new = True
            for j in range(days.size):
                if days[j] >= days[i]:
                    risk += 1.0
                    if j < n:
                        risk_a += 1.0
                    if seen[j] and days[j] == days[i]:
                        events += 1.0
                        if j < i:
                            new = False  # this day is already counted
            if i < n:
                excess[e] += 1.0
            if new:
                excess[e] -= events * risk_a / risk
                if risk > 1.0:
                    variance[e] += (
                        risk_a
                        * (risk - risk_a)
                        * events
                        * (risk - events)
                        / (risk * risk * (risk - 1.0))
                    )
    return excess, variance


def log_rank(a: Floats, a_seen: NDArray[np.bool_], b: Floats, b_seen: NDArray[np.bool_]) -> Tested:
    """Log-rank test of the days ``a`` (experiments, n) and ``b`` (experiments, m).

    ``a_seen``, ``b_seen``: whether the event was seen; else the mouse is right-censored that day.
    """
    excess, variance = _events(*(np.ascontiguousarray(x) for x in (a, a_seen, b, b_seen)))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = excess / np.sqrt(variance)
    z = np.where(variance > 0.0, z, np.nan)
    return _tested(2.0 * special.ndtr(-np.abs(z)), -z)


def adjusted(p: Floats, correction: str) -> Floats:
    """p-values adjusted for the number of comparisons, which is the last axis.

    ``correction``: ``holm`` (Holm 1979, www.jstor.org/stable/4615733), ``bonferroni`` or ``none``.
    """
    if correction == "none":
        return p
    count = p.shape[-1]
    if correction == "bonferroni":
        return np.minimum(p * count, 1.0)
    if correction != "holm":
        raise ValueError(f"unknown correction {correction!r}")
    order = np.argsort(p, axis=-1, kind="stable")
    stepped = np.take_along_axis(p, order, axis=-1) * (count - np.arange(count))
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, stepped, axis=-1)
    return out
