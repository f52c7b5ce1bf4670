"""What Slurm, and Snakemake's executor for it, say of a job that failed.

Why: the executor passes on Slurm's word in a sentence, and a Slurm without cgroups tells of memory
only in the log of the job.

Seen to fit: Slurm 22.05, snakemake-executor-plugin-slurm 2.8.0. Canary: tests/unit/test_compat.py;
tests/slurm has real failures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["SLURM", "reason", "said"]

STATUS = re.compile(r"SLURM status is: '(\w+)'")
REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '(.+?)'\.?\n", re.S)
MEMORY = re.compile(r"oom.?kill|exceeded (job )?memory|out.of.memory", re.I)
KILLED = re.compile(r"srun: error: .*: Killed")
SLURM_SAID = re.compile(r"slurmstepd: |srun: error|JOB \d+ ON ")

SLURM = {
    "OUT_OF_MEMORY": "it took more memory than it had asked for",
    "TIMEOUT": "it took longer than it had asked for",
    "DEADLINE": "it took longer than it had asked for",
    "NODE_FAIL": "its node died",
    "CANCELLED": "somebody cancelled it",
}
"""Slurm's word for how a job ended -> what it means."""


def reason(message: str, said: Iterable[str], job: object) -> str:
    """Why a job failed; '' on this computer.

    Args:
        message: the executor's.
        said: what Slurm wrote to the job's log.
        job: Slurm's number of it.
    """
    if refused := REFUSED.search(message):
        return f"Slurm refused it: {refused[1]}"
    if not (found := STATUS.search(message)):
        return ""
    lines = list(said)
    status, meaning = found[1], SLURM.get(found[1], "")
    if any(MEMORY.search(line) for line in lines):
        status, meaning = "OUT_OF_MEMORY", SLURM["OUT_OF_MEMORY"]
    elif status == "FAILED" and any(KILLED.search(line) for line in lines):
        # all that a Slurm without cgroups says of memory
        meaning = "it was killed: most often, for more memory than it had asked for"
    return f"{status}{f', {meaning}' if meaning else ''} (Slurm job {job})"


def said(lines: Iterable[str]) -> list[str]:
    """Slurm's own lines in the log of a job, between Snakemake's, which matter to no reader."""
    return [line for line in lines if SLURM_SAID.search(line)]
