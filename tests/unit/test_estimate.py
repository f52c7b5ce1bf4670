"""The table before a run: counted exactly, monotone, and advice where chunks are too small."""

from __future__ import annotations

import re

import pytest

from nichetrial.pipeline.estimate import advice, estimate, lines, wall_seconds
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.resources import Needs
from nichetrial.study.load import load
from tests.support import ROOT
from tests.support.mice import arm

CAMPAIGN = ROOT / "docs" / "campaign.yaml"


def _campaign(study, *, mice: int, arms: int, chunk: int) -> Plan:
    """Arms of the same kind, and nothing else."""
    more = tuple(arm(name=f"a{k}", label=str(k)) for k in range(arms))
    cohort = study.cohort.model_copy(update={"particles": mice // 2, "chunk": chunk})
    return Plan.of(study.model_copy(update={"arms": more, "cohort": cohort}), "s.yaml")


def test_jobs_and_rows_are_those_of_the_plan(small_study):
    plan = Plan.of(small_study, "s.yaml")
    found = {line.rule: line for line in lines(plan)}
    assert {rule: line.jobs for rule, line in found.items()} == {
        "parameters": 3,
        "simulate": 12,
        "experiments": 4,
        "dose_curve": 2,
        "compare": 1,
        "power": 1,
        "figure": len(plan.figures),
        "report": 1,
        "track": 1,
    }
    assert found["experiments"].rows == 4 * 500 * 20
    assert found["parameters"].rows == 250
    assert found["dose_curve"].rows == 150 * 2
    assert found["simulate"].rows == 4 * 250 + 4 * 60 * (44 + 30) + 12 * 40


def test_sums_over_chunks_are_those_of_the_jobs_one_by_one(small_study):
    plan = _campaign(small_study, mice=950, arms=3, chunk=100)
    needs = Needs(plan.study)
    each = [
        needs.priced("simulate", needs.loads("simulate", arm=name, chunk=chunk))
        for name in plan.arms
        for chunk in plan.chunks
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


def test_the_advice_is_right_with_sweeps_which_have_all_arms_in_one_job():
    study = load(CAMPAIGN)
    chunked = {"cohort": study.cohort.model_copy(update={"chunk": 1000})}
    window = load(ROOT / "config.yaml").sweep("window")
    many = tuple(
        window.model_copy(update={"name": f"window{k}", "arms": window.arms * 30}) for k in range(2)
    )
    better = advice(Plan.of(study.model_copy(update=chunked | {"sweeps": many}), "s.yaml"))
    told = re.search(r"chunk: (\d+) there are ([\d,]+) of", better)
    assert told, better
    chunk, jobs = int(told[1]), int(told[2].replace(",", ""))
    assert f"{1000 * (100 + 2):,} simulations" in better
    assert chunk < study.cohort.mice  # a sweep of the whole cohort does not fit into a job
    assert jobs == -(-study.cohort.mice // chunk) * (100 + 2)
    cohort = study.cohort.model_copy(update={"chunk": chunk})
    followed = Plan.of(study.model_copy(update={"cohort": cohort, "sweeps": many}), "s.yaml")
    by_rule = {line.rule: line for line in lines(followed)}
    assert by_rule["simulate"].jobs + by_rule["sweep"].jobs == jobs
    assert by_rule["sweep"].longest <= 3600


def test_a_small_study_gets_no_advice(small_study):
    assert advice(Plan.of(small_study, "s.yaml")) == ""


def test_the_table_names_every_rule_and_its_sum(small_study):
    told = estimate(_campaign(small_study, mice=1_000_000, arms=100, chunk=100_000))
    row = next(line for line in told if line.startswith("simulate"))
    assert row.split()[1] == "1,000"
    total = next(line for line in told if line.startswith("total"))
    drawn = len(Plan.of(small_study, "s.yaml").figures)
    assert total.split()[1] == f"{10 + 1000 + 100 + 1 + 2 + drawn + 2:,}"


def test_a_population_of_its_own_is_counted_too(small_study):
    cohort = small_study.cohort.model_copy(update={"population": "own"})
    study = small_study.model_copy(update={"cohort": cohort})
    found = {line.rule: line.jobs for line in lines(Plan.of(study, "s.yaml"))}
    calibration = study.calibration
    assert found["particles"] == len(calibration.chunks()) * (calibration.generations + 1)
    assert found["population"] == 1


def test_the_campaign_is_a_million_mice_in_a_hundred_arms():
    plan = Plan.of(load(CAMPAIGN), str(CAMPAIGN))
    assert (plan.study.cohort.mice, len(plan.study.arms)) == (10**6, 100)
    found = {line.rule: line for line in lines(plan)}
    assert found["simulate"].rows >= 10**8
    assert advice(plan) == ""
    small = plan.study.cohort.model_copy(update={"chunk": 1000})
    assert f"chunk: {plan.study.cohort.chunk} there" in advice(
        Plan.of(plan.study.model_copy(update={"cohort": small}), "s.yaml")
    )


def test_the_docs_show_what_the_command_prints():
    told = "\n".join(estimate(Plan.of(load(CAMPAIGN), str(CAMPAIGN))))
    shown = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert f"$ nichetrial run docs/campaign.yaml --estimate\n{told}\n```" in shown
