"""Notes on the terminal, and the option that makes them errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nichetrial.errors import Note, refuse

__all__ = ["add_strict", "give"]


def add_strict(parser: argparse.ArgumentParser) -> None:
    """The option ``--strict``."""
    parser.add_argument("--strict", action="store_true", help="treat notes as errors")


def give(notes: Sequence[Note], *, strict: bool) -> None:
    """Print notes, one line each. Raises UserError for them if ``strict``."""
    if strict:
        refuse(notes)
    for note in notes:
        print(f"nichetrial: {note}", file=sys.stderr, flush=True)
