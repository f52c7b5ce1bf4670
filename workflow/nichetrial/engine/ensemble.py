"""Many mice in one arm: the engine's front door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nichetrial.engine.colonies import BINS, PER_DECADE, expected_visible, read_out
from nichetrial.engine.kernels import PARAMETER_NAMES, STATE_NAMES
from nichetrial.engine.rodas import FINISHED, GRID, integrate

__all__ = ["BIN_EDGES", "Ensemble", "Events", "Reading", "run", "states"]

BIN_EDGES = 10.0 ** (np.arange(BINS + 1) / PER_DECADE)
MAX_STEPS, STEPS_PER_EVENT = 20_000, 40
RTOL = 1e-6
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Events:
    """What is done in an arm, sorted by time; all arrays (events,)."""

    times: Floats
    """Days."""
    kinds: NDArray[np.int64]
    """Values of ``forcing.EVENT``."""
    channels: NDArray[np.int64]
    """Index in ``forcing.CHANNELS``; 0 where there is no drug."""
    amounts: Floats
    """nmol/kg, nmol/kg a day, fold above basal, or cells."""


@dataclass(frozen=True)
class Reading:
    """When and how metastases are read: days and cells."""

    challenge: float
    day: float
    end: float
    visible: float
    detectable: float
    lethal: float


@dataclass(frozen=True)
class Ensemble:
    """Results of a set of mice.

    ``numbers`` (mice, columns): expected_foci, foci, colonies, burden, largest, first detectable
    day or inf, lethal day or inf, then the states at the challenge (STATE_NAMES) and the dormant
    cells at the read-out. NaN for mice that did not finish.
    """

    status: NDArray[np.int64]
    steps: NDArray[np.int64]
    numbers: Floats
    courses: Floats
    """(first ``keep`` mice, grid times, states)"""
    bins: NDArray[np.int64]
    """(BINS,): colonies by size at the read-out, summed over mice."""


_READ = 7
_DORMANT = STATE_NAMES.index("dormant")


@njit(cache=True, error_model="numpy")
def _one(p, host, times, kinds, channels, amounts, reading, rtol, max_steps, seed, mouse, out,
         at, steps, numbers, bins):  # fmt: skip
    challenge, day, end, visible, detectable, lethal = reading
    status, count = integrate(
        p,
        host,
        times,
        kinds,
        channels,
        amounts,
        np.array([challenge, day]),
        end,
        rtol,
        max_steps,
        out,
        at,
        steps,
    )
    if status == FINISHED:
        numbers[0] = expected_visible(steps, count, p, day, visible)
        foci, colonies, burden, largest, first, death = read_out(
            steps, count, p, seed, mouse, day, end, visible, detectable, lethal, bins
        )
        numbers[1], numbers[2], numbers[3], numbers[4] = foci, colonies, burden, largest
        numbers[5], numbers[6] = first, death
        numbers[_READ : _READ + out.shape[1]] = at[0]
        numbers[_READ + out.shape[1]] = at[1, _DORMANT]
    return status, count


def run(
    parameters: Floats,
    host: tuple[float, float, float],
    events: Events,
    reading: Reading,
    *,
    seed: int,
    mice: NDArray[np.int64],
    keep: int = 0,
    rtol: float = RTOL,
    max_steps: int = MAX_STEPS,
    progress: Callable[[int], None] | None = None,
) -> Ensemble:
    """Simulate each mouse by itself: its result depends on no other mouse.

    Args:
        parameters: (mice, PARAMETER_NAMES), internal units.
        host: expression of Timp1, Cd63, Mmp9.
        mice: (mice,) global numbers, the keys of their randomness.
        max_steps: of one mouse; STEPS_PER_EVENT more are allowed for each event.
        keep: time courses are kept for so many of the first mice.
        progress: called with the number of mice done after each.
    """
    n, size = parameters.shape[0], len(STATE_NAMES)
    if parameters.shape[1] != len(PARAMETER_NAMES):
        raise ValueError(f"parameters: expected {len(PARAMETER_NAMES)} columns")
    rows = int(np.floor(reading.end / GRID)) + 2
    status, steps = np.empty(n, np.int64), np.empty(n, np.int64)
    numbers = np.full((n, _READ + size + 1), np.nan)
    courses = np.full((min(keep, n), rows, size), np.nan)
    bins = np.zeros(BINS, np.int64)
    scratch, at = np.empty((rows, size)), np.empty((2, size))
    max_steps += STEPS_PER_EVENT * len(events.times)
    track = np.empty((max_steps + 2, 3))
    key = np.uint64(seed)
    read = (reading.challenge, reading.day, reading.end, reading.visible, reading.detectable,
            reading.lethal)  # fmt: skip
    genotype = np.array(host, dtype=np.float64)
    for i in range(n):
        out = courses[i] if i < keep else scratch
        status[i], steps[i] = _one(
            parameters[i], genotype, events.times, events.kinds, events.channels, events.amounts,
            read, rtol, max_steps, key, mice[i], out, at, track, numbers[i], bins,
        )  # fmt: skip
        if progress is not None:
            progress(i + 1)
    return Ensemble(status, steps, numbers, courses, bins)


def states(ensemble: Ensemble, name: str) -> Floats:
    """A state of each mouse at the challenge: (mice,)."""
    return ensemble.numbers[:, _READ + STATE_NAMES.index(name)]
