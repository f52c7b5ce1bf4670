"""The section on mice needed, checked and resolved."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.study.questions import PowerSection
from nichetrial.study.resolved import PowerSpec
from nichetrial.study.source import Problem

__all__ = ["read_power"]


def read_power(section: PowerSection) -> tuple[PowerSpec, list[Problem]]:
    """The simulated experiments, and what is wrong with them."""
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
    spec = PowerSpec(
        outcome=section.outcome,
        test=section.test,  # type: ignore[arg-type]
        alpha=section.alpha,
        sizes=tuple(sorted(section.sizes)),
        target=section.chance,
        correction=section.correction,  # type: ignore[arg-type]
        experiments=section.experiments,
    )
    return spec, problems
