"""Which parameters decide an outcome: Sobol indices over the priors, by SALib.

Sobol 2001, doi 10.1016/S0378-4754(00)00270-6; estimators of Saltelli 2010, doi
10.1016/j.cpc.2009.09.018. They need independent parameters, which the priors have and a calibrated
population has not: they tell what one would have to know, not what is known already.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as design

from nichetrial import codes
from nichetrial.cohort.space import NAMES, Priors, cohort_of, parameters
from nichetrial.errors import UserError
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tables import Schema
from nichetrial.trial.simulate import simulate

__all__ = ["SOBOL", "indices", "points", "quantities"]

Floats = NDArray[np.float64]
_F = pa.float64()
SOBOL: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with; empty: its foci themselves"),
    "parameter": (pa.string(), "1", "parameter of the mouse"),
    "symbol": (pa.string(), "1", "its symbol in the equations"),
    "meaning": (pa.string(), "1", "what it is"),
    "trust": (pa.string(), "1", "measured, estimated or unknown"),
    "first": (_F, "1", "share of the variance that it explains by itself"),
    "first_conf": (_F, "1", "half-width of the 95 % confidence interval"),
    "total": (_F, "1", "share of the variance that goes when it becomes known"),
    "total_conf": (_F, "1", "half-width of the 95 % confidence interval"),
    "n": (pa.int64(), "runs", "runs behind it"),
}
_LEAST = 1e-2
"""Foci, added to all: mice with next to none would rule the variance of the logarithm."""
_RESAMPLES = 200


def _problem(priors: Priors) -> tuple[list[str], dict[str, object]]:
    free = [name for name in NAMES if priors[name][0] != "fixed"]
    return free, {"num_vars": len(free), "names": free, "bounds": [[0.0, 1.0]] * len(free)}


def points(priors: Priors, *, seed: int, n: int) -> Floats:
    """The design (n (d + 2), NAMES): parameters of the mice to simulate; ``n`` a power of two."""
    free, problem = _problem(priors)
    u = np.full((n * (len(free) + 2), len(NAMES)), 0.5)
    drawn = design.sample(problem, n, calc_second_order=False, seed=seed)
    u[:, [NAMES.index(name) for name in free]] = np.clip(drawn, 1e-9, 1.0 - 1e-9)
    return parameters(u, priors)


def quantities(study: ResolvedStudy, mice: Floats) -> dict[tuple[str, str], Floats]:
    """(arm, reference) -> logarithm of expected foci (reference "") or of their ratio, (mice,).

    Raises:
        UserError: a mouse did not finish: indices over the others would be of another model.
    """
    cohort = cohort_of(mice)
    foci: dict[str, Floats] = {}
    for arm in study.arms:
        table = simulate(arm, cohort, seed=study.seed).outcomes
        if failed := int((table["status"] != "finished").sum()):
            raise UserError(
                codes.UNFINISHED_MICE,
                f"{failed} of {len(table)} runs in the arm {arm.name} did not finish "
                f"({', '.join(sorted(set(table['status']) - {'finished'}))}); Sobol indices need "
                "all of them",
                place="sobol",
            )
        foci[arm.name] = np.log(table["expected_foci"].to_numpy(np.float64) + _LEAST)
    pairs = {(p.arm, p.reference): foci[p.arm] - foci[p.reference] for p in study.comparisons.pairs}
    return {(study.comparisons.reference, ""): foci[study.comparisons.reference], **pairs}


def indices(priors: Priors, values: Mapping[tuple[str, str], Floats], *, seed: int) -> pd.DataFrame:
    """One row a quantity and free parameter (schema SOBOL), the most important first.

    A quantity that does not vary has no rows.
    """
    free, problem = _problem(priors)
    rows = []
    for (arm, reference), y in values.items():
        if np.ptp(y) < 1e-12:
            continue
        found = analysis.analyze(
            problem,
            (y - y.mean()) / y.std(),
            calc_second_order=False,
            num_resamples=_RESAMPLES,
            seed=seed,
        )
        order = np.argsort(-found["ST"], kind="stable")
        rows += [
            {
                "arm": arm,
                "reference": reference,
                "parameter": free[k],
                "symbol": PARAMETERS[free[k]].symbol,
                "meaning": PARAMETERS[free[k]].meaning,
                "trust": PARAMETERS[free[k]].trust,
                "first": found["S1"][k],
                "first_conf": found["S1_conf"][k],
                "total": found["ST"][k],
                "total_conf": found["ST_conf"][k],
                "n": len(y),
            }
            for k in order
        ]
    return pd.DataFrame(rows, columns=list(SOBOL))
