"""What makes a run the same run: digests of its parameters, seed, code, inputs and locked packages.

Light on purpose: the Snakefile asks for code digests each time it is read, so nothing here may
import pandas, the model, or MLflow.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = [
    "canonical",
    "checkout",
    "file_digest",
    "files_digest",
    "lock_digest",
    "run_key",
    "science",
]

PACKAGE = Path(__file__).resolve().parents[1]
CODE_SUFFIXES = frozenset({".py", ".j2", ".css", ".csv", ".yaml", ".parquet"})
"""Code, and the package data that code reads."""

SCIENCE = ("cohort", "compare", "engine", "explore", "model", "study", "trial")
"""The subpackages that can change a number; pictures and pages are not among them."""


def canonical(value: Any) -> str:
    """The one JSON text of ``value``: sorted keys, no spaces, no NaN. Raises TypeError, ValueError.

    Pydantic models are taken as their JSON form.
    """

    def plain(v: Any) -> Any:
        if hasattr(v, "model_dump"):
            return v.model_dump(mode="json")
        raise TypeError(f"not JSON: {type(v).__name__}")

    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=plain)


def run_key(
    *,
    stage: str,
    name: str,
    parameters: Any,
    seed: int | None,
    code: str,
    inputs: Iterable[str],
    lock: str,
) -> str:
    """SHA-256 that is the identity of a run. ``inputs`` are digests: where files lie and in which
    order they are named does not matter. Times, host, paths and git are not part of it."""
    text = canonical(
        {
            "stage": stage,
            "name": name,
            "parameters": parameters,
            "seed": seed,
            "code": code,
            "inputs": sorted(inputs),
            "lock": lock,
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of the file's bytes. Raises OSError."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 over files of the package: names and bytes, wherever it lies, in any order."""
    total = hashlib.sha256()
    for relative, path in sorted({(p.relative_to(PACKAGE).as_posix(), p) for p in files}):
        total.update(f"{relative}\0{file_digest(path)}\n".encode())
    return total.hexdigest()


def checkout() -> Path | None:
    """The folder of the checkout this package runs from; None if installed elsewhere."""
    root = PACKAGE.parents[1]
    return (
        root if PACKAGE.parent.name == "workflow" and (root / "pyproject.toml").exists() else None
    )


def science() -> dict[str, str]:
    """Subpackage -> digest of its code, of all that can change a number in any stage's results."""
    return {
        name: files_digest(
            p for p in (PACKAGE / name).rglob("*") if p.suffix in CODE_SUFFIXES and p.is_file()
        )
        for name in SCIENCE
    }


def lock_digest() -> str:
    """SHA-256 of ``envs/requirements.txt`` in the checkout; empty if there is none."""
    root = checkout()
    lock = root / "envs" / "requirements.txt" if root else None
    return file_digest(lock) if lock and lock.is_file() else ""
