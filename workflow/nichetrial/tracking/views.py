"""The view of a study's arms that MLflow's runs page opens with: effects and what differs.

MLflow keeps a saved view as a tag of the experiment, in a form that it does not document. Should
it change, the page shows MLflow's own columns; nothing else is lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nichetrial.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["address", "offer"]

SAVED = "mlflow.sharedViewState."
COLUMNS = 6
"""Parameters that the view shows; more would not fit on a screen."""
WIDTHS = {"params": 190, "metrics": 130}
"""Of the columns, in pixels."""


def address(experiment: str | None, study: str) -> str:
    """Where in the UI the study's arms are, below the server's address."""
    if experiment is None:
        return "#/experiments?workflowType=machine_learning"
    return (
        f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={study}"
    )


def offer(client: MlflowClient, experiment: str, plan: Sequence[Run]) -> None:
    """Save the view of the plan's arms under the name of the study, if it is not there already."""
    content = _saved(plan)
    if content is None:
        return
    key = SAVED + plan[0].tags["nichetrial.study"]
    if client.get_experiment(experiment).tags.get(key) != content:
        client.set_experiment_tag(experiment, key, content)


def _saved(plan: Sequence[Run]) -> str | None:
    arms = [run for run in plan if run.tags.get("nichetrial.role") == "arm"]
    effect = next((m for m in plan[0].metrics if "_ratio." in m), "").partition(".")[0]
    if not arms or not effect:
        return None
    outcome = effect.removesuffix("_ratio")
    metrics = [effect, f"{effect}_low", f"{effect}_high", f"{outcome}_responders"]
    differ = [p for p in arms[0].params if not p.startswith("unchanged.")]
    columns = _columns("metrics", metrics) | _columns("params", differ[:COLUMNS])
    state: dict[str, Any] = {
        "searchFilter": f"tags.`nichetrial.role` = 'arm' and "
        f"tags.`nichetrial.study_key` = '{plan[0].key}'",
        "orderByKey": f"metrics.`{effect}`",
        "orderByAsc": True,
        "selectedColumns": list(columns),
        "columnWidths": columns,
    }
    name = f"{plan[0].name}: arms by {outcome.replace('_', ' ')}"
    saved = {"name": name, "createdAt": plan[0].start, "updatedAt": plan[0].start}
    return json.dumps(saved | {"state": json.dumps(state)})


def _columns(group: str, names: Sequence[str]) -> dict[str, int]:
    return {f"{group}.`{name}`": WIDTHS[group] for name in names}
