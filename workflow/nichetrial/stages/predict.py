"""Stage predict: simulated experiments of all findings, by one variant's population."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.cohort.population import read_population
from nichetrial.evidence.findings import all_findings, check_held_out
from nichetrial.evidence.simulated import Laboratory
from nichetrial.stages.work import Work
from nichetrial.tables import Schema

__all__ = ["run"]

NEW_LUCK = 1 << 62
"""Changes the seed: the experiments are not those that the particles were chosen by."""


def run(work: Work) -> None:
    """One experiment for each particle; write what each finding would have read."""
    study, spec = work.study, work.study.calibration
    check_held_out()
    findings = all_findings(spec.fit, spec.predict)
    (population,) = work.reads["population"]
    particles = read_population(population)
    laboratory = Laboratory(findings, seed=study.seed ^ NEW_LUCK, mice=spec.mice)
    numbers = np.arange(len(particles))
    read_out = laboratory.experiments(particles, numbers)
    schema: Schema = {"particle": (pa.int64(), "1", "number of the particle")} | {
        f.id: (pa.float64(), "1", f"{f.statistic} of {f.outcome}") for f in findings
    }
    columns = dict(zip((f.id for f in findings), read_out.T, strict=True))
    work.write("experiments", pd.DataFrame({"particle": numbers, **columns}), schema)
    work.record.metric("experiments", len(numbers))
    work.record.metric("failed", int((~np.isfinite(read_out)).any(axis=1).sum()))
