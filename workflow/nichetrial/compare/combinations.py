"""Is a combination more than its parts? Excess over Bliss independence and highest single agent.

It is judged inside each particle; that of the pooled means is beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.over_particles import EXCESS, excess
from nichetrial.compare.pooled import Outcomes, ratio_of_means
from nichetrial.study.resolved import ComparisonSpec
from nichetrial.tables import Schema

__all__ = ["COMBINATIONS", "combinations"]

NULLS: dict[str, Callable[..., Any]] = {"bliss": np.prod, "hsa": np.min}
"""Null model -> what it expects of the ratios of the parts."""

_F = pa.float64()
COMBINATIONS: Schema = {
    "arm": (pa.string(), "1", "the combination"),
    "of": (pa.string(), "1", "its parts"),
    "reference": (pa.string(), "1", "what all are compared with"),
    "null_model": (pa.string(), "1", "bliss: ratios multiply; hsa: the better part alone"),
    "decides": (pa.bool_(), "1", "whether the study names this null model"),
    **EXCESS,
    "pooled_observed": (_F, "1", "ratio of mean foci, combination over reference"),
    "pooled_expected": (_F, "1", "what the null model makes of the ratios of mean foci"),
    "pooled_excess": (_F, "1", "observed - expected of the pooled means"),
    "pooled_excess_low": (_F, "1", "lower bound of its bootstrap interval over particles"),
    "pooled_excess_high": (_F, "1", "upper bound"),
    "n": (pa.int64(), "mice", "mice that finished in all these arms"),
}


def combinations(
    outcomes: Outcomes, spec: ComparisonSpec, bootstrap: Bootstrap, *, effective: float = 1.0
) -> pd.DataFrame:
    """One row for each declared combination and null model (schema COMBINATIONS), the one that the
    study names first."""
    rows = []
    for combination in spec.combinations:
        names = (combination.arm, *combination.of, spec.reference)
        if any(name not in outcomes for name in names):
            continue
        valid = np.logical_and.reduce(
            [(outcomes[name]["status"] == "finished").to_numpy() for name in names]
        )
        if not valid.any():
            continue
        foci = np.column_stack([outcomes[name]["foci"].to_numpy(np.float64) for name in names])
        point, drawn = foci[valid].mean(axis=0)[None, :], bootstrap.means(foci, valid)
        for null in sorted(NULLS, key=lambda name: name != combination.null):
            expect = NULLS[null]
            values = []
            for means in (point, drawn):
                ratios = ratio_of_means(means[:, :-1], means[:, -1:])
                values.append((ratios[:, 0], expect(ratios[:, 1:], axis=1)))
            (observed, expected), (o, e) = values
            low, high = bootstrap.bounds(o - e)
            rows.append(
                {
                    "arm": combination.arm,
                    "of": "+".join(combination.of),
                    "reference": spec.reference,
                    "null_model": null,
                    "decides": null == combination.null,
                    **excess(outcomes, combination, spec.reference, null, effective=effective),
                    "pooled_observed": observed[0],
                    "pooled_expected": expected[0],
                    "pooled_excess": observed[0] - expected[0],
                    "pooled_excess_low": low,
                    "pooled_excess_high": high,
                    "n": int(valid.sum()),
                }
            )
    return pd.DataFrame(rows, columns=list(COMBINATIONS))
