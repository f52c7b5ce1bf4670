"""The nested design: particles, animals in each, and twins of each animal that differ in luck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Design"]

KEYS = ["particle", "animal", "twin"]


@dataclass(frozen=True)
class Design:
    """Tables of outcomes of the same animals in several arms.

    Attributes:
        shape: particles, animals of each, twins of each animal.
        whole: (particles,) whether all animals of a particle finished in all arms.
    """

    shape: tuple[int, int, int]
    whole: NDArray[np.bool_]

    @classmethod
    def of(cls, tables: Iterable[pd.DataFrame]) -> Design:
        """That of ``tables`` with the columns KEYS and ``status``.

        Raises ValueError where it is not balanced, sorted, or the same in all.
        """
        first, *others = tables
        found = first[KEYS].to_numpy()
        counts = [first[key].nunique() for key in KEYS]
        shape = (counts[0], counts[1], counts[2])
        complete = len(first) == np.prod(shape) and not first.duplicated(KEYS).any()
        in_order = (np.lexsort(found.T[::-1]) == np.arange(len(first))).all()
        same = all(np.array_equal(found, table[KEYS].to_numpy()) for table in others)
        if not (complete and in_order and same):
            message = "particles, animals and twins are not balanced, sorted and equal in arms"
            raise ValueError(message)
        done = [table["status"] == "finished" for table in (first, *others)]
        finished = np.logical_and.reduce(done).reshape(shape[0], -1)
        return cls(shape, finished.all(axis=1))

    def values(self, table: pd.DataFrame, outcome: str) -> NDArray[np.float64]:
        """An outcome in all particles, of the shape."""
        return table[outcome].to_numpy(np.float64).reshape(self.shape)
