"""Founders and colonies of one mouse: a Poisson process in time, Gompertz growth of each colony.

Arrivals of a unit-rate process are keyed by (seed, mouse, index), never by arm, and mapped through
the inverse of the expected founders: arms share their random events, and more founding only adds
colonies. Within a step of the integrator the expected founders follow a rational quadratic function
(Gregory 1982, doi 10.1093/imanum/2.2.123): it has the values and slopes of the ends, rises whatever
the slopes, and its inverse is a closed form. Colonies are worked out in blocks, one kind of
arithmetic a loop, so that the loops are vectorised; sums run in the order of the colonies.
Hence a mouse's bytes depend on no block size, processor or other mouse.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

from nichetrial.engine.elementary import LN2, exp, log
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.engine.normal import normal_below, normal_quantile
from nichetrial.engine.philox import COLONY, uniform_pairs

__all__ = [
    "BINS",
    "BLOCK",
    "KEPT",
    "PER_DECADE",
    "expected_founders",
    "expected_visible",
    "founding_times",
    "grow",
    "growth_age",
    "read_out",
]

PER_DECADE, BINS = 4, 40
"""Colony sizes are counted in bins of a quarter decade from 1 to 1e10 cells."""
BLOCK = 520
"""Colonies at a time; not a power of two, so that rows do not share their places in the cache."""
KEPT = 65_536
"""Of a mouse with more colonies, none is kept in memory: they are drawn again when needed again."""
REACH, PANEL, FEW = 8.5, 1.5, 0.07
"""Of the quadrature of what is visible, in standard deviations: no colonies are beyond
REACH, no panel of five nodes is wider than PANEL, and two nodes do below FEW panels."""
CLOSE = 1e-9
"""Days to which the day of lethal burden is found."""
_P = {name: k for k, name in enumerate(PARAMETER_NAMES)}
_OUTGROWTH, _DOUBLING, _PLATEAU, _SPREAD = (
    _P["outgrowth_probability"],
    _P["colony_doubling"],
    _P["colony_plateau"],
    _P["colony_spread"],
)
# rows of the scratch array of a block
_TIME, _LUCK, _LOW, _HIGH, _SLOPE_LOW, _SLOPE_HIGH, _FROM, _TO = (BLOCK * k for k in range(8))
_SCRATCH = 8 * BLOCK
# the same rows, once the founding times are known
_RATE, _SIZE, _LATER, _CLASS, _SEEN, _GAIN = _LUCK, _LOW, _HIGH, _SLOPE_LOW, _SLOPE_HIGH, _FROM
_PER_LOG = PER_DECADE / 2.302585092994046
# Gauss-Legendre on [0, 1]
_NODES = np.array(
    [0.046910077030668004, 0.23076534494715845, 0.5, 0.7692346550528415, 0.953089922969332]
)
_WEIGHTS = np.array(
    [
        0.11846344252809454,
        0.23931433524968324,
        0.28444444444444444,
        0.23931433524968324,
        0.11846344252809454,
    ]
)
_TWO_NODES, _TWO_WEIGHTS = np.array([0.21132486540518713, 0.7886751345948129]), np.full(2, 0.5)


@njit(cache=True, error_model="numpy")
def growth_age(cells, plateau):
    """Age times rate (a pure number) at which a Gompertz colony has ``cells``; inf if never."""
    if cells >= plateau:
        return np.inf
    span = log(plateau)
    return -span * log(1.0 - log(cells) / span)


@njit(cache=True, error_model="numpy")
def grow(age, rate, plateau):
    """Cells of a colony founded ``age`` days ago by one cell, growing at first with ``rate``."""
    span = log(plateau)
    return exp(span * (1.0 - exp(-(rate * age) / span)))


@njit(cache=True, error_model="numpy")
def expected_founders(steps, i, t):
    """Expected founders by day t, which is in step i (rows i and i + 1 of ``steps``)."""
    h = steps[i + 1, 0] - steps[i, 0]
    x = (t - steps[i, 0]) / h
    rise = steps[i + 1, 1] - steps[i, 1]
    if not rise > 0.0:
        return steps[i, 1]
    low, high = h * max(steps[i, 2], 0.0), h * max(steps[i + 1, 2], 0.0)
    bend = x * (1.0 - x)
    over = rise * x * x + low * bend
    return steps[i, 1] + rise * (over / (rise + (low + high - 2.0 * rise) * bend))


@njit(cache=True, error_model="numpy")
def _place(w, n, arrival, i, steps, count, p3):
    """From waiting times to arrivals, and the step in which each comes.

    Returns:
        (colonies that come before the last row, last arrival, last step).
    """
    for j in range(n):
        arrival += w[_TIME + j]
        if arrival > p3 * steps[count - 1, 1]:
            return j, arrival, i
        while p3 * steps[i + 1, 1] < arrival:
            i += 1
        w[_TIME + j] = arrival
        w[_LOW + j], w[_HIGH + j] = steps[i, 1], steps[i + 1, 1]
        w[_SLOPE_LOW + j], w[_SLOPE_HIGH + j] = steps[i, 2], steps[i + 1, 2]
        w[_FROM + j], w[_TO + j] = steps[i, 0], steps[i + 1, 0]
    return n, arrival, i


@njit(cache=True, error_model="numpy")
def _invert(w, n, p3):
    """From arrivals to founding times: all terms are positive, nothing cancels."""
    for j in range(n):
        start, stop = w[_FROM + j], w[_TO + j]
        h = stop - start
        rise = w[_HIGH + j] - w[_LOW + j]
        low, high = h * max(w[_SLOPE_LOW + j], 0.0), h * max(w[_SLOPE_HIGH + j], 0.0)
        y = (w[_TIME + j] / p3 - w[_LOW + j]) / rise
        y = min(max(y, 1e-18), 1.0)
        rest = 1.0 - y
        tilt = low * rest - high * y
        root = abs(tilt) + sqrt(tilt * tilt + 4.0 * rise * rise * y * rest)
        early = 2.0 * rise * y
        over = early if tilt >= 0.0 else root
        under = early + root if tilt >= 0.0 else root + 2.0 * rise * rest
        w[_TIME + j] = min(start + h * (over / under), stop)


@njit(cache=True, error_model="numpy")
def _draw(w, most, first, state, steps, count, p3, seed, mouse, until):
    """Colonies ``first``, ``first`` + 1, ... of a mouse into the rows _TIME and _LUCK.

    Args:
        most: block size, at most BLOCK.
        state: (arrival, step, founding time) of the colony before; day 0 before the first.

    Returns:
        (colonies, state, whether these are the last ones).
    """
    arrival, i, before = state
    left = max(p3 * steps[count - 1, 1] - arrival, 0.0)
    enough = left + 3.0 * sqrt(left) + 4.0  # seldom too few, and then another block follows
    n = most if enough >= most else int(enough)
    uniform_pairs(seed, first, mouse, COLONY, w[_TIME : _TIME + n], w[_LUCK : _LUCK + n])
    for j in range(n):
        w[_TIME + j] = -log(w[_TIME + j])
    placed, arrival, i = _place(w, n, arrival, i, steps, count, p3)
    _invert(w, placed, p3)
    found = placed
    for j in range(placed):
        before = max(before, w[_TIME + j])  # the last bit may be out of order
        w[_TIME + j] = before
        if before > until:
            found = j
            break
    for j in range(found):
        w[_LUCK + j] = normal_quantile(w[_LUCK + j])
    return found, (arrival, i, before), found < n


@njit(cache=True, error_model="numpy")
def founding_times(steps, count, p3, seed, mouse, until, block=BLOCK):
    """Days on which lasting colonies are founded, ascending, up to ``until``, and their keys.

    Returns:
        (times, z): arrays of the same length; z is a standard normal draw for each colony.
    """
    w = np.empty(_SCRATCH)
    times, luck = np.empty(BLOCK), np.empty(BLOCK)
    n, state, last = 0, (0.0, 0, 0.0), False
    while not last:
        found, state, last = _draw(w, block, n, state, steps, count, p3, seed, mouse, until)
        if n + found > times.shape[0]:
            more_times, more_luck = np.empty(2 * (n + found)), np.empty(2 * (n + found))
            more_times[:n], more_luck[:n] = times[:n], luck[:n]
            times, luck = more_times, more_luck
        times[n : n + found] = w[_TIME : _TIME + found]
        luck[n : n + found] = w[_LUCK : _LUCK + found]
        n += found
    return times[:n], luck[:n]


@njit(cache=True, error_model="numpy")
def _visible(w, n, day, wait, spread):
    """Expected founders whose colonies are visible, of n nodes at the times _TIME.

    _SIZE over the square of _HIGH are the founders of a node.
    """
    for m in range(n):
        founders = w[_SIZE + m] / (w[_HIGH + m] * w[_HIGH + m])
        age = (day - w[_TIME + m]) / wait
        w[_SIZE + m] = founders * normal_below(log(age) / spread)
    total = 0.0
    for m in range(n):
        total += w[_SIZE + m]
    return total


@njit(cache=True, error_model="numpy")
def expected_visible(steps, count, p, day, visible):
    """Mean of the Poisson count of colonies that are visible on ``day``.

    The share of colonies that grew fast enough, integrated over the expected founders: five Gauss
    nodes a step, two in a step in which the share hardly changes, more where it changes much.
    """
    wait, spread = growth_age(visible, p[_PLATEAU]) * p[_DOUBLING] / LN2, p[_SPREAD]
    # founders before ``sure`` are all visible, founders after ``last`` are not
    sure = max(day - wait * exp(REACH * spread), steps[0, 0])
    last = min(day - wait * exp(-REACH * spread), steps[count - 1, 0])
    if not last > steps[0, 0]:
        return 0.0
    i = 0
    while i < count - 2 and steps[i + 1, 0] <= sure:
        i += 1
    total = expected_founders(steps, i, min(sure, last))
    w = np.empty(_SCRATCH)
    n = 0
    while i < count - 1 and steps[i, 0] < last:
        start, stop = max(steps[i, 0], sure), min(steps[i + 1, 0], last)
        h, rise = steps[i + 1, 0] - steps[i, 0], steps[i + 1, 1] - steps[i, 1]
        if rise > 0.0 and stop > start:
            low, high = h * max(steps[i, 2], 0.0), h * max(steps[i + 1, 2], 0.0)
            size = (stop - start) / (PANEL * spread * (day - stop))
            panels = int(size) + 1
            nodes, weights = (_NODES, _WEIGHTS) if size > FEW else (_TWO_NODES, _TWO_WEIGHTS)
            per_step = 1.0 / h
            width = (stop - start) / panels
            part = rise * rise * width * per_step
            for panel in range(panels):
                if n + 5 > BLOCK:
                    total += _visible(w, n, day, wait, spread)
                    n = 0
                for m in range(nodes.shape[0]):
                    t = start + width * (panel + nodes[m])
                    x = (t - steps[i, 0]) * per_step
                    rest = 1.0 - x
                    bend = x * rest
                    over = high * x * x + 2.0 * rise * bend + low * rest * rest
                    w[_TIME + n] = t
                    w[_SIZE + n] = weights[m] * part * over
                    w[_HIGH + n] = rise + (low + high - 2.0 * rise) * bend
                    n += 1
        i += 1
    return p[_OUTGROWTH] * (total + _visible(w, n, day, wait, spread))


@njit(cache=True, error_model="numpy")
def _read(w, n, span, rate, spread, detect_age, day, end):
    """Rates, sizes on ``day`` and at the ``end``, and when they are detectable, of a block."""
    for j in range(n):
        w[_RATE + j] = rate * exp(spread * w[_LUCK + j])
    for j in range(n):
        size = span * (1.0 - exp(-(w[_RATE + j] * (day - w[_TIME + j])) / span))
        w[_CLASS + j] = size * _PER_LOG
        w[_SIZE + j] = exp(size)
    for j in range(n):
        w[_LATER + j] = exp(span * (1.0 - exp(-(w[_RATE + j] * (end - w[_TIME + j])) / span)))
        w[_SEEN + j] = w[_TIME + j] + detect_age / w[_RATE + j]


@njit(cache=True, error_model="numpy")
def _burden(
    w,
    day,
    total,
    kept_times,
    kept_rates,
    span,
    rate,
    spread,
    steps,
    count,
    p3,
    seed,
    mouse,
    end,
    block,
):
    """Tumour cells in colonies on ``day``, and how fast they grow [cells a day]."""
    burden, gain = 0.0, 0.0
    first, state, n = 0, (0.0, 0, 0.0), 0
    kept = total <= kept_times.shape[0]
    while first < total:
        if kept:
            n = min(block, total - first)
            for j in range(n):
                w[_TIME + j] = kept_times[first + j]
            for j in range(n):
                w[_RATE + j] = kept_rates[first + j]
        else:
            n, state, _ = _draw(w, block, first, state, steps, count, p3, seed, mouse, end)
            for j in range(n):
                w[_RATE + j] = rate * exp(spread * w[_LUCK + j])
        for j in range(n):
            slowed = exp(-(w[_RATE + j] * (day - w[_TIME + j])) / span)
            size = exp(span * (1.0 - slowed))
            w[_SIZE + j] = size
            w[_GAIN + j] = size * w[_RATE + j] * slowed
        for j in range(n):
            if w[_TIME + j] > day:
                return burden, gain
            burden += w[_SIZE + j]
            gain += w[_GAIN + j]
        first += n
    return burden, gain


@njit(cache=True, error_model="numpy")
def read_out(
    steps,
    count,
    p,
    seed,
    mouse,
    day,
    end,
    visible,
    detectable,
    lethal,
    bins,
    block=BLOCK,
    keep=KEPT,
):
    """Colonies of one mouse; adds to ``bins`` (BINS,) the sizes on ``day``.

    Args:
        steps: (rows, 3), the first ``count`` are valid: time, expected founders so far, and how
            fast they are founded, at each step of the integrator.
        p: (PARAMETER_NAMES,); seed, mouse: keys of the randomness.
        day, end: read-out, and how far to look for the lethal day.
        visible, detectable, lethal: cells of a colony, of a colony, of all colonies.
        block, keep: change time and memory, never the result.

    Returns:
        (foci, colonies, burden, largest, day of first detectable colony or inf, day of lethal
        burden or inf)
    """
    p3, plateau, spread = p[_OUTGROWTH], p[_PLATEAU], p[_SPREAD]
    rate, span = LN2 / p[_DOUBLING], log(plateau)
    detect_age = growth_age(detectable, plateau)
    foci, colonies, burden, largest, first = 0, 0, 0.0, 0.0, np.inf
    later = 0.0
    w = np.empty(_SCRATCH)
    likely = p3 * steps[count - 1, 1]
    likely += 6.0 * sqrt(max(likely, 0.0)) + 40.0
    room = int(likely) if likely < keep else keep
    both = np.empty(2 * room)
    times, rates = both[:room], both[room:]
    n, state, last = 0, (0.0, 0, 0.0), False
    while not last:
        found, state, last = _draw(w, block, n, state, steps, count, p3, seed, mouse, end)
        _read(w, found, span, rate, spread, detect_age, day, end)
        there = found
        for j in range(found):
            later += w[_LATER + j]
            first = min(first, w[_SEEN + j])
            if w[_TIME + j] <= day:
                burden += w[_SIZE + j]
                largest = max(largest, w[_SIZE + j])
                foci += w[_SIZE + j] >= visible
                bins[min(BINS - 1, int(w[_CLASS + j]))] += 1
            else:
                there -= 1
        colonies += there
        if n + found <= room:
            times[n : n + found] = w[_TIME : _TIME + found]
            rates[n : n + found] = w[_RATE : _RATE + found]
        n += found
    if not later >= lethal:
        return foci, colonies, burden, largest, first, np.inf

    # Newton's method on log(full - log burden), which would be a straight line for equal colonies
    low, high, at, target = 0.0, end, end, log(lethal)
    full = span + log(float(n))
    if burden >= lethal:
        high = at = day
    elif burden > 0.0:
        low, before = day, full - log(burden)
        share = log(before / (full - target)) / log(before / (full - log(later)))
        at = day + (end - day) * share
    if not low < at <= high:
        at = 0.5 * (low + high)
    for k in range(200):
        now, gain = _burden(
            w, at, n, times, rates, span, rate, spread, steps, count, p3, seed, mouse, end, block
        )
        if now >= lethal:
            high = at
        else:
            low = at
        if high - low <= CLOSE:
            break
        still = full - log(now)
        at += log(still / (full - target)) * still * now / gain
        at += 0.25 * CLOSE if now < lethal else -0.25 * CLOSE  # so that both ends close in
        if k % 8 == 7 or not low < at < high:
            at = 0.5 * (low + high)
    return foci, colonies, burden, largest, first, high
