"""Where the calibrated population lies that comes with nichetrial; `make population` remakes it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SHIPPED"]

SHIPPED = Path(__file__).parent / "calibrated"
"""population.parquet; scoreboard.csv, what it says to the findings; how.json, how it was made."""
