"""Runs appear in MLflow while their jobs run: one process next to Snakemake follows the records.

It gets a line for each finished job, brings the store to what the records say so far, and at
the end of the lines once more to the whole truth. Before the job that brings all of it begins, a
line ``tracking`` says so: from then on nothing half done may go over what that one writes. It is in
nobody's way: it runs at a low priority, rests ten times as long as it worked, and what it cannot do
is left to the next sync.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nichetrial.errors import UserError
from nichetrial.files import atomic
from nichetrial.tracking import store as stores
from nichetrial.tracking.runs import Run
from nichetrial.tracking.writer import close, sync, sync_latest

__all__ = ["TRACKING", "close_left_open", "follow", "so_far"]

TRACKING = b"tracking\n"
"""The line that is said when the job that brings everything begins."""

_KEY = re.compile(r"[0-9a-f]{64}")
"""Of a study. It is asked for in MLflow's query language, in which a file may not have a say."""

NICE = 10
REST, REST_FACTOR = 1.0, 10.0
"""Seconds between two syncs, and for each second of processor time that the last one took."""


def so_far(plan: Sequence[Run]) -> list[Run]:
    """What is shown of a plan while its jobs run: the parent, RUNNING, and the children that have
    ended or have a curve to show. The metrics of an arm come all at once, when the arms are
    compared: MLflow's charts begin with the one that came first."""
    parent, *children = plan
    shown = [
        replace(c, metrics={}) if c.tags["nichetrial.role"] == "arm" else c
        for c in children
        if c.status != "KILLED"
    ]
    growing = [
        replace(c, status="RUNNING", tags=_said(c, "Running."))
        for c in children
        if c.status == "KILLED" and c.history
    ]
    note = f"Running: {len(shown)} of {len(children)} runs have ended."
    running = replace(parent, status="RUNNING", metrics={}, artifacts=(), tags=_said(parent, note))
    return [running, *shown, *growing]


def _said(run: Run, note: str) -> dict[str, str]:
    return dict(run.tags) | {"mlflow.note.content": note}


def follow(
    lines: int,
    plan: Callable[[], Sequence[Run]],
    *,
    store: stores.Store,
    experiment: str,
    folder: Path,
) -> None:
    """Sync while there are ``lines``, and once more when they end.

    Args:
        lines: a descriptor; a line is ``TRACKING``, or of any other a job has ended.
        plan: what the records say now; not heeded before a job has ended since the start.
        folder: where it is noted which runs were left open.
    """
    started, due, waiting = _now(), time.monotonic(), False
    heard = _Lines(lines)
    os.nice(NICE)
    lock = stores.lock_of(store, folder)
    with contextlib.suppress(UserError), stores.locked(lock), stores.opened(store):
        pass  # what takes longest is done while the first job runs

    def latest() -> Sequence[Run]:
        heard.read(0)
        now = () if heard.tracking or heard.ended else plan()
        if not now or now[0].end < started:
            return ()
        _note_open(now[0].key, store, folder)
        return so_far(now)

    while not heard.ended:
        wait = max(0.0, due - time.monotonic()) if waiting else None
        waiting |= heard.read(wait)
        if waiting and not heard.ended and time.monotonic() >= due:
            begin, waiting = time.process_time(), False
            with contextlib.suppress(UserError):
                sync_latest(latest, store=store, experiment=experiment, folder=folder)
            due = time.monotonic() + REST + REST_FACTOR * (time.process_time() - begin)
    if (now := plan()) and now[0].end >= started:
        with contextlib.suppress(UserError):
            sync(now, store=store, experiment=experiment, folder=folder)
            close_left_open(folder, now[0].key, store, experiment)


class _Lines:
    """What has been said on a descriptor: whether the tracking has begun, whether it has ended."""

    def __init__(self, lines: int) -> None:
        self.lines, self.said = lines, b""
        self.ended = False

    @property
    def tracking(self) -> bool:
        return TRACKING in self.said

    def read(self, seconds: float | None) -> bool:
        """Whether anything came within the time (None: however long it takes)."""
        if self.ended or not select.select([self.lines], [], [], seconds)[0]:
            return False
        came = os.read(self.lines, 65536)
        self.ended = not came
        self.said += came
        return bool(came)


def _note_open(key: str, store: stores.Store, folder: Path) -> None:
    """Keep in mind that this study is shown as running in this store."""
    note = folder / "open.json"
    found = _left(note)
    if [store.uri, key] not in found:
        note.parent.mkdir(parents=True, exist_ok=True)
        with atomic(note) as part:
            part.write_text(json.dumps([*found, [store.uri, key]]), encoding="utf-8")


def close_left_open(folder: Path, done: str, store: stores.Store, experiment: str) -> None:
    """After a sync of the study ``done``: runs of an earlier version of it that a kill left RUNNING
    in this store are closed, for no sync will come to them again. Raises UserError."""
    note = folder / "open.json"
    found = _left(note)
    here = [key for uri, key in found if uri == store.uri]
    old = [key for key in here if key != done and _KEY.fullmatch(key)]
    if old:
        with stores.opened(store) as client:
            at = stores.experiment(client, store, experiment)
            for key in old:
                close(client, at, key)
    if here:
        rest = [entry for entry in found if entry[0] != store.uri]
        with atomic(note) as part:
            part.write_text(json.dumps(rest), encoding="utf-8")


def _left(note: Path) -> list[list[str]]:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    entries = found if isinstance(found, list) else []
    return [e for e in entries if isinstance(e, list) and [type(v) for v in e] == [str, str]]


def _now() -> int:
    return int(time.time() * 1000)
