"""nichetrial export: a mouse for other simulators, or a whole run for an archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nichetrial import codes
from nichetrial.commands.selection import Chosen, add_selection
from nichetrial.errors import UserError
from nichetrial.provenance.crate import write_crate

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial export``."""
    formats = parser.add_subparsers(dest="format", required=True, metavar="sbml|crate")
    sbml = formats.add_parser(
        "sbml", help="one arm in one mouse as SBML Level 3 Version 2 Core", allow_abbrev=False
    )
    add_selection(sbml)
    sbml.add_argument(
        "--out",
        metavar="FILE",
        help="file to write, - for standard output "
        "(STUDY-ARM-mouseK-I.xml in the current folder, with the study's name)",
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
    chosen = Chosen(args)
    study, arm = chosen.study, chosen.arm

    from nichetrial.export.sbml import document
    from nichetrial.files import delivered
    from nichetrial.model.parameters import PARAMETERS

    frame = chosen.drawn()
    text = document(
        arm,
        {name: float(frame[name].iloc[0]) for name in PARAMETERS},
        name=f"{study.name} {arm.name} {chosen.words}",
        about={
            "study": study.name,
            "particle": chosen.particle,
            "animal": chosen.animal,
            "seed": study.seed,
        },
    )
    if args.out == "-":
        sys.stdout.buffer.write(text.encode())  # as its first line says, whatever the locale
        return
    path = Path(args.out or chosen.file(".xml"))
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
