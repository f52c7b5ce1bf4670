"""Stage evidence: the two arms of TIMP-1 apart, and the map of its sign."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from nichetrial.cohort.population import read_population
from nichetrial.evidence import contradiction as c
from nichetrial.model.parameters import PARAMETERS
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import write, write_csv

__all__ = ["add_arguments", "run"]

FOLDS = (10.0, 100.0)
"""Of the maps: the TIMP-1-high of the published experiment, and ten times as much."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial contradiction``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--population", required=True, help="Parquet file of the full model's")
    parser.add_argument("--out", required=True, help="folder to write the tables to")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Simulate and write the tables."""
    study, out = read_study(args.study), Path(args.out)
    spec, folds = study.calibration, study.figures.dose_folds
    with recording(
        args.record,
        stage="contradiction",
        name="contradiction",
        parameters={
            "experiment": study.experiment.model_dump(mode="json"),
            "folds": folds,
            **spec.model_dump(mode="json", include={"map_points", "map_particles"}),
        },
        seed=study.seed,
        inputs=[args.population],
        code=CODE["contradiction"],
        **record_options(args),
    ) as record:
        particles = read_population(args.population)
        apart, whole = c.dose_arms(study.experiment, folds, particles, study.seed)
        axes = {
            name: np.geomspace(PARAMETERS[p].a, PARAMETERS[p].b, spec.map_points)
            for name, p in (("cd63", "cd63_ratio"), ("ki", "mmp_ki"))
        }
        some = particles[: spec.map_particles]
        maps = [c.phase_map(study.experiment, fold, some, study.seed, **axes) for fold in FOLDS]
        for name, table, schema in (
            ("dose_arms", apart, c.DOSE_ARMS),
            ("turns", c.turns(folds, whole), c.TURNS),
            ("phase_map", pd.concat(maps, ignore_index=True), c.PHASE_MAP),
        ):
            write(table, out / f"{name}.parquet", schema)
            write_csv(table, out / f"{name}.csv")
            record.output(out / f"{name}.parquet")
            record.output(out / f"{name}.csv")
