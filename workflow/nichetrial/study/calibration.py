"""The calibration section in resolved form, and what can be wrong with it."""

from __future__ import annotations

from pathlib import Path

from nichetrial import codes
from nichetrial.errors import Code
from nichetrial.model.variants import FULL
from nichetrial.study.sections import CalibrationSpec
from nichetrial.study.source import Problem

__all__ = ["read_calibration"]

MOST_JOBS = 5000
MOST_MICE = 2**32
"""Mice that a calibration can number, each the key of its random events."""


def read_calibration(section: CalibrationSpec, file: str) -> tuple[CalibrationSpec, list[Problem]]:
    """Paths become relative to the working directory. ``file``: the study file's path."""
    problems: list[Problem] = []

    def wrong(code: Code, message: str, *path: str | int) -> None:
        problems.append(Problem(("calibration", *path), code, message))

    found: dict[str, tuple[str, ...]] = {}
    for key, names in (("fit", section.fit), ("predict", section.predict)):
        paths: list[str] = []
        for i, name in enumerate(names):
            written = Path(name)
            path = Path(file).parent / written
            inside = path.resolve().is_relative_to(Path(file).resolve().parent)
            odd = set(name) & set("{}*?[]")  # Snakemake would read more into them
            away = written.is_absolute() or ".." in written.parts or not inside
            if away or written.suffix != ".csv" or odd:
                wrong(
                    codes.NO_FINDINGS,
                    f'"{name}" must be a .csv file in the folder of this file or below',
                    key,
                    i,
                )
            elif path.as_posix() in (*paths, *found.get("fit", ())):
                wrong(
                    codes.TWICE,
                    f'"{name}" is there twice; a finding is either fitted or predicted',
                    key,
                    i,
                )
            elif not path.is_file():
                wrong(codes.NO_FINDINGS, f'there is no file "{name}" next to this one', key, i)
            paths.append(path.as_posix())
        found[key] = tuple(paths)
    if FULL not in section.variants or len(set(section.variants)) < len(section.variants):
        wrong(codes.TWICE, f"write each variant once, and {FULL} among them", "variants")
    if section.sobol & (section.sobol - 1):
        wrong(
            codes.OUT_OF_RANGE,
            f"{section.sobol} is no power of two; write one, such as 512",
            "sobol",
        )
    jobs = -(-section.particles // section.chunk) * (section.generations + 1)
    if jobs * len(section.variants) > MOST_JOBS:
        wrong(
            codes.TOO_MANY,
            f"{jobs * len(section.variants)} jobs are too many; write a larger chunk",
            "chunk",
        )
    mice = section.particles * section.mice * section.moves * (section.generations + 1)
    if mice >= MOST_MICE:
        wrong(
            codes.TOO_MANY,
            f"{mice:.3g} mice are too many for one calibration; write fewer particles or mice",
        )
    return section.model_copy(update=found), problems
