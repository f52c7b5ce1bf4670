"""Figures of sweeps, of the best schedule and of the ranking, on a small simulated study."""

from __future__ import annotations

import pandas as pd
import pytest

from nichetrial.cohort.sample import sample
from nichetrial.compare.dose_response import dose_response
from nichetrial.compare.over_particles import over_particles
from nichetrial.compare.ranking import ranking
from nichetrial.compare.surface import surface
from nichetrial.compare.window import schedules, window
from nichetrial.explore.optimum import Search, judge
from nichetrial.figures import catalogue
from nichetrial.study.load import load_text
from nichetrial.study.sections import Pair
from nichetrial.trial.simulate import simulate

pytestmark = [pytest.mark.slow]

STUDY = """
study: {name: swept}
cohort: {particles: 20, mice_per_particle: 2}
experiment:
  timp1_vector: {fold: 10}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 40 d}
arms:
  high: {label: TIMP-1-high}
  ly6g:
    label: Anti-Ly6G
    treatments: [{drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d}]
  both:
    label: Both
    treatments:
      - {drug: amd3100, method: pump, dose: 10 mg/kg, start: 0 d, every: 24 h}
      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d}
sweeps:
  doses: {arm: ly6g, grid: {treatments.anti_ly6g.dose: [0 mg/kg, 0.1 mg/kg, 1 mg/kg, 10 mg/kg]}}
  grid:
    arm: both
    grid:
      treatments.amd3100.dose: [0 mg/kg, 3 mg/kg, 30 mg/kg]
      treatments.anti_ly6g.dose: [0 mg/kg, 0.1 mg/kg, 10 mg/kg]
  when:
    arm: ly6g
    grid: {treatments.anti_ly6g.start: [0 d, 3 d, 6 d], treatments.anti_ly6g.duration: [2 d, 4 d]}
  ways:
    arm: ly6g
    points:
      - {treatments.anti_ly6g.dose: 10 mg/kg, treatments.anti_ly6g.every: 4 d}
      - {treatments.anti_ly6g.dose: 5 mg/kg, treatments.anti_ly6g.every: 2 d}
comparisons: {reference: high, resamples: 100}
optimise:
  {arm: ly6g, budget: 20 mg/kg, dose: [1 mg/kg, 20 mg/kg], start: [0 d, 8 d], every: [1 d, 4 d],
   particles: 10, evaluations: 10}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    study = load_text(STUDY)
    results = tmp_path_factory.mktemp("swept")
    (results / "comparisons").mkdir()
    cohort = sample(seed=1, first=0, last=19, mice=2, overrides={}).mice
    done = {
        a.name: simulate(a, cohort, seed=1, course_particles=9) for a in (*study.arms, *study.swept)
    }
    outcomes = {name: result.outcomes for name, result in done.items()}
    doses, grid, when, ways = study.sweeps
    tables = {}
    tables["dose_response"], tables["dose_curves"] = dose_response(outcomes, doses, "high")
    tables["surface"], tables["synergy"] = surface(outcomes, grid, "high")
    pairs = tuple(Pair(arm=arm.name, reference="high") for arm in study.swept)
    asked = study.comparisons.model_copy(update={"pairs": pairs})
    swept = over_particles(outcomes, asked)
    tables["window"], tables["schedules"] = window(swept, when), schedules(swept, ways)
    courses = {name: result.courses for name, result in done.items()}
    foci = {name: table["expected_foci"].mean() for name, table in outcomes.items()}
    effects = pd.DataFrame([pair.model_dump() for pair in study.comparisons.pairs])
    effects["ratio"] = [foci[arm] / foci["high"] for arm in effects["arm"]]
    tables["ranking"] = ranking(effects.assign(outcome="foci"), courses, study)
    search = Search(study.arm("ly6g"), study.arm("high"), study.optimise, cohort[:20], seed=1)
    tables["evaluations"] = search.run()
    others = cohort[20:].reset_index(drop=True)
    best = search.best(tables["evaluations"])
    tables["optimum"] = judge(search, best, study.arm("high"), others, effective=1.0)
    for name, table in tables.items():
        table.to_parquet(results / "comparisons" / f"{name}.parquet", index=False)
    return study, results, tables, outcomes


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dose_response", "dose [mg/kg]"),
        ("surface", "mg/kg"),
        ("window", "duration [d]"),
        ("schedules", "every 2 d"),
        ("optimum", "total dose"),
        ("ranking", "Anti-Ly6G"),
    ],
)
def test_it_is_drawn_and_says_what_it_shows(made, name, shown):
    study, results, _, _ = made
    figure = catalogue.draw(name, study, results, [])
    figure.canvas.draw()
    words = [t.get_text() for t in figure.findobj(lambda x: hasattr(x, "get_text"))]
    assert any(shown in w.replace("\n", " ") for w in words)


def test_the_sweeps_ask_what_they_vary(made):
    study = made[0]
    asked = [s.asks for s in study.sweeps]
    assert asked == ["dose_response", "surface", "window", "schedules"]


def test_the_window_is_the_ratio_of_expected_foci_inside_particles(made):
    _, _, tables, outcomes = made
    row = tables["window"].iloc[0]
    arm, high = (
        outcomes[name].groupby("particle")["expected_foci"].mean() for name in (row["arm"], "high")
    )
    assert row["ratio"] == pytest.approx((arm / high).median(), rel=1e-12)
    assert row["arrival"] == 4.0
    assert tables["window"]["best"].sum() >= 1


def test_schedules_of_one_total_dose(made):
    table = made[2]["schedules"]
    assert list(table["injections"]) == [3, 6]
    assert list(table["total"].round(9)) == [30.0, 30.0]


def test_the_search_stays_within_its_budget_and_its_best_is_the_lowest(made):
    tried = made[2]["evaluations"]
    assert (tried["total"][1:] <= 20.0 * (1 + 1e-9)).all()
    allowed = tried[tried["total"] <= 20.0 * (1 + 1e-9)]
    found = made[2]["optimum"].iloc[1]
    lowest = allowed.loc[allowed["ratio"].idxmin()]
    assert found["total"] == pytest.approx(lowest["total"])
    assert tried["best_so_far"].iloc[-1] == pytest.approx(allowed["ratio"].min())
