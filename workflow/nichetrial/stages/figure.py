"""Stage figures: one figure, in the formats the study asks for."""

from __future__ import annotations

import argparse
from pathlib import Path

from nichetrial.figures import catalogue, inputs
from nichetrial.figures.evidence_inputs import NOT_SHOWN
from nichetrial.figures.style import save
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial figure``."""
    parser.add_argument(
        "name", choices=[*catalogue.FIGURES, *catalogue.EVIDENCE], help="which figure"
    )
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder: results/<study>")
    parser.add_argument("--out-stem", required=True, help="file to write, without its ending")
    parser.add_argument("--missing", nargs="*", default=[], help="arms whose jobs failed")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Draw and write one figure."""
    study, results = read_study(args.study), Path(args.results)
    hidden = set(NOT_SHOWN) if args.name in catalogue.EVIDENCE else {"tracking", "question"}
    shown = study.model_dump(mode="json", exclude=hidden)
    with recording(
        args.record,
        stage="figure",
        name=args.name,
        parameters={"figure": args.name, "study": shown, "missing": sorted(args.missing)},
        seed=study.seed,
        inputs=inputs.require(catalogue.sources(args.name, study, results, args.missing)),
        code=CODE["figure"],
        **record_options(args),
    ) as record:
        figure = catalogue.draw(args.name, study, results, args.missing)
        for path in save(figure, Path(args.out_stem), study.figures.formats, study.figures.dpi):
            record.output(path)
