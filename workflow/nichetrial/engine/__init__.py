"""Integration of ensembles, keyed randomness, colonies. No files are read or written here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from numba.core import config

__all__ = ["generated"]

HERE = Path(__file__).parent


def _compiled() -> Path:
    """Where compiled code is kept: a folder for exactly this source.

    Numba looks only at the file of the function it loads, not at the files of those it calls: with
    one folder for all, a change of an equation would go on running the old one. A folder named by
    NUMBA_CACHE_DIR is the parent of ours.
    """
    source = hashlib.sha256()
    for file in sorted(HERE.glob("*.py")):
        source.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    given = config.CACHE_DIR  # type: ignore[attr-defined]
    if given:
        base = Path(given)
    elif os.access(HERE, os.W_OK):
        base = HERE / "__pycache__"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nichetrial"
    return base / f"compiled-{source.hexdigest()[:16]}"


config.CACHE_DIR = str(_compiled())  # type: ignore[attr-defined]


def generated() -> dict[Path, str]:
    """The generated kernels: path -> text."""
    from nichetrial.engine import codegen  # SymPy takes its time: only here

    return {HERE / "kernels.py": codegen.kernels(), HERE / "lanes.py": codegen.lanes()}
