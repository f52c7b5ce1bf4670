"""Stage evidence: Sobol indices, and which parameter decides which conclusion."""

from __future__ import annotations

import argparse
from pathlib import Path

from nichetrial.cohort.population import read_population
from nichetrial.cohort.space import priors_of
from nichetrial.evidence.decisions import DECISIONS, decisions
from nichetrial.explore.sobol import SOBOL, indices, points, quantities
from nichetrial.model.variants import FULL
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import write, write_csv

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial sensitivity``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--population", required=True, help="Parquet file of the full model's")
    parser.add_argument("--out", required=True, help="folder to write the tables to")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Indices over the priors; decisions over the population."""
    study, out = read_study(args.study), Path(args.out)
    with recording(
        args.record,
        stage="sensitivity",
        name="sensitivity",
        parameters={
            "arms": [a.model_dump(mode="json") for a in study.arms],
            "comparisons": study.comparisons.model_dump(
                mode="json", include={"reference", "pairs"}
            ),
            "sobol": study.calibration.sobol,
        },
        seed=study.seed,
        inputs=[args.population],
        code=CODE["sensitivity"],
        **record_options(args),
    ) as record:
        priors, seed = priors_of(FULL), study.seed % 2**32
        mice = points(priors, seed=seed, n=study.calibration.sobol)
        sobol = indices(priors, quantities(study, mice), seed=seed)
        decided = decisions(study, read_population(args.population), sobol)
        for name, table, schema in (
            ("sobol", sobol, SOBOL),
            ("decisions", decided, DECISIONS),
        ):
            write(table, out / f"{name}.parquet", schema)
            write_csv(table, out / f"{name}.csv")
            record.output(out / f"{name}.parquet")
            record.output(out / f"{name}.csv")
        record.metric("runs", len(mice) * len(study.arms))
