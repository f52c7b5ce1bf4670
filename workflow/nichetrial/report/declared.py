"""Which tables each page shows. Light: a plan asks, and writes nothing."""

from __future__ import annotations

__all__ = ["CALIBRATION", "STUDY"]

STUDY = (
    "arms",
    "effects",
    "combinations",
    "interactions",
    "unknowns",
    "mice_needed",
    "restricted_means",
    "ranking",
    "dose_response",
    "synergy",
    "schedules",
    "window",
    "optimum",
)
"""Of comparisons/; those of sweeps and of the best schedule only where the study asks for them."""

CALIBRATION = (
    "scoreboard",
    "dose_arms",
    "turns",
    "phase_map",
    "decisions",
    "full/posterior",
    "full/population",
    "generations",
    "findings",
)
"""Of evidence/, in the words of ``Plan.evidence``."""
