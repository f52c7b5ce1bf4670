"""Equations, parameters and drugs. No files are read or written here but the parameter table."""

from __future__ import annotations

from pathlib import Path

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """The generated sections of the docs' model page: path -> whole text."""
    from nichetrial.model.document import fill, sections  # SymPy takes its time: only here

    page = Path(__file__).parents[3] / "docs" / "model.md"
    return {page: fill(page, sections())}
