"""Stage parameters: one chunk of virtual mice."""

from __future__ import annotations

import argparse

import pandas as pd

from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import SCHEMA, sample
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.study.layout import Chunk
from nichetrial.tables import write, write_csv

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial parameters``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--first", type=int, required=True, help="first mouse of the chunk")
    parser.add_argument("--last", type=int, required=True, help="last mouse, included")
    parser.add_argument(
        "--population",
        help="Parquet file of particles; left out: as the study says",
    )
    parser.add_argument("--out", required=True, help="Parquet file to write")
    parser.add_argument("--rejections", required=True, help="CSV of rejected draws by reason")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Draw the mice and write them."""
    study = read_study(args.study)
    overrides, source = study.cohort.overrides, study.cohort.population
    with recording(
        args.record,
        stage="parameters",
        name=f"mice-{Chunk(args.first, args.last).name}",
        parameters={
            "first": args.first,
            "last": args.last,
            "population": source,
            "overrides": {k: v.model_dump(mode="json") for k, v in overrides.items()},
        },
        seed=study.seed,
        inputs=[args.population] if args.population else [],
        code=CODE["parameters"],
        **record_options(args),
    ) as record:
        frame, rejected = sample(
            seed=study.seed,
            first=args.first,
            last=args.last,
            overrides=overrides,
            population=particles_of(source, args.population or "--population"),
        )
        write(frame, args.out, SCHEMA)
        counts = pd.DataFrame(rejected.most_common(), columns=["reason", "mice"])
        write_csv(counts.sort_values(["mice", "reason"], ascending=[False, True]), args.rejections)
        record.metric("mice", len(frame))
        record.metric("draws_rejected", sum(rejected.values()))
        record.output(args.out)
        record.output(args.rejections)
