"""What is done to a mouse, in closed form and for one mouse at a time: for the peers.

The engine's own version (engine/forcing.py) works on eight mice and knows derivatives; this one is
the plain formula that an expert would give to another solver. Not for primary tumours.
"""

from __future__ import annotations

from math import exp, log

import numpy as np
from numba import njit

from nichetrial.engine.forcing import CHANNELS, EVENT
from nichetrial.engine.kernels import INPUT_NAMES, PARAMETER_NAMES

__all__ = ["FIRST", "KINETICS", "LENGTH", "effective", "give", "inputs", "kinetics", "untouched"]

N = len(CHANNELS)
RAT, MURINISED = CHANNELS.index("anti_ly6g"), CHANNELS.index("anti_ly6g_murinised")
BOLUS, PUMP, VECTOR, CELLS = (EVENT[k] for k in ("bolus", "pump", "vector", "cells"))
LN2 = log(2.0)
CIRCULATING = 9
_P = {name: k for k, name in enumerate(PARAMETER_NAMES)}
_KIND = ["antibody" if name.startswith("anti_") else name for name in CHANNELS]
_SHARE, _VOLUME, _OUT, _IN = (
    np.array([_P[f"{kind}_{what}"] for kind in _KIND])
    for what in ("bioavailability", "volume", "half_life", "absorption_half_life")
)
_HALF = np.array([_P["anti_ly6g_ec50" if "ly6g" in name else f"{name}_ic50"] for name in CHANNELS])
_INPUT = np.array(
    [INPUT_NAMES.index("neutrophil_kill" if "ly6g" in name else name) for name in CHANNELS]
)
_U_VECTOR = INPUT_NAMES.index("vector")
_BLOOD, _RAT_DEPTH, _MURINISED_DEPTH, _REBOUND, _RISE, _TIMP1_OUT, _TIMP1_BASAL = (
    _P[name]
    for name in (
        "neutrophil_blood_half_life",
        "anti_ly6g_depth",
        "anti_ly6g_murinised_depth",
        "anti_ly6g_rebound",
        "vector_rise_half_time",
        "timp1_half_life",
        "timp1_basal",
    )
)

KINETICS = 5 * N
"""Length of ``kin``: out, in, share over volume, half-effect and largest effect of each channel."""
T0, FIRST, PLATEAU, ONSET = range(3 * N, 3 * N + 4)
LENGTH = 3 * N + 4
"""Length of ``s``: constant, slow and fast part of each channel's level at T0, then these."""


@njit(error_model="numpy")
def kinetics(p, kin):
    """Constants ``kin`` of the channels in a mouse."""
    for j in range(N):
        kin[j], kin[N + j] = LN2 / p[_OUT[j]], LN2 / p[_IN[j]]
        kin[2 * N + j], kin[3 * N + j] = p[_SHARE[j]] / p[_VOLUME[j]], p[_HALF[j]]
        kin[4 * N + j] = 1.0
    blood = LN2 / p[_BLOOD]
    kin[4 * N + RAT] = blood * p[_RAT_DEPTH] / (1.0 - p[_RAT_DEPTH])
    kin[4 * N + MURINISED] = blood * p[_MURINISED_DEPTH] / (1.0 - p[_MURINISED_DEPTH])


@njit(error_model="numpy")
def untouched(s):
    """A mouse to which nothing has been done."""
    s[:] = 0.0
    s[FIRST] = -1.0


@njit(error_model="numpy")
def effective(kind, channel, amount, kin):
    """Does this event act on this mouse?"""
    if kind in (BOLUS, PUMP):
        return amount * kin[2 * N + channel] * kin[4 * N + channel] != 0.0
    return amount != 0.0


@njit(error_model="numpy")
def give(s, t, kind, channel, amount, p, kin, y):
    """Apply one event to the levels ``s`` and the states ``y``."""
    for j in range(N):
        s[N + j] *= exp(-kin[j] * (t - s[T0]))
        s[2 * N + j] *= exp(-kin[N + j] * (t - s[T0]))
    s[T0] = t
    if kind == VECTOR:
        s[PLATEAU], s[ONSET] = LN2 / p[_TIMP1_OUT] * p[_TIMP1_BASAL] * amount, t
    elif kind == CELLS:
        y[CIRCULATING] += amount
    else:
        out, into = kin[channel], kin[N + channel]
        level = amount * kin[2 * N + channel]
        if kind == BOLUS:
            s[N + channel] += level * into / (into - out)
            s[2 * N + channel] += level * into / (into - out)
        else:  # change of a constant rate into the depot
            s[channel] += level / out
            s[N + channel] -= level * into / ((into - out) * out)
            s[2 * N + channel] -= level / (into - out)
        if channel == RAT and s[FIRST] < 0.0:
            s[FIRST] = t


@njit(error_model="numpy")
def inputs(s, t, p, kin, u):
    """Inputs ``u`` of the equations at time ``t``."""
    u[:] = 0.0
    dt = t - s[T0]
    for j in range(N):
        if s[j] == 0.0 and s[N + j] == 0.0 and s[2 * N + j] == 0.0:
            continue
        slow, fast = s[N + j] * exp(-kin[j] * dt), s[2 * N + j] * exp(-kin[N + j] * dt)
        level = (s[j] + slow - fast) / kin[3 * N + j]
        if j in (RAT, MURINISED):
            level = kin[4 * N + j] * level / (1.0 + level)
        if j == RAT:  # wears off from its first dose on
            z = (t - s[FIRST]) / p[_REBOUND]
            level /= 1.0 + (z * z) * (z * z)
        u[_INPUT[j]] += level
    if s[PLATEAU] != 0.0:
        u[_U_VECTOR] = s[PLATEAU] * (1.0 - exp(-LN2 / p[_RISE] * (t - s[ONSET])))
