"""Arms and effects in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nichetrial.compare.over_particles import WIDENED
from nichetrial.formatting import DASH, NEAR, direction, interval, number, share
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import GENES, Arm, ResolvedStudy, Treatment

__all__ = [
    "OUTCOME_WORDS",
    "arm_words",
    "combination_words",
    "dose_words",
    "effect_words",
    "fitted_words",
    "interaction_words",
    "lead_words",
    "noise_words",
]

OUTCOME_WORDS = {
    "foci": "visible foci at read-out",
    "expected_foci": "expected visible foci (without random events)",
    "burden": "tumour burden in the liver at read-out",
    "largest_colony": "largest colony at read-out",
    "dormant_cells": "dormant single cells at read-out",
    "timp1": "free TIMP-1 in plasma on the day of the challenge",
    "sdf1": "SDF-1 in the liver on the day of the challenge",
    "blood_neutrophils": "blood neutrophils on the day of the challenge",
    "liver_neutrophils": "liver neutrophils on the day of the challenge",
    "niche": "niche on the day of the challenge",
    "metastasis_free_days": "days alive and free of metastasis, cut at the end of the study",
    "survival_days": "days of survival, cut at the end of the study",
}


def arm_words(arm: Arm) -> list[str]:
    """What is done to the mice of an arm, one phrase a fact."""
    words = []
    for gene, level in zip(GENES.values(), arm.host.genes, strict=True):
        if level == 0:
            words.append(f"host {gene} -/-")
        elif level != 1:
            words.append(f"host {gene} expressed {number(level)}-fold")
    if arm.vector is not None:
        words.append(
            f"TIMP-1 vector: {number(arm.vector.fold)}-fold plasma TIMP-1 "
            f"from day {number(arm.vector.onset)}"
        )
    words += [_treatment(t) for t in arm.treatments]
    return words or ["nothing: wild type without vector and without treatment"]


def _treatment(treatment: Treatment) -> str:
    drug = DRUGS.get(treatment.drug)
    if drug is None:
        return f"{treatment.drug}: {treatment.written}"
    pump = " by pump" if treatment.method == "pump" else ""
    return f"{drug.label}{pump}: {treatment.written} ({drug.blocks})"


def effect_words(row: pd.Series) -> str:
    """What is known of one effect on foci, in a few words."""
    if row["particles"] == 0:
        return "no result: jobs or all mice failed"
    if math.isnan(row["ratio"]):
        return "no ratio: the reference has no foci"
    if (row["pooled_difference_low"], row["pooled_difference_high"]) == (0.0, 0.0):
        return "exactly as many, in every mouse"
    return direction(row["p_fewer"], row["p_error"])


def lead_words(foci: pd.DataFrame, study: ResolvedStudy) -> list[str]:
    """The answer in a sentence or two for each reference: which arms have fewer foci, and which
    more."""
    labels = {a.name: a.label for a in study.arms}
    sentences = []
    for reference, rows in foci.groupby("reference", sort=False):
        arms: dict[str, list[str]] = {}
        for _, row in rows.iterrows():
            arms.setdefault(effect_words(row).removesuffix(NEAR), []).append(labels[row["arm"]])
        told = [f"{words} with {_listed(names)}" for words, names in arms.items()]
        sentences.append(f"Foci against {labels[str(reference)]}: {'; '.join(told)}.")
    return sentences


def _listed(names: Sequence[str]) -> str:
    """
    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def noise_words(foci: pd.DataFrame) -> str:
    """What the few mice of each particle add to the intervals, if it is worth a sentence."""
    widest, enough = foci["widened"].max(), foci["enough"].max()
    if foci["ratio"].notna().any() and math.isnan(widest):
        return "Too few particles, or mice of each: nobody can tell the noise in the intervals."
    if not widest > WIDENED:
        return ""
    said = (
        f"The few mice of each particle make an interval up to {number(widest)} times as wide as "
        "many mice would"
    )
    if not math.isfinite(widest) or pd.isna(enough):
        return "The few mice of each particle hide how an effect differs between particles."
    return f"{said}; mice_per_particle: {enough} would end that."


def dose_words(curve: pd.DataFrame) -> str | None:
    """The dose curve of ``figures.dose.ratios`` in a sentence; None if it is empty."""
    if curve.empty:
        return None
    top, last = curve.loc[curve["median"].idxmax()], curve.iloc[-1]
    end = f"at {number(last['fold'])}-fold it is {_over(last)}"
    if top["fold"] in (curve["fold"].iloc[0], last["fold"]):
        return f"The median of foci against the dose of TIMP-1 has no hump: {end}."
    return (
        f"Without treatment, expected foci against the dose of TIMP-1 are highest at "
        f"{number(top['fold'])}-fold, {_over(top)} times those at basal TIMP-1 (median and 90 % of "
        f"the particles); {end}."
    )


def _over(row: pd.Series) -> str:
    return interval(row["median"], row["low"], row["high"])


def combination_words(row: pd.Series, study: ResolvedStudy) -> str:
    """One combination under one null model in words, if the study names that model."""
    if not row["decides"]:
        return "for comparison"
    beyond = ("more effect than expected", "less effect than expected")
    if row["null_model"] == "hsa":
        beyond = ("better than the better part alone", "worse than the better part alone")
    said = direction(row["p_better"], row["p_error"], words=beyond)
    return said if said != DASH else "no result"


def interaction_words(row: pd.Series) -> str:
    """Whether one effect is smaller than the other, in words."""
    words = direction(row["p_smaller"], row["p_error"], words=("smaller", "larger"))
    return words if words != DASH else "no result"


def fitted_words(scores: Sequence[Mapping[str, Any]], met: float | None) -> str:
    """How well the particles agree with the findings that they were fitted to.

    Args:
        scores: rows of the scoreboard, of the population that comes with nichetrial.
        met: of a study's own calibration: share of its particles that meet all findings.

    >>> fitted_words([], 0.07)
    '7 % of the particles meet all findings that they were fitted to.'
    """
    if met is not None:
        return f"{share(met)} of the particles meet all findings that they were fitted to."
    fitted = [row for row in scores if row["set"] == "A"]
    hits = sum(row["verdict"] == "hit" for row in fitted)
    return f"The population meets {hits} of the {len(fitted)} findings that it was fitted to."
