"""The surroundings of every job: the same Python and package as the Snakefile itself uses.

So a bare ``.venv/bin/snakemake`` works in a shell that has not activated the environment, and
jobs on a cluster find their way too, because each reads the Snakefile again. In a conda environment
that Snakemake activates for the job, that environment's Python comes first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

__all__ = ["prepare"]


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Put this Python first on PATH and this package on PYTHONPATH; doing it twice adds nothing."""
    package = Path(__file__).resolve().parents[2]
    _first(environment, "PATH", str(Path(sys.executable).parent))
    _first(environment, "PYTHONPATH", str(package))


def _first(environment: MutableMapping[str, str], name: str, entry: str) -> None:
    rest = [e for e in environment.get(name, "").split(os.pathsep) if e and e != entry]
    environment[name] = os.pathsep.join([entry, *rest])
