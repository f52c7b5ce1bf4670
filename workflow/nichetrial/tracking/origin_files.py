"""Where a run comes from, as tags and files of its parent run in MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nichetrial.errors import UserError
from nichetrial.records import identity
from nichetrial.records.jobs import FILE as JOBS
from nichetrial.records.jobs import jobs_of, write_jobs
from nichetrial.records.origin import (
    DIFF,
    FOLDER,
    IN_MLFLOW,
    LOCK,
    ORIGIN,
    PICTURE,
    STUDY,
    Origin,
    read_origin,
)
from nichetrial.tracking.runs import Artifact, files

__all__ = ["artifacts", "tags"]


def _kept(results: Path, record: Mapping[str, Any]) -> Origin | None:
    """What was kept when the run started, if the jobs ran just that code."""
    try:
        origin = read_origin(results / FOLDER / ORIGIN)
    except UserError:
        return None
    same = origin.science == record["science"] and origin.lock_digest == record["lock_digest"]
    return origin if same else None


def tags(results: Path, record: Mapping[str, Any]) -> dict[str, str]:
    """The commit, and ``nichetrial.code_diff``: whether the uncommitted code was kept (``kept``;
    ``cut``: not all of it), there was ``none``, or the code was in no repository (``no git``).

    Args:
        results: the folder of the study.
        record: the newest record, which says what code the jobs ran.
    """
    origin = _kept(results, record)
    if origin is None:
        return {"nichetrial.code_diff": "not kept"}
    if origin.commit is None:
        return {"nichetrial.code_diff": "no git"}
    diff = "cut" if origin.left_out else "kept" if origin.diff else "none"
    return {
        "mlflow.source.git.commit": origin.commit,  # jobs that ended after a commit name that one
        "nichetrial.git_commit": origin.commit,
        "nichetrial.code_changed_since_commit": "no" if diff == "none" else "yes",
        "nichetrial.code_diff": diff,
    }


def artifacts(
    results: Path, record: Mapping[str, Any], records: Iterable[Mapping[str, Any]], part: str = ""
) -> tuple[Artifact, ...]:
    """The files of the parent run that say where it comes from, and the lock.

    Args:
        results: the folder of the study.
        record: the newest record.
        records: those of all jobs that count; their digests are kept as ``jobs.json``.
        part: the folder below ``results`` that the jobs wrote to, if not ``results`` itself.

    Raises: OSError if ``tracking/jobs.json`` cannot be written.
    """
    own = results / part / "tracking"
    write_jobs(jobs_of(records), own / JOBS)
    found = files(own, f"{own}/{JOBS}", f"{own}/{PICTURE}", folder=IN_MLFLOW)
    if origin := _kept(results, record):
        top = results / FOLDER
        kept = [ORIGIN, DIFF] if origin.diff else [ORIGIN]
        found += files(top, *(f"{top}/{name}" for name in kept), folder=IN_MLFLOW)
        for name, digest in origin.files.items():
            path = top / STUDY / name
            folder = f"{IN_MLFLOW}/{STUDY}/{Path(name).parent.as_posix()}".removesuffix("/.")
            if path.is_file() and identity.file_digest(path) == digest:
                found += (Artifact(path=path, folder=folder, digest=digest),)
    return found + _lock(results, record["lock_digest"])


def _lock(results: Path, digest: str) -> tuple[Artifact, ...]:
    """The lock that the jobs ran with: as kept, or of the checkout if it still has that one."""
    root = identity.checkout()
    places = [results / FOLDER / LOCK, *([root / "envs" / LOCK] if root else [])]
    for path in places if digest else []:
        if path.is_file() and identity.file_digest(path) == digest:
            return (Artifact(path=path, folder="envs", digest=digest),)
    return ()
