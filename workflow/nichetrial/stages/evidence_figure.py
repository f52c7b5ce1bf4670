"""Stage evidence_figure: one figure of the calibration."""

from __future__ import annotations

from nichetrial.stages.figure import run

__all__ = ["run"]
