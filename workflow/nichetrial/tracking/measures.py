"""The numbers of an arm in MLflow, those first that an arm is judged by.

MLflow shows the metrics of a run in the order in which they came, and its charts begin with the
first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nichetrial.tracking.runs import finite

__all__ = ["against_reference", "design", "effect_metric", "of_the_reference"]

Row = Mapping[str, str]

EFFECT = {
    "ratio": "ratio_median",
    "ratio_low": "ratio_low",
    "ratio_high": "ratio_high",
    "p_fewer": "probability_fewer",
    "pooled_ratio": "pooled_ratio",
    "responders": "responders",
}
"""Columns of an effect -> the ends of the names of their metrics."""
OF_ITSELF = {"ratio": 1.0, "ratio_low": 1.0, "ratio_high": 1.0, "p_fewer": 0.5, "pooled_ratio": 1.0}
"""What an arm is against itself."""


def effect_metric(outcome: str, what: str, of: str = "") -> str:
    """The name of a metric: MLflow draws those with ``effect/`` in a group of their own.

    ``of``: whose it is, in a run that has those of several arms.
    """
    return f"effect/{outcome}_{what}{'.' if of else ''}{of}"


def against_reference(
    effects: Sequence[Row], gained: Sequence[Row], needed: Sequence[Row]
) -> dict[str, float]:
    """Metrics of one arm against the reference of the study.

    Args:
        effects: its rows of ``effects`` or ``sweep_effects``.
        gained: of ``restricted_means``: event-free days up to the horizon, arm - reference.
        needed: of ``mice_needed``; where no group that was tried is large enough there is no
            number, and only the chance with the largest one is reported.
    """
    found: dict[str, float] = {}
    for row in effects[:1]:
        found |= _effect(row)
    for row in gained:
        for bound in ("", "_low", "_high"):
            name = effect_metric(row["outcome"], f"gained{bound}")
            found |= finite({name: row.get(f"difference{bound}")})
    found |= _needed(needed)
    for row in effects[1:]:
        found |= _effect(row)
    return found


def of_the_reference(effects: Sequence[Row], gained: Sequence[Row]) -> dict[str, float]:
    """The same for the reference, which is itself in the same mice: MLflow compares by a metric
    only what all runs have. ``effects``, ``gained``: rows of any arm."""
    found: dict[str, float] = {}
    for row in effects:
        known = finite({column: row.get(column) for column in OF_ITSELF})
        found |= {effect_metric(row["outcome"], EFFECT[c]): OF_ITSELF[c] for c in known}
    for row in gained:
        zeros = finite({f"gained{b}": row.get(f"difference{b}") for b in ("", "_low", "_high")})
        found |= {effect_metric(row["outcome"], column): 0.0 for column in zeros}
    return found


def design(needed: Sequence[Row]) -> dict[str, float]:
    """Metrics of the study: mice in each group so that all comparisons show."""
    return _needed([row for row in needed if not row["arm"]])


def _effect(row: Row) -> dict[str, float]:
    return finite(
        {effect_metric(row["outcome"], end): row.get(column) for column, end in EFFECT.items()}
    )


def _needed(rows: Sequence[Row]) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        found |= finite({f"mice_needed{b}": row.get(f"mice{b}") for b in ("", "_low", "_high")})
        at_largest = f"chance_with_{row.get('largest')}_mice"
        found |= finite({at_largest: row.get("chance_at_largest")})
    return found
