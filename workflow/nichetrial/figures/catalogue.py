"""The figures by name: how each is drawn, which files it reads, and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from nichetrial.figures import inputs
from nichetrial.figures.evidence_inputs import evidence_files
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["EVIDENCE", "FIGURES", "alt", "caption", "draw", "sources"]

FIGURES: dict[str, str] = {
    "schedule": "Schedule of every arm",
    "foci": "Foci in every mouse",
    "forest": "Effects on foci",
    "courses": "Time courses",
    "dose": "Metastasis against TIMP-1",
    "colonies": "Sizes of colonies",
    "event_free": "Time to event",
    "dose_response": "Dose and response",
    "surface": "Two drugs together",
    "window": "The window of time",
    "schedules": "Schedules of one total dose",
    "optimum": "The best schedule",
    "power": "Mice needed",
    "uncertainty": "Where the uncertainty comes from",
    "ranking": "Effect, burden of dosing, and harm",
}
"""Name -> title, in the order of the report. A figure is the module of the same name."""

EVIDENCE: dict[str, str] = {
    "scoreboard": "Findings against variants of the model",
    "contradiction": "Metastasis against TIMP-1, its two arms apart",
    "phase_map": "Where TIMP-1 feeds and where it protects",
    "posterior": "What was learned of what nobody has measured",
    "sobol": "Which parameters decide",
    "calibration": "How the calibration went",
}
"""The same of the figures of the calibration, which have a page of their own."""

SCHEDULE_CAPTION = (
    "What is done to the mice of each arm, over the days of the study: the TIMP-1 vector, the "
    "doses of each treatment, the arrival of tumour cells and the read-out. A treatment can "
    "only act on the founding of metastases in the days around the arrival of the cells."
)


def draw(name: str, study: ResolvedStudy, results: Path, missing: Sequence[str]) -> Figure:
    """Draw a figure. Raises KeyError for a name that is none, UserError for missing results."""
    module = import_module(f"nichetrial.figures.{_known(name)}")
    figure: Figure = (
        module.draw(study) if name == "schedule" else module.draw(study, results, missing)
    )
    return figure


def caption(name: str) -> str:
    """What one sees and what to conclude."""
    return SCHEDULE_CAPTION if _known(name) == "schedule" else _text(name, "CAPTION")


def alt(name: str) -> str:
    """The picture in a line, for those who do not see it."""
    if _known(name) == "schedule":
        return "Chart of the schedule of every arm; the table below says the same in words."
    return _text(name, "ALT")


def sources(name: str, study: ResolvedStudy, results: Path, missing: Sequence[str]) -> list[Path]:
    """The result files that a figure reads, besides the study."""
    if _known(name) == "schedule":
        return []
    tables = import_module(f"nichetrial.figures.{name}").TABLES
    if name in EVIDENCE:
        return evidence_files(study, results, tables)
    found: list[Path] = []
    for table in tables:
        if table == "dose_curve":
            found += inputs.dose_files(study, results)
        elif table in ("outcomes", "courses", "colonies"):
            for arm in inputs.present(study, missing):
                found += inputs.arm_files(study, results, arm.name, table)
        else:
            found.append(results / "comparisons" / f"{table}.parquet")
    return found


def _known(name: str) -> str:
    if name not in FIGURES and name not in EVIDENCE:
        raise KeyError(name)
    return name


def _text(name: str, attribute: str) -> str:
    return str(getattr(import_module(f"nichetrial.figures.{name}"), attribute))
