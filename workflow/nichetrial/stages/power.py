"""Stage power: mice needed by a real experiment."""

from __future__ import annotations

import numpy as np

from nichetrial import codes
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.over_particles import directions, particles
from nichetrial.compare.power import (
    DESIGN,
    MICE_NEEDED,
    POWER,
    design,
    experiments,
    mice_needed,
    power,
)
from nichetrial.errors import UserError
from nichetrial.stages.work import Work
from nichetrial.tables import OnDemand, read

__all__ = ["run"]


def run(work: Work) -> None:
    """Do the test in every simulated experiment, and write the tables."""
    study, asked, spec = work.study, work.study.power, work.study.comparisons
    if asked is None:
        raise UserError(codes.NOT_ASKED, "this study asks for no mice needed (power: none)")
    names = [arm.name for arm in study.arms if arm.name not in work.missing]
    groups = dict(zip(names, map(read, work.reads["groups"]), strict=True))
    outcomes = OnDemand({name: work.reads[f"outcomes of {name}"] for name in names}, kept=1)
    ways = directions(particles(outcomes), spec.pairs, asked.outcome)
    numbers = np.arange(asked.experiments) % study.cohort.particles
    done = experiments(
        groups,
        spec.pairs,
        outcome=asked.outcome,
        test=asked.test,
        sizes=asked.sizes,
        directions={pair: sign[numbers] for pair, sign in ways.items()},
        particles=numbers,
    )
    bootstrap = Bootstrap(
        seed=study.seed,
        n=min(asked.experiments, study.cohort.particles),
        resamples=spec.resamples,
        interval=spec.interval,
    )
    needed = mice_needed(
        done,
        alpha=asked.alpha,
        correction=asked.correction,
        target=asked.chance,
        bootstrap=bootstrap,
    )
    work.write("power", power(done, alpha=asked.alpha), POWER)
    work.write("design", design(done, alpha=asked.alpha, correction=asked.correction), DESIGN)
    work.write("mice_needed", needed, MICE_NEEDED)
    work.record.metric("experiments", asked.experiments)
