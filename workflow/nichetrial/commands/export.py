"""nichetrial export: a mouse for other simulators, or a whole run for an archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nichetrial import codes
from nichetrial.commands.selection import arm_named, mouse_numbered
from nichetrial.errors import UserError
from nichetrial.pipeline.plan import Plan
from nichetrial.provenance.crate import write_crate
from nichetrial.study.load import load

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial export``."""
    formats = parser.add_subparsers(dest="format", required=True, metavar="sbml|crate")
    sbml = formats.add_parser(
        "sbml", help="one arm in one mouse as SBML Level 3 Version 2 Core", allow_abbrev=False
    )
    sbml.add_argument("study", nargs="?", default="config.yaml", help="study file (config.yaml)")
    sbml.add_argument("--arm", required=True, help="name of the arm in the study file")
    sbml.add_argument(
        "--mouse",
        required=True,
        metavar="N",
        help="number of the mouse in the study's tables, counted from 0",
    )
    sbml.add_argument(
        "--out",
        metavar="FILE",
        help="file to write, - for standard output "
        "(STUDY-ARM-mouseN.xml in the current folder, with the study's name)",
    )
    crate = formats.add_parser(
        "crate", help="the results of a run as an RO-Crate", allow_abbrev=False
    )
    crate.add_argument("results", type=Path, help="results folder, such as results/seubert2015")
    crate.add_argument(
        "--to", type=Path, metavar="FOLDER|ZIP", help="what to write (NAME-crate.zip, here)"
    )
    crate.add_argument(
        "--licence",
        default="All rights reserved.",
        help="of the results, best as an address such as "
        "https://creativecommons.org/licenses/by/4.0/ (all rights reserved)",
    )


def run(args: argparse.Namespace) -> None:
    """Write what is asked for. Raises UserError."""
    if args.format == "crate":
        to = args.to or Path(f"{args.results.resolve().name}-crate.zip")
        others = write_crate(args.results, to, args.licence)
        print(f"written: {to}")
        if others:
            print("not completed, because these jobs are not there or of an earlier version:")
            print(*(f"  {name}" for name in others), sep="\n")
        return
    _sbml(args)


def _sbml(args: argparse.Namespace) -> None:
    """Draw the mouse as the study does, and write it with the arm. Raises UserError."""
    study = load(args.study)
    arm, mouse = arm_named(study, args.arm), mouse_numbered(study, args.mouse)

    from nichetrial.cohort.particle_source import particles_of
    from nichetrial.cohort.sample import sample  # the compiled code takes a moment to load
    from nichetrial.export.sbml import document
    from nichetrial.files import delivered
    from nichetrial.model.parameters import PARAMETERS

    frame, _ = sample(
        seed=study.seed,
        first=mouse,
        last=mouse,
        overrides=study.cohort.overrides,
        population=particles_of(study.cohort.population, Plan.of(study, args.study).own_population),
    )
    text = document(
        arm,
        {name: float(frame[name].iloc[0]) for name in PARAMETERS},
        name=f"{study.name} {arm.name} mouse {mouse}",
        about={"study": study.name, "mouse": mouse, "seed": study.seed},
    )
    if args.out == "-":
        sys.stdout.buffer.write(text.encode())  # as its first line says, whatever the locale
        return
    path = Path(args.out or f"{study.name}-{arm.name}-mouse{mouse}.xml")
    if path.is_dir():
        raise UserError(
            codes.NOT_WRITABLE, "is a folder; name the file to write", place=f"--out {path}"
        )
    try:
        with delivered(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            codes.NOT_WRITABLE, f"the file cannot be written: {error.strerror}", place=str(path)
        ) from error
    print(f"written: {path}")
