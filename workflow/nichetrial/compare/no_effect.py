"""Treatments that did nothing at all: allowed, but more often a mistake, or a fault of ours."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nichetrial import codes
from nichetrial.errors import Note
from nichetrial.study.resolved import Arm, ResolvedStudy

__all__ = ["without_effect"]


def without_effect(outcomes: Mapping[str, pd.DataFrame], study: ResolvedStudy) -> list[Note]:
    """A note for each arm that equals its reference to the last bit in every outcome of every
    mouse, although it differs from it by treatments alone, one of which has a dose and a target.

    Args:
        outcomes: arm -> outcomes, one row per mouse, in the same order.
    """
    found = []
    for pair in study.comparisons.pairs:
        if not {pair.arm, pair.reference} <= outcomes.keys():
            continue
        arm, reference = study.arm(pair.arm), study.arm(pair.reference)
        acting = [t.drug for t in arm.treatments if t.amount > 0 and _has_target(arm, t.drug)]
        same = {"name": arm.name, "label": arm.label, "treatments": arm.treatments}
        only_treated = reference.model_copy(update=same) == arm
        new = set(arm.treatments) - set(reference.treatments)
        if only_treated and acting and new and outcomes[pair.arm].equals(outcomes[pair.reference]):
            found.append(
                Note(
                    codes.NO_EFFECT,
                    f"{', '.join(dict.fromkeys(acting))} changed no outcome of any mouse, compared "
                    f"with {reference.label}",
                    "check the dose and its days against the day of read-out",
                    place=f"arms.{arm.name}.treatments",
                )
            )
    return found


def _has_target(arm: Arm, drug: str) -> bool:
    """Is there anything in this host that the drug can act on?"""
    if drug == "anti_timp1":
        return arm.host.timp1 > 0 or arm.vector is not None
    return drug != "mmp_inhibitor" or arm.host.mmp9 > 0
