"""What a calibration has learned of each parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.cohort.smc import effective
from nichetrial.cohort.space import NAMES, Priors, parameters
from nichetrial.model.parameters import PARAMETERS
from nichetrial.tables import Schema

__all__ = ["POSTERIOR", "posterior"]

_F = pa.float64()
POSTERIOR: Schema = {
    "parameter": (pa.string(), "1", "parameter of the mouse"),
    "symbol": (pa.string(), "1", "its symbol in the equations"),
    "meaning": (pa.string(), "1", "what it is"),
    "unit": (pa.string(), "1", "its unit"),
    "trust": (pa.string(), "1", "measured, estimated or unknown"),
    "prior_low": (_F, "see unit", "5 % quantile of the prior"),
    "prior_high": (_F, "see unit", "95 % quantile"),
    "low": (_F, "see unit", "5 % quantile of the calibrated population"),
    "median": (_F, "see unit", "median"),
    "high": (_F, "see unit", "95 % quantile"),
    "narrowed": (_F, "1", "share of the prior's 90 % range that the population's does not cover"),
    "learned": (_F, "bit", "information gained over the prior (20 classes of equal probability)"),
}
CLASSES = 20


def posterior(
    particles: NDArray[np.float64], u: NDArray[np.float64], priors: Priors
) -> pd.DataFrame:
    """One row a parameter that the prior leaves open (schema POSTERIOR), most learned first.

    Args:
        particles: (n, NAMES), the population. u: (n, NAMES), the same in the cube.
    """
    ends = parameters(np.tile(np.array([[0.05], [0.95]]), len(NAMES)), priors)
    rows = []
    for k, name in enumerate(NAMES):
        if priors[name][0] == "fixed":
            continue
        p = PARAMETERS[name]
        low, median, high = np.quantile(particles[:, k], (0.05, 0.5, 0.95))
        covered = np.quantile(u[:, k], 0.95) - np.quantile(u[:, k], 0.05)
        share = np.histogram(u[:, k], CLASSES, (0.0, 1.0))[0] / len(u)
        some = share[share > 0.0]
        # less the bias of an entropy from few points, (classes - 1) / (2 n); copies count once
        learned = float(np.sum(some * np.log2(some * CLASSES)))
        learned -= (CLASSES - 1) / (2 * effective(u[:, [k]]) * np.log(2))
        rows.append(
            {
                "parameter": name,
                "symbol": p.symbol,
                "meaning": p.meaning,
                "unit": p.unit,
                "trust": p.trust,
                "prior_low": ends[0, k],
                "prior_high": ends[1, k],
                "low": low,
                "median": median,
                "high": high,
                "narrowed": max(0.0, 1.0 - covered / 0.9),
                "learned": max(learned, 0.0),
            }
        )
    table = pd.DataFrame(rows, columns=list(POSTERIOR))
    return table.sort_values("learned", ascending=False, kind="stable").reset_index(drop=True)
