"""The model as its peers get it: one compiled right-hand side, and what happens between doses.

The only module here that knows the engine's scalar functions. Drugs are in closed form, as in the
engine; a peer integrates from one event to the next and is restarted there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nichetrial.engine import kernels
from nichetrial.engine.ensemble import grid, run
from nichetrial.engine.steady import steady_state
from nichetrial.study.resolved import Arm
from nichetrial.trial.events import events, reading
from tests.benchmarks import forcing

__all__ = ["SIZE", "STATES", "Case", "begin", "case", "levels", "ours", "rhs", "walk"]

Floats = NDArray[np.float64]

STATES = len(kernels.STATE_NAMES)

# one flat array holds all that the right-hand side of a mouse needs, its scratch space included
_P = len(kernels.PARAMETER_NAMES)
_KIN = _P + kernels.CONSTANT_COUNT
_FORCING = _KIN + forcing.KINETICS
_INPUT = _FORCING + forcing.LENGTH
SIZE = _INPUT + len(kernels.INPUT_NAMES) + 1  # the last one: ease of shedding


@njit(error_model="numpy")
def begin(p, host, d, y):
    """Data ``d`` (SIZE,) and initial state ``y`` of a mouse to which nothing has been done yet."""
    d[:_P] = p
    kernels.constants(p, host, d[_P:_KIN])
    forcing.kinetics(p, d[_KIN:_FORCING])
    forcing.untouched(d[_FORCING:_INPUT])
    steady_state(p, host, d[_P:_KIN], y)


@njit(error_model="numpy")
def rhs(t, y, dy, d):
    """Rates of change ``dy``, drugs in closed form."""
    u = d[_INPUT:SIZE]
    forcing.inputs(d[_FORCING:_INPUT], t, d[:_P], d[_KIN:_FORCING], u)
    kernels.rates(y, u, d[_P:_KIN], dy)


@njit(error_model="numpy")
def _acts(d, kind, channel, amount):
    return forcing.effective(kind, channel, amount, d[_KIN:_FORCING])


@njit(error_model="numpy")
def _give(d, t, kind, channel, amount, y):
    s, kin = d[_FORCING:_INPUT], d[_KIN:_FORCING]
    forcing.give(s, t, kind, channel, amount, d[:_P], kin, y)


def walk(segment: Callable) -> Callable:
    """A function that takes a mouse from event to event; ``njit`` compiles it where ``segment`` is.

    ``segment(y, times, d, rtol, atol)`` returns the states at ``times`` (first: where ``y`` is).
    """

    def mouse(p, host, times, kinds, channels, amounts, grid, rtol, atol, out):
        d, y, end = np.empty(SIZE), np.empty(STATES), grid[-1]
        begin(p, host, d, y)
        event, row, low = 0, 0, 0.0
        while True:
            while event < len(times) and times[event] <= low:
                _give(d, low, kinds[event], channels[event], amounts[event], y)
                event += 1
            if grid[row] == low:
                out[row] = y
                row += 1
            if low >= end:
                return
            while event < len(times) and not _acts(
                d, kinds[event], channels[event], amounts[event]
            ):
                event += 1
            high = min(times[event], end) if event < len(times) else end
            last = row
            while last < len(grid) and grid[last] < high:
                last += 1
            at = np.empty(last - row + 2)
            at[0], at[1:-1], at[-1] = low, grid[row:last], high
            states = segment(y, at, d, rtol, atol)
            out[row:last] = states[1:-1]
            y[:] = states[-1]
            row, low = last, high

    return mouse


@njit(error_model="numpy")
def levels(p, host, times, kinds, channels, amounts, since, kin, y, rows):
    """For a peer that cannot call ``rhs``: what is known of a mouse before anything is solved.

    Kinetics ``kin``, initial state ``y`` (without cells that are given) and in ``rows`` the levels
    (``s`` of tests/benchmarks/forcing.py) from each of the times ``since``.
    """
    d = np.empty(SIZE)
    begin(p, host, d, y)
    kin[:] = d[_KIN:_FORCING]
    event, elsewhere = 0, y.copy()
    for k in range(len(since)):
        _give(
            d, since[k], forcing.CELLS, 0, 0.0, elsewhere
        )  # nothing: brings the levels up to date
        while event < len(times) and times[event] <= since[k]:
            _give(d, since[k], kinds[event], channels[event], amounts[event], elsewhere)
            event += 1
        rows[k] = d[_FORCING:_INPUT]


@dataclass(frozen=True)
class Case:
    """An arm as numbers."""

    arm: Arm
    host: Floats
    times: Floats
    kinds: NDArray[np.int64]
    channels: NDArray[np.int64]
    amounts: Floats
    grid: Floats
    """Days at which all states are wanted: those of the engine's time courses."""

    def start(self, p: Floats) -> Floats:
        """Initial state of a mouse."""
        y = np.empty(STATES)
        begin(p, self.host, np.empty(SIZE), y)
        return y

    def solve(self, mouse: Callable, parameters: Floats, rtol: float, atol: float) -> Floats:
        """States (mice, grid, STATES) by a function that ``walk`` made."""
        out = np.empty((len(parameters), len(self.grid), STATES))
        for p, rows in zip(parameters, out, strict=True):
            mouse(
                p,
                self.host,
                self.times,
                self.kinds,
                self.channels,
                self.amounts,
                self.grid,
                rtol,
                atol,
                rows,
            )
        return out


def case(arm: Arm) -> Case:
    """The arm as numbers. Only tumour cells that are injected; the end must be a time of output."""
    e, days = events(arm), grid(reading(arm))
    if arm.challenge.route != "intravenous" or days[-1] != arm.readout.end:
        raise ValueError(f"the benchmark cannot run the arm {arm.name}")
    host = np.array(arm.host.genes)
    return Case(arm, host, e.times, e.kinds, e.channels, e.amounts, days)


def ours(
    which: Case, parameters: Floats, seed: int, *, colonies: bool = False, **options: float
) -> Floats:
    """States (mice, grid, STATES) by the engine itself, at its own tolerance unless said.

    No peer simulates colonies; without them, none grows and none could be seen.
    """
    n = len(parameters)
    host = which.host.tolist()
    read = reading(which.arm)
    if not colonies:
        parameters, read = parameters.copy(), replace(read, visible=np.inf)
        parameters[:, kernels.PARAMETER_NAMES.index("outgrowth_probability")] = 1e-12
    result = run(
        parameters, host, events(which.arm), read, seed=seed, mice=np.arange(n), keep=n, **options
    )
    return result.courses
