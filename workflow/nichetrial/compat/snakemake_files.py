"""What Snakemake keeps in ``.snakemake``.

Why: it has no command that says whether it remembers a job, and none that clears only locks whose
owner is dead.

Seen to fit: Snakemake 9.27.1. Canary: tests/unit/test_compat.py.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

__all__ = ["FOLDERS", "MEMORIES", "STATE", "forget_damaged", "is_folder", "locks", "remembers"]

STATE = ".snakemake"
MEMORIES = ("metadata", "incomplete")
"""Folders with a file for each result."""
FOLDERS = (*MEMORIES, "auxiliary", "conda", "conda-archive", "iocache", "locks", "log")


def is_folder(name: str) -> bool:
    """Whether an entry of a memory is a folder: it holds results with very long names."""
    return name.startswith("@")


def forget_damaged() -> int:
    """Remove what Snakemake remembers of results, in the working folder, where it is not as it
    writes it, and would stop it; how many there were. It takes their jobs for new ones."""
    files = [path for path in Path(STATE, MEMORIES[0]).rglob("*") if path.is_file()]
    damaged = [path for path in files if not _is_object(path)]
    for path in damaged:
        path.unlink()
    return len(damaged)


def _is_object(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False


def remembers(output: str, text: str) -> bool:
    """Whether the memory of the job that made ``output``, in the working folder, has this text."""
    name = urlsafe_b64encode(output.encode()).decode()
    with suppress(OSError):
        return text in Path(STATE, "metadata", name).read_text(encoding="utf-8")
    return False


def locks(folder: Path) -> list[Path]:
    """The lock files of a working folder."""
    return sorted((folder / STATE / "locks").glob("*.lock"))
