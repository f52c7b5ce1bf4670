"""Stage dose_curve: metastasis against the dose of TIMP-1, from basal to the extreme."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from nichetrial.stages.work import Work
from nichetrial.study.layout import Chunk
from nichetrial.tables import Schema, read
from nichetrial.trial.simulate import OUTCOMES, simulate

__all__ = ["DOSE_CURVE", "run"]

DOSE_CURVE: Schema = {
    "fold": (pa.float64(), "1", "plasma TIMP-1 from the vector, as multiple of basal"),
    **OUTCOMES,
}


def run(work: Work) -> None:
    """Simulate each dose, and write all in one table."""
    study, cohort = work.study, read(*work.reads["mice"])
    cohort = cohort[cohort["particle"] <= Chunk.named(work.wildcards["chunk"]).last]
    tables = []
    for arm in study.dose_curve:
        table = simulate(arm, cohort, seed=study.seed).outcomes
        table.insert(0, "fold", 1.0 if arm.vector is None else arm.vector.fold)
        tables.append(table)
    work.write("dose_curve", pd.concat(tables, ignore_index=True), DOSE_CURVE)
    work.record.metric("doses", len(tables))
