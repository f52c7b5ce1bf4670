"""A tiny study, run once; tests take copies of its folder, with results and Snakemake's memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nichetrial.figures.declared import FIGURES
from tests.conftest import ROOT

TINY = """\
# a comment
study:
  name: tiny
  title: A tiny study
  seed: 7
cohort:
  mice: 20
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
  course_mice: 5
  dose_mice: 5
  dose_folds: [1, 10]
"""

DRAWN = [f for f in FIGURES if f not in
         ("dose_response", "surface", "window", "schedules", "optimum")]  # fmt: skip
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


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, str]:
    """The folder of a finished run, which no test changes, and what the run said."""
    folder = tmp_path_factory.mktemp("base") / "my studies"
    folder.mkdir()
    (folder / STUDY).write_text(TINY)
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    return folder, done.stdout


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of the finished run, to be changed."""
    copy = tmp_path / "my studies"
    shutil.copytree(finished[0], copy, symlinks=True)
    return copy


@pytest.fixture
def fresh(tmp_path) -> Path:
    """A folder with the study and nothing else."""
    new = tmp_path / "new"
    new.mkdir()
    (new / STUDY).write_text(TINY)
    return new


@pytest.fixture
def failing_arm(tmp_path) -> dict[str, str]:
    """An environment in which every simulation of AMD3100 dies as it starts."""
    place = tmp_path / "sabotage"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'simulate' in sys.orig_argv and 'amd3100' in sys.orig_argv:\n"
        "    log = sys.orig_argv[sys.orig_argv.index('--log') + 1]\n"
        "    open(log, 'w').write('the disk is full\\n')\n"
        "    raise SystemExit(1)\n"
    )
    return {"PYTHONPATH": str(place)}
