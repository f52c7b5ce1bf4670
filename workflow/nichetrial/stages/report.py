"""Stage report: one page that holds all that was found."""

from __future__ import annotations

import argparse
from pathlib import Path

from nichetrial.figures.inputs import require
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.records.stored import read_records
from nichetrial.report.provenance import LEFT_OUT
from nichetrial.report.study_page import render, sources
from nichetrial.stages.options import add_record_options, read_study, record_options
from nichetrial.tables import atomic

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial report``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder: results/<study>")
    parser.add_argument("--out", required=True, help="HTML file to write")
    parser.add_argument("--missing", nargs="*", default=[], help="arms whose jobs failed")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Write the report. Its own record, and those of later stages, are not part of it."""
    study, results = read_study(args.study), Path(args.results)
    shown = study.model_dump(mode="json", exclude={"tracking"})
    with recording(
        args.record,
        stage="report",
        name="report",
        parameters={"study": shown, "missing": sorted(args.missing)},
        seed=study.seed,
        inputs=require(sources(study, results)),
        code=CODE["report"],
        **record_options(args),
    ) as record:
        records = [r for r in read_records(results) if r["stage"] not in LEFT_OUT]
        page = render(study, results, args.missing, records)
        with atomic(args.out) as part:
            part.write_text(page, encoding="utf-8", newline="\n")
        record.output(args.out)
