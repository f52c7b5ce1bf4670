"""Integration of one mouse: Rodas5P (Steinebach 2023, doi 10.1007/s10543-023-00967-x).

A stiffly accurate Rosenbrock method of order 5 with 8 stages, error estimate of order 4. Each step
uses the analytic Jacobian and its sparse factors. Steps land on every event that acts on the mouse,
on the challenge, on the read-out and on a grid, so that arms which agree up to a grid time agree
there to the last byte.
"""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np
from numba import njit

from nichetrial.engine.forcing import (
    CHANNELS,
    EVENT,
    advance,
    effective,
    give,
    inputs,
    kinetics,
    new_forcing,
)
from nichetrial.engine.kernels import (
    CONSTANT_COUNT,
    FILL,
    INPUT_NAMES,
    NONZERO,
    STATE_NAMES,
    basal,
    constants,
    factor,
    jacobian,
    rates,
    rates_in_time,
    solve,
)

__all__ = ["FINISHED", "GRID", "NOT_FINITE", "STEP_LIMIT", "host_steady_state", "integrate"]

GRID = 0.25
"""Days between grid times."""
FINISHED, STEP_LIMIT, NOT_FINITE = 0, 1, 2
FIRST_STEP = 5e-4
"""Days; the largest step after an event, whose transient the error estimate might step over."""

_VECTOR, _IMPLANT = EVENT["vector"], EVENT["implant"]
_ANTI_TIMP1 = CHANNELS.index("anti_timp1")
_N, _U = len(STATE_NAMES), len(INPUT_NAMES)
GAMMA = 0.21193756319429014
_A = np.zeros((8, 8))
_A[1, :1] = 3.0
_A[2, :2] = 2.849394379747939, 0.45842242204463923
_A[3, :3] = -6.954028509809101, 2.489845061869568, -10.358996098473584
_A[4, :4] = 2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641
_A[5, :5] = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
             0.030198172008377946)  # fmt: skip
_A[6, :5], _A[6, 5] = _A[5, :5], 1.0
_A[7, :6], _A[7, 6] = _A[6, :6], 1.0
_C = np.zeros((8, 8))
_C[1, :1] = -14.155112264123755
_C[2, :2] = -17.97296035885952, -2.859693295451294
_C[3, :3] = 147.12150275711716, -1.41221402718213, 71.68940251302358
_C[4, :4] = 165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306
_C[5, :5] = (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
             -0.6610691825249471)  # fmt: skip
_C[6, :6] = (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
             -19.097331116725623, -28.087943162872662)  # fmt: skip
_C[7, :7] = (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
             -40.06618937091002, -54.66780262877968, -9.48861652309627)  # fmt: skip
_TIME = np.array([0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716,
                  0.4288403609558664, 1.0, 1.0, 1.0])  # fmt: skip
_D = np.array([GAMMA, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734,
               2.325825639765069, 0.0, 0.0, 0.0])  # fmt: skip
# absolute tolerance over the relative one: below it a state does not matter (nM, fold, cells)
_FLOOR = np.array([1e-4, 1e-4, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1.0, 1.0, 1.0, 1e-2])


@njit(cache=True, error_model="numpy")
def host_steady_state(p, host, c, y):
    """Steady state of the untreated host, into ``y``; the wild type's is known in closed form.

    Implicit Euler steps that grow without bound: Newton's method with the model's own Jacobian.
    """
    basal(p, host, c, y)
    if host[0] == 1.0 and host[1] == 1.0 and host[2] == 1.0:
        return
    u, dy = np.zeros(_U), np.empty(_N)
    jac, lu = np.empty(NONZERO), np.empty(FILL)
    h = 0.01
    for _ in range(80):
        rates(y, u, p, host, c, dy)
        jacobian(y, u, p, host, c, jac)
        factor(jac, 1.0 / h, lu)
        solve(lu, dy)
        for i in range(_N):
            y[i] = max(y[i] + dy[i], 0.0)
        h = min(h * 2.0, 1e9)


@njit(cache=True, error_model="numpy")
def integrate(
    p, host, times, kinds, channels, amounts, marks, end, rtol, max_steps, out, at, steps
):
    """One mouse from day 0 to ``end``.

    Args:
        p, host: parameters (PARAMETER_NAMES) and expression of Timp1, Cd63, Mmp9.
        times, kinds, channels, amounts: events, sorted by time.
        marks: (n,) days on which the states are wanted exactly; steps land on them.
        end: day; rtol: relative tolerance.
        out: (grid times, states), filled at 0, GRID, 2 GRID ...
        at: (n, states), filled at the marks.
        steps: (max_steps + 2, 3), filled with time, founders, and rate of founding at each step.
    Returns:
        (status, number of rows of ``steps``).
    """
    c = np.empty(CONSTANT_COUNT)
    constants(p, host, c)
    kin = np.empty((5, 6))
    kinetics(p, kin)
    timp1 = host[0] != 0.0
    for kind in kinds:
        timp1 = timp1 or kind in (_VECTOR, _IMPLANT)
    if not timp1:
        kin[4, _ANTI_TIMP1] = 0.0  # nothing to neutralise: its doses do not act
    y = np.empty(_N)
    host_steady_state(p, host, c, y)
    s = new_forcing()
    u, du = np.empty(_U), np.empty(_U)
    f0, ft, stage, new, rhs = np.empty(_N), np.empty(_N), np.empty(_N), np.empty(_N), np.empty(_N)
    k = np.empty((8, _N))
    jac, lu = np.empty(NONZERO), np.empty(FILL)

    t, h, event, row, count = 0.0, FIRST_STEP, 0, 0, 0
    while True:
        acted = False
        while event < times.shape[0] and times[event] <= t:
            if effective(kinds[event], channels[event], amounts[event], kin):
                give(s, t, kinds[event], channels[event], amounts[event], kin, y)
                acted = True
            event += 1
        if acted:
            h = min(h, FIRST_STEP)
        inputs(s, t, p, kin, u, du)
        rates(y, u, p, host, c, f0)
        steps[count, 0], steps[count, 1], steps[count, 2] = t, y[_N - 1], f0[_N - 1]
        count += 1
        if t >= row * GRID:
            out[row, :] = y
            row += 1
        for m in range(marks.shape[0]):
            if t == marks[m]:
                at[m, :] = y
        if t >= end:
            return FINISHED, count
        stop = min(row * GRID, end)
        for mark in marks:
            if t < mark < stop:
                stop = mark
        ahead = event  # the next event that acts on this mouse
        while ahead < times.shape[0] and not effective(
            kinds[ahead], channels[ahead], amounts[ahead], kin
        ):
            ahead += 1
        if ahead < times.shape[0] and times[ahead] < stop:
            stop = times[ahead]

        jacobian(y, u, p, host, c, jac)
        rates_in_time(y, u, du, p, host, c, ft)
        while True:  # until a step is accepted
            if count > max_steps:
                return STEP_LIMIT, count
            dt, lands = h, False
            if t + 1.01 * h >= stop:
                dt, lands = stop - t, True
            factor(jac, 1.0 / (dt * GAMMA), lu)
            for i in range(8):
                if i == 0:
                    for m in range(_N):
                        k[0, m] = f0[m] + dt * _D[0] * ft[m]
                else:
                    for m in range(_N):
                        value, drift = y[m], 0.0
                        for j in range(i):
                            value += _A[i, j] * k[j, m]
                            drift += _C[i, j] * k[j, m]
                        stage[m], rhs[m] = value, drift / dt + dt * _D[i] * ft[m]
                    inputs(s, t + _TIME[i] * dt, p, kin, u, du)
                    rates(stage, u, p, host, c, k[i])
                    for m in range(_N):
                        k[i, m] += rhs[m]
                solve(lu, k[i])
            total = 0.0
            for m in range(_N):
                new[m] = stage[m] + k[7, m]
                weight = rtol * (_FLOOR[m] + max(abs(y[m]), abs(new[m])))
                total += (k[7, m] / weight) ** 2
            error = sqrt(total / _N)
            if not isfinite(error):
                h = dt * 0.1
                if h < 1e-12:
                    return NOT_FINITE, count
                continue
            scale = 5.0 if error < 1e-4 else min(5.0, max(0.2, 0.9 * error**-0.2))
            if error <= 1.0:
                break
            h = dt * scale
            if h < 1e-12:
                return NOT_FINITE, count
        # a step cut short by a landing says little about the step that would have been possible
        h = max(h, dt * scale) if lands else dt * scale
        t = stop if lands else t + dt
        y[:] = new
        advance(s, t, kin)
