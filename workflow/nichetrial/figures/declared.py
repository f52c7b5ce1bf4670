"""Which figures there are, and which tables each shows. Light: a plan asks, and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EVIDENCE", "FIGURES", "Declared"]


@dataclass(frozen=True)
class Declared:
    """A figure, which is drawn by the module of its name.

    Args:
        title: above it, in the report.
        shows: the tables that it reads.
    """

    title: str
    shows: tuple[str, ...] = ()


FIGURES: dict[str, Declared] = {
    "schedule": Declared("Schedule of every arm"),
    "foci": Declared("Foci in every particle", ("particles",)),
    "forest": Declared("Effects on foci", ("effects",)),
    "courses": Declared("Time courses", ("courses",)),
    "dose": Declared("Metastasis against TIMP-1", ("dose_curve",)),
    "colonies": Declared("Sizes of colonies", ("arms", "colonies")),
    "event_free": Declared("Time to event", ("event_free", "restricted_means")),
    "dose_response": Declared("Dose and response", ("dose_response", "dose_curves")),
    "surface": Declared("Two drugs together", ("surface", "synergy")),
    "window": Declared("The window of time", ("window",)),
    "schedules": Declared("Schedules of one total dose", ("schedules",)),
    "optimum": Declared("The best schedule", ("evaluations", "optimum")),
    "power": Declared("Mice needed", ("power", "mice_needed", "design")),
    "uncertainty": Declared("Where the uncertainty comes from", ("uncertainty",)),
    "ranking": Declared("Effect, burden of dosing, and harm", ("ranking",)),
}
"""In the order of the report."""

EVIDENCE: dict[str, Declared] = {
    "scoreboard": Declared("Findings against variants of the model", ("scoreboard", "findings")),
    "contradiction": Declared(
        "Metastasis against TIMP-1, its two arms apart", ("dose_arms", "turns", "findings")
    ),
    "phase_map": Declared(
        "Where TIMP-1 feeds and where it protects", ("phase_map", "full/population")
    ),
    "posterior": Declared("What was learned of what nobody has measured", ("full/posterior",)),
    "sobol": Declared("Which parameters decide", ("sobol",)),
    "calibration": Declared("How the calibration went", ("generations",)),
}
"""The same of the page of the calibration. ``generations``: of every variant; ``findings``: the
user's own."""
