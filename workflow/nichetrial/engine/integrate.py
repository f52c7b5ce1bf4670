"""Integration of many mice, eight at a time, each at its own pace.

Each lane holds a mouse with its own time and step, and takes the next mouse when its own is done:
no mouse waits for another. Steps land on every event that acts on the mouse, on the challenge, on
the read-out and on the days of the grid, so that arms which agree up to a day of the grid agree
there to the last byte.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nichetrial.engine.colonies import expected_visible, read_out
from nichetrial.engine.forcing import (
    IMPLANT,
    LEADER,
    SLOTS,
    TUMOUR_ON,
    VECTOR,
    acting,
    effective,
    end,
    first_step,
    give,
    learn,
    settle,
    start,
    within,
)
from nichetrial.engine.jit import uncounted
from nichetrial.engine.kernels import CONSTANT_COUNT, STATE_NAMES, constants
from nichetrial.engine.lanes import (
    ACCEPTED,
    CONSTANT,
    ERROR,
    FOUNDING,
    LANDS,
    PER_BEFORE,
    STATE,
    STEP,
    STOP,
    TIME,
    TRIED,
    begin,
    ease_in_stage,
    evaluate,
    finish,
    stage_1,
    stage_2,
    stage_3,
    stage_4,
    stage_5,
    stage_6,
    stage_7,
)
from nichetrial.engine.steady import steady_state
from nichetrial.engine.vector_width import wide

__all__ = ["DORMANT", "READ", "TRACE", "attempt", "integrate"]

RUNNING, FINISHED, STEP_LIMIT, NOT_FINITE = -1, 0, 1, 2
FIRST_STEP = 5e-4
"""Days; the largest step after an event, whose transient the error estimate might step over."""
SMALLEST_STEP = 1e-12
READ = 7
"""Numbers of a mouse before the states at the challenge."""
DORMANT, FOUNDERS = STATE_NAMES.index("dormant"), STATE_NAMES.index("founders")
TRACE = ("day", "step", "error", "accepted", "lands", *STATE_NAMES)
_N = len(STATE_NAMES)


@uncounted
def _rates(w, on, n):
    """Inputs and rates of the current stage."""
    wide()
    within(w, on, n)
    if on[TUMOUR_ON]:
        ease_in_stage(w)
    evaluate(w)


@uncounted
def _rates_at_end(w, on):
    """Rates of a stage at the end of the step, whose inputs are known from the stage before."""
    wide()
    if on[TUMOUR_ON]:
        ease_in_stage(w)
    evaluate(w)


@uncounted
def attempt(w, on, n, rtol):
    """One step in all lanes, each its own; see lanes.py."""
    wide()
    start(w, on, n)
    begin(w)
    stage_1(w)
    _rates(w, on, n)
    stage_2(w)
    _rates(w, on, n)
    stage_3(w)
    _rates(w, on, n)
    stage_4(w)
    _rates(w, on, n)
    stage_5(w)
    _rates(w, on, n)
    stage_6(w)
    _rates_at_end(w, on)
    stage_7(w)
    _rates_at_end(w, on)
    finish(w, rtol)
    end(w, on, n)


@njit(cache=True, error_model="numpy")
def _enter(w, i, p, host, timp1, q, y):
    """Put a mouse into lane ``i``, on day 0."""
    constants(p, host, q)
    steady_state(p, host, q, y)
    for m in range(_N):
        w[8 * (STATE + m) + i] = y[m]
    for m in range(CONSTANT_COUNT):
        w[8 * (CONSTANT + m) + i] = q[m]
    settle(w, i, p, host, timp1)
    w[8 * TIME + i] = 0.0
    w[8 * STEP + i] = FIRST_STEP
    w[8 * PER_BEFORE + i] = 0.0


@uncounted
def _land(w, i, k, parameters, arm, grid, reading, event, row, courses, numbers):
    """What happens to mouse ``k`` on the day that lane ``i`` has reached, and where it lands next.

    Returns:
        (next event, next row of the grid); STOP is infinite when the mouse is done.
    """
    times, kinds, channels, amounts = arm
    challenge, day, last = reading[0], reading[1], reading[2]
    t = w[8 * TIME + i]
    acted = False
    while event < times.shape[0] and times[event] <= t:
        if effective(w, i, kinds[event], channels[event], amounts[event]):
            give(w, i, kinds[event], channels[event], amounts[event], parameters[k])
            acted = True
        event += 1
    if acted:
        first = first_step(w, i)
        if w[8 * STEP + i] < first:
            w[8 * LEADER + i] = 0.0
        w[8 * STEP + i] = min(w[8 * STEP + i], first)
        w[8 * PER_BEFORE + i] = 0.0
    if row < grid.shape[0] and t >= grid[row]:
        if k < courses.shape[0]:
            for m in range(_N):
                courses[k, row, m] = w[8 * (STATE + m) + i]
        row += 1
    if t == challenge:
        for m in range(_N):
            numbers[k, READ + m] = w[8 * (STATE + m) + i]
    if t == day:
        numbers[k, READ + _N] = w[8 * (STATE + DORMANT) + i]
    stop = last if t < last else np.inf
    if row < grid.shape[0]:
        stop = min(stop, grid[row])
    if t < challenge:
        stop = min(stop, challenge)
    if t < day:
        stop = min(stop, day)
    ahead = event  # the next event that acts on this mouse
    while ahead < times.shape[0] and not effective(
        w, i, kinds[ahead], channels[ahead], amounts[ahead]
    ):
        ahead += 1
    if ahead < times.shape[0]:
        stop = min(stop, times[ahead])
    w[8 * STOP + i] = stop
    return event, row


@njit(cache=True, error_model="numpy")
def _read(track, count, p, reading, seed, mouse, numbers, bins):
    """Colonies of a mouse that is done, into ``numbers`` and ``bins``."""
    _, day, last, visible, detectable, lethal = reading
    numbers[0] = expected_visible(track, count, p, day, visible)
    numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6] = read_out(
        track, count, p, seed, mouse, day, last, visible, detectable, lethal, bins
    )


@njit(cache=True, error_model="numpy")
def integrate(
    parameters,
    host,
    arm,
    grid,
    reading,
    rtol,
    max_steps,
    seed,
    mice,
    status,
    steps,
    numbers,
    courses,
    bins,
    trace,
    width,
):
    """Mice from day 0 to the end of their arm.

    Args:
        parameters, host: (mice, PARAMETER_NAMES) and expression of the genes (see model).
        arm: times, kinds, channels, amounts of events, sorted by time.
        grid: (rows,) days of the time courses, ascending from 0.
        reading: challenge, day, end, visible, detectable, lethal.
        max_steps: attempts that one mouse may take; seed, mice: keys of the randomness.
        status, steps, numbers: (mice,), (mice,) and (mice, columns), filled; see Ensemble.
        courses: (kept mice, rows, states), filled for the first mice.
        bins: (BINS,), colonies by size are added.
        trace: (rows, TRACE), every attempt of a single mouse, filled as far as it goes.
        width: LANES; see forcing.start for why it is not a constant.
    """
    wide()
    last = reading[2]
    on = np.empty(TUMOUR_ON + 1, np.bool_)
    acting(arm[1], arm[2], on)
    timp1 = host[0] != 0.0
    for kind in arm[1]:
        timp1 = timp1 or kind in (VECTOR, IMPLANT)
    room = np.zeros(SLOTS * 8 + 8)  # no vector of w must lie across two lines of the cache
    aligned = (-room.ctypes.data % 64) // 8
    w = room[aligned : aligned + SLOTS * 8]
    q, y = np.empty(CONSTANT_COUNT), np.empty(_N)
    track = np.empty((8, max_steps + 2, 3))
    who = np.full(8, -1)
    event, row = np.zeros(8, np.int64), np.zeros(8, np.int64)
    count, tries = np.zeros(8, np.int64), np.zeros(8, np.int64)
    following, traced = 0, 0
    for i in range(8):
        w[8 * STEP + i], w[8 * STOP + i] = FIRST_STEP, np.inf
    active = True
    while active:
        active = False
        for i in range(8):
            k, outcome, landed = who[i], RUNNING, False
            if k >= 0:
                accepted = w[8 * ACCEPTED + i] != 0.0
                landed = accepted and w[8 * LANDS + i] != 0.0
                tries[i] += 1
                if accepted:
                    track[i, count[i], 0] = w[8 * TIME + i]
                    track[i, count[i], 1] = w[8 * (STATE + FOUNDERS) + i]
                    track[i, count[i], 2] = w[8 * FOUNDING + i]
                    count[i] += 1
                    learn(w, i)
                elif not w[8 * STEP + i] >= SMALLEST_STEP:
                    outcome = NOT_FINITE
                if tries[i] >= max_steps and outcome == RUNNING:
                    outcome = STEP_LIMIT
                if traced < trace.shape[0]:
                    trace[traced, 0], trace[traced, 1] = w[8 * TIME + i], w[8 * TRIED + i]
                    trace[traced, 2] = np.sqrt(w[8 * ERROR + i])
                    trace[traced, 3], trace[traced, 4] = accepted, landed
                    for m in range(_N):
                        trace[traced, 5 + m] = w[8 * (STATE + m) + i]
                    traced += 1
                if landed and w[8 * TIME + i] >= last:
                    outcome = FINISHED
            if outcome != RUNNING:
                status[k], steps[k] = outcome, count[i] - 1
                if outcome == FINISHED:
                    _land(
                        w, i, k, parameters, arm, grid, reading, event[i], row[i], courses, numbers
                    )
                    _read(
                        track[i], count[i], parameters[k], reading, seed, mice[k], numbers[k], bins
                    )
                else:
                    numbers[k, :] = np.nan
                who[i] = k = -1
                w[8 * STEP + i], w[8 * STOP + i] = FIRST_STEP, np.inf
            while (
                k < 0
                and following < mice.shape[0]
                and not np.all(np.isfinite(parameters[following]))
            ):
                status[following], steps[following] = NOT_FINITE, 0
                following += 1
            if k < 0 and following < mice.shape[0]:
                who[i] = k = following
                following += 1
                _enter(w, i, parameters[k], host, timp1, q, y)
                track[i, 0, :] = 0.0
                event[i], row[i], count[i], tries[i], landed = 0, 0, 1, 0, True
            if landed and k >= 0:
                event[i], row[i] = _land(
                    w, i, k, parameters, arm, grid, reading, event[i], row[i], courses, numbers
                )
            active = active or k >= 0
        if active:
            attempt(w, on, width, rtol)
