"""Stage contradiction: the two arms of TIMP-1 apart, and the map of its sign."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nichetrial.cohort.population import read_population
from nichetrial.evidence import contradiction as c
from nichetrial.model.parameters import PARAMETERS
from nichetrial.stages.work import Work

__all__ = ["run"]

FOLDS = (10.0, 100.0)
"""Of the maps: the TIMP-1-high of the published experiment, and ten times as much."""


def run(work: Work) -> None:
    """Simulate and write the tables."""
    study, spec, folds = work.study, work.study.calibration, work.study.figures.dose_folds
    (population,) = work.reads["population"]
    particles = read_population(population)
    apart, whole = c.dose_arms(study.experiment, folds, particles, study.seed)
    axes = {
        name: np.geomspace(PARAMETERS[p].a, PARAMETERS[p].b, spec.map_points)
        for name, p in (("cd63", "cd63_ratio"), ("ki", "mmp_ki"))
    }
    some = particles[: spec.map_particles]
    maps = [c.phase_map(study.experiment, fold, some, study.seed, **axes) for fold in FOLDS]
    work.write("dose_arms", apart, c.DOSE_ARMS)
    work.write("turns", c.turns(folds, whole), c.TURNS)
    work.write("phase_map", pd.concat(maps, ignore_index=True), c.PHASE_MAP)
