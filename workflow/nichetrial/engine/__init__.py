"""Integration of ensembles, keyed randomness, colonies. Only compiled code is kept in files."""

from __future__ import annotations

from pathlib import Path

from numba.core import config

from nichetrial.engine import compiled

__all__ = ["generated"]

HERE = Path(__file__).parent

compiled.one_at_a_time()
_GIVEN = config.CACHE_DIR  # type: ignore[attr-defined]
config.CACHE_DIR = str(  # type: ignore[attr-defined]
    compiled.settle(f"compiled-{compiled.digest(HERE)}", compiled.candidates(HERE, _GIVEN))
)


def generated() -> dict[Path, str]:
    """The generated kernels: path -> text."""
    from nichetrial.engine import codegen  # SymPy takes its time: only here

    return {HERE / "kernels.py": codegen.kernels(), HERE / "lanes.py": codegen.lanes()}
