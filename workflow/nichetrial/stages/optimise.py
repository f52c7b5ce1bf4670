"""Stage comparisons: the best schedule of one treatment within a total dose."""

from __future__ import annotations

import argparse
from pathlib import Path

from nichetrial import codes
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.errors import UserError
from nichetrial.explore.optimum import EVALUATIONS, OPTIMUM, Search, judge
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options, write_tables
from nichetrial.tables import read

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial optimise``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--parameters", nargs="+", required=True, help="Parquet files of the mice")
    parser.add_argument("--out", required=True, help="folder to write the tables to")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Try schedules on the first mice, judge the best on the others, write both tables."""
    study = read_study(args.study)
    spec, comparisons = study.optimise, study.comparisons
    if spec is None:
        raise UserError(
            codes.NOT_ASKED,
            "this study asks for no best schedule (optimise: none)",
            place=args.study,
        )
    arm, reference = study.arm(spec.arm), study.arm(comparisons.reference)
    with recording(
        args.record,
        stage="optimise",
        name=arm.name,
        parameters={
            "optimise": spec.model_dump(mode="json"),
            "arm": arm.model_dump(mode="json"),
            "reference": reference.model_dump(mode="json"),
            "interval": comparisons.interval,
            "resamples": comparisons.resamples,
        },
        seed=study.seed,
        inputs=args.parameters,
        code=CODE["optimise"],
        **record_options(args),
    ) as record:
        cohort = read(*args.parameters)
        search = Search(arm, reference, spec, cohort[: spec.mice], seed=study.seed)
        evaluations = search.run()
        others = cohort[spec.mice :].reset_index(drop=True)
        bootstrap = Bootstrap(
            seed=study.seed, n=len(others), resamples=comparisons.resamples,
            interval=comparisons.interval,
        )  # fmt: skip
        found = judge(search, search.best(evaluations), reference, others, bootstrap)
        write_tables(
            record,
            Path(args.out),
            {"evaluations": (evaluations, EVALUATIONS), "optimum": (found, OPTIMUM)},
        )
        record.metric("evaluations", len(evaluations))
        record.metric("ratio_best", found["ratio"].iloc[1])
