"""Stage sweep: one chunk of mice in all arms of a sweep."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from nichetrial.stages.work import Work
from nichetrial.tables import Schema, read
from nichetrial.trial.simulate import OUTCOMES, simulate

__all__ = ["SWEPT", "run"]

SWEPT: Schema = {"arm": (pa.string(), "1", "the arm"), **OUTCOMES}


def run(work: Work) -> None:
    """Simulate each arm, and write all in one table."""
    study, (sweep,) = work.study, work.study.sweeps
    cohort = read(*work.reads["mice"])
    tables = []
    for arm in sweep.arms:
        table = simulate(arm, cohort, seed=study.seed).outcomes
        table.insert(0, "arm", arm.name)
        tables.append(table)
    work.write("outcomes", pd.concat(tables, ignore_index=True), SWEPT)
    work.record.metric("arms", len(tables))
