"""Stage power: mice needed by a real experiment, and where the uncertainty comes from."""

from __future__ import annotations

import numpy as np

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.over_particles import directions
from nichetrial.compare.power import (
    DESIGN,
    MICE_NEEDED,
    POWER,
    design,
    experiments,
    mice_needed,
    power,
)
from nichetrial.compare.uncertainty import UNCERTAINTY, uncertainty
from nichetrial.stages.work import Work
from nichetrial.tables import read

__all__ = ["run"]


def run(work: Work) -> None:
    """Do the test in every simulated experiment, split the uncertainty, write the tables."""
    study, asked, spec = work.study, work.study.power, work.study.comparisons
    names = [arm.name for arm in study.arms if arm.name not in work.missing]
    groups, twins = (
        dict(zip(names, map(read, work.reads[kind]), strict=True)) for kind in ("groups", "twins")
    )
    ways = directions(twins, spec.pairs, asked.outcome)
    particles = np.arange(asked.experiments) % asked.particles
    done = experiments(
        groups,
        spec.pairs,
        outcome=asked.outcome,
        test=asked.test,
        sizes=asked.sizes,
        directions={pair: sign[particles] if sign.size else 0 for pair, sign in ways.items()},
        particles=particles,
    )

    def bootstrap(n: int) -> Bootstrap:
        return Bootstrap(seed=study.seed, n=n, resamples=spec.resamples, interval=spec.interval)

    needed = mice_needed(
        done,
        alpha=asked.alpha,
        correction=asked.correction,
        target=asked.chance,
        bootstrap=bootstrap(asked.particles),
    )
    work.write("power", power(done, alpha=asked.alpha), POWER)
    work.write("design", design(done, alpha=asked.alpha, correction=asked.correction), DESIGN)
    work.write("mice_needed", needed, MICE_NEEDED)
    split = uncertainty(twins, spec.pairs, bootstrap(asked.particles))
    work.write("uncertainty", split, UNCERTAINTY)
    work.record.metric("experiments", asked.experiments)
