"""The surroundings of every job: the same Python and package as the Snakefile itself uses.

So a bare ``.venv/bin/snakemake`` works in a shell that has not activated the environment, and
jobs on a cluster find their way too, because each reads the Snakefile again. In a conda environment
that Snakemake activates for the job, that environment's Python comes first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["prepare"]


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Put this Python first on PATH and this package on PYTHONPATH; doing it twice adds nothing.

    In a Slurm job, matplotlib's cache of fonts is on the node's own disk: many jobs at once would
    wait for each other's lock in a home that all nodes share. (Figures heed no settings of users.)
    """
    package = Path(__file__).resolve().parents[2]
    environment["PYTHONSAFEPATH"] = "1"  # no module of the working folder in place of another
    _first(environment, "PATH", str(Path(sys.executable).parent))
    _first(environment, "PYTHONPATH", str(package))
    if "SLURM_JOB_ID" in environment and "MPLCONFIGDIR" not in environment:
        own = Path(tempfile.gettempdir(), f"nichetrial-{os.getuid()}")
        own.mkdir(mode=0o700, exist_ok=True)
        if own.stat().st_uid == os.getuid():
            environment["MPLCONFIGDIR"] = str(own / "matplotlib")


def _first(environment: MutableMapping[str, str], name: str, entry: str) -> None:
    rest = [e for e in environment.get(name, "").split(os.pathsep) if e and e != entry]
    environment[name] = os.pathsep.join([entry, *rest])
