"""Change this -> exactly these jobs run again. Asked of Snakemake itself, by dry runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workflow.conftest import DRAWN as FIGURES
from tests.workflow.conftest import STUDY, TINY, nichetrial

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

DRAWN = {f"draw {figure}" for figure in FIGURES}
ENDS = {"write the report", "record the runs in MLflow"}
ARMS = ("high", "amd3100", "untreated")
COMPARED = {"compare the arms", "count the mice needed"}


def _simulated(*arms: str, mice: tuple[str, ...] = ("0-9", "10-19")) -> set[str]:
    return {f"simulate {arm}, mice {chunk}" for arm in arms for chunk in mice}


def _experiments(*arms: str) -> set[str]:
    return {f"simulate experiments with {arm}" for arm in arms}


EVERYTHING = {
    "draw mice 0-9",
    "draw mice 10-19",
    "dose of TIMP-1, mice 0-4",
    *COMPARED,
    *_simulated(*ARMS),
    *_experiments(*ARMS),
    *DRAWN,
    *ENDS,
}


FROM_COMPARISONS = {
    f"draw {f}" for f in ("forest", "event_free", "power", "uncertainty", "ranking")
}

SECOND_CHUNK_OF_HIGH = {
    *_simulated("high", mice=("10-19",)),
    *COMPARED,
    *(DRAWN - {"draw schedule", "draw dose", "draw courses"}),
    *ENDS,
}


def would_run(folder: Path) -> set[str]:
    """The jobs of a dry run."""
    told = nichetrial(folder, "run", STUDY, "--dry-run")
    assert told.returncode == 0, told.stdout
    return set(re.findall(r"^  (.+?)  \(", told.stdout, re.M))


def change(folder: Path, old: str, new: str) -> None:
    assert TINY.count(old) == 1
    (folder / STUDY).write_text(TINY.replace(old, new))


CASES: dict[str, tuple[str, str, set[str]]] = {
    "nothing": ("# a comment", "# another comment", set()),
    "dpi of figures": ("dpi: 60", "dpi: 70", DRAWN | ENDS),
    "question": ("seed: 7", "seed: 7\n  question: Why?", ENDS),
    "dose of an arm": (
        "dose: 5 mg/kg",
        "dose: 6 mg/kg",
        _simulated("amd3100") | _experiments("amd3100") | COMPARED | DRAWN | ENDS,
    ),
    "seed": ("seed: 7", "seed: 8", EVERYTHING),
    "read-out of all": (
        "end: 40 d",
        "end: 41 d",
        EVERYTHING - {"draw mice 0-9", "draw mice 10-19"},
    ),
    "more mice": (
        "mice: 20",
        "mice: 30",
        {"draw mice 20-29"}
        | COMPARED
        | _simulated("high", "amd3100", "untreated", mice=("20-29",))
        | DRAWN
        | ENDS,
    ),
    "doses of the curve": (
        "dose_folds: [1, 10]",
        "dose_folds: [1, 20]",
        {"dose of TIMP-1, mice 0-4"} | DRAWN | ENDS,
    ),
    "resamples": ("resamples: 100", "resamples: 200", COMPARED | DRAWN | ENDS),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_of_the_study_runs_these_jobs(folder, case):
    old, new, jobs = case
    change(folder, old, new)
    assert would_run(folder) == jobs


def test_an_arm_more_simulates_only_that_arm(folder):
    change(folder, "  untreated:\n", "  more:\n    host: {cd63: 0}\n  untreated:\n")
    assert would_run(folder) == _simulated("more") | _experiments("more") | COMPARED | DRAWN | ENDS


@pytest.mark.parametrize(
    ("lost", "jobs"),
    [
        ("figures/foci.svg", {"draw foci"} | ENDS),
        ("report.html", ENDS),
        ("comparisons/arms.csv", COMPARED | FROM_COMPARISONS | ENDS),
        ("simulations/high/mice-000010-000019.colonies.parquet", SECOND_CHUNK_OF_HIGH),
        ("study.json", set()),
    ],
)
def test_what_is_lost_is_made_again(folder, lost, jobs):
    (folder / "results" / "tiny" / lost).unlink()
    assert would_run(folder) == jobs


def test_a_dry_run_of_a_new_study_writes_no_result(fresh):
    assert would_run(fresh) == EVERYTHING
    assert not (fresh / "results").exists()
