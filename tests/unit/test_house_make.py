"""The Makefile on machines that lack something: it says what, and makes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOO_OLD = "exit 1"
NO_VENV = 'case "$2" in *version_info*) exit 0;; *) exit 1;; esac'


def make(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program
    return subprocess.run(
        [program, "--no-print-directory", "-C", str(ROOT), *words],
        env={**os.environ, "PATH": str(path)} if path else None,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("python", "told"),
    [
        (TOO_OLD, "Python 3.11, 3.12 or 3.13 is needed"),
        (NO_VENV, "python3 lacks venv or ensurepip. On Debian or Ubuntu: apt-get install"),
    ],
    ids=["too old", "no venv"],
)
def test_a_python_that_will_not_do_is_told(tmp_path, python, told):
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "python3"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    venv = tmp_path / "venv"
    done = make("venv", f"VENV={venv}", path=programs)
    assert done.returncode != 0
    assert told in done.stderr
    assert not venv.exists()


def test_help_names_every_target():
    told = make().stdout
    for target in ("run", "test", "ui", "bench", "lint", "format", "lock", "generate", "clean"):
        assert f"\n  {target} " in told


def test_nothing_is_installed_when_the_lock_is_the_same(tmp_path):
    """Only the copies of the lock inside the environment count, not times."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    python.chmod(0o755)
    words = ("dev", f"VENV={venv}")
    assert make(*words).returncode == 0
    first = (tmp_path / "calls").read_text()
    assert first.count("--require-hashes") == 2
    assert first.count("--no-build-isolation --editable .") == 1
    (tmp_path / "calls").unlink()
    assert make(*words).returncode == 0
    assert "install" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_python_gets_the_same_versions(lock):
    """Another NumPy or SciPy gives other last bits."""
    text = (ROOT / "envs" / lock).read_text()
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.M)
    assert len(names) == len(set(names)) > 100
