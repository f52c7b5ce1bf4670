"""One file for all that was measured: results/bench/engine.json."""

from __future__ import annotations

import json
from pathlib import Path

from nichetrial.files import atomic

__all__ = ["TARGET", "add", "begin", "read"]

TARGET = Path("results/bench/engine.json")


def _write(result: dict[str, object]) -> None:
    with atomic(TARGET) as part:
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written: {TARGET}")


def read() -> dict[str, object]:
    """What is recorded, by key; empty if there is nothing."""
    return json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}


def begin(result: dict[str, object]) -> None:
    """A new record: what another day or machine measured does not belong beside it."""
    _write(result)


def add(key: str, value: object) -> None:
    """Put one measurement into the record."""
    _write(read() | {key: value})
