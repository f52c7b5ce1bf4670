"""Where the numbers come from: what the run records say, gathered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LEFT_OUT", "Provenance", "StageRuns", "provenance"]

LEFT_OUT = ("report", "track")
"""Stages whose records the report cannot hold: its own, and what comes after it."""


@dataclass(frozen=True)
class StageRuns:
    """The runs of one stage."""

    stage: str
    code_digests: tuple[str, ...]
    runs: tuple[tuple[str, str, str], ...]
    """Name, run key and status of each."""


@dataclass(frozen=True)
class Provenance:
    """What the records have in common. More than one entry in a tuple is worth a question."""

    stages: tuple[StageRuns, ...]
    seeds: tuple[str, ...]
    lock_digests: tuple[str, ...]
    commits: tuple[str, ...]
    pythons: tuple[str, ...]
    packages: tuple[str, ...]


def provenance(records: Sequence[Mapping[str, Any]]) -> Provenance:
    """Gather the records of all stages before the report. Times are left out on purpose: the same
    results give the same report."""
    kept = [r for r in records if r.get("stage") not in LEFT_OUT]
    stages: dict[str, list[Mapping[str, Any]]] = {}
    for record in sorted(kept, key=lambda r: str(r.get("name"))):
        stages.setdefault(str(record.get("stage")), []).append(record)
    environments = [r.get("environment") or {} for r in kept]
    return Provenance(
        stages=tuple(
            StageRuns(
                stage,
                _distinct(r.get("code_digest") for r in runs),
                tuple(
                    (str(r.get("name")), str(r.get("run_key")), str(r.get("status"))) for r in runs
                ),
            )
            for stage, runs in sorted(stages.items())
        ),
        seeds=_distinct(r.get("seed") for r in kept),
        lock_digests=_distinct(r.get("lock_digest") for r in kept),
        commits=_distinct(_commit(r.get("git") or {}) for r in kept),
        pythons=_distinct(
            f"Python {e.get('python')} on {e.get('platform')}" for e in environments if e
        ),
        packages=_distinct(
            f"{name} {version}"
            for e in environments
            for name, version in (e.get("packages") or {}).items()
        ),
    )


def _commit(git: Mapping[str, Any]) -> str:
    commit = git.get("commit")
    if not commit:
        return "no git commit known"
    return f"{commit} with uncommitted changes of the code" if git.get("dirty") else str(commit)


def _distinct(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({str(v) for v in values if v not in (None, "")}))
