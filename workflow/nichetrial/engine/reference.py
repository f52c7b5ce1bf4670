"""The same model in plain NumPy, to be read next to the engine and to test it against.

None of the engine's means: no Numba, no generated code, no lanes, no Jacobian. SymPy turns the
equations into NumPy functions, drug levels are sums over all doses so far, and the explicit
method of Dormand and Prince goes from each event to the next, with one step for all mice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nichetrial.engine.ensemble import Events
from nichetrial.engine.forcing import CHANNELS, EVENT
from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS

__all__ = ["HALF_EFFECT", "basal", "courses", "inputs", "rates"]

Floats = NDArray[np.float64]
HALF_EFFECT = (
    "amd3100_ic50",
    "anti_sdf1_ic50",
    "anti_ly6g_ec50",
    "anti_ly6g_ec50",
    "anti_timp1_ic50",
    "mmp_inhibitor_ic50",
)
_C = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
_A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_E = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_CELLS = [s.name for s in eq.STATES].index("circulating")


@cache
def _compiled(what: str) -> Callable[..., Any]:
    """``rates`` or ``basal`` as a function of (parameters, host[, states, inputs])."""
    given = [[eq.parameter(n) for n in PARAMETERS], list(eq.HOST)]
    if what == "basal":
        wanted = [eq.BASAL[s.symbol] for s in eq.STATES]
    else:
        given += [[s.symbol for s in eq.STATES], [u.symbol for u in eq.INPUTS]]
        wanted = [eq.RATES[s.symbol] for s in eq.STATES]
    written_out = [e.subs(eq.CONSTANTS) for e in wanted]
    return sp.lambdify(given, written_out, modules="numpy", cse=True)


def rates(p: Floats, host: Floats, y: Floats, u: Floats) -> Floats:
    """Rates of change per day, (states, mice).

    Args:
        p, y, u: (parameters, mice), (states, mice) and (inputs, mice).
        host: expression of Timp1, Cd63, Mmp9, and of Timp1 in tissues alone.
    """
    return np.array(np.broadcast_arrays(*_compiled("rates")(p, host, y, u)))


def basal(p: Floats) -> Floats:
    """Steady state of the untreated wild type, (states, mice)."""
    values = _compiled("basal")(p, np.ones(len(eq.HOST)))
    return np.array([np.broadcast_to(v, p.shape[1]) for v in values], dtype=np.float64)


def inputs(t: float, past: Events, p: Floats, host: Floats) -> Floats:
    """The inputs on day ``t`` of mice to whom ``past`` has happened, (inputs, mice)."""
    of = dict(zip(PARAMETERS, p, strict=True))
    level = dict.fromkeys(CHANNELS, np.zeros(p.shape[1]))
    u = {q.name: np.zeros(p.shape[1]) for q in eq.INPUTS}
    first_rat = np.inf
    for day, kind, channel, amount in zip(*_columns(past), strict=True):
        since, drug = t - day, CHANNELS[channel]
        if kind in (EVENT["bolus"], EVENT["pump"]):
            group = drug if drug in ("amd3100", "mmp_inhibitor") else "antibody"
            ke = np.log(2) / of[f"{group}_half_life"]
            ka = np.log(2) / of[f"{group}_absorption_half_life"]
            scale = amount * of[f"{group}_bioavailability"] / of[f"{group}_volume"]
            left, unabsorbed = np.exp(-ke * since), np.exp(-ka * since)
            if kind == EVENT["bolus"]:
                added = scale * ka / (ka - ke) * (left - unabsorbed)
            else:  # a rate: the integral of a bolus over the time since
                added = scale * ka / (ka - ke) * ((1 - left) / ke - (1 - unabsorbed) / ka)
            level[drug] = level[drug] + added
            if drug == "anti_ly6g":
                first_rat = min(first_rat, day)
        elif kind == EVENT["vector"]:
            plateau = amount * of["timp1_basal"] * np.log(2) / of["timp1_half_life"]
            u["vector"] = plateau * (1 - 0.5 ** (since / of["vector_rise_half_time"]))
        elif kind == EVENT["implant"]:
            full = of["tumour_capacity"]
            own = 1 + of["timp1_basal"] * (1 + of["timp1_tissue"]) / of["mmp_ki"]
            here = (
                1 + host[0] * of["timp1_basal"] * (1 + host[3] * of["timp1_tissue"]) / of["mmp_ki"]
            )
            growth = of["tumour_growth"] * (own / here) ** of["protease_growth"]
            volume = full * (amount / 1e6 / full) ** np.exp(-growth * since)
            u["tumour_volume"], u["shedding_volume"] = volume, volume ** of["shedding_exponent"]
        elif kind == EVENT["resect"]:
            u["tumour_volume"], u["shedding_volume"] = (np.zeros(p.shape[1]) for _ in range(2))
    effect = {d: level[d] / of[h] for d, h in zip(CHANNELS, HALF_EFFECT, strict=True)}
    for drug in ("amd3100", "anti_sdf1", "anti_timp1", "mmp_inhibitor"):
        u[drug] = effect[drug]
    for drug in ("anti_ly6g", "anti_ly6g_murinised"):
        depth, x = of[f"{drug}_depth"], effect[drug]
        most = np.log(2) / of["neutrophil_blood_half_life"] * depth / (1 - depth)
        kill = most * x / (1 + x)
        if drug == "anti_ly6g":  # wears off from the first dose on
            kill = kill / (1 + (max(0.0, t - first_rat) / of["anti_ly6g_rebound"]) ** 4)
        u["neutrophil_kill"] = u["neutrophil_kill"] + kill
    return np.array([u[q.name] for q in eq.INPUTS])


def courses(
    p: Floats, host: Floats, events: Events, days: Iterable[float], y: Floats, *, rtol: float
) -> Floats:
    """States on ``days`` from ``y`` on day 0, (days, states, mice), after that day's events."""
    wanted = sorted(set(days))
    stops = sorted({0.0, *wanted, *(d for d in events.times if d < wanted[-1])})
    y, out = y.copy(), []
    for begin, finish in pairwise([*stops, stops[-1]]):
        now = events.times == begin
        y[_CELLS] += events.amounts[now & (events.kinds == EVENT["cells"])].sum()
        if begin in wanted:
            out.append(y.copy())
        past = Events(*(column[events.times <= begin] for column in _columns(events)))

        def f(t: float, y: Floats, past: Events = past) -> Floats:
            return rates(p, host, y, inputs(t, past, p, host))

        y = _dormand_prince(f, begin, finish, y, rtol)
    return np.array(out)


def _dormand_prince(
    f: Callable[[float, Floats], Floats], t: float, finish: float, y: Floats, rtol: float
) -> Floats:
    """Dormand and Prince's pair of orders 5 and 4, from a first step that misses no transient."""
    h, size = 1e-6, len(y)
    floor = np.array([1e-3 if s.unit != "cells" else 1.0 for s in eq.STATES])[:, None]
    while t < finish:
        h = min(h, finish - t)
        k = np.empty((7, size, y.shape[1]))
        for i, (c, row) in enumerate(zip(_C, _A, strict=True)):
            k[i] = f(t + c * h, y + h * np.tensordot(row, k[:i], 1))
        new = y + h * np.tensordot(_A[-1], k[:-1], 1)  # the last stage's place is the new state
        scale = rtol * (floor + np.maximum(np.abs(y), np.abs(new)))
        error = np.max(np.abs(h * np.tensordot(_E, k, 1)) / scale)
        if error <= 1:
            t, y = (finish if h == finish - t else t + h), new
        h *= float(np.clip(0.9 * max(error, 1e-9) ** -0.2, 0.2, 5))
    return y


def _columns(events: Events) -> tuple[NDArray[Any], ...]:
    return events.times, events.kinds, events.channels, events.amounts
