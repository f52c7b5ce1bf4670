"""Addresses of MLflow's pages, and the saved view of its runs page.

Why: MLflow documents neither. It stores a saved view as a tag of the experiment. Should the form
change, the page shows MLflow's own columns; nothing else is lost.

Seen to fit: MLflow 3.17.2. Canary: tests/unit/test_compat.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

__all__ = ["DESCRIPTION_LIMIT", "artifact_page", "image", "runs_page", "saved_view", "view_tag"]

SAVED = "mlflow.sharedViewState."
TRAINING = "workflowType=machine_learning"
"""Shows the pages for runs, and not those for language models."""
VIEW = "viewStateShareKey"

DESCRIPTION_LIMIT = 7900
"""Characters; MLflow cuts a tag, and so a description, at 8,000."""


def view_tag(name: str) -> str:
    """The tag of an experiment that stores the view of this name."""
    return SAVED + name


def runs_page(experiment: str | None, view: str | None) -> str:
    """The page of an experiment's runs, below the server's address; of all experiments if None.

    Args:
        view: the name of a view that is saved. One that is not would lead elsewhere.
    """
    if experiment is None:
        return f"#/experiments?{TRAINING}"
    chosen = f"&{VIEW}={quote(view, safe='')}" if view else ""
    return f"#/experiments/{experiment}/runs?{TRAINING}{chosen}"


def artifact_page(experiment: str, run: str, artifact: str) -> str:
    """The page that shows a file of a run."""
    return f"#/experiments/{experiment}/runs/{run}/artifacts/{quote(artifact)}?{TRAINING}"


def image(run: str, artifact: str) -> str:
    """The address of a picture for a description."""
    return f"get-artifact?path={quote(artifact, safe='')}&run_uuid={run}"


def saved_view(
    name: str, created: int, *, rows: str, order: str, ascending: bool, columns: Mapping[str, int]
) -> str:
    """The value of the tag.

    Args:
        created: milliseconds since the epoch.
        rows: a filter in MLflow's query language.
        order: the column to sort by.
        columns: column -> width in pixels; MLflow's own first.
    """
    state = {
        "searchFilter": rows,
        "orderByKey": order,
        "orderByAsc": ascending,
        "selectedColumns": [c for c in columns if c.startswith(("metrics.", "params."))],
        "columnOrder": list(columns),
        "columnWidths": dict(columns),
    }
    saved = {"name": name, "createdAt": created, "updatedAt": created}
    return json.dumps(saved | {"state": json.dumps(state)})
