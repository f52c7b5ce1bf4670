"""What Snakemake keeps in ``.snakemake``.

Why: it has no command that says whether it remembers a job, and none that clears only locks whose
owner is dead.

Seen to fit: Snakemake 9.27.1. Canary: tests/unit/test_compat.py.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

__all__ = ["STATE", "locks", "remembers"]

STATE = ".snakemake"


def remembers(output: str, text: str) -> bool:
    """Whether the memory of the job that made ``output``, in the working folder, has this text."""
    name = urlsafe_b64encode(output.encode()).decode()
    with suppress(OSError):
        return text in Path(STATE, "metadata", name).read_text(encoding="utf-8")
    return False


def locks(folder: Path) -> list[Path]:
    """The lock files of a working folder."""
    return sorted((folder / STATE / "locks").glob("*.lock"))
