"""Sweeps and the search for the best schedule, as written in a study file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from nichetrial.study.kinds import Line, Measure, Slug, Whole
from nichetrial.study.language import LONGEST_DAYS, MOST_ARMS
from nichetrial.study.sections import MOST_PARTICLES, ArmName, Section
from nichetrial.study.units import DOSE, Quantity

__all__ = ["FEWEST_TO_OPTIMISE", "SWEEP_NAME", "OptimiseSection", "SweepItem"]

FEWEST_TO_OPTIMISE = 5
"""Particles on which schedules can be tried."""

SWEEP_NAME = Slug("a sweep")

Dose = Annotated[Quantity, Measure(DOSE, above=True)]
Instant = Annotated[Quantity, Measure("d", instant=True, highest=LONGEST_DAYS)]
Interval = Annotated[Quantity, Measure("d", above=True, highest=LONGEST_DAYS)]


class SweepItem(Section):
    """One entry of ``sweeps``."""

    arm: ArmName = Field(description="The arm that the sweep starts from.")
    label: Line = Field(
        "",
        validate_default=False,
        max_length=60,
        description="Name of the sweep in figures and tables. Default: its key.",
    )
    # the values are read with the arm that they make
    grid: dict[str, Any] = Field(
        {}, description="Quantity -> its values. Every combination becomes an arm."
    )
    points: list[dict[str, Any]] = Field(
        [],
        max_length=MOST_ARMS,
        description="Instead of grid: a list of quantity -> value. Each entry becomes an arm.",
    )
    null: Literal["loewe", "musyc", "bliss", "hsa"] = Field(
        "loewe",
        description="Null model for a grid over the doses of two drugs: loewe (default), musyc, "
        "bliss or hsa.",
    )


class OptimiseSection(Section):
    arm: ArmName = Field(description="The arm with the treatment to improve.")
    drug: Line = Field(
        "",
        validate_default=False,
        max_length=64,
        description="Which of its drugs. Default: its only drug.",
    )
    budget: Dose = Field(description="Largest total dose, such as 100 mg/kg.")
    dose: list[Dose] = Field(
        min_length=2, max_length=2, description="Smallest and largest single dose."
    )
    start: list[Instant] = Field(
        min_length=2, max_length=2, description="Earliest and latest first dose."
    )
    every: list[Interval] = Field(
        min_length=2, max_length=2, description="Shortest and longest time between doses."
    )
    particles: Whole = Field(
        25,
        ge=FEWEST_TO_OPTIMISE,
        le=MOST_PARTICLES,
        description="Particles on which schedules are tried. The best one is tested on the others.",
    )
    evaluations: Whole = Field(150, ge=10, le=10_000, description="Number of schedules to try.")
