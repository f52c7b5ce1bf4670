"""Many mice in one arm: the engine's front door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nichetrial.engine.colonies import BINS, PER_DECADE
from nichetrial.engine.integrate import READ, TRACE, integrate
from nichetrial.engine.kernels import HOST_COUNT, PARAMETER_NAMES, STATE_NAMES

__all__ = ["BIN_EDGES", "Ensemble", "Events", "Reading", "grid", "run", "states"]

GRID = 0.25
"""Days between rows of the time courses, up to the read-out."""
BLOCK = 4096
"""Mice between two reports of progress; at the end of each block lanes are empty."""

BIN_EDGES = 10.0 ** (np.arange(BINS + 1) / PER_DECADE)
MAX_STEPS, STEPS_PER_EVENT = 20_000, 40
RTOL = 4.5e-7
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


def grid(reading: Reading) -> Floats:
    """Days of the time courses: every GRID to the read-out, then every day to the end."""
    fine = np.arange(0.0, np.ceil(reading.day), GRID)
    return np.concatenate([fine, np.arange(np.ceil(reading.day), np.floor(reading.end) + 1.0)])


def run(
    parameters: Floats,
    host: Sequence[float],
    events: Events,
    reading: Reading,
    *,
    seed: int,
    mice: NDArray[np.int64],
    keep: int = 0,
    rtol: float = RTOL,
    max_steps: int = MAX_STEPS,
    trace: Floats | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ensemble:
    """Simulate each mouse by itself: its result depends on no other mouse.

    Args:
        parameters: (mice, PARAMETER_NAMES), internal units.
        host: expression of Timp1, Cd63, Mmp9, and of Timp1 in tissues alone.
        mice: (mice,) global numbers, the keys of their randomness.
        max_steps: of one mouse; STEPS_PER_EVENT more are allowed for each event.
        keep: time courses are kept for so many of the first mice.
        trace: (rows, TRACE), filled with every attempt to step; for one mouse alone.
        progress: called with the number of mice done, now and then.
    """
    n, size = parameters.shape[0], len(STATE_NAMES)
    if parameters.shape[1] != len(PARAMETER_NAMES):
        raise ValueError(f"parameters: expected {len(PARAMETER_NAMES)} columns")
    if len(host) != HOST_COUNT:
        raise ValueError(f"host: expected {HOST_COUNT} genes")
    if trace is None:
        trace = np.empty((0, len(TRACE)))
    parameters = np.ascontiguousarray(parameters)  # one layout, so that one version is compiled
    days = grid(reading)
    status, steps = np.empty(n, np.int64), np.empty(n, np.int64)
    numbers = np.full((n, READ + size + 1), np.nan)
    courses = np.full((min(keep, n), len(days), size), np.nan)
    bins = np.zeros(BINS, np.int64)
    read = (
        reading.challenge,
        reading.day,
        reading.end,
        reading.visible,
        reading.detectable,
        reading.lethal,
    )
    most = max_steps + STEPS_PER_EVENT * len(events.times)
    for first in range(0, n, BLOCK):
        some = slice(first, first + BLOCK)
        integrate(
            parameters[some],
            np.array(host, dtype=np.float64),
            (events.times, events.kinds, events.channels, events.amounts),
            days,
            read,
            rtol,
            most,
            np.uint64(seed),
            mice[some],
            status[some],
            steps[some],
            numbers[some],
            courses[some],
            bins,
            trace,
            8,
        )
        if progress is not None:
            progress(min(first + BLOCK, n))
    return Ensemble(status, steps, numbers, courses, bins)


def states(ensemble: Ensemble, name: str) -> Floats:
    """A state of each mouse at the challenge: (mice,)."""
    return ensemble.numbers[:, READ + STATE_NAMES.index(name)]
