"""Which tables each stage makes: names alone."""

from __future__ import annotations

__all__ = ["COMPARED", "COMPARISONS", "TABLES"]

COMPARISONS = ("compare", "compare_sweeps", "power", "optimise")
"""The stages that write to comparisons/."""

TABLES: dict[str, tuple[str, ...]] = {
    "compare": (
        "particles",
        "effects",
        "uncertainty",
        "combinations",
        "interactions",
        "unknowns",
        "arms",
        "event_free",
        "restricted_means",
        "ranking",
    ),
    "compare_sweeps": (
        "sweep_effects",
        "dose_response",
        "dose_curves",
        "surface",
        "synergy",
        "window",
        "schedules",
    ),
    "power": ("power", "design", "mice_needed"),
    "optimise": ("evaluations", "optimum"),
    "scoreboard": ("scoreboard",),
    "sensitivity": ("sobol", "decisions"),
    "contradiction": ("dose_arms", "turns", "phase_map"),
}
"""Stage -> the tables that it writes to comparisons/ or evidence/, each as .parquet and .csv."""

COMPARED = {table for stage in COMPARISONS for table in TABLES[stage]}
