"""Run records: each job leaves a small JSON file next to its result, and needs nothing for it.

    with recording(path, stage="simulate", name="amd3100/particles-000000-000499", parameters={...},
                   seed=1, inputs=[cohort], code_digest=digest) as record:
        ...
        record.metric("mice_finished", 500)
        record.output(outcomes)

A record appears only at the end of its job, at once and whole: no record means not finished.
"""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nichetrial.errors import Note
from nichetrial.files import atomic
from nichetrial.records import git, identity

__all__ = ["Record", "environment", "recording"]

PACKAGES = (
    "nichetrial",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "snakemake",
    "sympy",
)
"""Whose versions are written into each record; the lock digest stands for all others."""


class Record:
    """What a running job adds to its record."""

    def __init__(self) -> None:
        self.metrics: dict[str, float | None] = {}
        self.outputs: list[Path] = []
        self.notes: list[Note] = []

    def metric(self, name: str, value: float) -> None:
        """Keep one number. NaN and infinity, which JSON does not have, become null."""
        number = float(value)
        self.metrics[name] = number if math.isfinite(number) else None

    def note(self, note: Note) -> None:
        """Keep a note: it is shown at the end of the run that made it, and of each later one."""
        self.notes.append(note)

    def output(self, path: str | os.PathLike[str]) -> None:
        """Name a file that the job makes; its digest is taken when the block succeeds."""
        self.outputs.append(Path(path))


@contextmanager
def recording(
    path: str | os.PathLike[str],
    *,
    stage: str,
    name: str,
    parameters: Any,
    seed: int | None = None,
    inputs: Iterable[str | os.PathLike[str]] = (),
    rooms: Iterable[str] = (),
    code_digest: str = "",
    params_digest: str | None = None,
) -> Iterator[Record]:
    """Run the block and leave its record at ``path``: FINISHED, or FAILED if the block raises.

    Args:
        path: the JSON file; an older one there is removed first, so that a job killed outright
            does not keep the record of an earlier success.
        stage, name: what ran; ``name`` is unique within the stage.
        parameters: everything that shapes the result besides seed, code and inputs; JSON.
        seed: of the study.
        inputs: files that are read; they count by their bytes.
        rooms: parts of nichetrial that the stage runs.
        code_digest: of the code that it runs.
        params_digest: what the workflow said it passed; kept, not part of the identity.

    Raises: whatever the block raises; OSError for an input or a named output that is not there;
        TypeError or ValueError for parameters that are not JSON.
    """
    Path(path).unlink(missing_ok=True)
    start = datetime.now(UTC)
    digests = {_relative(p): identity.file_digest(p) for p in inputs}
    lock_digest = identity.lock_digest()
    content: dict[str, Any] = {
        "run_key": identity.run_key(
            stage=stage,
            name=name,
            parameters=parameters,
            seed=seed,
            code=code_digest,
            inputs=digests.values(),
            lock=lock_digest,
        ),
        "stage": stage,
        "name": name,
        "parameters": json.loads(identity.canonical(parameters)),
        "params_digest": params_digest,
        "metrics": {},
        "seed": seed,
        "inputs": digests,
        "outputs": {},
        "code_digest": code_digest,
        "code": sorted(rooms),
        "science": identity.science(),
        "lock_digest": lock_digest,
        "environment": environment(),
        "git": _git(),
        "start": _iso(start),
    }
    record = Record()
    try:
        yield record
        content["outputs"] = {_relative(p): identity.file_digest(p) for p in record.outputs}
    except BaseException as error:  # an interrupt is a failure of the job as well
        _write(path, content, record, "FAILED", f"{type(error).__name__}: {error}")
        raise
    _write(path, content, record, "FINISHED", None)


def _write(
    path: str | os.PathLike[str],
    content: dict[str, Any],
    record: Record,
    status: str,
    error: str | None,
) -> None:
    content |= {
        "metrics": record.metrics,
        "notes": [
            {"code": n.code.number, "place": n.place, "reason": n.reason, "remedy": n.remedy}
            for n in record.notes
        ],
        "end": _iso(datetime.now(UTC)),
        "status": status,
        "error": error,
    }
    with atomic(path) as part:
        part.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _relative(path: str | os.PathLike[str]) -> str:
    """The path from the working directory: a record does not tell whose machine it was."""
    return Path(os.path.relpath(path)).as_posix()


@functools.cache
def environment() -> dict[str, Any]:
    """Python, platform, processor and packages of this process."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "processor": _processor(),
        "packages": packages,
    }


@functools.cache
def _git() -> dict[str, Any]:
    """Commit of the checkout, and whether the code in it was changed since; null if unknown."""
    commit, dirty = git.state(identity.checkout())
    return {"commit": commit, "dirty": dirty}


def _processor() -> str:
    """The model of the processor, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in itertools.islice(stream, 32):
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
