"""Which mice are plausible: each rule is physiology or a published range, with a reason in words.

Virtual-population usage (Allen 2016, doi 10.1002/psp4.12063): a plausible mouse is one whose
parameters lead to values seen in mice; nothing here looks at the effect of a treatment.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "first_reason"]

Columns = dict[str, NDArray[np.float64]]

LOW_EFFICIENCY, HIGH_EFFICIENCY = 1e-6, 1 / 170


def _efficiency(p: Columns) -> NDArray[np.float64]:
    return p["arrest_probability"] * p["founding_probability"] * p["outgrowth_probability"]


def _neutrophilia(p: Columns) -> NDArray[np.float64]:
    """Blood neutrophils (fold) when CD63 is saturated, in closed form."""
    basal = 1 / (1 + p["cd63_ratio"])
    gain = (1 + p["granulopoiesis_gain"]) / (1 + p["granulopoiesis_gain"] * basal)
    return gain ** (1 / (1 + p["granulopoiesis_feedback"]))


RULES: dict[str, Callable[[Columns], NDArray[np.bool_]]] = {
    "stage probabilities add up to more than one": lambda p: (
        p["founding_probability"] + p["dormancy_probability"] >= 1
    ),
    "fewer than 1 in 1,000,000 injected cells found a metastasis (Coumans 2013)": lambda p: (
        _efficiency(p) < LOW_EFFICIENCY
    ),
    "more than 1 in 170 injected cells found a metastasis (Coumans 2013)": lambda p: (
        _efficiency(p) > HIGH_EFFICIENCY
    ),
    "the untreated liver is already more than half a niche": lambda p: p["niche_threshold"] < 1,
    "TIMP-1 alone would raise blood neutrophils more than 3-fold": lambda p: _neutrophilia(p) > 3,
    "a drug is absorbed more slowly than it is cleared": lambda p: (
        (p["amd3100_absorption_half_life"] > 0.8 * p["amd3100_half_life"])
        | (p["antibody_absorption_half_life"] > 0.8 * p["antibody_half_life"])
        | (p["mmp_inhibitor_absorption_half_life"] > 0.8 * p["mmp_inhibitor_half_life"])
    ),
    "an antibody would kill every neutrophil": lambda p: (
        (p["anti_ly6g_depth"] >= 1) | (p["anti_ly6g_murinised_depth"] >= 1)
    ),
}
"""Reason -> is a mouse with these columns (n,) rejected for it."""


def first_reason(columns: Columns) -> NDArray[np.int64]:
    """Index in RULES of the first rule that rejects each mouse, -1 for a plausible one: (n,)."""
    n = next(iter(columns.values())).shape[0]
    reason = np.full(n, -1, dtype=np.int64)
    for k, rule in enumerate(RULES.values()):
        reason[(reason < 0) & rule(columns)] = k
    return reason
