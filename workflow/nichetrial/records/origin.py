"""Where a run comes from: all that is needed to make it again, kept next to its results.

``results/<study>/origin/`` is written when a run starts (``launch.keep_origin``) and becomes the
folder ``provenance`` of the parent run in MLflow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records.stored import Digest, Name, RelativePath, read_json

__all__ = [
    "DIFF",
    "FOLDER",
    "IN_MLFLOW",
    "LOCK",
    "ORIGIN",
    "PICTURE",
    "RULES",
    "STUDY",
    "Origin",
    "read_origin",
]

FOLDER, ORIGIN, DIFF, LOCK, RULES, STUDY = (
    "origin",
    "origin.json",
    "uncommitted.diff",
    "requirements.txt",
    "rules.json",
    "study",
)
PICTURE = "rule_graph.png"
IN_MLFLOW = "provenance"
"""Folder of the parent run that holds it."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What ``origin.json`` says. ``study_file``: its path in the working directory;
    ``files``: it and the findings it names, path -> SHA-256; ``commit``: None if unknown;
    ``diff``: SHA-256 of the saved diff, empty if the code was that of the commit;
    ``left_out``: changed files that are not in the diff; ``science``: package -> code digest."""

    study_file: str
    files: Mapping[str, str]
    commit: str | None
    diff: str
    left_out: tuple[str, ...]
    science: Mapping[str, str]
    lock_digest: str

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


class _Stored(BaseModel):
    """``origin.json`` as it is read back: data, which is checked before anything believes it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    study_file: RelativePath
    files: Annotated[dict[RelativePath, Digest], Field(max_length=1_000)]
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")] | None
    diff: Digest | Literal[""]
    left_out: Annotated[list[Name], Field(max_length=10_000)]
    science: Annotated[dict[Name, Name], Field(max_length=1_000)]
    lock_digest: Name


def read_origin(path: Path) -> Origin:
    """Raises UserError if it is not there or something else."""
    try:
        content = _Stored.model_validate(read_json(path))
    except (OSError, ValueError) as error:
        raise UserError(
            codes.NO_ORIGIN,
            f"this does not describe where a run comes from ({type(error).__name__})",
            place=str(path),
        ) from error
    return Origin(**(content.model_dump() | {"left_out": tuple(content.left_out)}))
