"""How far each result depends on each parameter, first of all on those that nobody has measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from nichetrial.compare.effects import Outcomes, ratio_of_means
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS, Parameter
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.tables import Schema

__all__ = ["UNKNOWNS", "unknowns"]

_F = pa.float64()
UNKNOWNS: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "parameter": (pa.string(), "1", "parameter of the mouse"),
    "symbol": (pa.string(), "1", "its symbol in the equations"),
    "unit": (pa.string(), "1", "its unit"),
    "trust": (pa.string(), "1", "measured, estimated or unknown"),
    "spearman": (_F, "1", "rank correlation with the log ratio of expected foci, over mice"),
    "low": (_F, "1", "lower bound of its 95 % interval (Fisher z, Fieller variance)"),
    "high": (_F, "1", "upper bound"),
    "ratio_lowest_third": (_F, "1", "ratio of mean expected foci where the parameter is low"),
    "ratio_highest_third": (_F, "1", "ratio of mean expected foci where the parameter is high"),
    "n": (pa.int64(), "mice", "mice"),
}
MIN_MICE = 12
_TINY = 1e-12  # foci; keeps the logarithm of a mouse without any


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


def unknowns(outcomes: Outcomes, cohort: pd.DataFrame, study: ResolvedStudy) -> pd.DataFrame:
    """One row a pair and parameter that varies and can act in it (schema UNKNOWNS).

    Empty below MIN_MICE mice.
    """
    rows = []
    for pair in study.comparisons.pairs:
        if pair.arm not in outcomes or pair.reference not in outcomes:
            continue
        pair_arms = (study.arm(pair.arm), study.arm(pair.reference))
        arm, ref = outcomes[pair.arm], outcomes[pair.reference]
        valid = ((arm["status"] == "finished") & (ref["status"] == "finished")).to_numpy()
        n = int(valid.sum())
        if n < MIN_MICE:
            continue
        a = arm["expected_foci"].to_numpy()[valid]
        b = ref["expected_foci"].to_numpy()[valid]
        effect = stats.rankdata(np.log(a + _TINY) - np.log(b + _TINY))
        for parameter in PARAMETERS.values():
            values = cohort[parameter.name].to_numpy()[valid]
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
                    "ratio_lowest_third": float(ratio_of_means(a[lowest].mean(), b[lowest].mean())),
                    "ratio_highest_third": float(
                        ratio_of_means(a[highest].mean(), b[highest].mean())
                    ),
                    "n": n,
                }
            )
    return pd.DataFrame(rows, columns=list(UNKNOWNS))
