"""Integration of ensembles, keyed randomness, colonies. No files are read or written here."""

from __future__ import annotations

from pathlib import Path

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """The generated kernels: path -> text."""
    from nichetrial.engine.codegen import source  # SymPy takes its time: only here

    return {Path(__file__).with_name("kernels.py"): source()}
