"""Stage power: mice needed by a real experiment, and where the uncertainty comes from."""

from __future__ import annotations

import math

from nichetrial.compare.bootstrap import Bootstrap
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
    effects = read(*work.reads["effects"])
    seen = effects[effects["outcome"] == asked.outcome]
    directions = {
        (row.arm, row.reference): 0
        if math.isnan(row.difference)
        else int(math.copysign(1, row.difference) if row.difference else 0)
        for row in seen.itertuples()
    }
    groups, twins = (
        dict(zip(names, map(read, work.reads[kind]), strict=True)) for kind in ("groups", "twins")
    )
    done = experiments(
        groups,
        spec.pairs,
        outcome=asked.outcome,
        test=asked.test,
        sizes=asked.sizes,
        directions=directions,
    )

    def bootstrap(n: int) -> Bootstrap:
        return Bootstrap(seed=study.seed, n=n, resamples=spec.resamples, interval=spec.interval)

    needed = mice_needed(
        done,
        alpha=asked.alpha,
        correction=asked.correction,
        target=asked.chance,
        bootstrap=bootstrap(asked.experiments),
    )
    work.write("power", power(done, alpha=asked.alpha), POWER)
    work.write("design", design(done, alpha=asked.alpha, correction=asked.correction), DESIGN)
    work.write("mice_needed", needed, MICE_NEEDED)
    split = uncertainty(twins, spec.pairs, bootstrap(asked.particles))
    work.write("uncertainty", split, UNCERTAINTY)
    work.record.metric("experiments", asked.experiments)
