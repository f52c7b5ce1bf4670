"""The view of a study's arms that MLflow's runs page opens with: effects and what differs.

MLflow keeps a saved view as a tag of the experiment, in a form that it does not document. Should
it change, the page shows MLflow's own columns; nothing else is lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nichetrial.tracking.descriptions import TRAINING
from nichetrial.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["address", "key", "named", "offer"]

SAVED = "mlflow.sharedViewState."
COLUMNS = 6
"""Parameters that the view shows; all others are one click away (*Columns*)."""
FIXED = {"attributes.`Run Name`": 340, "runDateAndNestInfo": 135}
"""MLflow's own first columns, and their widths in pixels."""
NARROW, WIDE = 110, 200
"""Columns of numbers and of treatments in words, in pixels."""


def key(study: str) -> str:
    """The tag of an experiment that holds the view of a study's arms."""
    return SAVED + study


def address(experiment: str | None, study: str | None) -> str:
    """Where in the UI the runs are, below the server's address. ``study``: whose view is saved; a
    link to one that is not there would lead elsewhere."""
    if experiment is None:
        return f"#/experiments?{TRAINING}"
    view = f"&viewStateShareKey={quote(study, safe='')}" if study else ""
    return f"#/experiments/{experiment}/runs?{TRAINING}{view}"


def named(plan: Sequence[Run]) -> str | None:
    """What the plan's view is called in an address: its study, if it is one with arms."""
    parent = plan[0].tags
    return parent["nichetrial.study"] if parent.get("nichetrial.role") == "study" else None


def offer(client: MlflowClient, experiment: str, plan: Sequence[Run]) -> None:
    """Save the view of the plan's arms under the name of the study, if it is not there already."""
    if study := named(plan):
        content = _saved(plan)
        if client.get_experiment(experiment).tags.get(key(study)) != content:
            client.set_experiment_tag(experiment, key(study), content)


def _saved(plan: Sequence[Run]) -> str:
    """By effect; as long as there is none, the newest first."""
    arms = [run for run in plan if run.tags.get("nichetrial.role") == "arm"]
    effect = next((m for m in plan[0].metrics if "_ratio." in m), "").partition(".")[0]
    metrics = [effect, f"{effect}_low", f"{effect}_high"] if effect else []
    differ = [p for p in arms[0].params if not p.startswith("unchanged.")] if arms else []
    differ.sort(key=lambda p: not p.startswith("treatment."))
    columns = [f"metrics.`{m}`" for m in metrics] + [f"params.`{p}`" for p in differ[:COLUMNS]]
    widths = FIXED | {c: WIDE if c.startswith("params.`treatment.") else NARROW for c in columns}
    state: dict[str, Any] = {
        "searchFilter": f"tags.`nichetrial.role` = 'arm' and "
        f"tags.`nichetrial.study_key` = '{plan[0].key}'",
        "orderByKey": f"metrics.`{effect}`" if effect else "attributes.start_time",
        "orderByAsc": bool(effect),
        "selectedColumns": columns,
        "columnOrder": list(widths),
        "columnWidths": widths,
    }
    by = f" by {effect.removesuffix('_ratio').replace('_', ' ')}" if effect else ""
    name = f"{plan[0].name}: arms{by}"
    saved = {"name": name, "createdAt": plan[0].start, "updatedAt": plan[0].start}
    return json.dumps(saved | {"state": json.dumps(state)})
