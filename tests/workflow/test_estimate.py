"""What is said beforehand against what a run then did: jobs, rows, bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nichetrial.pipeline.estimate import lines
from nichetrial.pipeline.plan import Plan
from nichetrial.study.load import load
from tests.support.runs import STUDY, SWEPT, TINY, nichetrial

pytestmark = [pytest.mark.slow]

STUDIES = {
    "plain": TINY,
    "swept, of its own population": SWEPT.replace("chunk: 20", "chunk: 15\n  population: own"),
}
BYTES_FACTOR = 2.0
"""What lies on the disk in the end is within it, above or below."""


def _rows(folder: Path, *patterns: str) -> int:
    files = [file for pattern in patterns for file in folder.glob(pattern)]
    assert files
    return sum(pq.read_metadata(file).num_rows for file in files)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("study", STUDIES)
def test_jobs_are_those_of_a_dry_run(fresh, study):
    (fresh / STUDY).write_text(STUDIES[study])
    told = nichetrial(fresh, "run", STUDY, "--dry-run").stdout
    counted = re.search(r"jobs would run: (.*)", told)
    assert counted, told
    jobs = {rule: int(n) for n, rule in (word.split() for word in counted[1].split(", "))}
    plan = Plan.of(load(fresh / STUDY), STUDY)
    assert jobs == {line.rule: line.jobs for line in lines(plan)}
    said = nichetrial(fresh, "run", STUDY, "--estimate")
    assert said.returncode == 0
    assert re.search(rf"^total +{sum(jobs.values())} ", said.stdout, re.M)
    assert not (fresh / "results").exists()


def test_rows_and_bytes_are_those_of_the_run(finished):
    folder = finished[0]
    results = folder / "results" / "tiny"
    found = {line.rule: line for line in lines(Plan.of(load(folder / STUDY), STUDY))}
    assert found["parameters"].rows == _rows(results, "parameters/*.mice.parquet")
    assert found["simulate"].rows == _rows(results, "simulations/*/*.parquet")
    assert found["experiments"].rows == _rows(results, "experiments/*.parquet")
    assert found["dose_curve"].rows == _rows(results, "dose_curve/*.parquet")
    said = sum(line.bytes for line in found.values())
    left = _bytes(folder / "results")
    assert said / BYTES_FACTOR < left < said * BYTES_FACTOR
