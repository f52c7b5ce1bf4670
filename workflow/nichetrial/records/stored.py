"""Run records as they are read back: data, which is checked before anything believes it.

A record, and whatever else lies in a results folder, may have been cut off by a power cut, edited,
or written by somebody else. So a record is validated whole, with bounds, and a file counts only if
its bytes are those that its record names. No path in a record leads out of the results folder.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from nichetrial import codes
from nichetrial.errors import Fault, Note, UserError
from nichetrial.records.identity import file_digest

__all__ = [
    "Digest",
    "Name",
    "RelativePath",
    "RunRecord",
    "damaged",
    "inside",
    "made_by",
    "notes_in",
    "part_of",
    "read_json",
    "read_record",
    "read_records",
    "require_sound",
    "stages_of",
]

LARGEST = 16_000_000
"""Bytes of a JSON file in a results folder. A record of a hundred arms has less than 1 MB."""
MOST = 100_000
"""Entries of any mapping or list in a record."""
NAMED = 5
"""Damaged files that are named in a message; more are counted."""


def _time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _path(text: str) -> str:
    if "\0" in text or "\n" in text:
        raise ValueError("not a path")
    return text


def _relative(text: str) -> str:
    parts = _path(text).split("/")
    if any(part in ("", ".", "..") or part.startswith("-") for part in parts) or "\\" in text:
        raise ValueError("not a path inside the folder")
    if any(ord(character) < 32 for character in text):
        raise ValueError("a control character")
    return text


Text = Annotated[str, Field(max_length=100_000)]
Name = Annotated[str, Field(max_length=1_000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, Field(max_length=1_000), AfterValidator(_relative)]
"""A path that leads into a folder, and that no program takes for an option."""
Digests = Annotated[dict[Annotated[Name, AfterValidator(_path)], Name], Field(max_length=MOST)]


class _Environment(TypedDict):
    python: Name
    platform: Name
    processor: NotRequired[Name]
    packages: Annotated[dict[Name, Name], Field(max_length=1_000)]


class _Git(TypedDict):
    commit: Name | None
    dirty: bool | None


class StoredNote(TypedDict):
    """A note that a job left."""

    code: int
    place: Text | None
    reason: Text
    remedy: Text


class _Parameters(TypedDict):
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    study: NotRequired[dict[str, Any]]
    missing: NotRequired[Annotated[list[Name], Field(max_length=MOST)]]


class RunRecord(TypedDict):
    """What ``records.record.recording`` writes. ``inputs`` and ``outputs``: path -> SHA-256."""

    run_key: Name
    stage: Name
    name: Name
    parameters: _Parameters
    params_digest: NotRequired[Name | None]
    metrics: NotRequired[Annotated[dict[Name, float | None], Field(max_length=MOST)]]
    notes: NotRequired[Annotated[list[StoredNote], Field(max_length=1_000)]]
    seed: int | None
    inputs: Digests
    outputs: Digests
    start: Annotated[Name, AfterValidator(_time)]
    end: Annotated[Name, AfterValidator(_time)]
    status: Literal["FINISHED", "FAILED"]
    error: Text | None
    code: Annotated[list[Name], Field(max_length=10_000)]
    code_digest: Name
    science: Annotated[dict[Name, Name], Field(max_length=1_000)]
    lock_digest: Name
    environment: _Environment
    git: _Git


_ADAPTER: TypeAdapter[RunRecord] = TypeAdapter(RunRecord)


def read_json(path: str | os.PathLike[str]) -> Any:
    """The content of a JSON file that nobody vouches for; a link is none. Raises OSError or
    ValueError."""
    state = os.lstat(path)
    if not stat.S_ISREG(state.st_mode):
        raise ValueError("not a file")
    if state.st_size > LARGEST:
        raise ValueError(f"larger than {LARGEST // 1_000_000} MB")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_record(path: str | os.PathLike[str]) -> RunRecord | None:
    """The record at ``path``, or None if there is none, or none that can be believed."""
    try:
        return _ADAPTER.validate_python(read_json(path), strict=True)
    except (OSError, ValueError):
        return None


def read_records(results: str | os.PathLike[str], *, evidence: bool = False) -> list[RunRecord]:
    """The records of the trial below ``results/records``, or of the evidence, by stage and name.

    An empty file is what Snakemake leaves in the place of a job that was killed: no record.

    Raises: UserError naming the first file there that is something else than a record.
    """
    top = Path(results, "records")
    paths = [p for p in top.rglob("*.json") if (top / "evidence" in p.parents) == evidence]
    found = []
    for path in sorted(paths):
        record = read_record(path)
        if record is None and path.is_file() and path.stat().st_size == 0:
            continue
        if record is None:
            raise UserError(
                codes.BAD_RECORD,
                f"this is no run record that can be read ({_why(path)}); run the study again, "
                "which makes it again",
                place=str(path),
            )
        found.append(record)
    return sorted(found, key=lambda r: (r["stage"], r["name"]))


def _why(path: Path) -> str:
    try:
        _ADAPTER.validate_python(read_json(path), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        return f"{where}: {first['msg']}" if where else first["msg"]
    except (OSError, ValueError) as error:
        return str(error)[:200]
    return "it has changed just now"


def part_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of the study that the job depended on; {} if its record does not have it."""
    part = record["parameters"].get("study", {})
    return part if isinstance(part, Mapping) else {}


def notes_in(record: Mapping[str, Any]) -> list[Note]:
    """The notes that a job left; those with a code that this version does not know are left out."""
    known = {code.number: code for code in codes.ALL}
    return [
        Note(known[n["code"]], n["reason"], n["remedy"], n["place"])
        for n in record.get("notes", ())
        if n["code"] in known
    ]


def stages_of(results: str | os.PathLike[str], *, evidence: bool = False) -> set[str]:
    """The stages of which there are records below ``results/records``."""
    return {r["stage"] for r in read_records(results, evidence=evidence)}


def made_by(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Path within the results folder -> SHA-256, of all that finished jobs made. The folder may
    have another name or place than when they ran."""
    return {
        within: digest
        for record in records
        if record["status"] == "FINISHED"
        for path, digest in record["outputs"].items()
        if (within := _within(path))
    }


def _within(path: str) -> str:
    """``results/<study>/a/b`` as ``a/b``, wherever the folder lay; '' for what is not in it."""
    parts = path.split("/")
    after = parts[parts.index("results") + 2 :] if "results" in parts else []
    return "" if ".." in after or "" in after else "/".join(after)


def inside(folder: str | os.PathLike[str], within: str) -> Path | None:
    """The ordinary file ``within`` the folder; None if there is none, or if the way there has a
    link in it or leads out of the folder."""
    parts = Path(within).parts
    if not parts or Path(within).is_absolute() or ".." in parts:
        return None
    path = Path(folder)
    try:
        for part in parts:
            path = path / part
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                return None
    except OSError:
        return None
    return path if stat.S_ISREG(mode) else None


def damaged(results: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The files that are there with other bytes than their records name, or as something else than
    a file. What is not there at all is not among them."""
    return [
        within
        for within, digest in made_by(records).items()
        if os.path.lexists(Path(results, within)) and not _is(inside(results, within), digest)
    ]


def _is(path: Path | None, digest: str) -> bool:
    return path is not None and file_digest(path) == digest


def require_sound(results: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> None:
    """Raise one UserError for all files whose bytes are not those that their records name."""
    wrong = damaged(results, records)
    faults = [
        Fault(
            codes.DAMAGED,
            "this is not what its run record says; run the study again, which makes it again",
            place=str(Path(results, within)),
        )
        for within in wrong[:NAMED]
    ]
    if len(wrong) > NAMED:
        faults.append(
            Fault(codes.DAMAGED, f"{len(wrong) - NAMED} more files are not what their records say")
        )
    if faults:
        raise UserError.several(faults)
