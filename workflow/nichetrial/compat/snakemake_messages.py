"""What Snakemake says in its log, for ``nichetrial run`` to say it shorter.

Why: its events have no code for the reason of a job, for a retry, or for a run with nothing to do.

Seen to fit: Snakemake 9.27.1, snakemake-executor-plugin-slurm 2.8.0. Canary:
tests/unit/test_compat.py.
"""

from __future__ import annotations

import itertools
import re

__all__ = ["IDLE", "REASONS", "REDUNDANT", "ended_by", "gist", "retried", "why"]

REASONS = {
    "Missing output files": "not made yet",
    "Forced execution": "not what its record says",
    "Incomplete output files": "half made when a run was stopped",
    "Params have changed": "its settings or code changed",
    "Code has changed": "its rule changed",
    "Software environment definition": "the locked packages changed",
    "Set of input files has changed": "its inputs are others",
    "Updated input files": "an input changed",
    "Input files updated by another job": "an input is made again",
}
"""How Snakemake begins to say why a job runs -> in few words."""

AGAIN = re.compile(r"Trying to restart job (\d+)\.")

ENDED = re.compile(
    r"CalledProcessError.*(?:exit status (\d+)|died with <Signals\.\w+: (\d+)>)", re.S
)

IDLE = "Nothing to be done"
REDUNDANT = (
    "At least one job did not complete successfully",
    "Exiting because a job execution failed",
    "Removing output files of failed job",
    "Workflow defines configfile",
    "No SLURM account given",
    "No account was given, not able to get",
    "Unable to guess SLURM account",
)
"""What Snakemake and its executor say besides: of a failed job, which has been told already; of an
account, which Slurm itself asks for where it is needed."""


def why(reason: str) -> str:
    """Snakemake's reason without its lists of files."""
    return ", ".join(text for start, text in REASONS.items() if start in reason) or "asked for"


def gist(message: str) -> str:
    """What Snakemake says of an error, without the traceback before or after.

    >>> gist('Traceback (most recent call last):\\n  File "a.py", line 1\\nOSError: no home')
    'Snakemake ended: OSError: no home'
    >>> gist('WorkflowError in file Snakefile, line 19:\\nno study\\n  File "a.py", line 1')
    'WorkflowError in file Snakefile, line 19:\\nno study'
    """
    lines = message.rstrip().splitlines()
    if lines and lines[0].startswith("Traceback"):
        return f"Snakemake ended: {lines[-1]}"
    return "\n".join(itertools.takewhile(lambda line: not line.startswith('  File "'), lines))


def retried(message: str) -> int | None:
    """The number of the job that is tried again; None if the message says something else."""
    found = AGAIN.match(message)
    return int(found[1]) if found else None


def ended_by(message: str) -> int | None:
    """The signal that ended a job's command; None if the message says something else.

    >>> ended_by("CalledProcessError in file x: Command 'y' returned non-zero exit status 137.")
    9
    """
    found = ENDED.search(message)
    if found is None:
        return None
    status, signal = found.groups()
    number = int(signal) if signal else int(status) - 128  # as a shell says it
    return number if number > 0 else None
