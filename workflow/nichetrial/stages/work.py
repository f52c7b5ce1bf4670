"""What a stage gets to do its job with: the part of the study that it declared, and its files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from nichetrial.records.record import Record
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import Schema, write, write_csv

__all__ = ["Work", "progress"]

EVERY = 10.0
"""Seconds between two progress lines."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One job of a stage. ``study`` has what the stage declared and nothing else; ``reads`` and
    ``writes`` are its files by name; ``results`` is the folder that they are in."""

    study: ResolvedStudy
    wildcards: Mapping[str, str]
    missing: tuple[str, ...]
    reads: Mapping[str, list[str]]
    writes: Mapping[str, list[str]]
    results: Path
    record: Record = field(default_factory=Record)

    def target(self, name: str, kind: str = "") -> str:
        """The file to write of that name (and kind, such as ``csv``, if there are several)."""
        (path,) = (p for p in self.writes[name] if p.endswith(kind))
        return path

    def write(self, name: str, table: pd.DataFrame, schema: Schema) -> None:
        """A table as Parquet, and as its CSV twin if the stage declares one."""
        for path in self.writes[name]:
            if path.endswith(".csv"):
                write_csv(table, path)
            else:
                write(table, path, schema)


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
