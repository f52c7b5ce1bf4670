"""The nested design of a trial: particles, and the same animals of each in every arm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Design"]

KEYS = ["particle", "animal"]


@dataclass(frozen=True)
class Design:
    """Tables of outcomes of the same animals in several arms.

    Attributes:
        shape: particles, animals of each.
        whole: (particles,) whether all animals of a particle finished in all arms.
    """

    shape: tuple[int, int]
    whole: NDArray[np.bool_]

    @classmethod
    def of(cls, tables: Iterable[pd.DataFrame]) -> Design:
        """That of ``tables`` with the columns KEYS and ``status``.

        Raises ValueError where it is not balanced, sorted, or the same in all.
        """
        first, *others = tables
        found = first[KEYS].to_numpy()
        shape = (first["particle"].nunique(), first["animal"].nunique())
        complete = len(first) == np.prod(shape) and not first.duplicated(KEYS).any()
        in_order = (np.lexsort(found.T[::-1]) == np.arange(len(first))).all()
        same = all(np.array_equal(found, table[KEYS].to_numpy()) for table in others)
        if not (complete and in_order and same):
            raise ValueError("particles and animals are not balanced, sorted and equal in arms")
        done = [(table["status"] == "finished").to_numpy() for table in (first, *others)]
        return cls(shape, np.logical_and.reduce(done).reshape(shape).all(axis=1))

    def values(self, table: pd.DataFrame, outcome: str) -> NDArray[np.float64]:
        """An outcome in the animals of the whole particles: (whole particles, animals)."""
        return table[outcome].to_numpy(np.float64).reshape(self.shape)[self.whole]
