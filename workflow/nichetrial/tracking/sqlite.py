"""What MLflow's client cannot do with a store that is an SQLite file, in plain SQL.

Looking up which runs are there without importing MLflow, which takes longer than the look-up; and
putting right where the files lie, which MLflow freezes as an absolute path.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nichetrial.tracking.stored_run import CONTENT, KEY, PARENT, STUDY, Seen

__all__ = [
    "BESIDE", "commits_quickly", "experiment_id", "has_tag", "seen", "settle_place",
]  # fmt: skip

BESIDE = "nichetrial.files_beside_database"
"""Tag of an experiment whose files lie in ``artifacts`` beside the database."""

_SEEN = f"""
SELECT r.run_uuid, r.lifecycle_stage, r.status, r.start_time, r.end_time,
       MAX(CASE WHEN t.key = '{KEY}' THEN t.value END),
       MAX(CASE WHEN t.key = '{CONTENT}' THEN t.value END),
       MAX(CASE WHEN t.key = '{PARENT}' THEN t.value END)
  FROM tags s
  JOIN runs r ON r.run_uuid = s.run_uuid
  JOIN tags t ON t.run_uuid = s.run_uuid AND t.key IN ('{KEY}', '{CONTENT}', '{PARENT}')
 WHERE s.key = '{STUDY}' AND s.value = ? AND r.experiment_id = ?
 GROUP BY r.run_uuid
"""  # noqa: S608  (names of tags, all constants)


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


def seen(database: Path, experiment: str, study_key: str) -> list[Seen]:
    """The runs of one study, deleted ones as well. ``experiment``: its id."""
    with _reading(database) as connection:
        if connection is None:
            return []
        rows = connection.execute(_SEEN, (study_key, int(experiment))).fetchall()
        return [
            Seen(
                run_id=run, active=stage == "active", status=status, start=start, end=end,
                key=key, content=content, parent=parent,
            )
            for run, stage, status, start, end, key, content, parent in rows
            if key
        ]  # fmt: skip
    return []


def settle_place(database: Path, artifacts: str) -> None:
    """Let experiments whose files lie beside the database find them where it is now.

    ``artifacts``: the address of that folder. Nothing happens to a store that was not moved, nor
    to experiments of other programs. Raises: nothing; a store that cannot be mended stays as it is.
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
    """None if there is no file; what is no store of MLflow's is left for MLflow to tell."""
    if not database.is_file():
        yield None
        return
    with contextlib.suppress(sqlite3.Error), closing(_open(database)) as connection:
        yield connection


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{_quoted(database)}?mode=rw", uri=True, timeout=20.0)


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(os.fspath(path))
