"""Integration of ensembles, keyed randomness, colonies. Only compiled code is kept in files."""

from __future__ import annotations

import atexit
import os
import shutil
from pathlib import Path

from numba.core import config

from nichetrial.compat import numba_cache

__all__ = ["generated"]

HERE = Path(__file__).parent

_folder = numba_cache.settle(given=config.CACHE_DIR)  # type: ignore[attr-defined]
numba_cache.install(_folder)
if _folder.private and numba_cache.HANDED not in os.environ:
    atexit.register(shutil.rmtree, _folder.path, ignore_errors=True)
if numba_cache.BUILDING not in os.environ and not _folder.usable:
    _folder.build()


def generated() -> dict[Path, str]:
    """The generated kernels: path -> text."""
    from nichetrial.engine import codegen  # SymPy takes its time: only here

    return {HERE / "kernels.py": codegen.kernels(), HERE / "lanes.py": codegen.lanes()}
