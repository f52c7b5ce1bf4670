"""How far each result depends on each parameter, first of all on those that nobody has measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from nichetrial.compare.over_particles import means_of
from nichetrial.compare.pooled import ratio_of_means
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS, Parameter
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.tables import Schema

__all__ = ["UNKNOWNS", "unknowns"]

_F = pa.float64()
UNKNOWNS: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "parameter": (pa.string(), "1", "parameter of the model"),
    "symbol": (pa.string(), "1", "its symbol in the equations"),
    "unit": (pa.string(), "1", "its unit"),
    "trust": (pa.string(), "1", "measured, estimated or unknown"),
    "spearman": (_F, "1", "rank correlation with the ratio of expected foci, over particles"),
    "low": (_F, "1", "lower bound of its 95 % interval (Fisher z, Fieller variance)"),
    "high": (_F, "1", "upper bound"),
    "ratio_lowest_third": (_F, "1", "ratio where the parameter is low: median over particles"),
    "ratio_highest_third": (_F, "1", "ratio where the parameter is high: median over particles"),
    "n": (pa.int64(), "particles", "particles counted"),
}
LEAST = 12
"""Particles below which nothing is said."""


def _can_act(parameter: Parameter, arms: tuple[Arm, Arm]) -> bool:
    """Drug parameters act where the drug is given, those of a primary tumour where there is one."""
    if parameter.group == "primary tumour" or parameter.name == "protease_shedding":
        return any(arm.challenge.route == "primary" for arm in arms)
    if parameter.name == "vector_rise_half_time":
        return any(arm.vector is not None for arm in arms)
    if parameter.group != "drugs":
        return True
    given = {t.drug for arm in arms for t in arm.treatments}
    prefixes = [DRUGS[name].kinetics for name in given]
    # "anti_ly6g" is also how the names of the murinised antibody's parameters begin
    prefixes += [n for n in given if n != "anti_ly6g"]
    own = ("anti_ly6g_depth", "anti_ly6g_rebound") if "anti_ly6g" in given else ()
    shared = ("anti_ly6g_ec50",) if any(n.startswith("anti_ly6g") for n in given) else ()
    named = parameter.name.startswith(tuple(f"{p}_" for p in prefixes))
    return named or parameter.name in own + shared


def unknowns(particles: pd.DataFrame, typical: pd.DataFrame, study: ResolvedStudy) -> pd.DataFrame:
    """One row for each pair and parameter that varies and can act in it (schema UNKNOWNS).

    Args:
        particles: what became of them (schema ``over_particles.PARTICLES``).
        typical: their parameters (schema ``cohort.sample.TYPICAL``), in the same order.
    """
    rows = []
    foci = means_of(particles, "expected_foci")
    for pair in study.comparisons.pairs:
        if pair.arm not in foci or pair.reference not in foci:
            continue
        pair_arms = (study.arm(pair.arm), study.arm(pair.reference))
        ratio = ratio_of_means(foci[pair.arm], foci[pair.reference])
        valid = np.isfinite(ratio)
        n = int(valid.sum())
        if n < LEAST:
            continue
        ratio = ratio[valid]
        effect = stats.rankdata(ratio)
        for parameter in PARAMETERS.values():
            values = typical[parameter.name].to_numpy()[valid]
            if not _can_act(parameter, pair_arms):
                continue
            if np.ptp(values) == 0.0 or np.ptp(effect) == 0.0:
                continue
            order = np.argsort(values, kind="stable")
            third = n // 3
            lowest, highest = order[:third], order[-third:]
            rho = float(np.corrcoef(stats.rankdata(values), effect)[0, 1])
            z, half = np.arctanh(np.clip(rho, -0.999999, 0.999999)), 1.96 * np.sqrt(1.06 / (n - 3))
            rows.append(
                {
                    "arm": pair.arm,
                    "reference": pair.reference,
                    "parameter": parameter.name,
                    "symbol": parameter.symbol,
                    "unit": parameter.unit,
                    "trust": parameter.trust,
                    "spearman": rho,
                    "low": float(np.tanh(z - half)),
                    "high": float(np.tanh(z + half)),
                    "ratio_lowest_third": float(np.median(ratio[lowest])),
                    "ratio_highest_third": float(np.median(ratio[highest])),
                    "n": n,
                }
            )
    return pd.DataFrame(rows, columns=list(UNKNOWNS))
