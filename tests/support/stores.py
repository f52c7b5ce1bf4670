"""What is in an MLflow store, and writers that are counted or killed."""

from __future__ import annotations

import urllib.parse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nichetrial.records import identity
from nichetrial.tracking import store
from nichetrial.tracking.runs import Run
from nichetrial.tracking.study_runs import plan
from tests.support.tracked import jobs, study


def planned(results: Path) -> list[Run]:
    of = study()
    return plan(of, jobs(of), results)


def contents(
    client: Any, experiment: str, files: str = "", curves: Collection[str] | None = None
) -> dict[str, Any]:
    """All that a store says of an experiment, without MLflow's own ids.

    ``files``: where a server keeps what it serves. ``curves``: metrics of which all points are
    wanted, not the last alone (all of them); each is a question to the server."""
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], max_results=1000)
    keys = {run.info.run_id: run.data.tags["nichetrial.run_key"] for run in runs}
    assert len(set(keys.values())) == len(keys), "a run twice"
    content = {}
    for run in runs:
        tags = dict(run.data.tags)
        if "mlflow.parentRunId" in tags:
            tags["mlflow.parentRunId"] = keys[tags["mlflow.parentRunId"]]
        path = urllib.parse.unquote(urllib.parse.urlsplit(run.info.artifact_uri).path)
        folder = Path(files + path)
        note = tags.get("mlflow.note.content", "").replace(run.info.run_id, "ID")
        tags["mlflow.note.content"] = note.replace(f"experiments/{found.experiment_id}/", "")
        content[keys[run.info.run_id]] = {
            "name": run.info.run_name,
            "status": run.info.status,
            "times": (run.info.start_time, run.info.end_time),
            "params": run.data.params,
            "metrics": {
                name: [
                    (m.value, m.timestamp, m.step)
                    for m in client.get_metric_history(run.info.run_id, name)
                ]
                if curves is None or name in curves
                else value
                for name, value in run.data.metrics.items()
            },
            "tags": tags,
            "datasets": sorted(
                (i.dataset.name, i.dataset.digest, i.tags[0].value)
                for i in run.inputs.dataset_inputs
            ),
            "artifacts": {
                p.relative_to(folder).as_posix(): identity.file_digest(p)
                for p in folder.rglob("*")
                if p.is_file()
            },
        }
    return content


class Killed(BaseException):
    pass


class Counted:
    """A client that names its calls, and dies before the one of that number."""

    def __init__(self, client: Any, last: int = 10**9) -> None:
        self.client, self.last, self.calls = client, last, list[str]()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if len(self.calls) == self.last:
                raise Killed
            self.calls.append(name)
            return getattr(self.client, name)(*args, **options)

        return call


def latest(run: dict[str, Any]) -> dict[str, float]:
    """The metrics of a run as MLflow shows them."""
    return {
        name: max(points, key=lambda point: (point[2], point[1]))[0]
        for name, points in run["metrics"].items()
    }


def facts(folder: Path) -> dict[str, Any]:
    """What two stores of one study have to agree on: no times, and no page that tells times."""
    at = store.locate(f"sqlite:///{folder / 'results' / 'mlflow' / 'mlflow.db'}")
    with store.opened(at) as client:
        found = contents(client, "tiny")
    dated = ("report.html", "study.json")
    return {
        key: {
            "name": run["name"],
            "status": run["status"],
            "params": run["params"],
            "metrics": latest(run),
            "artifacts": {n: d for n, d in run["artifacts"].items() if n not in dated},
        }
        for key, run in found.items()
    }
