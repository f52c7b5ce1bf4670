"""Jobs in Slurm's queue that belong to a folder, on a Slurm of two shell scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nichetrial.errors import UserError
from nichetrial.launch import slurm
from tests.support import ROOT

PROFILE = ROOT / "workflow" / "profiles" / "slurm"


@pytest.fixture
def queue(tmp_path, monkeypatch) -> Path:
    """A file with the lines of squeue; scancel takes lines away and notes the numbers."""
    lines, programs = tmp_path / "queue", tmp_path / "bin"
    lines.touch()
    programs.mkdir()
    scripts = {
        "sbatch": "exit 1",
        "squeue": f'echo "$*" >"{tmp_path}/asked"; cat "{lines}"',
        "scancel": f'for n; do sed -i "/^$n|/d" "{lines}"; echo $n >>"{tmp_path}/cancelled"; done',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return lines


def test_which_profiles_send_jobs_to_slurm(tmp_path):
    assert slurm.used_by(PROFILE)
    assert not slurm.used_by(PROFILE.parent / "default")
    (tmp_path / "config.yaml").write_text("# nothing\n")
    assert not slurm.used_by(tmp_path)


def test_names_of_jobs_are_known_again():
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text())
    assert profile["slurm-jobname-prefix"] + "_" == slurm.PREFIX


def test_every_line_of_the_profile_has_its_reason():
    lines = (PROFILE / "config.yaml").read_text().splitlines()
    settings = [i for i, line in enumerate(lines) if line and not line.startswith("#")]
    assert len(settings) > 8
    assert [lines[i] for i in settings if not lines[i - 1].startswith("# ")] == []


def test_jobs_of_this_folder_are_cancelled_and_no_others(queue, tmp_path):
    here, link = tmp_path / "a | folder", tmp_path / "link"
    here.mkdir()
    link.symlink_to(here)
    others = f"4|nichetrial_x|{tmp_path}\n5|mine|{here}\n"
    queue.write_text(
        f"1|nichetrial_x|{here}\n2|nichetrial_y|{link}\n2|nichetrial_y|{link}\n{others}"
    )
    assert slurm.cancel_left(here) == 2
    assert (tmp_path / "cancelled").read_text().split() == ["1", "2"]
    assert queue.read_text() == others
    assert f"--user {os.getuid()}" in (tmp_path / "asked").read_text()
    assert slurm.cancel_left(here) == 0


def test_jobs_that_do_not_end_are_named(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "PATIENCE", 0.0)
    (tmp_path / "bin" / "scancel").write_text("#!/bin/sh\n")
    queue.write_text(f"17|nichetrial_x|{tmp_path}\n")
    with pytest.raises(UserError, match="do not end: 17; see squeue"):
        slurm.cancel_left(tmp_path)


def test_a_slurm_that_does_not_answer(queue, tmp_path):
    (tmp_path / "bin" / "squeue").write_text("#!/bin/sh\necho 'error: no controller' >&2\nexit 1\n")
    with pytest.raises(UserError, match="Slurm does not answer: error: no controller"):
        slurm.cancel_left(tmp_path)


def test_no_slurm_is_told_in_a_line_and_nothing_is_written(tmp_path):
    (tmp_path / "study.yaml").write_text((ROOT / "config.yaml").read_text())
    refused = subprocess.run(
        [sys.executable, "-m", "nichetrial", "run", "study.yaml", "--profile", "slurm"],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "sbatch and squeue and scancel cannot be found" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.yaml"]
