"""What Snakemake's Slurm executor leaves to its user: no job that runs on for a run that is over.

The executor cancels its jobs at an interrupt, but not those that it is just submitting or asking
about, and nobody cancels them after a kill. They are known by their working directory, so it does
not matter which run, or whether Snakemake itself, has sent them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from nichetrial import codes
from nichetrial.errors import UserError

__all__ = ["cancel_left", "check", "jobs_ended", "used_by"]

PREFIX = "nichetrial_"
"""How the names of our jobs begin: ``slurm-jobname-prefix`` in the profile."""

PATIENCE = 120.0
"""Seconds to wait until cancelled jobs are gone: Slurm gives them KillWait (30 s) to end."""


def used_by(profile: Path) -> bool:
    """Whether the profile in this folder sends jobs to Slurm."""
    content = yaml.safe_load((profile / "config.yaml").read_text(encoding="utf-8"))
    return isinstance(content, dict) and content.get("executor") == "slurm"


def check() -> None:
    """Raises UserError where Slurm's commands are not."""
    lacking = [name for name in ("sbatch", "squeue", "scancel") if shutil.which(name) is None]
    if lacking:
        raise UserError(
            codes.NO_SLURM,
            f"this profile sends jobs to Slurm, but {' and '.join(lacking)} cannot be found; run "
            "on a login node of the cluster, or without --profile",
        )


@contextlib.contextmanager
def jobs_ended(on_slurm: bool, folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """No job of ``folder`` in the queue before the block, and none after it. Reports what was left.
    For one who holds the folder. Raises as ``cancel_left`` does."""
    if on_slurm and (left := cancel_left(folder)):
        say(f"the last run left {_counted(left)} in Slurm's queue; cancelled, going on from there")
    try:
        yield
    finally:
        if on_slurm and (left := cancel_left(folder)):
            say(f"{_counted(left)} cancelled in Slurm's queue")


def _counted(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def cancel_left(folder: Path) -> int:
    """Cancel this user's jobs that belong to ``folder``, and wait until they are gone.

    Only for one who holds the folder, when no Snakemake works in it. Returns how many there were.
    Raises UserError if Slurm does not answer, or they do not end.
    """
    left = _jobs(folder)
    if not left:
        return 0
    _ask("scancel", *left)
    deadline = time.monotonic() + PATIENCE
    while remaining := _jobs(folder):
        if time.monotonic() > deadline:
            raise UserError(
                codes.JOBS_LEFT,
                f"jobs of an earlier run do not end: {', '.join(remaining)}; see squeue, and run "
                "the same command again once they are gone",
            )
        time.sleep(1.0)
    return len(left)


def _jobs(folder: Path) -> list[str]:
    """Ids of our jobs that wait, run or end in ``folder``."""
    asked = _ask("squeue", "--noheader", "--user", str(os.getuid()), "--format", "%A|%j|%Z")
    found: dict[str, None] = {}
    for line in asked.splitlines():
        number, name, where = (*line.split("|", 2), "", "")[:3]
        if name.startswith(PREFIX) and os.path.realpath(where) == os.path.realpath(folder):
            found[number] = None
    return list(found)


def _ask(*words: str) -> str:
    try:
        done = subprocess.run(list(words), text=True, capture_output=True, timeout=60)  # noqa: S603
        said = done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        raise UserError(
            codes.SLURM_SILENT, f"Slurm does not answer: {words[0]} took more than 60 s"
        ) from None
    if done.returncode:
        raise UserError(
            codes.SLURM_SILENT, f"Slurm does not answer: {said[-1] if said else words[0]}"
        )
    return done.stdout
