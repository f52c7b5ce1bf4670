"""Stage evidence: the page of the calibration, which tells what the model explains."""

from __future__ import annotations

import argparse
from pathlib import Path

from nichetrial.figures.evidence_inputs import NOT_SHOWN
from nichetrial.figures.inputs import require
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.records.stored import read_records
from nichetrial.report.calibration_page import recorded, render, sources
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import atomic

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial evidence-report``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder: results/<study>")
    parser.add_argument("--out", required=True, help="HTML file to write")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Write the page. Its own record is not part of it."""
    study, results = read_study(args.study), Path(args.results)
    with recording(
        args.record,
        stage="evidence-report",
        name="evidence-report",
        parameters={"study": study.model_dump(mode="json", exclude=set(NOT_SHOWN))},
        seed=study.seed,
        inputs=require(sources(study, results)),
        code=CODE["evidence-report"],
        **record_options(args),
    ) as record:
        page = render(study, results, recorded(read_records(results)))
        with atomic(args.out) as part:
            part.write_text(page, encoding="utf-8", newline="\n")
        record.output(args.out)
