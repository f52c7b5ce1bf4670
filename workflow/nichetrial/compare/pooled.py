"""Paired effects of the cohort as one: the same mice, with the same random events, in two arms.

The cohort mixes possible biologies, so these are ratios of pooled means: a few particles with many
foci weigh most. What is known of an effect is in ``compare.over_particles``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.study.resolved import ComparisonSpec
from nichetrial.tables import Schema

__all__ = ["OUTCOME_UNITS", "POOLED", "Outcomes", "pooled_effects", "ratio_of_means"]

Outcomes = Mapping[str, pd.DataFrame]
"""Arm -> outcomes of all its mice, in the same order in every arm."""

OUTCOME_UNITS = {
    "foci": "foci",
    "expected_foci": "foci",
    "burden": "cells",
    "largest_colony": "cells",
    "dormant_cells": "cells",
    "timp1": "nM",
    "sdf1": "nM",
    "blood_neutrophils": "fold",
    "liver_neutrophils": "fold",
    "niche": "1",
    "metastasis_free_days": "d",
    "survival_days": "d",
}
RESPONSE = ("foci", "expected_foci", "burden", "largest_colony")
"""Outcomes whose fall is a response."""

_F = pa.float64()
POOLED: Schema = {
    "outcome": (pa.string(), "1", "what is compared"),
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "n": (pa.int64(), "mice", "pairs compared"),
    "mean_arm": (_F, "see unit", "mean in the arm"),
    "mean_reference": (_F, "see unit", "mean in the reference"),
    "pooled_ratio": (_F, "1", "ratio of the means"),
    "pooled_ratio_low": (_F, "1", "lower bound of its bootstrap interval over particles"),
    "pooled_ratio_high": (_F, "1", "upper bound"),
    "pooled_difference": (_F, "see unit", "mean of the paired differences"),
    "pooled_difference_low": (
        _F,
        "see unit",
        "lower bound of its bootstrap interval over particles",
    ),
    "pooled_difference_high": (_F, "see unit", "upper bound"),
    "responders": (
        _F,
        "1",
        "share, of mice with any in the reference, that fall by the responder share",
    ),
    "variance_saved": (_F, "1", "share of the variance of the difference that pairing removes"),
    "failures": (pa.int64(), "mice", "pairs lost because a mouse failed in either arm"),
    "unit": (pa.string(), "1", "unit of means and difference"),
}


def ratio_of_means(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """a / b, NaN where b is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(b != 0.0, a / np.where(b != 0.0, b, 1.0), np.nan)


def _responders(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> float:
    able = b > 0.0
    return (
        float(np.mean(b[able] - a[able] >= share * b[able] * (1.0 - 1e-12)))
        if able.any()
        else float("nan")
    )


def _variance_saved(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    apart = float(np.var(a) + np.var(b))
    return 1.0 - float(np.var(a - b)) / apart if apart > 0.0 else float("nan")


def pooled_effects(
    outcomes: Outcomes, spec: ComparisonSpec, mice: int, bootstrap: Bootstrap
) -> pd.DataFrame:
    """The long table of effects (schema POOLED): every declared pair, every outcome.

    An arm that is not in ``outcomes`` gets rows with n = 0, so that nobody overlooks it.

    Args:
        mice: in all, of which every one is lost where an arm is absent.
    """
    rows = []
    names = list(OUTCOME_UNITS)
    for pair in spec.pairs:
        if pair.arm not in outcomes or pair.reference not in outcomes:
            rows += [
                {
                    "outcome": name,
                    "arm": pair.arm,
                    "reference": pair.reference,
                    "n": 0,
                    "failures": mice,
                    "unit": OUTCOME_UNITS[name],
                }
                for name in names
            ]
            continue
        arm, ref = outcomes[pair.arm], outcomes[pair.reference]
        valid = ((arm["status"] == "finished") & (ref["status"] == "finished")).to_numpy()
        a, b = arm[names].to_numpy(dtype=np.float64), ref[names].to_numpy(dtype=np.float64)
        both = bootstrap.means(np.hstack([a, b]), valid)
        drawn_a, drawn_b = both[:, : len(names)], both[:, len(names) :]
        for k, name in enumerate(names):
            x, y = a[valid, k], b[valid, k]
            row = {
                "outcome": name,
                "arm": pair.arm,
                "reference": pair.reference,
                "n": int(valid.sum()),
                "failures": int((~valid).sum()),
                "unit": OUTCOME_UNITS[name],
            }
            if x.size:
                mean_a, mean_b = x.mean(), y.mean()
                ratio_low, ratio_high = bootstrap.bounds(
                    ratio_of_means(drawn_a[:, k], drawn_b[:, k])
                )
                low, high = bootstrap.bounds(drawn_a[:, k] - drawn_b[:, k])
                row |= {
                    "mean_arm": mean_a,
                    "mean_reference": mean_b,
                    "pooled_ratio": float(ratio_of_means(mean_a, mean_b)),
                    "pooled_ratio_low": ratio_low,
                    "pooled_ratio_high": ratio_high,
                    "pooled_difference": float(np.mean(x - y)),
                    "pooled_difference_low": low,
                    "pooled_difference_high": high,
                    "variance_saved": _variance_saved(x, y),
                }
                if name in RESPONSE:
                    row["responders"] = _responders(x, y, spec.responder)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(POOLED))
