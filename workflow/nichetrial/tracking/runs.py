"""One MLflow run as it should be, and what all plans of runs share."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nichetrial.records import identity
from nichetrial.records.stored import RunRecord, inside
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.datasets import Dataset

__all__ = [
    "Artifact",
    "Point",
    "Run",
    "common_tags",
    "fault",
    "files",
    "finite",
    "json_of",
    "ms",
    "progress",
    "rows_of",
    "status_of",
]

Point = tuple[int, int, float]
"""Step, time in milliseconds since 1970, value."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file to keep with a run, in ``folder`` (empty: at the top)."""

    path: Path
    folder: str
    digest: str

    @property
    def name(self) -> str:
        """Its path in the run."""
        return f"{self.folder}/{self.path.name}" if self.folder else self.path.name


@dataclass(frozen=True, kw_only=True)
class Run:
    """One MLflow run as it should be. Times in milliseconds since 1970, from the records."""

    key: str
    study_key: str
    name: str
    status: str
    """FINISHED; FAILED if a job of it failed; KILLED if it was stopped before its end."""
    start: int
    end: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: tuple[Artifact, ...] = ()
    child: bool = True
    history: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    """Metrics that change on the way; the last point of each is the run's metric."""
    datasets: tuple[Dataset, ...] = ()
    content: str = field(init=False)
    """Digest of all of the above: a run that carries it in the store needs nothing."""

    def __post_init__(self) -> None:
        whole = [
            self.name,
            self.status,
            self.start,
            self.end,
            dict(self.params),
            dict(self.metrics),
            dict(self.tags),
            {a.name: a.digest for a in self.artifacts},
            *([{k: [list(p) for p in v] for k, v in self.history.items()}] if self.history else []),
            *([[d.plain() for d in self.datasets]] if self.datasets else []),
        ]
        digest = hashlib.sha256(identity.canonical(whole).encode()).hexdigest()
        object.__setattr__(self, "content", digest)


def common_tags(
    role: str, record: RunRecord, *, study: str, seed: int, code: str
) -> dict[str, str]:
    """Tags that every run has: whose it is, and what made it."""
    git = record["git"]
    tags = {
        "nichetrial.role": role,
        "nichetrial.study": study,
        "nichetrial.seed": str(seed),
        "nichetrial.code_digest": code,
        "nichetrial.lock_digest": record["lock_digest"],
        "nichetrial.python": record["environment"]["python"],
        "nichetrial.platform": record["environment"]["platform"],
        "mlflow.source.name": "nichetrial",
        "mlflow.source.type": "LOCAL",
    }
    if git["commit"]:
        changed = {True: "yes", False: "no", None: "unknown"}[git["dirty"]]
        tags |= {
            "mlflow.source.git.commit": git["commit"],
            "nichetrial.git_commit": git["commit"],
            "nichetrial.code_changed_since_commit": changed,
        }
    return tags


def files(
    results: Path, *paths: str, folder: str = "", made: Mapping[str, str] | None = None
) -> tuple[Artifact, ...]:
    """The ordinary files below ``results`` that match, as artifacts in ``folder``; no link is
    followed.

    Args:
        paths: of ``study.layout.Layout``, with ``*`` for any name.
        made: path within ``results`` -> SHA-256, of what jobs made; nothing else counts.
    """
    found = []
    patterns = [Path(path).relative_to(results).as_posix() for path in paths]
    for path in sorted({p for pattern in patterns for p in results.glob(pattern)}):
        within = path.relative_to(results).as_posix()
        if inside(results, within) and (made is None or within in made):
            found.append(Artifact(path=path, folder=folder, digest=identity.file_digest(path)))
    return tuple(found)


def status_of(failed: bool, stopped: bool) -> str:
    """The status of a run of which some jobs failed, or some are not there or were interrupted."""
    return "FAILED" if failed else "KILLED" if stopped else "FINISHED"


def fault(record: RunRecord) -> str:
    """Why the job of a record that is not FINISHED ended: FAILED, or KILLED by a signal."""
    error = str(record["error"])
    return "KILLED" if error.startswith(("KeyboardInterrupt", "SystemExit")) else "FAILED"


def progress(children: Sequence[Run]) -> Sequence[Point]:
    """How many of these runs had finished, and when: a curve that grows while they run."""
    ends = sorted(child.end for child in children if child.status == "FINISHED")
    return [(count, end, float(count)) for count, end in enumerate(ends, 1)]


def ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def finite(values: Mapping[str, Any]) -> dict[str, float]:
    """Numbers only, under names that MLflow takes; it has no use for a missing value."""
    found = {}
    for name, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            found[words.metric_name(name)] = number
    return found


def rows_of(path: str) -> list[dict[str, str]]:
    if not os.path.isfile(path):
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def json_of(path: str) -> dict[str, Any]:
    return json.loads(Path(path).read_text(encoding="utf-8")) if os.path.isfile(path) else {}
