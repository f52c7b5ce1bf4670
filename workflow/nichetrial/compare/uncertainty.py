"""Where the uncertainty of an experiment's effect comes from, and what more mice would buy off.

A laboratory finds the ratio of foci in two groups. On the scale of its logarithm, the variance of
what it finds is a sum: what nobody knows (how the true ratio differs from particle to particle),
which mice it happened to get, and luck, the counting of few foci. The first part is the same for
any number of mice; the two others shrink with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.nested import Design
from nichetrial.compare.over_particles import log_ratios
from nichetrial.compare.pooled import Outcomes
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema

__all__ = ["SHOWN", "UNCERTAINTY", "uncertainty"]

Floats = NDArray[np.float64]

SHOWN = 8
"""Mice per group of the experiment whose variance is split."""

_I, _F = pa.int64(), pa.float64()
UNCERTAINTY: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "effect": (_F, "1", "log ratio of expected foci: median over particles"),
    "sd_parameters": (_F, "1", "standard deviation of the log ratio over particles, without noise"),
    "sd_mice": (_F, "1", "that of which mice are in two groups of one mouse each"),
    "sd_luck": (_F, "1", "that of counting the foci of two groups of one mouse each"),
    **{
        f"share_{part}": (_F, "1", f"share of the variance with {SHOWN} mice per group: {what}")
        for part, what in (
            ("parameters", "what nobody knows"),
            ("mice", "which mice"),
            ("luck", "luck"),
        )
    },
    "error_8": (_F, "1", "standard error of the log ratio with 8 mice per group"),
    "error_20": (_F, "1", "the same with 20 mice per group"),
    "error_floor": (_F, "1", "the same with any number of mice: what only knowledge lowers"),
    "particles": (_I, "particles", "particles counted"),
    "dropped": (_I, "particles", "left out: a mouse failed, or nothing is expected in either arm"),
}


def uncertainty(outcomes: Outcomes, pairs: Iterable[Pair]) -> pd.DataFrame:
    """One row for each pair (schema UNCERTAINTY); empty where an arm is absent, or has fewer than
    two mice of each particle.

    The variances of mice and luck are those of the particle in the middle, to first order: with a
    mean m of a group and a variance s2 between its mice, s2 / m2 and, of a Poisson count, 1 / m.

    Args:
        outcomes: arm -> outcomes, see ``compare.over_particles``.
    """
    rows = []
    for pair in pairs:
        row: dict[str, Any] = {"arm": pair.arm, "reference": pair.reference, "particles": 0}
        if pair.arm in outcomes and pair.reference in outcomes:
            tables = outcomes[pair.arm], outcomes[pair.reference]
            design = Design.of(tables)
            row |= _split(*(design.values(table, "expected_foci") for table in tables))
            row["dropped"] = design.shape[0] - row["particles"]
        rows.append(row)
    counts = dict.fromkeys(("particles", "dropped"), "Int64")
    return pd.DataFrame(rows, columns=list(UNCERTAINTY)).astype(counts)


def _split(a: Floats, b: Floats) -> dict[str, Any]:
    """``a``, ``b``: expected foci (particles, animals) in the arm and the reference."""
    able = (a.mean(axis=1) > 0.0) & (b.mean(axis=1) > 0.0)
    row: dict[str, Any] = {"particles": int(able.sum())}
    if able.sum() < 2 or a.shape[1] < 2:
        return row
    a, b = a[able], b[able]
    ratio, noise = log_ratios(a, b)
    known = max(float(ratio.var(ddof=1) - noise.mean()), 0.0)
    means = [x.mean(axis=1) for x in (a, b)]
    mice = sum(x.var(axis=1, ddof=1) / m**2 for x, m in zip((a, b), means, strict=True))
    variances = {
        "parameters": known,
        "mice": float(np.median(mice)),
        "luck": float(np.median(sum(1.0 / m for m in means))),
    }
    row["effect"] = float(np.median(ratio))
    row |= {f"sd_{part}": float(np.sqrt(v)) for part, v in variances.items()}
    within = variances["mice"] + variances["luck"]
    for n in (8, 20):
        row[f"error_{n}"] = float(np.sqrt(known + within / n))
    row["error_floor"] = float(np.sqrt(known))
    total = known + within / SHOWN
    for part, v in variances.items():
        row[f"share_{part}"] = (v if part == "parameters" else v / SHOWN) / total
    return row
