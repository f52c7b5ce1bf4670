"""Stage sensitivity: Sobol indices, and which parameter decides which conclusion."""

from __future__ import annotations

from nichetrial.cohort.population import read_population
from nichetrial.cohort.space import priors_of
from nichetrial.evidence.decisions import DECISIONS, decisions
from nichetrial.explore.sobol import SOBOL, indices, points, quantities
from nichetrial.model.variants import FULL
from nichetrial.stages.work import Work

__all__ = ["run"]


def run(work: Work) -> None:
    """Indices over the priors; decisions over the population."""
    study = work.study
    priors, seed = priors_of(FULL), study.seed % 2**32
    mice = points(priors, seed=seed, n=study.calibration.sobol)
    sobol = indices(priors, quantities(study, mice), seed=seed)
    (population,) = work.reads["population"]
    work.write("sobol", sobol, SOBOL)
    work.write("decisions", decisions(study, read_population(population), sobol), DECISIONS)
    work.record.metric("runs", len(mice) * len(study.arms))
