"""nichetrial explain: every arm's schedule in words and as one picture, before anything runs."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from nichetrial import codes
from nichetrial.commands.study_file import give
from nichetrial.errors import UserError
from nichetrial.study.load import load_with_experiment
from nichetrial.study.words import explain

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial explain``."""
    parser.add_argument("study", nargs="?", default="config.yaml", help="study file (config.yaml)")
    parser.add_argument("--out", help="folder of the picture (results/<study>/explain)")


def run(args: argparse.Namespace) -> None:
    """Print the study in words, draw it, and say where. Raises UserError."""
    assembled = load_with_experiment(args.study)
    study = assembled.study
    print(explain(assembled), flush=True)  # the words come at once, matplotlib takes a second

    from nichetrial.figures.fonts import supply
    from nichetrial.figures.schedule import draw
    from nichetrial.figures.style import save

    figure = draw(study)
    give(supply(figure), strict=False)
    warnings.filterwarnings("ignore", "Glyph")  # matplotlib says the same for each character
    folder = Path(args.out) if args.out else Path("results") / study.name / "explain"
    try:
        paths = save(figure, folder / "schedule", ("png", "svg"), study.figures.dpi)
    except OSError as error:
        raise UserError(
            codes.NOT_WRITABLE,
            f"the picture cannot be written: {error.strerror}",
            place=str(folder),
        ) from error
    print(f"drawn: {paths[0]} and {paths[1].name}")
