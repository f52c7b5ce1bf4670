"""Stage experiments: one arm as many laboratories would see it, for the mice needed."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.cohort.particle_source import particles_of
from nichetrial.errors import UserError
from nichetrial.stages.work import Work
from nichetrial.trial.experiments import GROUPS, groups

__all__ = ["run"]


def run(work: Work) -> None:
    """Draw the animals, simulate them in the arm, and write the groups."""
    study, (arm,), asked = work.study, work.study.arms, work.study.power
    if asked is None:
        raise UserError(codes.NOT_ASKED, "this study asks for no mice needed (power: none)")
    (size,) = asked.sizes
    table = groups(
        arm,
        seed=study.seed,
        experiments=asked.experiments,
        particles=study.cohort.particles,
        size=size,
        overrides=study.cohort.overrides,
        population=particles_of(study.cohort.population, *work.reads["population"]),
    )
    work.write("groups", table, GROUPS)
    work.record.metric("experiments", asked.experiments)
