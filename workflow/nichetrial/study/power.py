"""What can be wrong with the section on mice needed."""

from __future__ import annotations

import math

from nichetrial import codes
from nichetrial.study.language import CohortSection
from nichetrial.study.sections import MOST_MICE, PowerSpec
from nichetrial.study.source import Problem

__all__ = ["check_power"]


def check_power(section: PowerSpec, cohort: CohortSection | None) -> list[Problem]:
    """Log-rank without a time, a size that is there twice, more mice than a particle may have."""
    problems = []
    times = math.ceil(section.experiments / cohort.particles) if cohort else 1
    if times * max(section.sizes) > MOST_MICE:
        problems.append(
            Problem(
                ("power", "experiments"),
                codes.TOO_MANY,
                f"{times} experiments on each particle with up to {max(section.sizes)} mice per "
                f"group are too many; together at most {MOST_MICE} mice: write fewer experiments, "
                "or more particles in the cohort",
            )
        )
    timed = section.outcome.endswith("_days")
    if section.test == "log_rank" and not timed:
        problems.append(
            Problem(
                ("power", "test"),
                codes.CONTRADICTION,
                f"log_rank compares times to an event, but the outcome is {section.outcome}; write "
                "mann_whitney, or outcome: survival_days",
            )
        )
    for i, size in enumerate(section.sizes):
        if size in section.sizes[:i]:
            problems.append(
                Problem(("power", "sizes", i), codes.TWICE, f"{size} is there twice; delete one")
            )
    return problems
