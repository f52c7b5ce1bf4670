"""The engine against libRoadRunner (CVODE) on the exported SBML: another integrator, another form.

There the drugs, the vector and the tumour are differential equations and doses are events. Each
arm is compiled once; a mouse is its parameters, set from outside. Both run tight enough for their
errors to stay well below what is asked for.
"""

from __future__ import annotations

import numpy as np
import pytest

from nichetrial.engine.ensemble import GRID, run
from nichetrial.export.sbml import document
from nichetrial.export.system import initial_states
from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Arm, Host, Vector
from nichetrial.trial.events import events, reading
from tests.support.mice import ARMS, AT_ONCE, SEED, arm, cohort

roadrunner = pytest.importorskip("roadrunner")  # has no wheels for ARM

MICE, END = 50, 40.0
AGREE = 1e-6
"""Largest difference, relative to the state or to its floor."""
FLOOR = {"nM": 1e-3, "fold": 1e-3, "1": 1e-3, "cells": 1.0}
"""Below this a state does not matter; of founders, which are an expectation, a thousandth does."""
STATES = [s.name for s in eq.STATES]
FLOORS = np.array([1e-3 if s.name == "founders" else FLOOR[s.unit] for s in eq.STATES])
OUR_RTOL, THEIR_RTOL, THEIR_ATOL = 1e-9, 1e-11, 1e-13
P = cohort(MICE)[list(PARAMETERS)].to_numpy(dtype=np.float64)


def ours(a: Arm) -> np.ndarray:
    """(mice, times, states)"""
    host = a.host.genes
    got = run(
        P, host, events(a), reading(a), seed=SEED, mice=np.arange(MICE), keep=MICE, rtol=OUR_RTOL
    )
    return got.courses[:, : round(END / GRID) + 1]


def theirs(a: Arm) -> np.ndarray:
    """(mice, times, states)"""
    rr = roadrunner.RoadRunner(document(a, P[0], name=a.name))
    rr.timeCourseSelections = STATES
    rr.integrator.relative_tolerance = THEIR_RTOL
    # a list: one number would be scaled anew at every event by states that may be next to nothing
    rr.integrator.absolute_tolerance = [THEIR_ATOL] * len(rr.getRateRuleIds())
    rr.integrator.maximum_num_steps = 100_000
    given = {}
    if a.host != Host():  # their steady state has no closed form, so the file has it as numbers
        given = dict(zip(STATES, initial_states(a, P).T, strict=True))
    given |= dict(zip(PARAMETERS, P.T, strict=True))
    courses = []
    for k in range(MICE):
        for name, values in given.items():
            rr.model[f"init({name})"] = values[k]
        rr.resetAll()  # computes what follows from the parameters
        courses.append(np.array(rr.simulate(0, END, round(END / GRID) + 1)))
    return np.array(courses)


@pytest.mark.slow
@pytest.mark.parametrize("a", [*ARMS.values(), AT_ONCE], ids=lambda a: a.name)
def test_engine_against_libroadrunner(a):
    # a read-out at the end keeps the engine's rows at quarter days all the way
    readout = a.readout.model_copy(update={"day": END, "end": END})
    a = a.model_copy(update={"readout": readout})
    one, other = ours(a), theirs(a)
    days = np.arange(one.shape[1]) * GRID
    # at an event itself, before or after it is a matter of taste
    plain = ~np.isin(days, events(a).times)
    assert plain.sum() > 50
    assert np.isfinite(one).all()
    apart = (np.abs(one - other) / np.maximum(np.abs(one), FLOORS))[:, plain]
    worst = apart.max(axis=(0, 1))
    assert worst.max() < AGREE, dict(zip(STATES, worst.tolist(), strict=True))
    # what was compared is no mouse left alone
    assert (other[:, -1, STATES.index("founders")] > 0).all()


@pytest.mark.parametrize("onset", [0.0, 5.0, 11.0, 13.0])
def test_a_second_simulation_begins_anew_after_resetall_alone(onset):
    """As docs/export.md says: ``reset`` keeps what an event has changed."""
    given = arm(name="late", vector=Vector(fold=10, onset=onset))
    rr = roadrunner.RoadRunner(document(given, P[0], name=given.name))
    rr.integrator.absolute_tolerance = [1e-9] * len(rr.getRateRuleIds())
    first = np.array(rr.simulate(0, END, 41))
    rr.resetAll()
    assert np.array_equal(first, rr.simulate(0, END, 41))
    rr.reset()
    assert np.array_equal(first, rr.simulate(0, END, 41)) == (onset == 0)
