"""What of a run in a store says whether anything is left to do for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nichetrial.compat.mlflow_database import tagged_runs
from nichetrial.tracking.runs import Run

__all__ = [
    "CONTENT",
    "FILES",
    "KEY",
    "PARENT",
    "STUDY",
    "Seen",
    "chosen",
    "due",
    "ends_anew",
    "in_database",
]

KEY, STUDY, CONTENT, FILES = (
    "nichetrial.run_key",
    "nichetrial.study_key",
    "nichetrial.content",
    "nichetrial.artifacts",
)
PARENT = "mlflow.parentRunId"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A run as a look-up found it. ``content``: what it held when it was last written whole."""

    run_id: str
    key: str
    active: bool
    status: str
    start: int
    end: int | None
    content: str | None
    parent: str | None


def in_database(database: Path, experiment: str, study_key: str) -> list[Seen]:
    """The runs of one study in an SQLite store, deleted ones as well. ``experiment``: its id."""
    return [
        Seen(
            run_id=row.run_id,
            key=row.tags[KEY],
            active=row.active,
            status=row.status,
            start=row.start,
            end=row.end,
            content=row.tags.get(CONTENT),
            parent=row.tags.get(PARENT),
        )
        for row in tagged_runs(database, experiment, STUDY, study_key, (KEY, CONTENT, PARENT))
        if KEY in row.tags
    ]


def chosen(found: Iterable[Seen]) -> tuple[dict[str, Seen], list[tuple[Seen, Seen]]]:
    """Key -> the one run that stands for it; and each other active one, with the one it doubles.

    Which one is the same for all who look: an active one before one in the bin, then the lowest id.
    """
    best: dict[str, Seen] = {}
    doubles = []
    for run in sorted(found, key=lambda r: (not r.active, r.run_id)):
        first = best.setdefault(run.key, run)
        if run is not first and run.active:
            doubles.append((run, first))
    return best, doubles


def due(run: Run, seen: Seen, parent: str | None) -> bool:
    """Whether the store has to be changed for this run; ``parent``: the id of its parent there.

    A run that was FINISHED once stays so: what its key stands for has been computed, whatever
    another folder or a later attempt lacks.
    """
    if seen.status == "FINISHED" and run.status != "FINISHED":
        return False
    written = seen.content == run.content and seen.parent == parent
    return not written or ends_anew(run, seen)


def ends_anew(run: Run, seen: Seen) -> bool:
    """A run made again from the start keeps its first times; one that went on gets its new end."""
    if run.status == "RUNNING":
        return seen.status != "RUNNING"
    went_on = seen.start == run.start and seen.end != run.end
    return seen.status != run.status or went_on
