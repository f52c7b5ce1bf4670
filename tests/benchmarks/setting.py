"""What all are measured on: the default study's arms, its mice, the reference and the error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nichetrial.cohort.sample import sample
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.study.load import load
from tests.benchmarks.model import Case, case, ours

__all__ = ["STUDY", "cases", "error", "exact", "mice", "quiet"]

STUDY = "config.yaml"
REFERENCE = 1e-11
FLOOR = 1e-3
"""Values below it count as this much; in nM, fold, shares and cells alike."""


@cache
def cases() -> tuple[Case, ...]:
    """The arms of the default study."""
    return tuple(case(arm) for arm in load(STUDY).arms)


@cache
def mice(n: int) -> NDArray[np.float64]:
    """Parameters of the first ``n`` mice of the default study."""
    study = load(STUDY)
    frame = sample(
        seed=study.seed, first=0, last=n - 1, mice=1, overrides=study.cohort.overrides
    ).mice
    return frame[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)


@cache
def exact(number: int, n: int) -> NDArray[np.float64]:
    """States of the first ``n`` mice in a case, to eleven digits."""
    return ours(cases()[number], mice(n), load(STUDY).seed, rtol=REFERENCE)


def error(got: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Largest relative error of all states at all times; infinite where there is no number."""
    if not np.isfinite(got).all():
        return float("inf")
    return float(np.max(np.abs(got - reference) / np.maximum(np.abs(reference), FLOOR)))


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed meanwhile, not even by the solvers' own C and Fortran."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        for number, _ in kept:
            os.dup2(nothing.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
