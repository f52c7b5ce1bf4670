"""Runs of a small study in a temporary folder, through the command line."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from nichetrial.figures.declared import FIGURES
from tests.support import ROOT

TINY = """\
# a comment
study:
  name: tiny
  title: A tiny study
  seed: 7
cohort:
  particles: 10
  mice_per_particle: 2
  chunk: 10
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 40 d}
arms:
  high:
    label: TIMP-1-high
  amd3100:
    label: AMD3100
    treatments:
      - {drug: amd3100, dose: 5 mg/kg, start: 3 d, every: 12 h}
  untreated:
    label: Untreated
    timp1_vector: none
comparisons:
  reference: high
  resamples: 100
power: {experiments: 100, sizes: [4, 6]}
figures:
  dpi: 60
  course_particles: 3
  dose_particles: 3
  dose_folds: [1, 10]
"""

DRAWN = [
    f for f in FIGURES if f not in ("dose_response", "surface", "window", "schedules", "optimum")
]
"""The figures of a study without sweeps and without a schedule to look for."""

STUDY = "a study.yaml"
"""With a space, because quoting has to be right everywhere."""


def nichetrial(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder``; standard error is in ``stdout``, as on a terminal."""
    return _run(folder, [sys.executable, "-m", "nichetrial", *words], environment)


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake itself on the checkout's Snakefile, in an environment that is not activated."""
    program = Path(sys.executable).with_name("snakemake")
    return _run(folder, [str(program), "--snakefile", str(ROOT / "Snakefile"), *words], {})


def _run(
    folder: Path, words: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=900,
    )


def parquet(folder: Path) -> dict[str, bytes]:
    """All tables below ``folder``: name -> bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def mlflow_runs(folder: Path) -> list[tuple[str, str]]:
    """Names and states of all runs in the store."""
    store = folder / "results" / "mlflow" / "mlflow.db"
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute("SELECT name, status FROM runs WHERE lifecycle_stage = 'active'")
        return sorted(rows.fetchall())


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A run in the background."""
    with open(folder / "said.txt", "w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "nichetrial", "run", STUDY, *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )


def until_said(pattern: str, run: subprocess.Popen[str], folder: Path) -> None:
    """Wait until a run has said something."""
    deadline = time.monotonic() + 300
    while not re.search(pattern, (folder / "said.txt").read_text()):
        assert run.poll() is None, (folder / "said.txt").read_text()
        assert time.monotonic() < deadline, f"{pattern} was not said"
        time.sleep(0.05)


SWEPT = (
    TINY
    + """\
sweeps:
  dose:
    arm: amd3100
    grid: {treatments.amd3100.dose: [0 mg/kg, 2 mg/kg, 8 mg/kg, 30 mg/kg]}
  window:
    arm: amd3100
    grid:
      treatments.amd3100.start: [0 d, 3 d]
      treatments.amd3100.duration: [2 d, 5 d]
optimise:
  {arm: amd3100, budget: 30 mg/kg, dose: [2 mg/kg, 10 mg/kg], start: [0 d, 8 d],
   every: [12 h, 2 d], particles: 5, evaluations: 10}
"""
).replace("mice_per_particle: 2\n  chunk: 10", "mice_per_particle: 4\n  chunk: 20")
