"""Arms and effects in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nichetrial.formatting import interval, number, share
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import GENES, Arm, ResolvedStudy, Treatment

__all__ = [
    "OUTCOME_WORDS",
    "arm_words",
    "combination_words",
    "dose_words",
    "effect_words",
    "fitted_words",
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


def effect_words(row: pd.Series, study: ResolvedStudy) -> str:
    """One row of the effects on foci as a sentence. Arms are called by their labels."""
    labels = {a.name: a.label for a in study.arms}
    arm, reference = labels[row["arm"]], labels[row["reference"]]
    ratio, low, high = float(row["ratio"]), float(row["ratio_low"]), float(row["ratio_high"])
    if row["n"] == 0:
        return f"{arm}: no result against {reference}, because jobs or all mice failed."
    if math.isnan(ratio):
        return f"{arm}: {reference} has no foci, so there is no ratio to give."
    zero = (row["difference"], row["difference_low"], row["difference_high"]) == (0.0, 0.0, 0.0)
    if zero:
        return f"{arm}: visible foci are exactly those of {reference}, in every mouse."
    percent = number(100 * study.comparisons.interval, 3)
    given = f"{number(ratio)} times as many ({number(low)} to {number(high)}, {percent} % interval)"
    responders = ""
    if not math.isnan(row["responders"]):
        responders = (
            f" Foci fall by at least {share(study.comparisons.responder)} in "
            f"{share(float(row['responders']))} of the mice that have any in the reference."
        )
    if high < 1:
        return f"{arm}: fewer visible foci than {reference}, {given}.{responders}"
    if low > 1:
        return f"{arm}: more visible foci than {reference}, {given}.{responders}"
    return (
        f"{arm}: no clear change of visible foci against {reference}, {given}: "
        f"the interval covers 1.{responders}"
    )


def dose_words(curve: pd.DataFrame) -> str | None:
    """The dose curve of ``figures.dose.ratios`` in a sentence; None if it is empty."""
    if curve.empty:
        return None
    top, last = curve.loc[curve["mean"].idxmax()], curve.iloc[-1]
    end = (
        f"at {number(last['fold'])}-fold it is "
        f"{interval(last['mean'], last['mean_low'], last['mean_high'])}"
    )
    if top["fold"] in (curve["fold"].iloc[0], last["fold"]):
        return f"Metastasis against the dose of TIMP-1 has no hump in this cohort: {end}."
    peak = interval(top["mean"], top["mean_low"], top["mean_high"])
    sure = "" if top["mean_low"] > 1 else ", though its interval covers no rise at all"
    return (
        f"Without treatment, expected foci against the dose of TIMP-1 are highest at "
        f"{number(top['fold'])}-fold, {peak} times those at basal TIMP-1{sure}; {end}."
    )


def combination_words(row: pd.Series, study: ResolvedStudy) -> str:
    """One combination under one null model as a verdict, if the study names that model."""
    if not row["decides"]:
        return "for comparison"
    low, high = float(row["excess_low"]), float(row["excess_high"])
    if math.isnan(low) or math.isnan(high):
        return "no verdict"
    single = row["null_model"] == "hsa"
    if high < 0:
        return "better than the better part alone" if single else "synergy: more than expected"
    if low > 0:
        return "worse than the better part alone" if single else "antagonism: less than expected"
    return "no more than the better part alone" if single else "as expected of independent parts"


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
