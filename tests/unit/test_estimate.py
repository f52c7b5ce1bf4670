"""The table before a run: counted exactly, monotone, and advice where chunks are too small."""

from __future__ import annotations

import pytest

from nichetrial.launch.estimate import advice, estimate, lines, wall_seconds
from nichetrial.launch.plan import FIGURES, Plan
from nichetrial.launch.resources import Needs
from tests.mice import arm


def _campaign(study, *, mice: int, arms: int, chunk: int) -> Plan:
    more = tuple(arm(name=f"a{k}", label=str(k)) for k in range(arms))
    cohort = study.cohort.model_copy(update={"mice": mice, "chunk": chunk})
    return Plan.of(study.model_copy(update={"arms": more, "cohort": cohort}), "s.yaml")


def test_jobs_and_rows_are_those_of_the_plan(small_study):
    plan = Plan.of(small_study, "s.yaml")
    found = {line.rule: line for line in lines(plan)}
    assert {rule: line.jobs for rule, line in found.items()} == {
        "parameters": 3, "simulate": 12, "dose_curve": 2, "compare": 1, "figure": len(FIGURES),
        "report": 1, "track": 1,
    }  # fmt: skip
    assert found["parameters"].rows == 250
    assert found["dose_curve"].rows == 150 * 2
    assert found["simulate"].rows == 4 * 250 + 4 * 120 * (44 + 30) + 12 * 40


def test_sums_over_chunks_are_those_of_the_jobs_one_by_one(small_study):
    plan = _campaign(small_study, mice=950, arms=3, chunk=100)
    needs = Needs(plan.study)
    each = [
        needs.priced("simulate", needs.loads("simulate", arm=name, mice=mice))
        for name in plan.arms
        for mice in plan.chunks
    ]
    line = next(line for line in lines(plan) if line.rule == "simulate")
    assert line.seconds == pytest.approx(sum(need.seconds for need in each))
    assert line.bytes == pytest.approx(sum(need.bytes for need in each))
    assert line.longest == max(need.seconds for need in each)


def test_more_cores_are_never_slower_and_work_is_bounded_by_the_longest_job(small_study):
    found = lines(_campaign(small_study, mice=100_000, arms=20, chunk=1000))
    times = [wall_seconds(found, n) for n in (1, 2, 4, 1000, 10**6)]
    assert times == sorted(times, reverse=True)
    assert times[0] == pytest.approx(sum(line.seconds for line in found))
    assert times[-1] >= sum(line.longest for line in found)


def test_short_jobs_get_the_advice_of_a_chunk_that_makes_long_ones(small_study):
    plan = _campaign(small_study, mice=1_000_000, arms=100, chunk=1000)
    better = advice(plan)
    assert "100,000 simulations" in better
    chunk = int(better.split("cohort.chunk: ")[1].split()[0])
    assert 10_000 <= chunk <= 1_000_000
    followed = _campaign(small_study, mice=1_000_000, arms=100, chunk=chunk)
    longest = next(line.longest for line in lines(followed) if line.rule == "simulate")
    assert 10 < longest <= 300
    assert f"cohort.chunk: {chunk}" not in advice(followed)


def test_a_small_study_gets_no_advice(small_study):
    assert advice(Plan.of(small_study, "s.yaml")) == ""


def test_the_table_names_every_rule_and_its_sum(small_study):
    told = estimate(_campaign(small_study, mice=1_000_000, arms=100, chunk=100_000))
    row = next(line for line in told if line.startswith("simulate"))
    assert row.split()[1] == "1,000"
    together = next(line for line in told if line.startswith("together"))
    assert together.split()[1] == f"{10 + 1000 + 1 + 1 + len(FIGURES) + 2:,}"
    assert any("to submit all takes" in line for line in told)


def test_a_population_of_its_own_is_counted_too(small_study):
    cohort = small_study.cohort.model_copy(update={"population": "own"})
    study = small_study.model_copy(update={"cohort": cohort})
    found = {line.rule: line.jobs for line in lines(Plan.of(study, "s.yaml"))}
    calibration = study.calibration
    assert found["particles"] == len(calibration.chunks()) * (calibration.generations + 1)
    assert found["population"] == 1
