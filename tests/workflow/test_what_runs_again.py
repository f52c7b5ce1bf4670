"""Change this -> exactly these jobs run again. Asked of Snakemake itself, by dry runs."""

from __future__ import annotations

import shutil

import pytest

from tests.support import ROOT
from tests.support.reruns import (
    CASES,
    CODE_CASES,
    COMPARED,
    ENDS,
    EVERYTHING,
    FROM_COMPARISONS,
    PAGE,
    SECOND_CHUNK_OF_HIGH,
    change,
    page,
    would_run,
)

pytestmark = [pytest.mark.slow]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_of_the_study_runs_these_jobs(folder, case):
    old, new, jobs = case
    change(folder, old, new)
    assert would_run(folder) == jobs


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the code, to be changed."""
    copy = tmp_path_factory.mktemp("code")
    for part in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / part, copy)
    for part in ("workflow", "envs"):
        leave = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / part, copy / part, ignore=leave)
    return copy


@pytest.mark.parametrize("case", CODE_CASES.values(), ids=CODE_CASES)
def test_a_change_of_the_code_runs_these_jobs(finished, checkout, case):
    name, jobs = case
    changed = checkout / "workflow" / "nichetrial" / name
    before = changed.read_bytes()
    changed.write_bytes(before + b"\n# a change\n")
    try:
        again = would_run(finished[0], PYTHONPATH=str(checkout / "workflow"))
    finally:
        changed.write_bytes(before)
    assert again == jobs


def test_the_page_shows_this_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.support.reruns"


@pytest.mark.parametrize(
    ("lost", "jobs"),
    [
        ("figures/foci.svg", {"draw foci"} | ENDS),
        ("report.html", ENDS),
        ("comparisons/arms.csv", COMPARED | FROM_COMPARISONS | ENDS),
        ("simulations/high/particles-000005-000009.colonies.parquet", SECOND_CHUNK_OF_HIGH),
        ("study.json", set()),
    ],
)
def test_what_is_lost_is_made_again(folder, lost, jobs):
    (folder / "results" / "tiny" / lost).unlink()
    assert would_run(folder) == jobs


def test_a_dry_run_of_a_new_study_writes_no_result(fresh):
    assert would_run(fresh) == EVERYTHING
    assert not (fresh / "results").exists()
