"""Stage simulations: one chunk of mice in all arms of a sweep."""

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

__all__ = ["SWEPT", "add_arguments", "run"]

SWEPT: Schema = {"arm": (pa.string(), "1", "the arm"), **OUTCOMES}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial sweep``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--sweep", required=True, help="name of the sweep")
    parser.add_argument("--parameters", required=True, help="Parquet file of the chunk's mice")
    parser.add_argument("--out", required=True, help="Parquet file to write")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Simulate each arm and write all in one table."""
    study = read_study(args.study)
    sweep = study.sweep(args.sweep)
    cohort = read(args.parameters)
    with recording(
        args.record,
        stage="sweep",
        name=f"{sweep.name}/mice-{Chunk(cohort['mouse'].iloc[0], cohort['mouse'].iloc[-1]).name}",
        parameters={"arms": [a.model_dump(mode="json") for a in sweep.arms]},
        seed=study.seed,
        inputs=[args.parameters],
        code=CODE["sweep"],
        **record_options(args),
    ) as record:
        tables = []
        for arm in sweep.arms:
            table = simulate(arm, cohort, seed=study.seed).outcomes
            table.insert(0, "arm", arm.name)
            tables.append(table)
        write(pd.concat(tables, ignore_index=True), args.out, SWEPT)
        record.metric("arms", len(tables))
        record.output(args.out)
