"""Stage particles: one generation of some particles of one variant."""

from __future__ import annotations

import numpy as np

from nichetrial.cohort import smc
from nichetrial.cohort.space import priors_of
from nichetrial.evidence.agreement import distance
from nichetrial.evidence.findings import check_held_out, fitted_findings
from nichetrial.evidence.simulated import Laboratory
from nichetrial.stages.work import Work
from nichetrial.study.layout import Chunk
from nichetrial.tables import read

__all__ = ["run"]

LUCK = 1 << 61
"""Changes the seed: the experiments' mice are not those of the trial."""


def run(work: Work) -> None:
    """Move the particles and write them. Set B is checked to be untouched, and not read."""
    study, spec, generation = (
        work.study,
        work.study.calibration,
        int(work.wildcards["generation"]),
    )
    check_held_out()
    findings = fitted_findings(spec.fit)
    laboratory = Laboratory(findings, seed=study.seed ^ LUCK, mice=spec.mice)
    settings = smc.Settings(seed=study.seed, particles=spec.particles, moves=spec.moves)
    chunk = Chunk.named(work.wildcards["particles"])
    priors, slots = priors_of(work.wildcards["variant"]), np.arange(chunk.first, chunk.last + 1)

    def far(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
        return distance(findings, laboratory.experiments(values, keys))

    if generation == 0:
        found = smc.start(settings, priors, slots, far)
    else:
        whole = smc.Particles.of(read(*work.reads["previous"]))
        found = smc.move(settings, priors, whole, slots, generation, far)
    work.write("particles", found.table(), smc.PARTICLES)
    work.record.metric("distance_median", float(np.median(found.distance)))
    work.record.metric("met", float(np.mean(found.distance == 0.0)))
