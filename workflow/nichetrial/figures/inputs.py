"""What figures and report read from a results folder: one function for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from nichetrial import codes, tables
from nichetrial.errors import UserError
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import Arm, ResolvedStudy

__all__ = [
    "arm_files",
    "colonies",
    "comparison",
    "courses",
    "dose_curve",
    "dose_files",
    "effects",
    "jitter",
    "main_reference",
    "present",
    "require",
]


def present(study: ResolvedStudy, missing: Sequence[str]) -> list[Arm]:
    """The arms that were simulated, in the order of the study."""
    return [arm for arm in study.arms if arm.name not in missing]


def main_reference(study: ResolvedStudy, arm: str) -> str:
    """The reference of ``arm``: its first declared pair, else that of the study."""
    for pair in study.comparisons.pairs:
        if pair.arm == arm:
            return pair.reference
    return study.comparisons.reference


def arm_files(study: ResolvedStudy, results: Path, arm: str, table: str) -> list[Path]:
    """Chunk files of one arm; ``table`` is ``outcomes``, ``courses`` or ``colonies``.

    Only the chunks that hold particles with courses count for ``courses``.
    """
    kept = study.figures.course_particles if table == "courses" else study.cohort.particles
    layout = Layout(results.as_posix())
    chunks = [c for c in study.chunks() if c.first < kept]
    return [Path(layout.simulation(arm, c.name, table)) for c in chunks]


def dose_files(study: ResolvedStudy, results: Path) -> list[Path]:
    """The files of the dose curve."""
    layout = Layout(results.as_posix())
    return [Path(layout.dose_curve(c.name)) for c in study.chunks(study.figures.dose_particles)]


def courses(study: ResolvedStudy, results: Path, arm: str) -> pd.DataFrame:
    """Time courses of the particles that keep them; rows without a number are left out."""
    table = _read(arm_files(study, results, arm, "courses"))
    return table[table["particle"] < study.figures.course_particles].dropna()


def colonies(study: ResolvedStudy, results: Path, arm: str) -> pd.DataFrame:
    """Colony sizes at read-out summed over chunks: size_low, size_high [cells], colonies."""
    table = _read(arm_files(study, results, arm, "colonies"))
    return table.groupby(["size_low", "size_high"], as_index=False)["colonies"].sum()


def dose_curve(study: ResolvedStudy, results: Path) -> pd.DataFrame:
    """Outcomes over TIMP-1 folds."""
    return _read(dose_files(study, results))


def effects(results: Path, outcome: str | None = None) -> pd.DataFrame:
    """The table of paired effects, of one outcome if named."""
    table = comparison(results, "effects")
    return table if outcome is None else table[table["outcome"] == outcome]


def comparison(results: Path, table: str) -> pd.DataFrame:
    """A table of the comparisons, such as ``event_free``."""
    return _read([Path(Layout(results.as_posix()).comparison(table))])


def jitter(numbers: np.ndarray) -> np.ndarray:
    """A place in [-1, 1] for each number, even and always the same (golden ratio sequence)."""
    return 2.0 * np.modf((numbers + 1) * 0.6180339887498949)[0] - 1.0


def require(paths: Iterable[Path]) -> list[Path]:
    """The paths. Raises UserError naming the first that does not exist."""
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise UserError(
                codes.NO_RESULTS,
                "this result is not there: run the stages before it",
                place=str(path),
            )
    return paths


def _read(paths: Iterable[Path]) -> pd.DataFrame:
    return tables.read(*require(paths))
