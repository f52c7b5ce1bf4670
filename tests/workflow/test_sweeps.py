"""A study with sweeps and a best schedule, from its file to figures, report and MLflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nichetrial.pipeline.products import COMPARED
from tests.support.runs import STUDY, SWEPT, nichetrial

pytestmark = [pytest.mark.slow]


def runs(folder: Path, tag: str, value: str) -> set[tuple[str, str]]:
    """Name and status of the runs with this tag."""
    with closing(sqlite3.connect(folder / "results" / "mlflow" / "mlflow.db")) as connection:
        return set(
            connection.execute(
                "SELECT name, status FROM runs JOIN tags USING (run_uuid)"
                " WHERE key = ? AND value = ?",
                (tag, value),
            )
        )


@pytest.fixture
def failing_sweep(tmp_path) -> dict[str, str]:
    """An environment in which the sweep over the window dies as it starts."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'sweep' in sys.orig_argv and 'window' in sys.orig_argv:\n"
        "    raise SystemExit(1)\n"
    )
    return {"PYTHONPATH": str(tmp_path)}


def test_a_sweep_that_fails_takes_nothing_with_it_and_comes_back(fresh, failing_sweep):
    (fresh / STUDY).write_text(SWEPT)
    failed = nichetrial(fresh, "run", STUDY, "--cores", "2", **failing_sweep)
    assert failed.returncode == 1
    assert "FAILED  simulate the sweep window, particles 0-4" in failed.stdout
    results = fresh / "results" / "tiny"
    assert "mg/kg" in (results / "comparisons" / "dose_response.csv").read_text()
    assert "window" not in (results / "comparisons" / "sweep_effects.csv").read_text()
    assert "AMD3100 against TIMP-1-high: " in failed.stdout
    assert (results / "report.html").is_file()
    assert ("dose: 8 mg/kg", "FINISHED") in runs(fresh, "nichetrial.sweep", "dose")
    assert {status for _, status in runs(fresh, "nichetrial.sweep", "window")} == {"FAILED"}

    mended = nichetrial(fresh, "run", STUDY, "--cores", "2")
    assert mended.returncode == 0, mended.stdout
    assert "simulate the sweep dose" not in mended.stdout
    assert {status for _, status in runs(fresh, "nichetrial.sweep", "window")} == {"FINISHED"}
    for table in COMPARED:
        assert (results / "comparisons" / f"{table}.csv").is_file(), table
    for figure in ("dose_response", "window", "optimum"):
        assert (results / "figures" / f"{figure}.svg").is_file()
        assert f'id="figure-{figure}"' in (results / "report.html").read_text()
    tried = runs(fresh, "nichetrial.role", "schedule")
    assert len(tried) == 11
    assert {status for _, status in tried} == {"FINISHED"}

    same = nichetrial(fresh, "diff", "A tiny study", "results/tiny")
    assert same.returncode == 0, same.stdout
    arms = nichetrial(fresh, "diff", "dose: 8 mg/kg", "results/tiny:dose_2mgkg")
    assert arms.returncode == 1, arms.stdout
    assert "foci of the arm / high" in arms.stdout

    again = nichetrial(fresh, "run", STUDY, "--dry-run")
    assert "othing to" in again.stdout
