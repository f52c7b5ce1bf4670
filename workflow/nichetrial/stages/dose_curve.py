"""Stage simulations: metastasis against the dose of TIMP-1, from basal to the extreme."""

from __future__ import annotations

import argparse

import pandas as pd
import pyarrow as pa

from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.study.layout import Chunk
from nichetrial.tables import Schema, read, write
from nichetrial.trial.simulate import OUTCOMES, simulate

__all__ = ["DOSE_CURVE", "add_arguments", "run"]

DOSE_CURVE: Schema = {
    "fold": (pa.float64(), "1", "plasma TIMP-1 from the vector, as multiple of basal"),
    **OUTCOMES,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial dose-curve``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--parameters", required=True, help="Parquet file of a chunk's mice")
    parser.add_argument("--mice", type=int, required=True, help="mice numbered below this one")
    parser.add_argument("--out", required=True, help="Parquet file to write")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Simulate each dose and write all in one table."""
    study = read_study(args.study)
    cohort = read(args.parameters)
    cohort = cohort[cohort["mouse"] < args.mice]
    with recording(
        args.record,
        stage="dose-curve",
        name=f"mice-{Chunk(cohort['mouse'].iloc[0], cohort['mouse'].iloc[-1]).name}",
        parameters={
            "arms": [a.model_dump(mode="json") for a in study.dose_curve],
            "mice": args.mice,
        },
        seed=study.seed,
        inputs=[args.parameters],
        code=CODE["dose-curve"],
        **record_options(args),
    ) as record:
        tables = []
        for arm in study.dose_curve:
            table = simulate(arm, cohort, seed=study.seed).outcomes
            table.insert(0, "fold", 1.0 if arm.vector is None else arm.vector.fold)
            tables.append(table)
        write(pd.concat(tables, ignore_index=True), args.out, DOSE_CURVE)
        record.metric("doses", len(tables))
        record.output(args.out)
