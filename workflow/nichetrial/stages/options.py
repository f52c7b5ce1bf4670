"""Options that every stage shares: its record, the digest the workflow passed, and progress."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records.record import Record
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import Schema, write, write_csv

__all__ = ["add_record_options", "progress", "read_study", "record_options", "write_tables"]

EVERY = 10.0
"""Seconds between two progress lines."""


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """``--record`` and ``--expect``."""
    parser.add_argument("--record", required=True, help="run record to write (JSON)")
    parser.add_argument("--expect", help="digest of the parameters, as the workflow passed it")


def record_options(args: argparse.Namespace) -> dict[str, Any]:
    """What of the shared options goes into ``recording``."""
    return {"params_digest": args.expect}


def read_study(path: str) -> ResolvedStudy:
    """The resolved study. Raises UserError if the file is missing or not one."""
    try:
        return ResolvedStudy.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UserError(
            codes.NO_RESULTS,
            f"not a resolved study ({type(error).__name__}); `nichetrial resolve` makes one",
            place=path,
        ) from error


def write_tables(
    record: Record, folder: Path, tables: Mapping[str, tuple[pd.DataFrame, Schema]]
) -> None:
    """Each table as Parquet and as its CSV twin, both noted as outputs of the job."""
    for name, (table, schema) in tables.items():
        write(table, folder / f"{name}.parquet", schema)
        write_csv(table, folder / f"{name}.csv")
        record.output(folder / f"{name}.parquet")
        record.output(folder / f"{name}.csv")


def progress(what: str, total: int) -> Callable[[int], None]:
    """A callback that prints a line with the time left every EVERY seconds, none in short jobs."""
    start = last = 0.0
    first = 0

    def report(done: int) -> None:
        nonlocal start, last, first
        now = time.monotonic()
        if not first:  # the first report may include compilation: it tells nothing of what follows
            start = last = now
            first = done
        if now - last < EVERY or done >= total:
            return
        last = now
        left = (now - start) * (total - done) / (done - first)
        print(
            f"{what}: {done} of {total} mice, about {left:.0f} s left", file=sys.stderr, flush=True
        )

    return report
