"""Founders and colonies of one mouse: a Poisson process in time, Gompertz growth of each colony.

Arrivals of a unit-rate process are keyed by (seed, mouse, index), never by arm, and mapped through
the inverse of the expected founders: arms share their luck, and more founding only adds colonies.
"""

from __future__ import annotations

from math import erfc, exp, floor, log, log1p, log10, sqrt

import numpy as np
from numba import njit

from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.engine.philox import COLONY, normal_quantile, uniform_pair

__all__ = [
    "BINS",
    "PER_DECADE",
    "expected_visible",
    "founding_times",
    "grow",
    "growth_age",
    "read_out",
]

PER_DECADE, BINS = 4, 40
"""Colony sizes are counted in bins of a quarter decade from 1 to 1e10 cells."""
_P = {name: k for k, name in enumerate(PARAMETER_NAMES)}
_OUTGROWTH, _DOUBLING, _PLATEAU, _SPREAD = (
    _P["outgrowth_probability"], _P["colony_doubling"], _P["colony_plateau"], _P["colony_spread"],
)  # fmt: skip


@njit(cache=True)
def growth_age(cells, plateau):
    """Age times rate (a pure number) at which a Gompertz colony has ``cells``; inf if never."""
    if cells >= plateau:
        return np.inf
    return -log(plateau) * log1p(-log(cells) / log(plateau))


@njit(cache=True)
def grow(age, rate, plateau):
    """Cells of a colony founded ``age`` days ago by one cell, growing at first with ``rate``."""
    span = log(plateau)
    return exp(span * (1.0 - exp(-rate * age / span)))


@njit(cache=True)
def _between(steps, i, fraction):
    """Cubic Hermite value of the founders inside step i."""
    h = steps[i + 1, 0] - steps[i, 0]
    x = fraction
    a, b = steps[i, 1], steps[i + 1, 1]
    return (a + x * x * (3.0 - 2.0 * x) * (b - a)
            + h * x * (1.0 - x) * ((1.0 - x) * steps[i, 2] - x * steps[i + 1, 2]))  # fmt: skip


@njit(cache=True)
def founding_times(steps, count, p3, seed, mouse, until):
    """Days on which lasting colonies are founded, ascending, up to ``until``; and their luck.

    Returns:
        (times, z): arrays of the same length; z is a standard normal draw for each colony.
    """
    times, luck = np.empty(64), np.empty(64)
    n, i, arrival = 0, 0, 0.0
    while True:
        u, v = uniform_pair(seed, n, mouse, COLONY, 0)
        arrival -= log(u)
        while i < count - 1 and p3 * steps[i + 1, 1] < arrival:
            i += 1
        if i >= count - 1:
            break
        low, high = 0.0, 1.0
        for _ in range(52):  # bisection: sure, and the founders are monotone
            mid = 0.5 * (low + high)
            if p3 * _between(steps, i, mid) < arrival:
                low = mid
            else:
                high = mid
        t = steps[i, 0] + high * (steps[i + 1, 0] - steps[i, 0])
        if t > until:
            break
        if n == times.shape[0]:
            more_times, more_luck = np.empty(2 * n), np.empty(2 * n)
            more_times[:n], more_luck[:n] = times, luck
            times, luck = more_times, more_luck
        times[n], luck[n] = t, normal_quantile(v)
        n += 1
    return times[:n], luck[:n]


@njit(cache=True, error_model="numpy")
def expected_visible(steps, count, p, day, visible):
    """Mean of the Poisson count of colonies that are visible on ``day``."""
    age = growth_age(visible, p[_PLATEAU])
    rate = log(2.0) / p[_DOUBLING]
    total = 0.0
    for i in range(count - 1):
        if steps[i, 0] >= day:
            break
        if steps[i + 1, 1] <= steps[i, 1]:
            continue
        h = steps[i + 1, 0] - steps[i, 0]
        before = steps[i, 1]
        for m in range(8):
            value = _between(steps, i, (m + 1) / 8.0)
            old = day - (steps[i, 0] + h * (m + 0.5) / 8.0)
            if old > 0.0:
                if p[_SPREAD] > 0.0:
                    share = 0.5 * erfc(-log(rate * old / age) / (p[_SPREAD] * sqrt(2.0)))
                else:
                    share = 1.0 if rate * old >= age else 0.0
                total += share * (value - before)
            before = value
    return p[_OUTGROWTH] * total


@njit(cache=True, error_model="numpy")
def read_out(steps, count, p, seed, mouse, day, end, visible, detectable, lethal, bins):
    """Colonies of one mouse; adds to ``bins`` (BINS,) the sizes on ``day``.

    Returns:
        (foci, colonies, burden, largest, day of first detectable colony or inf, day of lethal
        burden or inf)
    """
    plateau = p[_PLATEAU]
    times, luck = founding_times(steps, count, p[_OUTGROWTH], seed, mouse, end)
    n = times.shape[0]
    rate = np.empty(n)
    detect_age = growth_age(detectable, plateau)
    foci, colonies, burden, largest, first = 0, 0, 0.0, 0.0, np.inf
    for j in range(n):
        rate[j] = log(2.0) / p[_DOUBLING] * exp(p[_SPREAD] * luck[j])
        first = min(first, times[j] + detect_age / rate[j])
        if times[j] <= day:
            size = grow(day - times[j], rate[j], plateau)
            colonies += 1
            burden += size
            largest = max(largest, size)
            if size >= visible:
                foci += 1
            bins[min(BINS - 1, floor(PER_DECADE * log10(size)))] += 1
    death = np.inf
    if _burden(times, rate, plateau, end) >= lethal:
        low, high = 0.0, end
        for _ in range(40):
            mid = 0.5 * (low + high)
            if _burden(times, rate, plateau, mid) >= lethal:
                high = mid
            else:
                low = mid
        death = high
    return foci, colonies, burden, largest, first, death


@njit(cache=True)
def _burden(times, rate, plateau, day):
    total = 0.0
    for j in range(times.shape[0]):
        if times[j] > day:
            break
        total += grow(day - times[j], rate[j], plateau)
    return total
