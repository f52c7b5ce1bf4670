"""Stage figure: one figure, in the formats the study asks for."""

from __future__ import annotations

from pathlib import Path

from nichetrial.figures import catalogue
from nichetrial.figures.fonts import supply
from nichetrial.figures.style import save
from nichetrial.stages.work import Work

__all__ = ["run"]


def run(work: Work) -> None:
    """Draw the figure and write it."""
    name, spec = work.wildcards["figure"], work.study.figures
    figure = catalogue.draw(name, work.study, work.results, work.missing)
    for note in supply(figure):
        work.record.note(note)
    stem = Path(work.writes["pictures"][0]).with_suffix("")
    save(figure, stem, spec.formats, spec.dpi)
