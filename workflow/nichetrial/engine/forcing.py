"""What is done to a mouse, in closed form: drug levels, the vector, the primary tumour.

Drug kinetics are linear (first-order absorption, one compartment), so that doses superpose: the
level is ``constant + E - A``, where E and A decay with the rates of elimination and absorption and
jump at a dose. Nothing of it is integrated. Amplitudes are kept at the start of each step and
multiplied by their decay over it.

The slots of the workspace ``w`` (see py) that begin at ``FIRST_SLOT`` belong to this module.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nichetrial.engine.elementary import LN2, exp, log, power
from nichetrial.engine.jit import uncounted
from nichetrial.engine.kernels import INPUT_NAMES, PARAMETER_NAMES
from nichetrial.engine.lanes import (
    ACCEPTED,
    INPUT,
    INPUT_SLOPE,
    STATE,
    STEP,
    TAU,
    TIME,
    ease_in_state,
)
from nichetrial.engine.lanes import SLOTS as STEP_SLOTS
from nichetrial.engine.vector_width import wide

__all__ = [
    *("CHANNELS", "EVENT", "SLOTS", "acting", "effective", "end", "first_step", "give", "learn"),
    *("settle", "start", "within"),
]

CHANNELS = (
    "amd3100",
    "anti_sdf1",
    "anti_ly6g",
    "anti_ly6g_murinised",
    "anti_timp1",
    "mmp_inhibitor",
)
EVENT = {"bolus": 0, "pump": 1, "vector": 2, "cells": 3, "implant": 4, "resect": 5}
BOLUS, PUMP, VECTOR, CELLS, IMPLANT, RESECT = EVENT.values()
_AMD3100, _ANTI_SDF1, _RAT, _MURINISED, _ANTI_TIMP1, _MMP = range(len(CHANNELS))
VECTOR_ON, TUMOUR_ON = len(CHANNELS), len(CHANNELS) + 1
CELLS_PER_MM3 = 1e6
LONGEST_FIRST_STEP, RISE_IN_FIRST_STEP = 5e-3, 2.0

_P = {name: k for k, name in enumerate(PARAMETER_NAMES)}
_KIND = ("amd3100", *("antibody",) * 4, "mmp_inhibitor")
_BIOAVAILABILITY, _VOLUME, _HALF_LIFE, _ABSORPTION = (
    np.array([_P[f"{kind}_{what}"] for kind in _KIND])
    for what in ("bioavailability", "volume", "half_life", "absorption_half_life")
)
_HALF_EFFECT = np.array(
    [
        _P[f"{n}50"]
        for n in (
            "amd3100_ic",
            "anti_sdf1_ic",
            "anti_ly6g_ec",
            "anti_ly6g_ec",
            "anti_timp1_ic",
            "mmp_inhibitor_ic",
        )
    ]
)
_DEPTH = (_P["anti_ly6g_depth"], _P["anti_ly6g_murinised_depth"])
(
    _BLOOD,
    _REBOUND,
    _RISE,
    _GROWTH,
    _CAPACITY,
    _EXPONENT,
    _TIMP1_HALF_LIFE,
    _TIMP1_BASAL,
    _TISSUE,
    _KI,
    _PROTEASE_GROWTH,
) = (
    _P[name]
    for name in (
        "neutrophil_blood_half_life",
        "anti_ly6g_rebound",
        "vector_rise_half_time",
        "tumour_growth",
        "tumour_capacity",
        "shedding_exponent",
        "timp1_half_life",
        "timp1_basal",
        "timp1_tissue",
        "mmp_ki",
        "protease_growth",
    )
)
_CIRCULATING = 9  # the state that injected cells enter

E, A, CONSTANT, KE, KA, PER_HALF, E_END, A_END, FRACTION, SATURATION, RISE_ALLOWED = range(11)
_WIDTH, FIRST_SLOT = 11, STEP_SLOTS
_REST = FIRST_SLOT + _WIDTH * len(CHANNELS)
(
    FIRST_RAT,
    PER_REBOUND,
    KILL_RAT,
    KILL_RAT_SLOPE,
    PLATEAU,
    RISE,
    RISE_PLATEAU,
    TAIL,
    TAIL_END,
    CAPACITY,
    CAPACITY_POWER,
    RATIO,
    GROWTH,
    EXPONENT,
    SHRINK,
    SHRINK_END,
    TIMP1,
    LEADER,
    OPENING,
) = range(_REST, _REST + 19)
SLOTS = _REST + 19
_U = {name: INPUT + k for k, name in enumerate(INPUT_NAMES)}
_DU = {name: INPUT_SLOPE + k for k, name in enumerate(INPUT_NAMES)}
Kernel = Callable[..., None]


def _compiled(name: str) -> Callable[[Kernel], Kernel]:
    """``uncounted`` under a ``name`` of its own, for functions that are made in a function.

    Numba names machine code by a function's qualified name and a counter of the process. Under one
    qualified name, two processes that fill one cache give one symbol to two functions, and whoever
    reads that cache runs the wrong one (numba issues 5128 and 10486).
    """

    def decorate(function: Kernel) -> Kernel:
        function.__name__ = function.__qualname__ = name
        return uncounted(function)

    return decorate


def _channel(channel: int, name: str) -> tuple[Kernel, Kernel]:
    """Input of a drug whose level over its half-effect is what the equations want."""
    base = FIRST_SLOT + _WIDTH * channel
    u, du = _U[name], _DU[name]

    @_compiled(f"level_at_start_{CHANNELS[channel]}")
    def at_start(w, n):
        wide()
        for i in range(n):
            e, a = w[8 * (base + E) + i], w[8 * (base + A) + i]
            per = w[8 * (base + PER_HALF) + i]
            w[8 * u + i] = (w[8 * (base + CONSTANT) + i] + e - a) * per
            w[8 * du + i] = (w[8 * (base + KA) + i] * a - w[8 * (base + KE) + i] * e) * per

    @_compiled(f"level_in_step_{CHANNELS[channel]}")
    def in_step(w, n):
        wide()
        for i in range(n):
            tau = w[8 * TAU + i]
            e = w[8 * (base + E) + i] * exp(-w[8 * (base + KE) + i] * tau)
            a = w[8 * (base + A) + i] * exp(-w[8 * (base + KA) + i] * tau)
            w[8 * (base + E_END) + i], w[8 * (base + A_END) + i] = e, a
            w[8 * u + i] = (w[8 * (base + CONSTANT) + i] + e - a) * w[8 * (base + PER_HALF) + i]

    return at_start, in_step


_amd3100_start, _amd3100 = _channel(_AMD3100, "amd3100")
_anti_sdf1_start, _anti_sdf1 = _channel(_ANTI_SDF1, "anti_sdf1")
_anti_timp1_start, _anti_timp1 = _channel(_ANTI_TIMP1, "anti_timp1")
_mmp_start, _mmp = _channel(_MMP, "mmp_inhibitor")
_U_KILL, _U_VECTOR, _U_VOLUME, _U_SHEDDING = (
    _U[name] for name in ("neutrophil_kill", "vector", "tumour_volume", "shedding_volume")
)
_DU_KILL, _DU_VECTOR, _DU_VOLUME, _DU_SHEDDING = (
    _DU[name] for name in ("neutrophil_kill", "vector", "tumour_volume", "shedding_volume")
)


def _antibody(channel: int) -> tuple[Kernel, Kernel]:
    """Killing of neutrophils by an antibody, which saturates with its level.

    That of the rat wears off from its first dose on; the murinised one's is added to it.
    """
    base = FIRST_SLOT + _WIDTH * channel
    rat = channel == _RAT
    level_start, level_within = _channel(channel, "neutrophil_kill")

    @_compiled(f"kill_at_start_{CHANNELS[channel]}")
    def at_start(w, n):
        wide()
        level_start(w, n)
        for i in range(n):
            level, slope = w[8 * _U_KILL + i], w[8 * _DU_KILL + i]
            per = 1.0 / (1.0 + level)
            most = w[8 * (base + SATURATION) + i]
            kill, kill_slope = most * level * per, most * slope * per * per
            if rat:
                z = (w[8 * TIME + i] - w[8 * FIRST_RAT + i]) * w[8 * PER_REBOUND + i]
                left = 1.0 / (1.0 + z * z * z * z)
                loss = 4.0 * z * z * z * w[8 * PER_REBOUND + i] * left
                kill, kill_slope = kill * left, (kill_slope - kill * loss) * left
                w[8 * KILL_RAT + i], w[8 * KILL_RAT_SLOPE + i] = kill, kill_slope
            else:
                kill += w[8 * KILL_RAT + i]
                kill_slope += w[8 * KILL_RAT_SLOPE + i]
            w[8 * _U_KILL + i], w[8 * _DU_KILL + i] = kill, kill_slope

    @_compiled(f"kill_in_step_{CHANNELS[channel]}")
    def in_step(w, n):
        wide()
        level_within(w, n)
        for i in range(n):
            level = w[8 * _U_KILL + i]
            kill = w[8 * (base + SATURATION) + i] * level / (1.0 + level)
            if rat:
                day = w[8 * TIME + i] + w[8 * TAU + i]
                z = (day - w[8 * FIRST_RAT + i]) * w[8 * PER_REBOUND + i]
                kill = kill / (1.0 + z * z * z * z)
                w[8 * KILL_RAT + i] = kill
            else:
                kill += w[8 * KILL_RAT + i]
            w[8 * _U_KILL + i] = kill

    return at_start, in_step


_rat_start, _rat = _antibody(_RAT)
_murinised_start, _murinised = _antibody(_MURINISED)


@uncounted
def _vector_start(w, n):
    wide()
    for i in range(n):
        w[8 * _U_VECTOR + i] = w[8 * PLATEAU + i] * (1.0 - w[8 * TAIL + i])
        w[8 * _DU_VECTOR + i] = w[8 * RISE_PLATEAU + i] * w[8 * TAIL + i]


@uncounted
def _vector(w, n):
    wide()
    for i in range(n):
        tail = w[8 * TAIL + i] * exp(-w[8 * RISE + i] * w[8 * TAU + i])
        w[8 * TAIL_END + i] = tail
        w[8 * _U_VECTOR + i] = w[8 * PLATEAU + i] * (1.0 - tail)


@uncounted
def _tumour(w, n):
    """Gompertz growth: log(V / K) shrinks exponentially; K is 0 where there is no tumour."""
    wide()
    for i in range(n):
        shrink = w[8 * SHRINK + i] * exp(-w[8 * GROWTH + i] * w[8 * TAU + i])
        w[8 * SHRINK_END + i] = shrink
        logarithm = w[8 * RATIO + i] * shrink
        slope = -logarithm * w[8 * GROWTH + i]
        volume = w[8 * CAPACITY + i] * exp(logarithm)
        shedding = w[8 * CAPACITY_POWER + i] * exp(w[8 * EXPONENT + i] * logarithm)
        w[8 * _U_VOLUME + i] = volume
        w[8 * _DU_VOLUME + i] = volume * slope
        w[8 * _U_SHEDDING + i] = shedding
        w[8 * _DU_SHEDDING + i] = shedding * w[8 * EXPONENT + i] * slope


@uncounted
def start(w, on, n):
    """Inputs and their slopes at the start of a step.

    ``n`` is the number of lanes: a number unknown to the compiler, which would otherwise unroll
    these short loops instead of making vectors of them.
    """
    wide()
    for i in range(n):
        w[8 * TAU + i] = 0.0
    if on[_AMD3100]:
        _amd3100_start(w, n)
    if on[_ANTI_SDF1]:
        _anti_sdf1_start(w, n)
    if on[_RAT]:
        _rat_start(w, n)
    if on[_MURINISED]:
        _murinised_start(w, n)
    if on[_ANTI_TIMP1]:
        _anti_timp1_start(w, n)
    if on[_MMP]:
        _mmp_start(w, n)
    if on[VECTOR_ON]:
        _vector_start(w, n)
    if on[TUMOUR_ON]:
        _tumour(w, n)
        ease_in_state(w)


@uncounted
def within(w, on, n):
    """Inputs at TAU after the start of the step."""
    wide()
    if on[_AMD3100]:
        _amd3100(w, n)
    if on[_ANTI_SDF1]:
        _anti_sdf1(w, n)
    if on[_RAT]:
        _rat(w, n)
    if on[_MURINISED]:
        _murinised(w, n)
    if on[_ANTI_TIMP1]:
        _anti_timp1(w, n)
    if on[_MMP]:
        _mmp(w, n)
    if on[VECTOR_ON]:
        _vector(w, n)
    if on[TUMOUR_ON]:
        _tumour(w, n)


@uncounted
def end(w, on, n):
    """Amplitudes at the end of the step, in the lanes that accepted it."""
    wide()
    for j in range(len(CHANNELS)):
        if on[j]:
            base = 8 * (FIRST_SLOT + _WIDTH * j)
            for i in range(n):
                if w[8 * ACCEPTED + i] != 0.0:
                    w[base + 8 * E + i] = w[base + 8 * E_END + i]
                    w[base + 8 * A + i] = w[base + 8 * A_END + i]
    for i in range(n):
        if w[8 * ACCEPTED + i] != 0.0:
            w[8 * TAIL + i] = w[8 * TAIL_END + i]
            w[8 * SHRINK + i] = w[8 * SHRINK_END + i]


@uncounted
def acting(kinds, channels, on):
    """Which inputs this arm has at all, into ``on``: drugs, vector, tumour."""
    on[:] = False
    for kind, channel in zip(kinds, channels):  # noqa: B905 - Numba knows no strict
        if kind in (BOLUS, PUMP):
            on[channel] = True
        elif kind == VECTOR:
            on[VECTOR_ON] = True
        elif kind == IMPLANT:
            on[TUMOUR_ON] = True


@uncounted
def ease_of_growth(p, host):
    """Growth rate of a primary tumour in this host over that in the wild type: a power of free
    protease before any treatment, so that the volume keeps its closed form."""
    plasma, tissue = p[_TIMP1_BASAL], p[_TIMP1_BASAL] * p[_TISSUE]
    here = 1.0 + host[0] * (plasma + host[3] * tissue) / p[_KI]
    return power((1.0 + (plasma + tissue) / p[_KI]) / here, p[_PROTEASE_GROWTH])


@uncounted
def settle(w, i, p, host, timp1):
    """Put a mouse into lane ``i``, with nothing done to it; ``timp1``: does it ever have TIMP-1?"""
    for k in range(INPUT, INPUT + len(INPUT_NAMES) + 1):
        w[8 * k + i] = 0.0
    for k in range(INPUT_SLOPE, INPUT_SLOPE + len(INPUT_NAMES)):
        w[8 * k + i] = 0.0
    for j in range(len(CHANNELS)):
        base = FIRST_SLOT + _WIDTH * j
        for k in (E, A, CONSTANT, E_END, A_END):
            w[8 * (base + k) + i] = 0.0
        w[8 * (base + KE) + i] = LN2 / p[_HALF_LIFE[j]]
        w[8 * (base + KA) + i] = LN2 / p[_ABSORPTION[j]]
        w[8 * (base + PER_HALF) + i] = 1.0 / p[_HALF_EFFECT[j]]
        w[8 * (base + FRACTION) + i] = p[_BIOAVAILABILITY[j]] / p[_VOLUME[j]]
        w[8 * (base + SATURATION) + i] = 1.0
        w[8 * (base + RISE_ALLOWED) + i] = RISE_IN_FIRST_STEP
    k_blood = LN2 / p[_BLOOD]
    # in a steady state without feedback, killing at this rate leaves 1 - depth
    for j in range(2):
        depth = p[_DEPTH[j]]
        w[8 * (FIRST_SLOT + _WIDTH * (_RAT + j) + SATURATION) + i] = k_blood * depth / (1.0 - depth)
    if not timp1:  # nothing to neutralise: its doses do not act
        w[8 * (FIRST_SLOT + _WIDTH * _ANTI_TIMP1 + SATURATION) + i] = 0.0
    for k in range(_REST, SLOTS):
        w[8 * k + i] = 0.0
    w[8 * FIRST_RAT + i] = -1.0
    w[8 * PER_REBOUND + i] = 1.0 / p[_REBOUND]
    w[8 * RISE + i] = LN2 / p[_RISE]
    w[8 * GROWTH + i] = p[_GROWTH] * ease_of_growth(p, host)
    w[8 * EXPONENT + i] = p[_EXPONENT]
    w[8 * TIMP1 + i] = LN2 / p[_TIMP1_HALF_LIFE] * p[_TIMP1_BASAL]


@uncounted
def effective(w, i, kind, channel, amount):
    """Does this event act on this mouse? What does not must not touch the integration either."""
    if kind in (BOLUS, PUMP):
        base = FIRST_SLOT + _WIDTH * channel
        return amount * w[8 * (base + FRACTION) + i] * w[8 * (base + SATURATION) + i] != 0.0
    return kind == RESECT or amount != 0.0


@uncounted
def first_step(w, i):
    """Days after which a drug's effect begins to show in lane ``i``, which had an event just now.

    A level that rises with slope s has reached the half-effect after 1 / s; what follows has no
    other time scale than the time since the dose, and the error estimate would step over it.
    """
    step = LONGEST_FIRST_STEP
    w[8 * LEADER + i] = 0.0
    for j in range(len(CHANNELS)):
        base = FIRST_SLOT + _WIDTH * j
        e, a = w[8 * (base + E) + i], w[8 * (base + A) + i]
        slope = (w[8 * (base + KA) + i] * a - w[8 * (base + KE) + i] * e) * (
            w[8 * (base + PER_HALF) + i]
        )
        allowed = w[8 * (base + RISE_ALLOWED) + i]
        if slope * step > allowed:
            step = allowed / slope
            w[8 * LEADER + i] = j + 1.0
    w[8 * OPENING + i] = step
    return step


@uncounted
def learn(w, i):
    """After an accepted step of lane ``i``: if a dose began it, the mouse's next dose of this drug
    begins with a step as long as the error of this one has shown to be right."""
    if w[8 * LEADER + i] != 0.0:
        base = FIRST_SLOT + _WIDTH * (int(w[8 * LEADER + i]) - 1)
        w[8 * (base + RISE_ALLOWED) + i] *= w[8 * STEP + i] / w[8 * OPENING + i]
        w[8 * LEADER + i] = 0.0


@uncounted
def give(w, i, kind, channel, amount, p):
    """Apply one event to lane ``i``, now; injected cells go straight into the circulation."""
    if kind in (BOLUS, PUMP):
        base = FIRST_SLOT + _WIDTH * channel
        ke, ka = w[8 * (base + KE) + i], w[8 * (base + KA) + i]
        level = amount * w[8 * (base + FRACTION) + i]
        if kind == BOLUS:
            w[8 * (base + E) + i] += level * ka / (ka - ke)
            w[8 * (base + A) + i] += level * ka / (ka - ke)
        else:  # change of a constant rate into the depot, nmol/kg a day
            w[8 * (base + CONSTANT) + i] += level / ke
            w[8 * (base + E) + i] -= level * ka / ((ka - ke) * ke)
            w[8 * (base + A) + i] -= level / (ka - ke)
        if channel == _RAT and w[8 * FIRST_RAT + i] < 0.0:
            w[8 * FIRST_RAT + i] = w[8 * TIME + i]
    elif kind == VECTOR:
        w[8 * PLATEAU + i] = w[8 * TIMP1 + i] * amount
        w[8 * RISE_PLATEAU + i] = w[8 * PLATEAU + i] * w[8 * RISE + i]
        w[8 * TAIL + i] = 1.0
    elif kind == CELLS:
        w[8 * (STATE + _CIRCULATING) + i] += amount
    elif kind == IMPLANT:
        capacity = p[_CAPACITY]
        w[8 * CAPACITY + i] = capacity
        w[8 * CAPACITY_POWER + i] = power(capacity, p[_EXPONENT])
        w[8 * RATIO + i] = log(amount / CELLS_PER_MM3 / capacity)
        w[8 * SHRINK + i] = 1.0
    else:
        w[8 * CAPACITY + i] = 0.0
        w[8 * CAPACITY_POWER + i] = 0.0
