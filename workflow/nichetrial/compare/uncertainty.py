"""Where the uncertainty of a paired effect comes from, and which part more mice would buy off.

Each particle (an answer to what nobody knows) has the same number of animals, and each animal twins
that differ in luck alone: a nested design, analysed by mean squares (Searle, Casella and McCulloch,
Variance Components, chapter 3, doi 10.1002/9780470316856).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.effects import Outcomes
from nichetrial.compare.nested import Design
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema

__all__ = ["SPLIT", "UNCERTAINTY", "uncertainty"]

Floats = NDArray[np.float64]

SPLIT = (
    "foci",
    "expected_foci",
    "burden",
    "liver_neutrophils",
    "blood_neutrophils",
    "sdf1",
    "metastasis_free_days",
    "survival_days",
)
"""Outcomes whose uncertainty is split."""

_I, _F = pa.int64(), pa.float64()
_OF_REFERENCE = "as a share of the mean of the reference"
UNCERTAINTY: Schema = {
    "outcome": (pa.string(), "1", "what is compared"),
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "effect": (_F, "1", f"mean paired difference, arm - reference, {_OF_REFERENCE}"),
    "sd_parameters": (_F, "1", f"its standard deviation over particles, {_OF_REFERENCE}"),
    "sd_mice": (_F, "1", "the same over the mice of one particle"),
    "sd_luck": (_F, "1", "the same over the luck of one mouse"),
    **{
        f"share_{part}{bound}": (_F, "1", f"share of the variance that is {what}{which}")
        for part, what in (
            ("parameters", "of parameters"),
            ("mice", "between mice"),
            ("luck", "luck"),
        )
        for bound, which in (
            ("", ""),
            ("_low", ": lower bound of its bootstrap interval over particles"),
            ("_high", ": upper bound"),
        )
    },
    "error_8": (_F, "1", f"standard error of the effect with 8 mice per group, {_OF_REFERENCE}"),
    "error_20": (_F, "1", "the same with 20 mice per group"),
    "error_8_paired": (_F, "1", "the same if the same 8 mice could be in both groups"),
    "error_20_paired": (_F, "1", "the same if the same 20 mice could be in both groups"),
    "error_floor": (_F, "1", "the same with any number of mice: what only knowledge lowers"),
    "particles": (_I, "particles", "particles counted"),
    "dropped": (_I, "particles", "left out because one of their mice failed in either arm"),
}


@dataclass(frozen=True)
class _Squares:
    """Per particle: mean, mean square between its animals (twins' means) and between twins."""

    mean: Floats
    animals: Floats
    twins: Floats
    per_animal: int
    per_particle: int

    @classmethod
    def of(cls, values: Floats) -> _Squares:
        """``values``: (particles, animals, twins)."""
        animal = values.mean(axis=2)
        animals, twins = values.shape[1:]
        return cls(
            animal.mean(axis=1),
            twins * animal.var(axis=1, ddof=1),
            values.var(axis=2, ddof=1).mean(axis=1),
            twins,
            animals * twins,
        )

    def columns(self) -> Floats:
        """What of each particle is averaged over particles: (particles, 4)."""
        middle = self.mean - self.mean.mean()
        return np.column_stack([middle, middle**2, self.animals, self.twins])

    def components(self, averages: Floats) -> Floats:
        """Variances (..., 3) of parameters, mice and chance from averages (..., 4) of ``columns``.

        A component whose estimate is negative is none.
        """
        first, second, animals, twins = np.moveaxis(averages, -1, 0)
        count = len(self.mean)
        particles = (second - first**2) * count / (count - 1) * self.per_particle
        parts = [
            (particles - animals) / self.per_particle,
            (animals - twins) / self.per_animal,
            twins,
        ]
        return np.maximum(np.stack(parts, axis=-1), 0.0)


def uncertainty(groups: Outcomes, pairs: Iterable[Pair], bootstrap: Bootstrap) -> pd.DataFrame:
    """One row a pair and outcome of SPLIT (schema UNCERTAINTY); pairs with an absent arm are empty.

    Args:
        groups: arm -> outcomes with the columns ``particle``, ``animal`` and ``twin``: the same
            rows in the same order in each arm, sorted, every particle with the same number of
            animals and every animal with the same number of twins (at least two of each).
        bootstrap: over particles. Raises ValueError where its size is another.
    """
    rows = []
    for pair in pairs:
        for outcome in SPLIT:
            row = {
                "outcome": outcome,
                "arm": pair.arm,
                "reference": pair.reference,
                "particles": 0,
                "dropped": bootstrap.n,
            }
            if pair.arm in groups and pair.reference in groups:
                row |= _split(groups[pair.arm], groups[pair.reference], outcome, bootstrap)
            rows.append(row)
    return pd.DataFrame(rows, columns=list(UNCERTAINTY))


def _split(
    arm: pd.DataFrame, ref: pd.DataFrame, outcome: str, bootstrap: Bootstrap
) -> dict[str, float]:
    design = Design.of([arm, ref])
    count, *others = design.shape
    if count != bootstrap.n:
        raise ValueError(f"{count} particles, but a bootstrap over {bootstrap.n}")
    if min(others) < 2:
        raise ValueError("two animals a particle and two twins an animal are the least")
    kept = design.whole
    row: dict[str, float] = {"particles": int(kept.sum()), "dropped": int((~kept).sum())}
    if kept.sum() < 2:
        return row
    a, b = (design.values(table, outcome) for table in (arm, ref))
    paired = _Squares.of((a - b)[kept])
    columns = paired.columns()
    luckless = np.zeros((count, columns.shape[1]))
    luckless[kept] = columns
    variances = paired.components(columns.mean(axis=0))
    shares = _shares(variances)
    drawn = _shares(paired.components(bootstrap.means(luckless, kept)))
    scale = abs(float(b[kept].mean()))
    relative = 1.0 / scale if scale > 0.0 else np.nan
    row["effect"] = float(paired.mean.mean()) * relative
    for k, part in enumerate(("parameters", "mice", "luck")):
        row[f"sd_{part}"] = float(np.sqrt(variances[k])) * relative
        row[f"share_{part}"] = float(shares[k])
        row[f"share_{part}_low"], row[f"share_{part}_high"] = bootstrap.bounds(drawn[:, k])
    within = 0.0
    for values in (a, b):
        group = _Squares.of(values[kept])
        within += float(group.components(group.columns().mean(axis=0))[1:].sum())
    floor = float(variances[0])
    for n in (8, 20):
        row[f"error_{n}"] = float(np.sqrt(floor + within / n)) * relative
        row[f"error_{n}_paired"] = float(np.sqrt(floor + variances[1:].sum() / n)) * relative
    row["error_floor"] = float(np.sqrt(floor)) * relative
    return row


def _shares(variances: Floats) -> Floats:
    total = variances.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0.0, variances / total, np.nan)
