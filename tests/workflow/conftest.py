"""A tiny study, run once; tests take copies of its folder, with results and Snakemake's memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.runs import STUDY, TINY, nichetrial


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
