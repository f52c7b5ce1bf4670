"""The sections of a study file that ask: sweeps, mice needed, the best schedule."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from nichetrial.study.kinds import Choice, Line, Measure, Number, Slug, Whole
from nichetrial.study.language import LONGEST_DAYS, MOST_ARMS, Section
from nichetrial.study.units import DOSE, Quantity

__all__ = [
    "FEWEST_TO_OPTIMISE",
    "OUTCOMES_OF_A_LAB",
    "SWEEP_NAME",
    "OptimiseSection",
    "PowerSection",
    "SweepItem",
]

FEWEST_TO_OPTIMISE = 20
"""Mice on which schedules can be tried."""

OUTCOMES_OF_A_LAB = (
    "foci",
    "burden",
    "largest_colony",
    "liver_neutrophils",
    "blood_neutrophils",
    "sdf1",
    "metastasis_free_days",
    "survival_days",
)
"""What a real experiment can measure in a mouse."""

SWEEP_NAME = Slug("a sweep")

Dose = Annotated[Quantity, Measure(DOSE, above=True, highest=10_000.0)]
Instant = Annotated[Quantity, Measure("d", instant=True, highest=LONGEST_DAYS)]
Interval = Annotated[Quantity, Measure("d", above=True, highest=LONGEST_DAYS)]


class SweepItem(Section):
    """One entry of ``sweeps``."""

    arm: Annotated[str, Line(64)] = Field(description="The arm that the sweep starts from.")
    label: Annotated[str | None, Line(60)] = Field(
        None,
        validate_default=False,
        description="Its name in figures and tables. Left out: its key.",
    )
    # the values are read with the arm that they make
    grid: dict[str, Any] = Field(
        {}, description="Quantity -> its values; every combination of them becomes an arm."
    )
    points: list[dict[str, Any]] = Field(
        [],
        max_length=MOST_ARMS,
        description="Instead of grid: a list of quantity -> value; each entry becomes an arm.",
    )
    null: Annotated[str, Choice("null model", lambda: ("loewe", "musyc", "bliss", "hsa"))] = Field(
        "loewe",
        description="Null model of a grid over the doses of two drugs: loewe (default), musyc, "
        "bliss or hsa.",
    )


class PowerSection(Section):
    outcome: Annotated[str, Choice("outcome", lambda: OUTCOMES_OF_A_LAB)] = Field(
        "foci", description="What the experiment measures: " + ", ".join(OUTCOMES_OF_A_LAB) + "."
    )
    test: Annotated[str, Choice("test", lambda: ("mann_whitney", "welch", "log_rank"))] = Field(
        "mann_whitney",
        description="The test that your lab uses, two-sided: mann_whitney, welch, or log_rank for "
        "metastasis_free_days and survival_days.",
    )
    alpha: Annotated[float, Number(0, 0.5, above=True)] = Field(
        0.05, description="Its level of significance."
    )
    sizes: list[Annotated[int, Whole(2, 200)]] = Field(
        list(range(4, 21)), min_length=1, max_length=100, description="Mice a group to try."
    )
    chance: Annotated[float, Number(0.5, 0.99)] = Field(
        0.8, description="The chance of showing the effect that you want."
    )
    correction: Annotated[str, Choice("correction", lambda: ("holm", "bonferroni", "none"))] = (
        Field(
            "holm",
            description="For the design as a whole, all declared comparisons together: holm, "
            "bonferroni or none.",
        )
    )
    experiments: Annotated[int, Whole(100, 100_000)] = Field(
        1000,
        description="Simulated experiments. Each has its own unknown parameters, and other mice in "
        "every group.",
    )


class OptimiseSection(Section):
    arm: Annotated[str, Line(64)] = Field(description="The arm with the treatment to be bettered.")
    drug: Annotated[str | None, Line(64)] = Field(
        None,
        validate_default=False,
        description="Which of its drugs. Left out: the only one that it is given.",
    )
    budget: Dose = Field(description="The most that may be given in all, such as 100 mg/kg.")
    dose: list[Dose] = Field(
        min_length=2, max_length=2, description="Smallest and largest single dose."
    )
    start: list[Instant] = Field(
        min_length=2, max_length=2, description="Earliest and latest first dose."
    )
    every: list[Interval] = Field(
        min_length=2, max_length=2, description="Shortest and longest time between doses."
    )
    mice: Annotated[int, Whole(FEWEST_TO_OPTIMISE, 1_000_000)] = Field(
        200, description="Mice on which schedules are tried; the best is judged on the others."
    )
    evaluations: Annotated[int, Whole(10, 10_000)] = Field(150, description="Schedules to try.")
