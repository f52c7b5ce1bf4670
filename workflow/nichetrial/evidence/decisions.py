"""This parameter decides this conclusion: what each treatment effect hangs on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.space import NAMES, cohort_of
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import Schema
from nichetrial.trial.simulate import simulate

__all__ = ["DECISIONS", "decisions"]

_F = pa.float64()
DECISIONS: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "parameter": (pa.string(), "1", "the parameter that decides most"),
    "symbol": (pa.string(), "1", "its symbol in the equations"),
    "meaning": (pa.string(), "1", "what it is"),
    "trust": (pa.string(), "1", "measured, estimated or unknown"),
    "total": (_F, "1", "Sobol index: share of the variance that goes when it becomes known"),
    "total_conf": (_F, "1", "half-width of its 95 % confidence interval"),
    "ratio": (_F, "1", "ratio of mean expected foci over the calibrated population"),
    "ratio_lowest_third": (_F, "1", "the same where the parameter is low"),
    "ratio_highest_third": (_F, "1", "the same where the parameter is high"),
    "flips": (pa.bool_(), "1", "is the effect of opposite sign in the two thirds?"),
}
MOST, MARGIN = 5, 0.02
"""Parameters a pair; how far from 1 a ratio must be to count as a rise or a fall."""


def decisions(
    study: ResolvedStudy, particles: NDArray[np.float64], sobol: pd.DataFrame
) -> pd.DataFrame:
    """The MOST important parameters of each declared pair (schema DECISIONS)."""
    cohort = cohort_of(particles)
    foci = {
        arm.name: simulate(arm, cohort, seed=study.seed).outcomes["expected_foci"].to_numpy(float)
        for arm in study.arms
    }
    third = max(len(particles) // 3, 1)
    rows = []
    for pair in study.comparisons.pairs:
        a, b = foci[pair.arm], foci[pair.reference]
        known = np.isfinite(a) & np.isfinite(b)
        mine = sobol[(sobol["arm"] == pair.arm) & (sobol["reference"] == pair.reference)]
        for row in mine.head(MOST).itertuples():
            order = np.argsort(particles[:, NAMES.index(row.parameter)], kind="stable")
            order = order[known[order]]
            low, high = (float(a[k].sum() / b[k].sum()) for k in (order[:third], order[-third:]))
            rows.append(
                {
                    "arm": pair.arm,
                    "reference": pair.reference,
                    "parameter": row.parameter,
                    "symbol": PARAMETERS[row.parameter].symbol,
                    "meaning": row.meaning,
                    "trust": row.trust,
                    "total": row.total,
                    "total_conf": row.total_conf,
                    "ratio": float(a[known].sum() / b[known].sum()),
                    "ratio_lowest_third": low,
                    "ratio_highest_third": high,
                    "flips": min(low, high) < 1.0 - MARGIN and max(low, high) > 1.0 + MARGIN,
                }
            )
    return pd.DataFrame(rows, columns=list(DECISIONS))
