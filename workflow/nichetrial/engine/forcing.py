"""What is done to a mouse, in closed form: drug levels, the vector, the primary tumour.

Drug kinetics are linear (first-order absorption, one compartment), so that doses superpose: after
the last event the level is ``c0 + ce exp(-ke t) - ca exp(-ka t)``. Nothing of it is integrated.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
from numba import njit

from nichetrial.engine.kernels import INPUT_NAMES, PARAMETER_NAMES

__all__ = ["CHANNELS", "EVENT", "advance", "effective", "give", "inputs", "kinetics", "new_forcing"]

CHANNELS = (
    "amd3100",
    "anti_sdf1",
    "anti_ly6g",
    "anti_ly6g_murinised",
    "anti_timp1",
    "mmp_inhibitor",
)
EVENT = {"bolus": 0, "pump": 1, "vector": 2, "cells": 3, "implant": 4, "resect": 5}
_N = len(CHANNELS)
_P = {name: k for k, name in enumerate(PARAMETER_NAMES)}
if INPUT_NAMES != ("vector", "anti_timp1", "anti_sdf1", "amd3100", "neutrophil_kill",
                   "mmp_inhibitor", "tumour_volume", "shedding_volume"):  # fmt: skip
    raise ImportError("engine/forcing.py fills the inputs in another order than the equations")

# rows: bioavailability, volume, half-life, absorption half-life of each channel
_KINETICS = np.array([
    [_P[f"{k}_{what}"] for k in ("amd3100", *("antibody",) * 4, "mmp_inhibitor")]
    for what in ("bioavailability", "volume", "half_life", "absorption_half_life")
])  # fmt: skip
_IC50 = np.array([
    _P[f"{n}50"] for n in ("amd3100_ic", "anti_sdf1_ic", "anti_ly6g_ec", "anti_ly6g_ec",
                           "anti_timp1_ic", "mmp_inhibitor_ic")
])  # fmt: skip
_DEPTH_RAT, _DEPTH_MUR, _REBOUND = (
    _P["anti_ly6g_depth"], _P["anti_ly6g_murinised_depth"], _P["anti_ly6g_rebound"],
)  # fmt: skip
_BLOOD, _TIMP_HALF, _BASAL, _RISE = (
    _P["neutrophil_blood_half_life"], _P["timp1_half_life"], _P["timp1_basal"],
    _P["vector_rise_half_time"],
)  # fmt: skip
_GROWTH, _CAPACITY, _EXPONENT = (
    _P["tumour_growth"], _P["tumour_capacity"], _P["shedding_exponent"],
)  # fmt: skip
LN2 = log(2.0)
CELLS_PER_MM3 = 1e6
# state of the forcing: [0:N) c0, [N:2N) ce, [2N:3N) ca, then t0, first anti-Ly6G, vector fold - 1,
# vector onset, implanted volume (0: no tumour), day of implantation
T0, FIRST, FOLD, ONSET, IMPLANT, IMPLANTED = range(3 * _N, 3 * _N + 6)


@njit(cache=True, error_model="numpy")
def kinetics(p, kin):
    """Rows of ``kin`` (5, channels): ke, ka, F/V, IC50, effect at saturation."""
    for j in range(_N):
        kin[0, j] = LN2 / p[_KINETICS[2, j]]
        kin[1, j] = LN2 / p[_KINETICS[3, j]]
        kin[2, j] = p[_KINETICS[0, j]] / p[_KINETICS[1, j]]
        kin[3, j] = p[_IC50[j]]
        kin[4, j] = 1.0
    k_blood = LN2 / p[_BLOOD]
    # in a steady state without feedback, killing at this rate leaves 1 - depth
    kin[4, 2] = k_blood * p[_DEPTH_RAT] / (1.0 - p[_DEPTH_RAT])
    kin[4, 3] = k_blood * p[_DEPTH_MUR] / (1.0 - p[_DEPTH_MUR])


@njit(cache=True)
def new_forcing():
    """A mouse to which nothing has been done."""
    s = np.zeros(IMPLANTED + 1)
    s[FIRST] = -1.0
    return s


@njit(cache=True)
def effective(kind, channel, amount, kin):
    """Does this event act on this mouse? What does not must not touch the integration either."""
    if kind <= 1:
        return amount * kin[2, channel] * kin[4, channel] != 0.0
    return kind == 5 or amount != 0.0


@njit(cache=True, error_model="numpy")
def advance(s, t, kin):
    """Move the reference time of the superposed levels to ``t``."""
    dt = t - s[T0]
    for j in range(_N):
        if s[_N + j] != 0.0:
            s[_N + j] *= exp(-kin[0, j] * dt)
        if s[2 * _N + j] != 0.0:
            s[2 * _N + j] *= exp(-kin[1, j] * dt)
    s[T0] = t


@njit(cache=True, error_model="numpy")
def give(s, t, kind, channel, amount, kin, y):
    """Apply one event; injected cells go straight into the circulation (state 9)."""
    advance(s, t, kin)
    if kind == 0 or kind == 1:
        ke, ka = kin[0, channel], kin[1, channel]
        level = amount * kin[2, channel]
        if kind == 0:
            s[_N + channel] += level * ka / (ka - ke)
            s[2 * _N + channel] += level * ka / (ka - ke)
        else:  # change of a constant rate into the depot, nmol/kg a day
            s[channel] += level / ke
            s[_N + channel] -= level * ka / ((ka - ke) * ke)
            s[2 * _N + channel] -= level / (ka - ke)
        if channel == 2 and s[FIRST] < 0.0:
            s[FIRST] = t
    elif kind == 2:
        s[FOLD], s[ONSET] = amount, t
    elif kind == 3:
        y[9] += amount
    elif kind == 4:
        s[IMPLANT], s[IMPLANTED] = amount / CELLS_PER_MM3, t
    else:
        s[IMPLANT] = 0.0


@njit(cache=True, error_model="numpy")
def inputs(s, t, p, kin, u, du):
    """Inputs ``u`` of the equations at time ``t`` and their derivatives ``du`` (both (8,))."""
    for k in range(8):
        u[k], du[k] = 0.0, 0.0
    dt = t - s[T0]
    for j in range(_N):
        if s[j] == 0.0 and s[_N + j] == 0.0 and s[2 * _N + j] == 0.0:
            continue
        e = s[_N + j] * exp(-kin[0, j] * dt)
        a = s[2 * _N + j] * exp(-kin[1, j] * dt)
        level = (s[j] + e - a) / kin[3, j]
        slope = (kin[1, j] * a - kin[0, j] * e) / kin[3, j]
        if j == 0:
            u[3], du[3] = level, slope
        elif j == 1:
            u[2], du[2] = level, slope
        elif j == 4:
            u[1], du[1] = level, slope
        elif j == 5:
            u[5], du[5] = level, slope
        else:
            kill = kin[4, j] * level / (1.0 + level)
            dkill = kin[4, j] * slope / ((1.0 + level) * (1.0 + level))
            if j == 2:  # rat 1A8 wears off from its first dose on
                z = (t - s[FIRST]) / p[_REBOUND]
                left = 1.0 / (1.0 + z * z * z * z)
                dleft = -4.0 * z * z * z / p[_REBOUND] * left * left
                kill, dkill = kill * left, dkill * left + kill * dleft
            u[4] += kill
            du[4] += dkill
    if s[FOLD] != 0.0:
        k_rise = LN2 / p[_RISE]
        plateau = LN2 / p[_TIMP_HALF] * p[_BASAL] * s[FOLD]
        tail = exp(-k_rise * (t - s[ONSET]))
        u[0], du[0] = plateau * (1.0 - tail), plateau * k_rise * tail
    if s[IMPLANT] > 0.0:
        shrink = exp(-p[_GROWTH] * (t - s[IMPLANTED]))
        ratio = log(s[IMPLANT] / p[_CAPACITY])
        u[6] = p[_CAPACITY] * exp(ratio * shrink)
        du[6] = -u[6] * ratio * shrink * p[_GROWTH]
        u[7] = u[6] ** p[_EXPONENT]
        du[7] = p[_EXPONENT] * u[7] / u[6] * du[6]
