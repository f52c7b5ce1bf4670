"""The figures by name: how each is drawn, and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from nichetrial.figures.declared import EVIDENCE, FIGURES
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["alt", "caption", "draw"]

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


def _known(name: str) -> str:
    if name not in FIGURES and name not in EVIDENCE:
        raise KeyError(name)
    return name


def _text(name: str, attribute: str) -> str:
    return str(getattr(import_module(f"nichetrial.figures.{name}"), attribute))
