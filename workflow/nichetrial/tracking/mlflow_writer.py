"""The one writer: brings a store to what the plan says, and does nothing where it is so already.

MLflow has no upsert and its params cannot be changed, so everything is looked up before it is made,
by the tag ``nichetrial.run_key``. Each step may be the last one before a kill: the run's tag
``nichetrial.content``, set at the end, says that the run is whole; without it the next sync goes
through the run again and adds only what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nichetrial.tables import atomic
from nichetrial.tracking import store as stores
from nichetrial.tracking.runs import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["sync", "write"]

KEY, STUDY, CONTENT, FILES = (
    "nichetrial.run_key",
    "nichetrial.study_key",
    "nichetrial.content",
    "nichetrial.artifacts",
)


def sync(
    plan: Sequence[Run], *, store: stores.Store, experiment: str, receipt: Path
) -> dict[str, Any]:
    """Bring the store to ``plan`` and leave the receipt; returns what is in it.

    Raises: UserError if the store cannot be reached or refuses; the results are never touched.
    """
    lock = (store.database or receipt).parent / ".lock"
    with stores.locked(lock), stores.opened(store) as client:
        experiment_id = stores.experiment(client, store, experiment)
        runs = write(plan, client, experiment_id)
    content = {
        "uri": store.uri,
        "experiment_id": experiment_id,
        "parent_run_id": runs[plan[0].key],
        "runs": runs,
        "synced_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    with atomic(receipt) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return content


def write(plan: Sequence[Run], client: MlflowClient, experiment_id: str) -> dict[str, str]:
    """Make or mend each run, the study's first. Returns run key -> MLflow run id."""
    present = _present(client, experiment_id, plan[0].study_key)
    ids: dict[str, str] = {}
    for run in plan:
        tags = dict(run.tags) | {KEY: run.key, STUDY: run.study_key}
        if run.child:
            tags["mlflow.parentRunId"] = ids[plan[0].key]
        found = present.get(run.key)
        if found is None:
            found = client.create_run(
                experiment_id, start_time=run.start, tags=tags, run_name=run.name
            )
        elif found.info.lifecycle_stage != "active":
            client.restore_run(found.info.run_id)
        ids[run.key] = found.info.run_id
        if found.data.tags.get(CONTENT) != run.content:
            _mend(client, run, tags, found)
    return ids


def _present(client: MlflowClient, experiment_id: str, study_key: str) -> dict[str, Any]:
    """Run key -> run, of one study, in one look-up; deleted ones as well."""
    from mlflow.entities import ViewType

    found: dict[str, Any] = {}
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`{STUDY}` = '{study_key}'",
            run_view_type=ViewType.ALL,
            max_results=1000,
            page_token=token,
        )
        # should another program have doubled a run, always take the same one
        for run in sorted(
            page, key=lambda r: (r.info.lifecycle_stage != "active", r.info.run_id), reverse=True
        ):
            found[run.data.tags[KEY]] = run
        token = page.token
        if not token:
            return found


def _mend(client: MlflowClient, run: Run, tags: dict[str, str], found: Any) -> None:
    """Add what is missing, and last of all the tag that says that nothing is."""
    from mlflow.entities import Metric, Param, RunTag

    run_id, data = found.info.run_id, found.data
    params = [Param(k, v) for k, v in run.params.items() if k not in data.params]
    metrics = [Metric(k, v, run.end, 0) for k, v in run.metrics.items() if data.metrics.get(k) != v]
    # MLflow drops a point that it has already: same step, time and value
    metrics += [
        Metric(k, v, at, step) for k, points in run.history.items() for step, at, v in points
    ]
    changed = [RunTag(k, v) for k, v in tags.items() if data.tags.get(k) != v]
    for batch in _batches(params, 100):
        client.log_batch(run_id, params=batch)
    for batch in _batches(metrics, 1000):
        client.log_batch(run_id, metrics=batch)
    for batch in _batches(changed, 100):
        client.log_batch(run_id, tags=batch)

    stored = json.loads(data.tags.get(FILES, "{}"))
    for artifact in run.artifacts:
        if stored.get(artifact.name) != artifact.digest:
            client.log_artifact(run_id, str(artifact.path), artifact.folder or None)

    # a run made again from the start keeps its first times; one that went on gets its new end
    same_start = found.info.start_time == run.start
    if found.info.status != run.status or (same_start and found.info.end_time != run.end):
        client.set_terminated(run_id, status=run.status, end_time=run.end)
    files = json.dumps({a.name: a.digest for a in run.artifacts}, separators=(",", ":"))
    client.log_batch(run_id, tags=[RunTag(FILES, files), RunTag(CONTENT, run.content)])


def _batches(entities: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """MLflow takes 100 params, 100 tags or 1,000 metrics at a time."""
    for first in range(0, len(entities), size):
        yield entities[first : first + size]
