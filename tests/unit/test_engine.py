"""Integration: a second program, closed forms, conservation, and who may influence whom."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nichetrial import engine
from nichetrial.engine import forcing
from nichetrial.engine.ensemble import Ensemble, run
from nichetrial.engine.kernels import PARAMETER_NAMES, STATE_NAMES
from nichetrial.engine.outcome import Outcome
from nichetrial.engine.rodas import GRID
from nichetrial.model import equations as eq
from nichetrial.trial.events import events, reading
from tests.mice import ARMS, SEED, arm, cohort, row, treatment

MICE = cohort(12)
P = MICE[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)
AT = {name: k for k, name in enumerate(STATE_NAMES)}


def integrate(a, mice=slice(None), **options) -> Ensemble:
    numbers = MICE["mouse"].to_numpy()[mice]
    return run(
        P[mice],
        (a.host.timp1, a.host.cd63, a.host.mmp9),
        events(a),
        reading(a),
        seed=SEED,
        mice=numbers,
        keep=len(numbers),
        **options,
    )


def test_drug_levels_superpose_the_closed_form_of_one_dose():
    """Bolus doses against the Bateman function, a pump against its own differential equation."""
    p, kin = row(MICE, 0), np.empty((5, 6))
    forcing.kinetics(p, kin)
    ke, ka, scale, ic50, _ = kin[:, 0]
    u, du, y = np.empty(8), np.empty(8), np.zeros(13)
    s = forcing.new_forcing()
    for t in (0.0, 0.5, 1.0):
        forcing.give(s, t, forcing.EVENT["bolus"], 0, 100.0, kin, y)
    t = 1.3

    def level(t):
        return sum(
            100 * scale * ka / (ka - ke) * (np.exp(-ke * (t - d)) - np.exp(-ka * (t - d)))
            for d in (0.0, 0.5, 1.0)
        )

    forcing.inputs(s, t, p, kin, u, du)
    assert u[3] * ic50 == pytest.approx(level(t), rel=1e-12)
    assert du[3] * ic50 == pytest.approx((level(t + 1e-6) - level(t - 1e-6)) / 2e-6, rel=1e-6)

    s = forcing.new_forcing()
    forcing.give(s, 0.0, forcing.EVENT["pump"], 0, 100.0, kin, y)
    forcing.give(s, 2.0, forcing.EVENT["pump"], 0, -100.0, kin, y)
    forcing.inputs(s, 2.1, p, kin, u, du)
    depot_plasma = solve_ivp(
        lambda t, x: [100.0 * (t < 2) - ka * x[0], scale * ka * x[0] - ke * x[1]],
        (0, 2.1), [0, 0], rtol=1e-10, atol=1e-12, max_step=0.01,
    )  # fmt: skip
    assert u[3] * ic50 == pytest.approx(depot_plasma.y[1, -1], rel=1e-4)


@pytest.mark.parametrize("name", ARMS)
def test_states_against_scipy_with_drugs_integrated(name):
    """Another integrator, another form of the equations, and drug depots as states of their own."""
    a = ARMS[name]
    symbols = [s.symbol for s in eq.STATES], [q.symbol for q in eq.INPUTS]
    ours = integrate(a, slice(0, 3))
    assert (ours.status == Outcome.FINISHED).all()
    channel = {"amd3100": 3, "anti_sdf1": 2, "anti_timp1": 1, "mmp_inhibitor": 5}
    for k in range(3):
        values = dict(zip(PARAMETER_NAMES, P[k], strict=True))
        host = dict(zip(eq.HOST, (a.host.timp1, a.host.cd63, a.host.mmp9), strict=True))
        known = {eq.parameter(n): v for n, v in values.items()} | host
        known |= {s: float(sp.N(e.subs(known))) for s, e in eq.CONSTANTS.items()}
        f = sp.lambdify(symbols, [e.subs(known) for e in eq.RATES.values()], "numpy")
        kin = np.empty((5, 6))
        forcing.kinetics(P[k], kin)
        ln2 = np.log(2)
        first = min((t.start for t in a.treatments if t.drug == "anti_ly6g"), default=0.0)

        def inputs(t, plasma, kin=kin, values=values, first=first, ln2=ln2):
            u = np.zeros(8)
            level = plasma / kin[3]
            for j, name in enumerate(forcing.CHANNELS):
                if name in channel:
                    u[channel[name]] = level[j]
            left = 1 / (1 + ((t - first) / values["anti_ly6g_rebound"]) ** 4)
            u[4] = kin[4, 2] * level[2] / (1 + level[2]) * left
            u[4] += kin[4, 3] * level[3] / (1 + level[3])
            if a.vector is not None:
                rise = 1 - np.exp(-ln2 * (t - a.vector.onset) / values["vector_rise_half_time"])
                rate = ln2 / values["timp1_half_life"] * values["timp1_basal"]
                u[0] = rate * (a.vector.fold - 1) * rise
            c = a.challenge
            if c.route == "primary" and c.day <= t < (c.resection or np.inf):
                start, full = c.cells / 1e6, values["tumour_capacity"]
                grown = np.exp(-values["tumour_growth"] * (t - c.day))
                u[6] = full * np.exp(np.log(start / full) * grown)
                u[7] = u[6] ** values["shedding_exponent"]
            return u

        def rhs(t, z, rate, f=f, kin=kin, inputs=inputs):
            depot, plasma, y = z[:6], z[6:12], z[12:]
            dy = f(y, inputs(t, plasma))
            absorbed = kin[1] * depot
            return np.concatenate([rate - absorbed, kin[2] * absorbed - kin[0] * plasma, dy])

        changes: list[tuple[float, int, float, str]] = []
        for treat in a.treatments:
            j = forcing.CHANNELS.index(treat.drug)
            if treat.method == "pump":
                changes += [(treat.start, j, treat.amount / treat.every, "rate"),
                            (treat.until, j, -treat.amount / treat.every, "rate")]  # fmt: skip
            else:
                changes += [(d, j, treat.amount, "depot") for d in treat.doses()]
        if a.challenge.route == "intravenous":
            changes.append((a.challenge.day, 12 + AT["circulating"], a.challenge.cells, "cells"))
        else:
            changes += [(d, 0, 0.0, "rate") for d in (a.challenge.day, a.challenge.resection)]
        z = np.concatenate([np.zeros(12), ours.courses[k, 0]])
        if a.challenge.day == 0 and a.challenge.route == "intravenous":
            z[12 + AT["circulating"]] = 0
        rate, days = np.zeros(6), sorted({0.0, 14.0, *(c[0] for c in changes if c[0] < 14)})
        for low, high in pairwise(days):
            for day, j, amount, kind in changes:
                if day == low:
                    if kind == "rate":
                        rate[j] += amount
                    else:
                        z[j] += amount
            z = solve_ivp(rhs, (low, high), z, args=(rate,), method="LSODA", rtol=1e-9,
                          atol=1e-10).y[:, -1]  # fmt: skip
        theirs, here = z[12:], ours.courses[k, round(14.0 / GRID)]
        np.testing.assert_allclose(here, theirs, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", ARMS)
def test_states_stay_positive(name):
    courses = integrate(ARMS[name]).courses[:, :-1]
    assert np.isfinite(courses).all()
    assert courses.min() > -1e-6


def test_every_tumour_cell_is_accounted_for():
    """Injected = circulating + arrested + dormant + founders + dead, the last from rates and D."""
    a = ARMS["anti_ly6g"]
    days = np.arange(int(a.readout.end / GRID) + 1) * GRID
    course = integrate(a).courses[:, : len(days)]
    late = days >= a.challenge.day
    for k in range(len(P)):
        values = dict(zip(PARAMETER_NAMES, P[k], strict=True))
        c, arrested, d, founders = (
            course[k, :, AT[s]] for s in ("circulating", "arrested", "dormant", "founders")
        )
        # the arrested state feeds dormancy at k_D: its time integral is D / k_D, free of quadrature
        k_total = np.log(2) / values["arrested_half_life"]
        k_dormant = k_total * values["dormancy_probability"]
        k_dies = k_total * (1 - values["founding_probability"] - values["dormancy_probability"])
        gone = a.challenge.cells - c
        died = (1 - values["arrest_probability"]) * gone + k_dies * d / k_dormant
        total = c + arrested + d + founders + died
        np.testing.assert_allclose(total[late], a.challenge.cells, rtol=1e-5)


def test_a_mouse_alone_equals_the_mouse_among_others():
    together = integrate(ARMS["amd3100"])
    for k in (0, 5, 11):
        alone = integrate(ARMS["amd3100"], slice(k, k + 1))
        assert alone.numbers[0].tobytes() == together.numbers[k].tobytes()
        assert alone.courses[0].tobytes() == together.courses[k].tobytes()


def test_arms_are_identical_until_they_differ():
    reference = integrate(ARMS["timp1_high"]).courses
    for start in (2.0, 5.25, 6.1):
        late = integrate(arm(treatment("anti_ly6g", 10, start=start))).courses
        same = np.arange(reference.shape[1]) * GRID <= start
        assert late[:, same].tobytes() == reference[:, same].tobytes()
        assert (late[:, ~same][:, 8, AT["blood_neutrophils"]]
                < reference[:, ~same][:, 8, AT["blood_neutrophils"]]).all()  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    start=st.floats(0, 10).map(lambda x: round(x, 3)),
    every=st.floats(0.1, 4).map(lambda x: round(x, 3)),
    how=st.sampled_from(["dose", "bioavailability", "depth", "target"]),
)
def test_a_treatment_without_effect_gives_exactly_zero_difference(start, every, how):
    """Nothing given, nothing absorbed, or a target that is not hit, on any schedule."""
    p = P[:3].copy()
    schedule = {"start": start, "every": every}
    if how == "dose":
        a = arm(treatment("amd3100", 0, **schedule))
    elif how == "bioavailability":
        p[:, PARAMETER_NAMES.index("antibody_bioavailability")] = 0.0
        a = arm(treatment("anti_sdf1", 5, **schedule))
    elif how == "depth":
        p[:, PARAMETER_NAMES.index("anti_ly6g_depth")] = 0.0
        a = arm(treatment("anti_ly6g", 5, **schedule))
    else:
        a = arm(treatment("anti_timp1", 5, **schedule), vector=None)
    host = (0.0 if how == "target" else 1.0, 1.0, 1.0)
    reference = ARMS["untreated" if how == "target" else "timp1_high"]
    both = [
        run(p, host, events(x), reading(x), seed=SEED, mice=np.arange(3), keep=3)
        for x in (a, reference)
    ]
    assert both[0].numbers.tobytes() == both[1].numbers.tobytes()
    assert both[0].courses.tobytes() == both[1].courses.tobytes()
    assert (both[0].steps == both[1].steps).all()


def test_tighter_tolerance_converges():
    exact = integrate(ARMS["amd3100"], rtol=1e-11).courses[:, :160, :9]
    errors = [
        np.max(np.abs(integrate(ARMS["amd3100"], rtol=r).courses[:, :160, :9] / exact - 1))
        for r in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[1] < 1e-4


def test_failures_are_counted_and_stay_alone():
    p = P.copy()
    p[1, PARAMETER_NAMES.index("granulopoiesis_feedback")] = np.nan
    a = ARMS["timp1_high"]
    result = run(p, (1.0, 1.0, 1.0), events(a), reading(a), seed=SEED, mice=np.arange(12), keep=12)
    assert Outcome(result.status[1]) is Outcome.NOT_FINITE
    good = np.arange(12) != 1
    assert (result.status[good] == Outcome.FINISHED).all()
    whole = integrate(a)
    assert result.numbers[good].tobytes() == whole.numbers[good].tobytes()
    assert np.isnan(result.numbers[1]).all()
    few = integrate(a, max_steps=20)
    assert (few.status == Outcome.STEP_LIMIT).all()
    assert all(o.advice for o in Outcome)


@pytest.mark.parametrize("day", [11.2, 11.13, 11.0])
def test_days_off_the_grid_are_read_exactly(day):
    """The read-out may be the last day, and off the grid: dormant cells against another grid."""
    early = ARMS["timp1_high"].model_copy(
        update={"readout": ARMS["timp1_high"].readout.model_copy(update={"day": day, "end": day})}
    )
    dormant = integrate(early).numbers[:, -1]
    course = integrate(ARMS["timp1_high"]).courses[:, :, AT["dormant"]]
    grid = np.arange(course.shape[1]) * GRID
    for k in range(len(P)):
        assert dormant[k] == pytest.approx(np.interp(day, grid[:-1], course[k, :-1]), rel=1e-3)
    assert integrate(early, slice(0, 4)).numbers.tobytes() == integrate(early).numbers[:4].tobytes()


@pytest.mark.slow
def test_changed_source_is_compiled_anew(tmp_path):
    """Numba alone would go on running the code of a file that another file calls."""
    package = Path(engine.__file__).parents[1]
    shutil.copytree(package, tmp_path / "nichetrial", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import numpy as np; from nichetrial.engine.colonies import grow, growth_age\n"
        "print(growth_age(100.0, 1e8))"
    )

    def answer():
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "c")},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        return float(done.stdout), sorted((tmp_path / "c").glob("compiled-*"))

    first, before = answer()
    philox = tmp_path / "nichetrial" / "engine" / "philox.py"
    philox.write_text(philox.read_text() + "\n# changed\n")
    second, after = answer()
    assert first == second
    assert len(before) == 1
    assert len(after) == 2
