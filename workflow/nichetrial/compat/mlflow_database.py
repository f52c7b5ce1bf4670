"""MLflow's SQLite store, read and corrected with plain SQL.

Why: importing MLflow takes longer than looking up which runs there are. And MLflow stores the place
of files as an absolute path, which its client cannot change after a store was moved.

Seen to fit: MLflow 3.17.2. Canary: tests/unit/test_compat.py.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

__all__ = [
    "BESIDE",
    "MALFORMED",
    "StoredRow",
    "commits_quickly",
    "experiment_id",
    "has_tag",
    "is_cut_off",
    "lacks_run",
    "settle_place",
    "tagged_runs",
]

BESIDE = "nichetrial.files_beside_database"
"""Tag of an experiment whose files are in ``artifacts`` next to the database."""

FULL = "database or disk is full"
MALFORMED = "database disk image is malformed"
"""SQLite's words for a file that is damaged."""

_TAGGED = """
SELECT r.run_uuid, r.lifecycle_stage, r.status, r.start_time, r.end_time, t.key, t.value
  FROM tags s
  JOIN runs r ON r.run_uuid = s.run_uuid
  JOIN tags t ON t.run_uuid = s.run_uuid
 WHERE s.key = ? AND s.value = ? AND r.experiment_id = ?
"""


def is_cut_off(database: Path, head: bytes) -> bool:
    """Whether the file is shorter than its first 100 bytes say (https://sqlite.org/fileformat.html,
    section 1.3)."""
    if len(head) < 100:
        return True
    size = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    known = head[24:28] == head[92:96]  # an old SQLite leaves the number of pages as it was
    return known and database.stat().st_size < pages * (65536 if size == 1 else size)


class StoredRow(NamedTuple):
    """A run in the store; its times in milliseconds since the epoch."""

    run_id: str
    active: bool
    status: str
    start: int
    end: int | None
    tags: dict[str, str]


def experiment_id(database: Path, name: str) -> str | None:
    """The id of an active experiment of that name; None if there is none, or no store."""
    with _reading(database) as connection:
        if connection is None:
            return None
        row = connection.execute(
            "SELECT experiment_id FROM experiments WHERE name = ? AND lifecycle_stage = 'active'",
            (name,),
        ).fetchone()
        return str(row[0]) if row else None
    return None


def has_tag(database: Path, experiment: str, tag: str) -> bool:
    """Whether an experiment has a tag. ``experiment``: its id."""
    with _reading(database) as connection:
        return connection is not None and bool(
            connection.execute(
                "SELECT 1 FROM experiment_tags WHERE experiment_id = ? AND key = ?",
                (int(experiment), tag),
            ).fetchone()
        )
    return False


def lacks_run(database: Path, run_id: str) -> bool:
    """Whether there is no store, or no such run in it, not even in its bin."""
    with _reading(database) as connection:
        if connection is None:
            return True
        found = connection.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        return found is None
    return False


def tagged_runs(
    database: Path, experiment: str, tag: str, value: str, also: Sequence[str]
) -> list[StoredRow]:
    """The runs of an experiment with this tag, deleted ones as well, and others of their tags.

    Args:
        experiment: its id.
        also: the tags to return.
    """
    found: dict[str, StoredRow] = {}
    with _reading(database) as connection:
        if connection is None:
            return []
        for run, stage, status, start, end, key, content in connection.execute(
            _TAGGED, (tag, value, int(experiment))
        ):
            row = StoredRow(run, stage == "active", status, start, end, {})
            if key in also:
                found.setdefault(run, row).tags[key] = content
    return list(found.values())


def settle_place(database: Path, artifacts: str) -> None:
    """Correct the place of files that are next to the database, after it was moved.

    ``artifacts``: the address of that folder. A store that was not moved does not change, and
    experiments of other programs never do. Raises nothing: a store that cannot be corrected stays
    as it is.
    """
    with contextlib.suppress(sqlite3.Error), closing(_open(database)) as connection, connection:
        moved = connection.execute(
            "SELECT e.experiment_id, e.artifact_location FROM experiments e"
            " JOIN experiment_tags t ON t.experiment_id = e.experiment_id"
            " WHERE t.key = ? AND e.artifact_location <> ?",
            (BESIDE, artifacts),
        ).fetchall()
        for experiment, old in moved:
            connection.execute(
                "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?)"
                " WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
                (artifacts, len(old) + 1, experiment, len(old), old),
            )
            connection.execute(
                "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
                (artifacts, experiment),
            )


@contextmanager
def commits_quickly(database: Path, *, new: bool = False) -> Iterator[None]:
    """Let MLflow's connections in this process commit without waiting for the disk each time.

    A killed process loses nothing by it. The journal stays while the block runs. ``new``: the file
    has no content yet that a failure of power could spoil, so that nothing is waited for.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def set_up(connection: Any, _: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA synchronous = {'OFF' if new else 'NORMAL'}")
            connection.execute(f"PRAGMA journal_mode = {'MEMORY' if new else 'PERSIST'}").close()

    event.listen(Engine, "connect", set_up)
    try:
        yield
    finally:
        event.remove(Engine, "connect", set_up)
        with contextlib.suppress(sqlite3.Error), closing(_open(database)) as connection:
            for mode in ("PERSIST", "DELETE"):  # the change is what deletes the file
                connection.execute(f"PRAGMA journal_mode = {mode}").close()


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection | None]:
    """None if there is no file. MLflow itself reports a file that is not its store."""
    if not database.is_file():
        yield None
        return
    with contextlib.suppress(sqlite3.Error), closing(_open(database)) as connection:
        yield connection


def _open(database: Path) -> sqlite3.Connection:
    address = f"file:{quote(os.fspath(database))}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=20.0)
