"""Stage resolve: the study file, complete and in plain numbers, for all later stages."""

from __future__ import annotations

import argparse

from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, record_options
from nichetrial.study.load import load
from nichetrial.tables import atomic

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial resolve``."""
    parser.add_argument("study", help="study file (YAML)")
    parser.add_argument("--out", required=True, help="resolved study to write (JSON)")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Resolve and write. Raises UserError, before a record is begun, for a study that is wrong."""
    study = load(args.study)
    with recording(
        args.record,
        stage="resolve",
        name="study",
        parameters={"study": study.model_dump(mode="json")},
        seed=study.seed,
        code=CODE["resolve"],
        **record_options(args),
    ) as record:
        with atomic(args.out) as part:
            part.write_text(study.written(), encoding="utf-8")
        record.metric("arms", len(study.arms))
        record.metric("mice", study.cohort.mice)
        record.output(args.out)
