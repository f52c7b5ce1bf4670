"""What every job of a run read and made, as digests: the file by which a run is compared with
another one, or with itself made again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.files import atomic
from nichetrial.records.stored import MOST, Name, RelativePath, read_json

__all__ = ["FILE", "Job", "jobs_of", "read_jobs", "write_jobs"]

FILE = "jobs.json"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job that came to its end. ``inputs`` and ``outputs``: path -> SHA-256; ``environment``:
    Python, platform, processor and packages, as its record has them."""

    stage: str
    name: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    code_digest: str
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        return self.stage, self.name


def jobs_of(records: Iterable[Mapping[str, Any]]) -> list[Job]:
    """The finished jobs among run records, by stage and name."""
    found = [
        Job(
            stage=r["stage"],
            name=r["name"],
            inputs=r["inputs"],
            outputs=r["outputs"],
            code_digest=r["code_digest"],
            environment=r["environment"],
        )
        for r in records
        if r["status"] == "FINISHED"
    ]
    return sorted(found, key=lambda job: job.key)


def write_jobs(jobs: Iterable[Job], path: Path) -> None:
    """Write them, a line a job and each environment once; the same jobs are the same bytes."""
    environments: list[Mapping[str, Any]] = []
    lines = []
    for job in jobs:
        if job.environment not in environments:
            environments.append(job.environment)
        lines.append(vars(job) | {"environment": environments.index(job.environment)})
    text = '{"environments": ' + json.dumps(environments, sort_keys=True) + ', "jobs": [\n'
    text += ",\n".join(json.dumps(line, sort_keys=True) for line in lines) + "\n]}\n"
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


class _StoredJob(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    stage: Name
    name: Name
    inputs: Annotated[dict[Name, Name], Field(max_length=MOST)]
    outputs: Annotated[dict[RelativePath, Name], Field(max_length=MOST)]
    code_digest: Name
    environment: Annotated[int, Field(ge=0)]


class _StoredJobs(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    environments: Annotated[list[dict[str, Any]], Field(max_length=1_000)]
    jobs: Annotated[list[_StoredJob], Field(max_length=MOST)]


def read_jobs(path: Path) -> list[Job]:
    """What ``write_jobs`` wrote. Raises UserError for anything else."""
    try:
        content = _StoredJobs.model_validate(read_json(path))
        kinds = content.environments
        return [
            Job(**(job.model_dump() | {"environment": kinds[job.environment]}))
            for job in content.jobs
        ]
    except (OSError, ValueError, IndexError) as error:
        raise UserError(
            codes.NO_JOBS,
            f"this is not a list of jobs as `nichetrial track` writes it ({type(error).__name__})",
            place=str(path),
        ) from error
