"""What each rule makes and each figure reads: names alone, so that they load at once."""

from __future__ import annotations

__all__ = [
    "COMPARED", "COMPARISONS", "EVIDENCE", "EVIDENCE_FIGURES",
    "EVIDENCE_TABLES", "FIGURES", "OF_NO_CALIBRATION",
    "OUTCOME_TABLES",
]  # fmt: skip

EVIDENCE: dict[str, set[str]] = {
    "particles": {"particles", "moves", "mice", "fit"},
    "population": {"particles", "generations", "moves", "mice", "fit"},
    "predict": {"mice", "fit", "predict"},
    "scoreboard": {"variants", "fit", "predict"},
    "sensitivity": {"sobol"},
    "contradiction": {"map_points", "map_particles"},
}
"""Stage of the calibration and its evidence -> the keys of its section that it depends on."""

OF_NO_CALIBRATION = {"tracking", "question", "cohort", "dose_curve"}
"""Parts of a study that the figures and the page of its calibration do not show."""

OUTCOME_TABLES = ("outcomes", "courses", "colonies")

COMPARISONS: dict[str, tuple[str, ...]] = {
    "compare": (
        "effects", "combinations", "unknowns", "arms", "event_free", "restricted_means", "ranking",
    ),
    "compare_sweeps": (
        "sweep_effects", "dose_response", "dose_curves", "surface", "synergy", "window",
        "schedules",
    ),
    "power": ("power", "design", "mice_needed", "uncertainty"),
    "optimise": ("evaluations", "optimum"),
}  # fmt: skip
"""Rule -> the tables that it writes to comparisons/, each as .parquet and .csv."""

EVIDENCE_TABLES: dict[str, tuple[str, ...]] = {
    "scoreboard": ("scoreboard",),
    "sensitivity": ("sobol", "decisions"),
    "contradiction": ("dose_arms", "turns", "phase_map"),
}
"""Rule -> the tables that it writes to evidence/, each as .parquet and .csv."""

COMPARED = {table for tables in COMPARISONS.values() for table in tables}

FIGURES: dict[str, tuple[str, ...]] = {
    "schedule": (),
    "foci": ("outcomes",),
    "forest": ("effects",),
    "courses": ("courses",),
    "dose": ("dose_curve",),
    "colonies": ("outcomes", "colonies"),
    "event_free": ("event_free", "restricted_means"),
    "dose_response": ("dose_response", "dose_curves"),
    "surface": ("surface", "synergy"),
    "window": ("window",),
    "schedules": ("schedules",),
    "optimum": ("evaluations", "optimum"),
    "power": ("power", "mice_needed", "design"),
    "uncertainty": ("uncertainty",),
    "ranking": ("ranking",),
}
"""Figure -> the tables it reads. The names are those of ``nichetrial.figures.catalogue``, which is
not asked because it loads matplotlib; a test holds the two equal."""

EVIDENCE_FIGURES: dict[str, tuple[str, ...]] = {
    "scoreboard": ("scoreboard", "findings"),
    "contradiction": ("dose_arms", "turns", "findings"),
    "phase_map": ("phase_map", "full/population"),
    "posterior": ("full/posterior",),
    "sobol": ("sobol",),
    "calibration": ("generations",),
}
"""The same of the figures of the calibration. ``generations``: of every variant; ``findings``: the
user's own."""
