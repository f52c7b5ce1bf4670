"""Stage experiments: one arm as many laboratories would see it, for the mice needed."""

from __future__ import annotations

from typing import Any

from nichetrial.cohort.particle_source import particles_of
from nichetrial.stages.work import Work
from nichetrial.trial.experiments import GROUPS, TWINS, groups, twins

__all__ = ["run"]


def run(work: Work) -> None:
    """Draw the animals, simulate them in the arm, and write groups and twins."""
    study, (arm,) = work.study, work.study.arms
    (size,), count = study.power.sizes, study.power.experiments
    given: dict[str, Any] = {
        "seed": study.seed,
        "overrides": study.cohort.overrides,
        "population": particles_of(study.cohort.population, *work.reads["population"]),
    }
    given["particles"] = study.power.particles
    work.write("groups", groups(arm, experiments=count, size=size, **given), GROUPS)
    work.write("twins", twins(arm, **given), TWINS)
    work.record.metric("experiments", count)
