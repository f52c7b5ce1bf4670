"""What can be wrong with the section on mice needed."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.study.sections import PowerSpec
from nichetrial.study.source import Problem

__all__ = ["check_power"]


def check_power(section: PowerSpec) -> list[Problem]:
    """Log-rank without a time, a size that is there twice."""
    problems = []
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
