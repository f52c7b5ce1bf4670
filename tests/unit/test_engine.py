"""Integration: second programs, closed forms, conservation, and who may influence whom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nichetrial.cohort.space import mouse_key
from nichetrial.engine import ensemble, forcing, lanes, reference
from nichetrial.engine.ensemble import Ensemble, Events, grid, run
from nichetrial.engine.integrate import READ, TRACE
from nichetrial.engine.kernels import INPUT_NAMES, PARAMETER_NAMES, STATE_NAMES
from nichetrial.engine.outcome import Outcome
from nichetrial.study.resolved import Host
from nichetrial.trial.events import events, reading
from tests.support.mice import ARMS, SEED, arm, cohort, treatment

pytestmark = [pytest.mark.slow]

MICE = cohort(20)
KEYS = mouse_key(MICE["particle"].to_numpy(), MICE["animal"].to_numpy())
P = np.ascontiguousarray(MICE[list(PARAMETER_NAMES)], dtype=np.float64)
WILD = np.ones(4)
AT = {name: k for k, name in enumerate(STATE_NAMES)}
FLOOR = np.array([1e-3] * 9 + [1.0, 1.0, 1.0, 1e-3])
"""nM, fold, cells; below it a state does not matter."""
ALL = np.arange(20)
MANY = {
    "amd3100": (treatment("amd3100", 5, every=0.7), treatment("amd3100", 9, start=2.0, every=1.1)),
    "pump": (
        treatment("amd3100", 10, start=1.0, every=1.0, method="pump"),
        treatment("mmp_inhibitor", 30, start=2.0, until=5.0, every=1.0, method="pump"),
    ),
    "antibodies": (
        treatment("anti_ly6g", 10, start=0.4, every=2.0),
        treatment("anti_ly6g_murinised", 8, start=3.0),
        treatment("anti_timp1", 10),
        treatment("anti_sdf1", 4, every=1.3),
    ),
}
"""Schedules for the closed forms of drug levels."""


def integrate(a, mice=slice(0, 12), **options) -> Ensemble:
    """An arm, with the courses of all its mice."""
    numbers = KEYS[mice]
    return run(
        P[mice],
        a.host.genes,
        events(a),
        reading(a),
        seed=SEED,
        mice=numbers,
        keep=len(numbers),
        **options,
    )


def same(one: Ensemble, other: Ensemble, here=slice(None), there=slice(None)) -> bool:
    """Have these mice of one the same bytes as those mice of the other?"""
    return all(
        getattr(one, name)[here].tobytes() == getattr(other, name)[there].tobytes()
        for name in ("status", "steps", "numbers", "courses")
    )


def days_of(a) -> np.ndarray:
    return grid(reading(a))


# What is given: closed forms


def test_reference_levels_solve_their_differential_equations():
    """Two bolus doses and a pump, against depot and plasma by another integrator."""
    p = P[:3].T
    given = (MANY["amd3100"][0].model_copy(update={"until": 1.0}), MANY["pump"][0])
    past = events(arm(*given, vector=None))
    past = Events(
        *(c[past.times <= 1.3] for c in (past.times, past.kinds, past.channels, past.amounts))
    )
    assert (past.kinds == forcing.EVENT["bolus"]).sum() == 2
    u = reference.inputs(1.3, past, p, WILD)[INPUT_NAMES.index("amd3100")]
    for k in range(3):
        v = dict(zip(PARAMETER_NAMES, p[:, k], strict=True))
        ka, ke = (np.log(2) / v[f"amd3100_{n}"] for n in ("absorption_half_life", "half_life"))
        scale = v["amd3100_bioavailability"] / v["amd3100_volume"]
        x, rate = np.zeros(2), 0.0
        for low, high in pairwise([0.0, 0.7, 1.0, 1.3]):
            x[0] += given[0].amount if low < 1.0 else 0.0
            rate += given[1].amount if low == 1.0 else 0.0
            x = solve_ivp(
                lambda _, x, rate, ka=ka, ke=ke, scale=scale: [
                    rate - ka * x[0],
                    scale * ka * x[0] - ke * x[1],
                ],
                (low, high),
                x,
                args=(rate,),
                method="DOP853",
                rtol=1e-11,
                atol=1e-9,
            ).y[:, -1]
        assert u[k] * v["amd3100_ic50"] == pytest.approx(x[1], rel=1e-8)


@pytest.mark.parametrize("name", [*MANY, "vector and tumour"])
def test_levels_and_their_slopes_are_the_superposed_closed_forms(name):
    """Eight mice through all events, in steps; then a step half way: inputs as in the reference."""
    a = arm(*MANY[name], vector=None) if name in MANY else ARMS["primary"]
    e, p, end = events(a), P[:8].T, 6.3
    on = np.empty(8, np.bool_)
    forcing.acting(e.kinds, e.channels, on)
    w = np.zeros(8 * forcing.SLOTS)
    at = w.reshape(-1, 8)
    for i in range(8):
        forcing.settle(w, i, P[i], WILD, True)
    at[lanes.ACCEPTED] = 1.0
    stops = np.union1d(e.times[e.times < end], [0.0, 0.9, 2.2, end])
    for low, high in pairwise(stops):
        for k in np.flatnonzero(e.times == low):
            for i in range(8):
                assert forcing.effective(w, i, e.kinds[k], e.channels[k], e.amounts[k])
                forcing.give(w, i, e.kinds[k], e.channels[k], e.amounts[k], P[i])
        forcing.start(w, on, 8)
        at[lanes.TAU] = high - low
        forcing.within(w, on, 8)
        forcing.end(w, on, 8)
        at[lanes.TIME] = high
    now = e.times < end
    past = Events(e.times[now], e.kinds[now], e.channels[now], e.amounts[now])
    size, h = len(INPUT_NAMES), 1e-5
    forcing.start(w, on, 8)
    expected = reference.inputs(end, past, p, WILD)
    assert (expected.max(axis=1) > 0).sum() >= 1
    found = at[lanes.INPUT : lanes.INPUT + size]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    slope = (
        reference.inputs(end + h, past, p, WILD) - reference.inputs(end - h, past, p, WILD)
    ) / (2 * h)
    np.testing.assert_allclose(
        at[lanes.INPUT_SLOPE : lanes.INPUT_SLOPE + size], slope, rtol=1e-6, atol=1e-8
    )
    at[lanes.TAU] = 0.13
    forcing.within(w, on, 8)
    expected = reference.inputs(end + 0.13, past, p, WILD)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


# The states: two other programs, conservation, tolerance


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, a in ARMS.items() if a.host == Host()])
def test_states_against_the_plain_reference(name):
    """The same closed forms, but an explicit method, no lanes, no generated code."""
    a, p, days = ARMS[name], P[:5].T, np.array([0.25, 2.0, 4.25, 6.0])
    theirs = reference.courses(p, WILD, events(a), days, reference.basal(p), rtol=1e-8)
    ours = integrate(a, slice(0, 5), rtol=1e-9)
    here = ours.courses[:, np.searchsorted(days_of(a), days)].transpose(1, 2, 0)
    assert np.max(np.abs(here - theirs) / np.maximum(np.abs(theirs), FLOOR[:, None])) < 1e-7


@pytest.mark.parametrize("name", ARMS)
def test_states_against_scipy_with_drugs_integrated(name):
    """Another integrator, another form of the equations, and drug depots as states of their own."""
    a = ARMS[name]
    host = np.array(a.host.genes)
    ours = integrate(a, slice(0, 3))
    assert (ours.status == Outcome.FINISHED).all()
    blocks = {
        "amd3100": "amd3100_ic50",
        "anti_sdf1": "anti_sdf1_ic50",
        "anti_timp1": "anti_timp1_ic50",
        "mmp_inhibitor": "mmp_inhibitor_ic50",
    }
    ln2 = np.log(2)
    first = min((t.start for t in a.treatments if t.drug == "anti_ly6g"), default=0.0)
    changes: list[tuple[float, int, float, str]] = []
    for treat in a.treatments:
        j = forcing.CHANNELS.index(treat.drug)
        if treat.method == "pump":
            changes += [
                (treat.start, j, treat.amount / treat.every, "rate"),
                (treat.until, j, -treat.amount / treat.every, "rate"),
            ]
        else:
            changes += [(d, j, treat.amount, "depot") for d in treat.doses()]
    if a.challenge.route == "intravenous":
        changes.append((a.challenge.day, 12 + AT["circulating"], a.challenge.cells, "cells"))
    else:
        changes += [(d, 0, 0.0, "rate") for d in (a.challenge.day, a.challenge.resection)]
    for k in range(3):
        of = dict(zip(PARAMETER_NAMES, P[k], strict=True))
        kind = [d if d in ("amd3100", "mmp_inhibitor") else "antibody" for d in forcing.CHANNELS]
        ke, ka = (
            np.array([ln2 / of[f"{n}_{what}"] for n in kind])
            for what in ("half_life", "absorption_half_life")
        )
        scale = np.array([of[f"{n}_bioavailability"] / of[f"{n}_volume"] for n in kind])

        def inputs(t, plasma, of=of):
            u = dict.fromkeys(INPUT_NAMES, 0.0)
            level = dict(zip(forcing.CHANNELS, plasma, strict=True))
            u |= {drug: level[drug] / of[half] for drug, half in blocks.items()}
            left = 1 / (1 + ((t - first) / of["anti_ly6g_rebound"]) ** 4)
            for drug, lasting in (("anti_ly6g", left), ("anti_ly6g_murinised", 1.0)):
                depth, x = of[f"{drug}_depth"], level[drug] / of["anti_ly6g_ec50"]
                most = ln2 / of["neutrophil_blood_half_life"] * depth / (1 - depth)
                u["neutrophil_kill"] += most * x / (1 + x) * lasting
            if a.vector is not None:
                rise = 1 - np.exp(-ln2 * (t - a.vector.onset) / of["vector_rise_half_time"])
                rate = ln2 / of["timp1_half_life"] * of["timp1_basal"]
                u["vector"] = rate * (a.vector.fold - 1) * rise
            c = a.challenge
            if c.route == "primary" and c.day <= t < (c.resection or np.inf):
                start, full = c.cells / 1e6, of["tumour_capacity"]
                grown = np.exp(-of["tumour_growth"] * (t - c.day))
                u["tumour_volume"] = full * np.exp(np.log(start / full) * grown)
                u["shedding_volume"] = u["tumour_volume"] ** of["shedding_exponent"]
            return np.array([u[n] for n in INPUT_NAMES])

        def rhs(t, z, rate, p=P[k], ke=ke, ka=ka, scale=scale, inputs=inputs):
            depot, plasma, y = z[:6], z[6:12], z[12:]
            dy = reference.rates(p, host, y, inputs(t, plasma))
            absorbed = ka * depot
            return np.concatenate([rate - absorbed, scale * absorbed - ke * plasma, dy])

        z = np.concatenate([np.zeros(12), ours.courses[k, 0]])
        if a.challenge.day == 0 and a.challenge.route == "intravenous":
            z[12 + AT["circulating"]] = 0
        rate, days = np.zeros(6), sorted({0.0, 14.0, *(c[0] for c in changes if c[0] < 14)})
        for low, high in pairwise(days):
            for day, j, amount, what in changes:
                if day == low:
                    if what == "rate":
                        rate[j] += amount
                    else:
                        z[j] += amount
            z = solve_ivp(
                rhs, (low, high), z, args=(rate,), method="LSODA", rtol=1e-9, atol=1e-10
            ).y[:, -1]
        here = ours.courses[k, np.searchsorted(days_of(a), 14.0)]
        np.testing.assert_allclose(here, z[12:], rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", ARMS)
def test_states_stay_positive(name):
    courses = integrate(ARMS[name]).courses
    assert np.isfinite(courses).all()
    assert courses.min() > -1e-6


def test_every_tumour_cell_is_accounted_for():
    """Injected = circulating + arrested + dormant + founders + dead, the last from rates and D."""
    a = ARMS["anti_ly6g"]
    course, late = integrate(a).courses, days_of(a) >= a.challenge.day
    for k in range(len(course)):
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


@pytest.mark.parametrize("name", ARMS)
def test_the_usual_tolerance_is_tight_enough(name):
    """Largest error of any state on any day, as asked of all engines that were compared."""
    usual, exact = integrate(ARMS[name]).courses, integrate(ARMS[name], rtol=1e-10).courses
    assert np.max(np.abs(usual - exact) / np.maximum(np.abs(exact), FLOOR)) < 1e-5


def test_tighter_tolerance_converges():
    exact = integrate(ARMS["amd3100"], rtol=1e-11).courses[:, :, :9]
    errors = [
        np.max(np.abs(integrate(ARMS["amd3100"], rtol=r).courses[:, :, :9] / exact - 1))
        for r in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[1] < 1e-4


# Who may influence whom


@settings(max_examples=40)
@given(
    company=st.lists(st.integers(0, 19), min_size=1, max_size=20),
    name=st.sampled_from(["untreated", "amd3100", "primary", "timp1_ko"]),
)
def test_a_mouse_is_the_same_in_any_lane_and_any_company(company, name):
    """Alone, twice, in any order, with any others before, after and beside it."""
    together = integrate(ARMS[name], ALL)
    assert same(integrate(ARMS[name], company), together, there=company)


@pytest.mark.parametrize("block", [1, 3, 8, 9, 20])
def test_blocks_change_nothing(block, monkeypatch):
    whole, told = integrate(ARMS["anti_ly6g"], ALL), []
    monkeypatch.setattr(ensemble, "BLOCK", block)
    in_blocks = integrate(ARMS["anti_ly6g"], ALL, progress=told.append)
    assert same(in_blocks, whole)
    assert in_blocks.bins.tobytes() == whole.bins.tobytes()
    assert told == [*range(block, 20, block), 20]


def test_keeping_and_tracing_change_nothing():
    a, trace = ARMS["amd3100"], np.full((2000, len(TRACE)), np.nan)
    whole, traced = integrate(a), integrate(a, [4], trace=trace)
    assert same(traced, whole, there=[4])
    numbers = run(P[:12], WILD, events(a), reading(a), seed=SEED, mice=KEYS[:12]).numbers
    assert numbers.tobytes() == whole.numbers.tobytes()
    attempts = trace[np.isfinite(trace[:, 0])]
    good = attempts[:, 3] == 1
    assert good.sum() == whole.steps[4]
    assert attempts[good, 1].sum() == pytest.approx(a.readout.end, rel=1e-12)
    assert (np.diff(attempts[:, 0]) >= 0).all()
    assert (attempts[good, 2] <= 1).all()
    assert (attempts[~good, 2] > 1).all()
    assert (~good).sum() > 0


@pytest.mark.parametrize("start", [2.0, 5.25, 6.1, 13.5, 16.0])
def test_arms_are_identical_until_they_differ(start):
    """To the byte up to the last day of the grid before; what is read before is identical, too."""
    one = integrate(ARMS["timp1_high"])
    a = arm(treatment("anti_ly6g", 10, start=start, until=start + 9))
    late, days = integrate(a), days_of(a)
    before = days <= start
    assert late.courses[:, before].tobytes() == one.courses[:, before].tobytes()
    neutrophils = AT["blood_neutrophils"]
    after = np.argmax(days > start)
    assert (late.courses[:, after, neutrophils] < one.courses[:, after, neutrophils]).all()
    read = np.r_[0:5, READ : one.numbers.shape[1]] if start > 11 else np.r_[READ : READ + 13]
    if start > 4:
        assert late.numbers[:, read].tobytes() == one.numbers[:, read].tobytes()


@settings(max_examples=30)
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
    host = (0.0 if how == "target" else 1.0, 1.0, 1.0, 1.0)
    plain = ARMS["untreated" if how == "target" else "timp1_high"]
    both = [
        run(p, host, events(x), reading(x), seed=SEED, mice=np.arange(3), keep=3)
        for x in (a, plain)
    ]
    assert same(*both)


@settings(max_examples=30)
@given(
    nothing=st.lists(
        st.tuples(
            st.floats(0, 12),
            st.sampled_from(["bolus", "pump", "vector", "cells", "implant"]),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=6,
    ),
    name=st.sampled_from(["untreated", "anti_ly6g"]),
)
def test_events_of_nothing_do_not_touch_the_integration(nothing, name):
    """Even where they make the engine look at inputs that it would otherwise pass over."""
    a = ARMS[name]
    e = events(a)
    rows = list(zip(e.times, e.kinds, e.channels, e.amounts, strict=True))
    rows += [(day, forcing.EVENT[kind], channel, 0.0) for day, kind, channel in nothing]
    times, kinds, channels, amounts = zip(*sorted(rows), strict=True)
    more = Events(np.array(times), np.array(kinds), np.array(channels), np.array(amounts))
    both = [run(P[:3], WILD, x, reading(a), seed=SEED, mice=ALL[:3], keep=3) for x in (e, more)]
    assert same(*both)


# Failures


@pytest.mark.parametrize("name", ["granulopoiesis_feedback", "timp1_basal", "amd3100_volume"])
def test_a_mouse_that_is_not_a_number_fails_alone(name):
    """From the first day on, or in the midst of it, with its first dose."""
    a = arm(treatment("amd3100", 5, start=3.1), vector=None)
    p = P.copy()
    p[[1, 6], PARAMETER_NAMES.index(name)] = np.nan
    result = run(p, WILD, events(a), reading(a), seed=SEED, mice=KEYS, keep=20)
    good = ~np.isin(ALL, [1, 6])
    assert (result.status == np.where(good, Outcome.FINISHED, Outcome.NOT_FINITE)).all()
    assert np.isnan(result.numbers[~good]).all()
    whole = integrate(a, ALL)
    assert same(result, whole, here=good, there=good)
    healthy = integrate(a, ALL[good])
    assert result.bins.tobytes() == healthy.bins.tobytes()


def test_a_mouse_at_the_step_limit_fails_alone():
    """Also for the mouse that takes its place in the lane."""
    a = ARMS["untreated"]
    whole = integrate(a, ALL)
    kinds = set()
    for limit in range(60, 140):
        few = integrate(a, ALL, max_steps=limit)
        good = few.status == Outcome.FINISHED
        assert (few.status[~good] == Outcome.STEP_LIMIT).all()
        assert np.isnan(few.numbers[~good]).all()
        assert same(few, whole, here=good, there=good)
        kinds.add((good.any(), good.all()))
    assert kinds == {(False, False), (True, False), (True, True)}


def test_outcomes_have_advice_and_wrong_tables_are_refused():
    assert all(o.advice for o in Outcome)
    a = ARMS["untreated"]
    with pytest.raises(ValueError, match="expected"):
        run(P[:, 1:], WILD, events(a), reading(a), seed=SEED, mice=ALL)
    with pytest.raises(ValueError, match="genes"):
        run(P, WILD[1:], events(a), reading(a), seed=SEED, mice=ALL)


@pytest.mark.parametrize("day", [11.2, 11.13, 11.0])
def test_days_off_the_grid_are_read_exactly(day):
    """The read-out may be the last day, and off the grid: dormant cells against another grid."""
    early = ARMS["timp1_high"].model_copy(
        update={"readout": ARMS["timp1_high"].readout.model_copy(update={"day": day, "end": day})}
    )
    dormant = integrate(early).numbers[:, -1]
    finer = ARMS["timp1_high"].model_copy(
        update={"readout": ARMS["timp1_high"].readout.model_copy(update={"day": 13.0})}
    )
    course = integrate(finer).courses[:, :, AT["dormant"]]
    for k in range(len(dormant)):
        assert dormant[k] == pytest.approx(np.interp(day, days_of(finer), course[k]), rel=1e-3)


def test_the_grid_of_days():
    a = ARMS["untreated"]
    readout = a.readout.model_copy(update={"day": 2.3, "end": 5.9})
    days = days_of(a.model_copy(update={"readout": readout}))
    assert days.tolist() == [*np.arange(0, 3, 0.25), 3.0, 4.0, 5.0]
    assert integrate(a).courses.shape[1:] == (len(days_of(a)), len(STATE_NAMES))
