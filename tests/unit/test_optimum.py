"""The best schedule: never beyond its bounds, no worse than a grid, judged on other mice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial.cohort.sample import sample
from nichetrial.compare.ranking import amount
from nichetrial.explore.optimum import Search, judge
from nichetrial.study.load import load_text
from nichetrial.trial.simulate import simulate

STUDY = load_text("""
study: {name: best}
cohort: {particles: 15, mice_per_particle: 4}
experiment:
  timp1_vector: {fold: 10}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 20 d}
arms:
  high: {label: TIMP-1-high}
  pump:
    treatments: [{drug: amd3100, method: pump, dose: 10 mg/kg, start: 0 d, every: 24 h}]
  drug:
    treatments: [{drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h}]
  ly6g:
    treatments: [{drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d}]
comparisons: {reference: high}
optimise:
  {arm: ly6g, budget: 20 mg/kg, dose: [1 mg/kg, 20 mg/kg], start: [0 d, 8 d], every: [1 d, 4 d],
   particles: 5, evaluations: 60}
""")
COHORT = sample(seed=1, first=0, last=14, mice=2, overrides={}).mice
FIRST, OTHERS = COHORT[:10], COHORT[10:].reset_index(drop=True)


def foci(arm, cohort) -> np.ndarray:
    """Expected foci of each particle."""
    done = simulate(arm, cohort, seed=1).outcomes
    return done.groupby("particle")["expected_foci"].mean().to_numpy()


def search(arm: str = "ly6g", mice=FIRST) -> Search:
    return Search(STUDY.arm(arm), STUDY.arm("high"), STUDY.optimise, mice, seed=1)


SEARCHES = {name: search(name) for name in ("pump", "drug", "ly6g")}
SHARE = st.floats(0.0, 1.0)


@pytest.mark.parametrize("name", SEARCHES)
@given(x=st.tuples(SHARE, SHARE, SHARE))
def test_every_schedule_is_within_budget_bounds_and_read_out(name, x):
    asked, spec = SEARCHES[name], STUDY.optimise
    found = asked.schedule(np.array(x))
    per_kg = found.amount / spec.budget
    assert spec.dose[0] * (1 - 1e-9) <= found.amount <= spec.dose[1] * (1 + 1e-9)
    assert spec.start[0] <= found.start <= spec.start[1]
    assert spec.every[0] * (1 - 1e-9) <= found.every <= spec.every[1] * (1 + 1e-9)
    doses = amount(found) / amount(
        found.model_copy(update={"until": found.start + found.every, "method": "pump"})
    )
    assert doses == pytest.approx(round(doses))
    assert doses * per_kg <= 1 + 1e-6 or round(doses) == 1
    if round(doses) > 1:
        assert found.until <= STUDY.arm(name).readout.day + 1e-6


def test_the_search_is_no_worse_than_a_grid_of_schedules():
    asked = search()
    tried = asked.run()
    assert len(tried) == STUDY.optimise.evaluations + 1
    assert (np.diff(tried["best_so_far"].dropna()) <= 0).all()
    best = tried["best_so_far"].iloc[-1]
    grid, base = [], foci(STUDY.arm("high"), FIRST)
    for x in itertools.product((0.1, 0.5, 0.9), (0.0, 0.3, 0.6), (0.1, 0.5)):
        arm = asked.with_schedule(asked.schedule(np.array(x)))
        grid.append(float(np.median(foci(arm, FIRST) / base)))
    assert best <= min(grid) + 0.01


def test_it_is_judged_on_particles_that_it_was_not_chosen_on():
    asked = search()
    best = asked.best(asked.run())
    own, found = judge(asked, best, STUDY.arm("high"), OTHERS, effective=0.5).to_dict("records")
    of = {
        name: foci(arm, OTHERS)
        for name, arm in (
            ("high", STUDY.arm("high")),
            ("own", STUDY.arm("ly6g")),
            ("best", asked.with_schedule(best)),
        )
    }
    for value, ratios in (
        (own["ratio"], of["own"] / of["high"]),
        (found["ratio"], of["best"] / of["high"]),
        (found["of_own"], of["best"] / of["own"]),
    ):
        assert value == pytest.approx(np.median(ratios), rel=1e-12)
    assert own["of_own"] == 1.0
    assert own["ratio_p_fewer"] == np.mean(of["own"] < of["high"])
    assert (own["particles"], own["of_own_p_fewer"]) == (10, 0.5)
    assert found["ratio_low"] <= found["ratio"] <= found["ratio_high"]
    assert (own["within_budget"], found["within_budget"]) == (False, True)


def test_the_same_search_tries_the_same_schedules():
    assert search().run().equals(search().run())
