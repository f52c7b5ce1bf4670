"""Results that were cut off, replaced, copied or touched: what is made again, and what is not."""

from __future__ import annotations

import json
import os
import shutil
import time

import numpy as np
import pytest

from nichetrial.pipeline.jobs import jobs
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.verify import verify
from nichetrial.study.load import load
from tests.support.reruns import (
    CASES,
    COMPARED,
    DRAWN,
    ENDS,
    FROM_COMPARISONS,
    SECOND_CHUNK_OF_HIGH,
    change,
    would_run,
)
from tests.support.runs import STUDY, nichetrial, parquet

pytestmark = [pytest.mark.slow]

OUTCOMES = "simulations/high/particles-000005-000009.outcomes.parquet"
NIGHT = 12 * 3600.0


def judged(folder, monkeypatch, now=None):
    """What is said of the results in ``folder``."""
    monkeypatch.chdir(folder)
    return verify(Plan.of(load(STUDY), STUDY), evidence=False, now=now or time.time())


def files(folder):
    return sorted(p for p in (folder / "results" / "tiny").rglob("*") if p.is_file())


def set_time(path, shift):
    at = path.stat().st_mtime + shift
    os.utime(path, (at, at))


def test_the_plan_knows_every_record_and_its_digest(finished, monkeypatch):
    monkeypatch.chdir(finished[0])
    plan = Plan.of(load(STUDY), STUDY)
    told = {job.record: job.digest() for job in jobs(plan, evidence=False)}
    found = {
        path.relative_to(finished[0]).as_posix(): json.loads(path.read_text())["params_digest"]
        for path in files(finished[0])
        if "records" in path.parts and path.suffix == ".json" and path.name != "resolve.json"
    }
    assert {k: v for k, v in told.items() if k in found} == found
    assert told.keys() == found.keys()


@pytest.mark.parametrize("content", [b"", b"PAR1 but not the rest"], ids=["cut off", "replaced"])
def test_a_result_that_is_not_what_was_made_is_made_again(folder, content):
    before = parquet(folder / "results" / "tiny")
    wrong = folder / "results" / "tiny" / OUTCOMES
    at = wrong.stat().st_mtime - NIGHT  # as old as can be: times do not tell
    wrong.write_bytes(content)
    os.utime(wrong, (at, at))
    assert would_run(folder) == SECOND_CHUNK_OF_HIGH
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert f"results/tiny/{OUTCOMES} is different from the run record" in done.stdout
    assert parquet(folder / "results" / "tiny") == before


def test_a_record_that_is_lost_is_made_again_with_its_results(folder):
    assert would_run(folder) == set()  # and what there was is remembered
    (folder / "results/tiny/records/simulate/high/particles-000005-000009.json").unlink()
    assert would_run(folder) == SECOND_CHUNK_OF_HIGH


def test_records_and_results_that_a_power_cut_left_empty_are_made_again(folder):
    before = parquet(folder / "results" / "tiny")
    for path in files(folder):
        if "amd3100" in path.as_posix() and path.suffix in (".parquet", ".json"):
            path.write_bytes(b"")
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert parquet(folder / "results" / "tiny") == before


def test_a_record_that_is_lost_is_noticed_at_the_first_look(folder):
    shutil.rmtree(folder / ".snakemake" / "nichetrial-results", ignore_errors=True)
    (folder / "results/tiny/records/simulate/high/particles-000005-000009.json").unlink()
    assert would_run(folder) == SECOND_CHUNK_OF_HIGH


@pytest.mark.parametrize("record", ["resolve", "parameters/particles-000000-000004"])
def test_a_record_of_another_job_is_none(folder, record):
    """Copied over the one that is asked for."""
    there = folder / "results/tiny/records"
    shutil.copy(there / f"{record}.json", there / "simulate/high/particles-000005-000009.json")
    assert would_run(folder) == SECOND_CHUNK_OF_HIGH


def test_a_byte_of_the_resolved_study_is_put_right(folder):
    path = folder / "results/tiny/study.json"
    before = path.read_text()
    path.write_text(before.replace('"seed": ', '"seed": 9'))
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert path.read_text() == before


def test_a_change_that_keeps_size_and_time_is_noticed(folder):
    assert would_run(folder) == set()
    wrong = folder / "results" / "tiny" / OUTCOMES
    at, content = wrong.stat(), bytearray(wrong.read_bytes())
    content[len(content) // 2] ^= 1
    wrong.write_bytes(content)
    os.utime(wrong, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert would_run(folder) == SECOND_CHUNK_OF_HIGH


def test_a_table_that_is_replaced_by_an_older_one_is_noticed(folder):
    table = folder / "results/tiny/comparisons/arms.csv"
    table.write_text(table.read_text().replace("high", "low"))
    set_time(table, -NIGHT)
    assert would_run(folder) == COMPARED | FROM_COMPARISONS | ENDS


def test_results_copied_without_times_and_memory_are_as_good(folder):
    shutil.rmtree(folder / ".snakemake")
    rng = np.random.default_rng(1)
    for path in files(folder):
        set_time(path, rng.uniform(-NIGHT, 0))
    assert would_run(folder) <= {"record the runs in MLflow"}


@pytest.mark.parametrize("case", ["the dose of an arm", "the style of figures: `dpi`"])
def test_results_copied_without_memory_are_not_taken_for_those_of_another_study(folder, case):
    shutil.rmtree(folder / ".snakemake")
    old, new, jobs = CASES[case]
    change(folder, old, new)
    assert would_run(folder) == jobs


def test_clocks_that_differ_make_nothing_run(folder):
    rng = np.random.default_rng(2)
    for path in files(folder):
        if "simulations" in path.parts or "parameters" in path.parts:
            set_time(path, rng.choice((-NIGHT, 0, NIGHT)))
    assert would_run(folder) == set()


@pytest.mark.parametrize("seed", range(20))
def test_times_never_force_a_job(folder, monkeypatch, seed):
    rng = np.random.default_rng(seed)
    for path in files(folder):
        set_time(path, rng.uniform(-NIGHT, NIGHT))
    verdict = judged(folder, monkeypatch)
    assert verdict.forced == verdict.wrong == {}
    assert verdict.times > 0
    assert judged(folder, monkeypatch).times == 0


def test_nothing_is_read_twice(folder, monkeypatch):
    judged(folder, monkeypatch)

    def never(path):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr("nichetrial.pipeline.verify.file_digest", never)
    assert judged(folder, monkeypatch).forced == {}


def test_many_are_counted_and_more_than_a_command_line_holds_are_named_by_rule(folder, monkeypatch):
    for path in files(folder):
        if path.suffix in (".png", ".svg"):
            path.write_bytes(b"")
    verdict = judged(folder, monkeypatch)
    assert len(verdict.targets()) == len(verdict.wrong) == 2 * len(DRAWN)
    (line,) = verdict.lines()
    assert f" and {2 * len(DRAWN) - 3} more are different from the run record" in line
    monkeypatch.setattr("nichetrial.pipeline.verify.LONGEST", 100)
    assert verdict.targets() == ["figure"]
