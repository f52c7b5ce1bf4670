"""nichetrial diff: in what two runs differ, in words and as a table."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.provenance.difference import differences, in_words, table
from nichetrial.provenance.past_run import Account, of_folder, of_run

__all__ = ["account", "add_arguments", "add_store", "run"]

STORE = "sqlite:///results/mlflow/mlflow.db"
"""Where runs are, unless said otherwise: as in a study file."""

FEW = 60
"""Rows shown, unless all are asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial diff``."""
    for name in ("a", "b"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="a results folder, one of its arms (results/NAME:ARM), or a run in MLflow by its "
            "id or name",
        )
    add_store(parser)
    parser.add_argument("--all", action="store_true", help=f"more than {FEW} rows, if there are")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where runs are looked for."""
    parser.add_argument(
        "--tracking-uri",
        default=os.environ.get("MLFLOW_TRACKING_URI") or STORE,
        metavar="URI",
        help=f"the store (MLFLOW_TRACKING_URI in the environment, else {STORE})",
    )


def run(args: argparse.Namespace) -> int:
    """Tell the differences. 0: there are none; 1: there are."""
    a, b = account(args.a, args.tracking_uri), account(args.b, args.tracking_uri)
    if bool(a.arm) != bool(b.arm):
        raise UserError(
            codes.USAGE, "one of them is an arm and the other a study; name two of a kind"
        )
    rows = differences(a, b)
    print(in_words(a, b, rows))
    shown = rows if args.all else rows[:FEW]
    if shown:
        print(f"\n{table(shown)}")
    if len(rows) > len(shown):
        print(f"... and {len(rows) - len(shown)} more: --all")
    return 1 if rows else 0


def account(text: str, uri: str) -> Account:
    """What the words of the user name. Raises UserError."""
    folder, _, arm = text.partition(":")
    if Path(folder, "study.json").is_file():
        return of_folder(Path(folder), arm)
    if Path(text).is_dir():
        return of_folder(Path(text))
    return of_run(text, uri)
