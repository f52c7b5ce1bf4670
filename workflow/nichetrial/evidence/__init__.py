"""Published findings, what the calibrated model says to them, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

__all__ = ["generated"]


def generated() -> dict[Path, str]:
    """The page of the docs that tells of the evidence: path -> text."""
    from nichetrial.evidence.document import sections
    from nichetrial.model.document import fill

    page = Path(__file__).parents[3] / "docs" / "evidence.md"
    return {page: fill(page, sections())}
