"""Rank of the arms on several criteria: effect, burden of dosing, and harm; the Pareto front.

The harm is neutropenia: how low the neutrophils of the blood fall.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import Arm, ResolvedStudy, Treatment
from nichetrial.tables import Schema

__all__ = ["NEUTROPENIA", "RANKING", "amount", "fronts", "injections", "ranking"]

NEUTROPENIA = 0.5
"""Blood neutrophils, as a multiple of basal, below which a mouse counts as neutropenic."""

_F, _S, _I = pa.float64(), pa.string(), pa.int64()
RANKING: Schema = {
    "arm": (_S, "1", "the arm"),
    "label": (_S, "1", "its name for people"),
    "ratio": (_F, "1", "foci over those of the reference: median over particles"),
    "injections": (_I, "1", "number of injections; a pump is implanted once"),
    "total": (_F, "mg/kg", "given in all, all drugs together"),
    "nadir": (_F, "fold", "lowest blood neutrophils in the course, median over mice"),
    "neutropenic": (_F, "1", f"share of mice whose nadir is below {NEUTROPENIA}"),
    "courses": (_I, "mice", "mice behind the two"),
    "front": (
        _I,
        "1",
        "1: no arm dominates it; 2: only arms of front 1 do; 0: it does not compete",
    ),
    "dominated_by": (_S, "1", "an arm of front 1 that is as good in all and better in one"),
}


def injections(treatment: Treatment) -> int:
    """How often the animal is pricked or opened."""
    return 1 if treatment.method == "pump" else len(treatment.doses())


def amount(treatment: Treatment) -> float:
    """What is given in all, mg/kg."""
    doses = float(len(treatment.doses()))
    if treatment.method == "pump" and treatment.every:
        doses = (treatment.until - treatment.start) / treatment.every
    return treatment.amount * doses * DRUGS[treatment.drug].molar_mass / 1e6


def fronts(criteria: NDArray[np.float64]) -> NDArray[np.int64]:
    """Front (n,) of each of the ``criteria`` (n, k), all of them the lower the better."""
    front = np.zeros(len(criteria), np.int64)
    left = np.arange(len(criteria))
    level = 1
    while left.size:
        on = np.array([not any(_beats(criteria[j], criteria[i]) for j in left) for i in left])
        front[left[on]] = level
        left, level = left[~on], level + 1
    return front


def _beats(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return bool((a <= b).all() and (a < b).any())


def ranking(
    effects: pd.DataFrame, courses: Mapping[str, pd.DataFrame], study: ResolvedStudy
) -> pd.DataFrame:
    """One row an arm (schema RANKING). Arms whose mouse or vector differs from the reference's are
    no treatments: they are reported, and compete for no front.

    Args:
        effects: the table of effects.
        courses: arm -> time courses; an arm that is not there has no row.
    """
    base = study.arm(study.comparisons.reference)
    if base.name not in courses:
        return pd.DataFrame(columns=list(RANKING))
    known = effects[(effects["outcome"] == "foci") & (effects["reference"] == base.name)]
    ratios = {base.name: 1.0} | dict(zip(known["arm"], known["ratio"], strict=True))
    rows = [_row(arm, ratios[arm.name], courses) for arm in study.arms if arm.name in courses]
    table = pd.DataFrame(rows)
    treated = [
        study.arm(name).host == base.host and study.arm(name).vector == base.vector
        for name in table["arm"]
    ]
    competes = np.array(treated) & np.isfinite(table["ratio"]) & np.isfinite(table["nadir"])
    who = np.flatnonzero(competes)
    criteria = np.column_stack([table["ratio"], table["injections"], -table["nadir"]]).astype(float)
    table["front"] = 0
    table.loc[who, "front"] = fronts(criteria[who])
    table["dominated_by"] = ""
    best = [i for i in who if table["front"][i] == 1]
    for i in who:
        beaten = [j for j in best if _beats(criteria[j], criteria[i])]
        if beaten:
            table.loc[i, "dominated_by"] = table["arm"][beaten[0]]
    return table[list(RANKING)]


def _row(arm: Arm, ratio: float, courses: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    lowest = courses[arm.name].groupby("particle")["blood_neutrophils"].min()
    nadirs = lowest.to_numpy(np.float64)
    return {
        "arm": arm.name,
        "label": arm.label,
        "ratio": float(ratio),
        "injections": sum(map(injections, arm.treatments)),
        "total": float(sum(map(amount, arm.treatments))),
        "nadir": float(np.median(nadirs)) if nadirs.size else np.nan,
        "neutropenic": float((nadirs < NEUTROPENIA).mean()) if nadirs.size else np.nan,
        "courses": nadirs.size,
    }
