"""The way in: a study file in, a resolved study or one UserError out."""

from __future__ import annotations

import os
from pathlib import Path

from nichetrial.study.assemble import Assembled, assemble
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.study.source import parse, read_source

__all__ = ["load", "load_text", "load_with_experiment"]


def load(path: str | os.PathLike[str]) -> ResolvedStudy:
    """Read, check and resolve the study file at ``path``. Raises UserError."""
    return load_with_experiment(path).study


def load_with_experiment(path: str | os.PathLike[str]) -> Assembled:
    """As ``load``, with the bare experiment next to the study, and with notes on it."""
    return assemble(read_source(Path(path)))


def load_text(text: str, file: str = "study.yaml") -> ResolvedStudy:
    """As ``load``, from text; ``file`` is its name in messages."""
    return assemble(parse(text, file)).study
