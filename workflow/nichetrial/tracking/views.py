"""The view of a study's arms that MLflow's runs page opens with: effects and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nichetrial.compat.mlflow_pages import saved_view, view_tag
from nichetrial.tracking.measures import effect_metric
from nichetrial.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["named", "offer"]

COLUMNS = 6
"""Parameters that the view shows; all others are one click away (*Columns*)."""
FIXED = {"attributes.`Run Name`": 340, "runDateAndNestInfo": 135}
"""MLflow's own first columns, and their widths in pixels."""
NARROW, WIDE = 110, 200
"""Columns of numbers and of treatments in words, in pixels."""


def named(plan: Sequence[Run]) -> str | None:
    """The name of the plan's view: its study, if it has arms."""
    parent = plan[0].tags
    return parent["nichetrial.study"] if parent.get("nichetrial.role") == "study" else None


def offer(client: MlflowClient, experiment: str, plan: Sequence[Run]) -> None:
    """Save the view of the plan's arms under the name of the study, if it is not there already."""
    if study := named(plan):
        content = _saved(plan)
        if client.get_experiment(experiment).tags.get(view_tag(study)) != content:
            client.set_experiment_tag(experiment, view_tag(study), content)


def _saved(plan: Sequence[Run]) -> str:
    """By effect; as long as there is none, the newest first."""
    arms = [run for run in plan if run.tags.get("nichetrial.role") == "arm"]
    effect = next((m for m in plan[0].metrics if "_ratio_median." in m), "").partition(".")[0]
    outcome = effect.removeprefix("effect/").removesuffix("_ratio_median")
    shown = ("ratio_median", "ratio_low", "ratio_high", "probability_fewer")
    metrics = [effect_metric(outcome, end) for end in shown] if effect else []
    differ = [p for p in arms[0].params if not p.startswith("unchanged.")] if arms else []
    differ.sort(key=lambda p: not p.startswith("treatment."))
    columns = [f"metrics.`{m}`" for m in metrics] + [f"params.`{p}`" for p in differ[:COLUMNS]]
    widths = FIXED | {c: WIDE if c.startswith("params.`treatment.") else NARROW for c in columns}
    by = f" by {outcome.replace('_', ' ')}" if effect else ""
    return saved_view(
        f"{plan[0].name}: arms{by}",
        plan[0].start,
        rows=f"tags.`nichetrial.role` = 'arm' and tags.`nichetrial.study_key` = '{plan[0].key}'",
        order=f"metrics.`{effect}`" if effect else "attributes.start_time",
        ascending=bool(effect),
        columns=widths,
    )
