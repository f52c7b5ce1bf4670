"""Stage population: what a variant has come to, and how it got there."""

from __future__ import annotations

import sys

import pandas as pd

from nichetrial.cohort import smc
from nichetrial.cohort.population import POPULATION
from nichetrial.cohort.space import NAMES, parameters, priors_of
from nichetrial.evidence.posterior import POSTERIOR, posterior
from nichetrial.stages.work import Work
from nichetrial.tables import read

__all__ = ["run"]


def run(work: Work) -> None:
    """Write the last generation as a population, its posterior, and how it was reached."""
    study, spec = work.study, work.study.calibration
    priors = priors_of(work.wildcards["variant"])
    generations = [smc.Particles.of(read(*paths)) for paths in work.reads.values()]
    last = generations[-1]
    settings = smc.Settings(seed=study.seed, particles=spec.particles, moves=spec.moves)
    curve = smc.curve(settings, generations)
    values = parameters(last.u, priors)
    columns = dict(zip(NAMES, values.T, strict=True))
    whole = pd.DataFrame({"particle": last.slot, **columns})
    work.write("population", whole, POPULATION)
    work.write("generations", curve, smc.GENERATIONS)
    work.write("posterior", posterior(values, last.u, priors), POSTERIOR)
    for name in ("limit", "met", "acceptance", "effective", "origins", "support"):
        work.record.metric(name, curve[name].iloc[-1])
    end = curve.iloc[-1]
    print(
        f"{work.wildcards['variant']}: {end['met']:.0%} of {spec.particles} particles meet all "
        f"findings (largest distance {last.distance.max():.3g}); effective sample size "
        f"{end['effective']:.0f}, from {end['origins']:.0f} draws of the priors; "
        f"{end['acceptance']:.0%} of the last steps taken; {end['support']:.0%} of the priors' "
        "ranges covered",
        file=sys.stderr,
    )
