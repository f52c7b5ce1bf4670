"""The one writer: brings a store to what the plan says, and does nothing where it is so already.

MLflow has no upsert and its params cannot be changed, so everything is looked up before it is made,
by the tag ``nichetrial.run_key``, and looked up again after it was made: should two machines have
made the same run at one moment, both keep the one with the lowest id. Each step may be the last one
before a kill: the run's tag ``nichetrial.content``, set with the last of its data, and then its
status say that the run is whole; otherwise the next sync adds what is missing.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nichetrial import codes
from nichetrial.compat import mlflow_database
from nichetrial.errors import UserError
from nichetrial.files import atomic
from nichetrial.tracking import datasets, views
from nichetrial.tracking import descriptions as words
from nichetrial.tracking import store as stores
from nichetrial.tracking.runs import Run
from nichetrial.tracking.stored_run import (
    CONTENT,
    FILES,
    KEY,
    PARENT,
    STUDY,
    Seen,
    chosen,
    due,
    ends_anew,
    in_database,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Synced", "close", "sync", "sync_latest", "write", "write_receipt"]

TIMES = 8
"""How often runs are looked up and brought in before giving in to another machine."""

PATIENCE, PATIENCE_EACH = 30.0, 0.5
"""Seconds that a server may take, in all and for each run, before it is reported to be too slow."""

Look = Callable[[], Iterable[Seen]]
Synced = dict[str, Any]
"""``uri``, ``experiment_id``, ``parent_run_id``, ``view`` (of a study's arms; None for others),
``runs`` (run key -> MLflow run id)."""


def sync(plan: Sequence[Run], *, store: stores.Store, experiment: str, folder: Path) -> Synced:
    """Bring the store to ``plan``; what is where. MLflow is not imported if nothing is to be done.

    ``folder``: of the lock that keeps writers on this machine apart if the store is a server.

    Raises: UserError if the store cannot be reached or refuses; the results are never touched.
    """
    synced = sync_latest(lambda: plan, store=store, experiment=experiment, folder=folder)
    assert synced is not None  # noqa: S101  (there is a plan)
    return synced


def sync_latest(
    latest: Callable[[], Sequence[Run]], *, store: stores.Store, experiment: str, folder: Path
) -> Synced | None:
    """As ``sync``, but what is to be brought is asked when no other writer is at work: what one
    waited with could be older than what another has written meanwhile. None if it is nothing."""
    with stores.locked(stores.lock_of(store, folder)):
        if not (plan := latest()):
            return None
        found = _nothing_to_do(plan, store, experiment)
        if found is None:
            with stores.opened(store) as client:
                at = stores.experiment(client, store, experiment)
                found = at, write(plan, client, at, **_ways(store, client, at, plan))
    at, runs = found
    return {
        "uri": store.uri,
        "experiment_id": at,
        "parent_run_id": runs[plan[0].key],
        "view": views.named(plan),
        "runs": runs,
    }


def write_receipt(path: Path, synced: Synced) -> None:
    """Leave at ``path`` what is where, and when that was so."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with atomic(path) as part:
        part.write_text(json.dumps(synced | {"synced_at": now}, indent=1) + "\n", encoding="utf-8")


def write(
    plan: Sequence[Run],
    client: MlflowClient,
    experiment_id: str,
    *,
    look: Look | None = None,
    seconds: float | None = None,
) -> dict[str, str]:
    """Create or update each run, the study's first. Returns run key -> MLflow run id.

    Args:
        look: finds the runs of the study; asks MLflow by default.
        seconds: after which it is reported that the store is too slow.
    """
    look = look or _search(client, experiment_id, plan[0].study_key)
    end = time.monotonic() + seconds if seconds else None
    ids: dict[str, str] = {}
    for attempt in range(TIMES):
        present, doubles = chosen(look())
        if ids.keys() - present.keys():
            raise UserError(
                codes.NOT_A_STORE,
                "what answers here does not have the runs that it was given, so it is not MLflow",
                place=client.tracking_uri,
            )
        for double, kept in doubles:
            _discard(client, double, kept)
        try:
            ids, made = _bring(plan, present, client, experiment_id, end)
        except Exception as error:
            if attempt + 1 == TIMES or not _taken_away(error):
                raise
            continue
        if not made:
            return ids
    raise UserError(
        codes.STORE_BUSY,
        "another machine keeps changing the same runs; run the same command when it has ended",
        place=client.tracking_uri,
    )


def close(client: MlflowClient, experiment_id: str, study_key: str) -> None:
    """Set the runs of a study that still say RUNNING, and of which nothing more will come, to
    KILLED, with the time of the last that is known of them."""
    for seen in _search(client, experiment_id, study_key)():
        if seen.active and seen.status == "RUNNING":
            data = client.get_run(seen.run_id).data
            points = [p for k in data.metrics for p in client.get_metric_history(seen.run_id, k)]
            end = max((p.timestamp for p in points), default=seen.start)
            client.set_terminated(seen.run_id, status="KILLED", end_time=end)


def _nothing_to_do(
    plan: Sequence[Run], store: stores.Store, experiment: str
) -> tuple[str, dict[str, str]] | None:
    """Experiment and runs, if all is there already as far as an SQLite file tells."""
    if store.database is None or store.artifacts is None:
        return None
    at = mlflow_database.experiment_id(store.database, experiment)
    if at is None:
        return None
    mlflow_database.settle_place(store.database, store.artifacts)
    present, doubles = chosen(in_database(store.database, at, plan[0].study_key))
    if doubles or not all(
        (seen := present.get(run.key))
        and seen.active
        and not due(run, seen, _parent(plan, run, present))
        for run in plan
    ):
        return None
    return at, {run.key: present[run.key].run_id for run in plan}


def _parent(plan: Sequence[Run], run: Run, present: dict[str, Seen]) -> str | None:
    return present[plan[0].key].run_id if run.child else None


def _ways(
    store: stores.Store, client: MlflowClient, at: str, plan: Sequence[Run]
) -> dict[str, Any]:
    """How to look up, and how long to wait: SQLite is asked itself, and may take its time."""
    database = store.database
    if database is None:
        return {"seconds": PATIENCE + PATIENCE_EACH * len(plan)}
    return {"look": lambda: in_database(database, at, plan[0].study_key)}


def _search(client: MlflowClient, experiment_id: str, study_key: str) -> Look:
    """The runs of one study, deleted ones as well, a thousand at a time."""
    from mlflow.entities import ViewType

    def look() -> Iterator[Seen]:
        token: str | None = None
        while True:
            page = client.search_runs(
                [experiment_id],
                filter_string=f"tags.`{STUDY}` = '{study_key}'",
                run_view_type=ViewType.ALL,
                max_results=1000,
                page_token=token,
            )
            for run in page:
                if KEY in run.data.tags:
                    yield _seen(run)
            token = page.token
            if not token:
                return

    return look


def _seen(run: Any) -> Seen:
    info, tags = run.info, run.data.tags
    return Seen(
        run_id=info.run_id,
        key=tags[KEY],
        active=info.lifecycle_stage == "active",
        status=info.status,
        start=info.start_time,
        end=info.end_time,
        content=tags.get(CONTENT),
        parent=tags.get(PARENT),
    )


def _discard(client: MlflowClient, double: Seen, kept: Seen) -> None:
    """Put a run that another machine made at the same moment into MLflow's bin."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_tag(double.run_id, "nichetrial.double_of", kept.run_id)
        client.delete_run(double.run_id)
    except MlflowException as error:  # the other machine does the same
        if not _taken_away(error):
            raise


def _taken_away(error: Exception) -> bool:
    """Whether MLflow refused because another writer has put the run into the bin."""
    return type(error).__name__ == "MlflowException" and "'active' state" in str(error)


def _bring(
    plan: Sequence[Run],
    present: dict[str, Seen],
    client: MlflowClient,
    experiment_id: str,
    end: float | None,
) -> tuple[dict[str, str], bool]:
    """Create or update each run, and whether any was made and needs another look. The parent, on
    which all others hang, is looked up again before anything else is done."""
    ids: dict[str, str] = {}
    made = False
    for done, run in enumerate(plan):
        if end and time.monotonic() > end:
            raise UserError(
                codes.STORE_BUSY,
                f"the server is too slow: {done} of {len(plan)} runs are there; the results are "
                "safe, and the same command continues where it stopped",
                place=client.tracking_uri,
            )
        parent = ids[plan[0].key] if run.child else None
        tags = dict(run.tags) | {KEY: run.key, STUDY: run.study_key}
        if parent:
            tags[PARENT] = parent
        seen, whole = present.get(run.key), None
        if seen is None:
            whole = client.create_run(
                experiment_id, start_time=run.start, tags=tags, run_name=run.name
            )
            if not run.child:
                return {run.key: whole.info.run_id}, True
            seen, made = _seen(whole), True
        elif not seen.active:
            client.restore_run(seen.run_id)
        ids[run.key] = seen.run_id
        if due(run, seen, parent):
            if not run.child:
                views.offer(client, experiment_id, plan)
            _mend(client, run, tags, whole or client.get_run(seen.run_id))
    return ids, made


def _mend(client: MlflowClient, run: Run, tags: dict[str, str], found: Any) -> None:
    """Add what is missing, and last of all what says that nothing is."""
    from mlflow.entities import Metric, Param, RunTag

    run_id, data, seen = found.info.run_id, found.data, _seen(found)
    tags = {k: words.located(v, found.info.experiment_id, run_id) for k, v in tags.items()}
    stored = json.loads(data.tags.get(FILES, "{}"))
    _sweep(found.info.artifact_uri)
    for artifact in run.artifacts:
        if stored.get(artifact.name) != artifact.digest:
            client.log_artifact(run_id, str(artifact.path), artifact.folder or None)

    if run.datasets and not _read(run, found):
        client.log_inputs(run_id, datasets=datasets.inputs(run.datasets))

    params = [Param(k, v) for k, v in run.params.items() if k not in data.params]
    metrics = [Metric(k, v, run.end, 0) for k, v in run.metrics.items() if data.metrics.get(k) != v]
    for name, points in run.history.items():
        known = client.get_metric_history(run_id, name) if name in data.metrics else ()
        there = {(p.step, p.value) for p in known}
        metrics += [Metric(name, v, at, step) for step, at, v in points if (step, v) not in there]
    changed = [RunTag(k, v) for k, v in tags.items() if data.tags.get(k) != v]
    files = json.dumps({a.name: a.digest for a in run.artifacts}, separators=(",", ":"))
    last = [RunTag(FILES, files), RunTag(CONTENT, run.content)]
    parts = list(
        zip_longest(_batches(params, 100), _batches(metrics, 800), _batches(changed, 90))
    ) or [((), (), ())]
    for number, (some, values, told) in enumerate(parts, 1):
        marks = [*(told or ()), *(last if number == len(parts) else ())]
        client.log_batch(run_id, params=some or (), metrics=values or (), tags=marks)
    if ends_anew(run, seen):
        if run.status == "RUNNING":
            client.update_run(run_id, status="RUNNING")
        else:
            client.set_terminated(run_id, status=run.status, end_time=run.end)


def _sweep(artifact_uri: str) -> None:
    """Remove what a killed writer left half copied: MLflow would show it among the files."""
    parts = urllib.parse.urlsplit(artifact_uri)
    if parts.scheme == "file":
        folder = Path(urllib.parse.unquote(parts.path))
        for half in folder.rglob(".artifact.uploading.*"):
            half.unlink(missing_ok=True)


def _read(run: Run, found: Any) -> bool:
    """Whether the store has all datasets of a run; it drops one that it has already."""
    known = found.inputs.dataset_inputs if found.inputs else ()
    there = {(i.dataset.name, i.dataset.digest) for i in known}
    return all((d.name, d.digest) in there for d in run.datasets)


def _batches(entities: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """MLflow takes 100 params, 100 tags and 1,000 things in all at a time."""
    for first in range(0, len(entities), size):
        yield entities[first : first + size]
