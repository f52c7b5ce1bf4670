"""Exactly once: writers killed at any moment, several at once, and on several machines."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nichetrial.compat.mlflow_database import experiment_id
from nichetrial.errors import UserError
from nichetrial.tracking import live, store
from nichetrial.tracking.live import close_left_open, follow, so_far
from nichetrial.tracking.runs import Run
from nichetrial.tracking.stored_run import in_database
from nichetrial.tracking.writer import sync, write
from tests.support.stores import Counted, Killed, contents, latest, planned
from tests.support.tracked import LABELS, build, jobs, study

pytestmark = [pytest.mark.slow]

ROUNDS, KILLS = 4, 8
"""Experiments, and writers that are killed in each before the one that is not."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def results(here: Path) -> Path:
    return build(here)


@pytest.fixture(scope="module")
def at(here: Path) -> store.Store:
    return store.locate(f"sqlite:///{here / 'store' / 'mlflow.db'}")


@pytest.fixture(scope="module")
def client(at: store.Store) -> Any:
    with store.opened(at) as opened:
        return opened


@pytest.fixture(scope="module")
def undisturbed(results: Path, at: store.Store, client: Any) -> dict[str, Any]:
    sync(planned(results), store=at, experiment="undisturbed", folder=results)
    return contents(client, "undisturbed")


def child(work: Callable[[], Any]) -> int:
    """A process that does this alone, with connections of its own; MLflow is imported already."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def test_writers_killed_at_random_moments_then_one_sync(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    """One after the other and two at once, whole syncs and those of a run that still goes on."""
    runs, chance = planned(results), random.Random(6)  # noqa: S311
    plans = (runs, so_far(runs), so_far(runs[:2]), runs)

    def once(plan: list[Run], name: str) -> None:
        sync(plan, store=at, experiment=name, folder=results)

    start = time.monotonic()
    os.waitpid(child(lambda: once(runs, "how long it takes")), 0)
    whole = time.monotonic() - start
    died = 0
    for number in itertools.count():
        if number >= ROUNDS and died >= 20:
            break
        name = f"killed {number}"
        for kill in range(KILLS):
            plan = plans[(number + kill) % len(plans)]
            pids = [child(lambda p=plan, n=name: once(p, n)) for _ in range(1 + kill % 2)]
            time.sleep(chance.uniform(0.0, whole))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            ended = [os.waitpid(pid, 0)[1] for pid in pids]
            died += sum(os.WIFSIGNALED(status) for status in ended)
        once(runs, name)
        found = contents(client, name)
        for key, run in undisturbed.items():
            for part, value in run.items():
                assert found[key][part] == value, (name, run["name"], part)
        assert found.keys() == undisturbed.keys()


class Beside:
    """A client beside which another machine does something before the call of that number."""

    def __init__(self, client: Any, last: int, other: Callable[[], Any]) -> None:
        self.client, self.left, self.other = client, last, other
        self.tracking_uri = client.tracking_uri

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if self.left == 0:
                self.other()
            self.left -= 1
            return getattr(self.client, name)(*args, **options)

        return call


def test_two_machines_send_the_same_study_at_the_same_moment(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    """One sends all of it just before any call of the other: both end with the same runs."""
    runs = planned(results)
    counted = Counted(client)
    write(runs, counted, store.experiment(client, at, "machines"))  # type: ignore[arg-type]
    doubled = 0
    for last in range(len(counted.calls)):
        name = f"machines {last}"
        experiment = store.experiment(client, at, name)
        theirs: list[dict[str, str]] = []
        beside = Beside(
            client, last, lambda e=experiment, t=theirs: t.append(write(runs, client, e))
        )
        mine = write(runs, beside, experiment)  # type: ignore[arg-type]
        assert contents(client, name) == undisturbed, counted.calls[:last][-1:]
        assert write(runs, client, experiment) == mine
        binned = client.search_runs([experiment], run_view_type=2)
        doubled += len(binned)
        assert all(run.data.tags["nichetrial.double_of"] in mine.values() for run in binned)
    assert doubled, "no run was ever made twice: nothing was tested"


def test_a_file_that_a_kill_left_half_copied_is_removed(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    runs = planned(results)
    with pytest.raises(Killed):
        write(runs, Counted(client, 3), store.experiment(client, at, "half"))  # type: ignore[arg-type]
    (run,) = client.search_runs([client.get_experiment_by_name("half").experiment_id])
    half = Path(run.info.artifact_uri.removeprefix("file://")) / "envs"
    half.mkdir(parents=True, exist_ok=True)
    (half / ".artifact.uploading.abcdefgh").write_bytes(b"")
    sync(runs, store=at, experiment="half", folder=results)
    assert contents(client, "half") == undisturbed


def test_a_double_that_a_kill_left_is_removed_by_the_next_sync(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    runs = planned(results)
    experiment = store.experiment(client, at, "left double")
    write(runs, client, experiment)
    for run in runs[:2]:
        tags = {"nichetrial.run_key": run.key, "nichetrial.study_key": run.study_key}
        client.create_run(experiment, start_time=run.start, tags=tags)
    sync(runs, store=at, experiment="left double", folder=results)
    after = contents(client, "left double")
    assert {k: r["params"] for k, r in after.items()} == {
        k: r["params"] for k, r in undisturbed.items()
    }
    assert {k: (r["status"], r["artifacts"]) for k, r in after.items()} == {
        k: (r["status"], r["artifacts"]) for k, r in undisturbed.items()
    }


def test_records_of_two_machines_meet_in_one_store(
    tmp_path: Path, results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    """Each has simulated other arms; neither takes back what the other has finished."""
    halves = []
    for number, arm in enumerate(("amd3100", "untreated")):
        half = build(tmp_path / str(number))
        for path in (half / "records" / "simulate" / arm).glob("*.json"):
            path.unlink()
        (half / "records" / "compare.json").unlink()
        halves.append(planned(half))
    for plan in (*halves, halves[0]):
        sync(plan, store=at, experiment="halves", folder=results)
    states = {r["name"]: r["status"] for r in contents(client, "halves").values()}
    assert sorted(states.values()) == ["FINISHED"] * 3 + ["KILLED"] * 2
    sync(planned(results), store=at, experiment="halves", folder=results)
    sync(halves[1], store=at, experiment="halves", folder=results)
    after = contents(client, "halves")
    for part in ("name", "status", "params", "artifacts"):
        assert {k: r[part] for k, r in after.items()} == {
            k: r[part] for k, r in undisturbed.items()
        }, part
    assert {k: latest(r) for k, r in after.items()} == {
        k: latest(r) for k, r in undisturbed.items()
    }


def test_a_run_is_followed_until_its_lines_end(
    tmp_path: Path, at: store.Store, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RUNNING with what has ended, then the truth; a record from before the start shows nothing."""
    monkeypatch.setattr(live, "NICE", 0)
    read, written = os.pipe()
    results = build(tmp_path, skip="untreated/particles-000000-000001")
    (results / "records" / "compare.json").unlink()
    seen: list[dict[str, str]] = []

    def states() -> dict[str, str]:
        if client.get_experiment_by_name("followed") is None:
            return {}
        return {r["name"]: r["status"] for r in contents(client, "followed").values()}

    def now() -> list[Run]:
        seen.append(states())
        end = 2**42 if len(seen) > 1 else 0
        if len(seen) < 3:
            os.write(written, b"job\n")
        if len(seen) == 2:
            os.close(written)
        runs = planned(results)
        return [replace(runs[0], end=end), *runs[1:]]

    monkeypatch.setattr(live, "REST", 0.0)
    monkeypatch.setattr(live, "REST_FACTOR", 0.0)
    os.write(written, b"job\n")
    follow(read, now, store=at, experiment="followed", folder=tmp_path)
    assert seen[0] == seen[1] == {}
    assert seen[2] == {
        "A small study": "RUNNING",
        LABELS["high"]: "FINISHED",
        LABELS["amd3100"]: "FINISHED",
    }
    after = states()
    assert after["A small study"] == after[LABELS["untreated"]] == "KILLED"
    assert (tmp_path / "open.json").read_text() == "[]"


def test_what_waited_does_not_go_over_what_the_tracking_wrote(
    tmp_path: Path, at: store.Store, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower that waits for the tracking to end has nothing more to say; an arm that failed
    leaves its study FAILED, and metrics stay."""
    monkeypatch.setattr(live, "NICE", 0)
    read, written = os.pipe()
    results = build(tmp_path)
    given = [replace(run, end=2**42) if not run.child else run for run in planned(results)]
    whole = [replace(given[0], status="FAILED"), *given[1:]]
    turns, asked = itertools.count(1), []

    @contextmanager
    def locked(_: Path) -> Iterator[None]:
        turn = next(turns)
        if turn == 2:  # the tracking was first
            os.write(written, live.TRACKING)
            write(whole, client, store.experiment(client, at, "tracked"))
        if turn == 3:
            asked.append(contents(client, "tracked"))
            os.close(written)
        yield
        if turn == 2:
            os.write(written, b"job\n")

    def now() -> list[Run]:
        return whole if asked else given

    monkeypatch.setattr(store, "locked", locked)
    monkeypatch.setattr(live, "REST", 0.0)
    monkeypatch.setattr(live, "REST_FACTOR", 0.0)
    os.write(written, b"job\n")
    follow(read, now, store=at, experiment="tracked", folder=tmp_path)
    after = contents(client, "tracked")
    assert asked == [after]
    assert after[whole[0].key]["status"] == "FAILED"
    assert all(after[run.key]["tags"]["nichetrial.content"] == run.content for run in whole)


def test_a_run_that_was_left_open_by_another_version_of_the_study_is_closed(
    tmp_path: Path, at: store.Store, client: Any
) -> None:
    old, new = build(tmp_path / "old"), build(tmp_path / "new", study(seed=8))
    folder = tmp_path / "tracking"
    first = so_far(planned(old))
    sync(first, store=at, experiment="open", folder=folder)
    folder.mkdir()
    (folder / "open.json").write_text(f'[["{at.uri}", "{first[0].key}"], ["http://other", "x"]]')
    of = study(seed=8)
    from nichetrial.tracking.study_runs import plan

    later = plan(of, jobs(of), new)
    ids = sync(later, store=at, experiment="open", folder=folder)
    close_left_open(folder, later[0].key, at, "open")
    runs = client.search_runs([ids["experiment_id"]])
    assert {run.info.status for run in runs} == {"FINISHED", "KILLED"}
    (closed,) = [run for run in runs if run.info.status == "KILLED"]
    assert closed.data.tags["nichetrial.run_key"] == first[0].key
    assert closed.info.end_time == max(p[1] for p in first[0].history["arms_finished"])
    assert (folder / "open.json").read_text() == '[["http://other", "x"]]'


def test_a_sync_with_nothing_to_do_does_not_ask_mlflow(
    results: Path, at: store.Store, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "opened", None)
    sync(planned(results), store=at, experiment="undisturbed", folder=results)


def test_the_quick_look_says_what_mlflow_says(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    from nichetrial.tracking.writer import _search

    key = planned(results)[0].key
    assert at.database is not None
    experiment = experiment_id(at.database, "undisturbed")
    assert experiment == client.get_experiment_by_name("undisturbed").experiment_id
    found = sorted(in_database(at.database, experiment, key), key=lambda r: r.run_id)
    assert found == sorted(_search(client, experiment, key)(), key=lambda r: r.run_id)
    assert len(found) == 5


def test_the_quick_look_at_what_is_no_store(tmp_path: Path) -> None:
    assert experiment_id(tmp_path / "none.db", "x") is None
    assert not (tmp_path / "none.db").exists()
    sqlite3.connect(tmp_path / "other.db").close()
    assert experiment_id(tmp_path / "other.db", "x") is None
    assert in_database(tmp_path / "other.db", "1", "x") == []


class Slow:
    """A client whose every call takes a while."""

    def __init__(self, client: Any, seconds: float) -> None:
        self.client, self.seconds, self.tracking_uri = client, seconds, client.tracking_uri

    def __getattr__(self, name: str) -> Any:
        time.sleep(self.seconds)
        return getattr(self.client, name)


def test_a_server_that_is_too_slow_is_left_and_the_next_sync_goes_on(
    results: Path, at: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    experiment = store.experiment(client, at, "slow")

    slow = Slow(client, 0.05)
    with pytest.raises(UserError, match=r"too slow: \d of 5 runs are there.*results are safe"):
        write(planned(results), slow, experiment, seconds=0.4)  # type: ignore[arg-type]
    assert 0 < len(contents(client, "slow")) < 5
    write(planned(results), client, experiment)
    assert contents(client, "slow") == undisturbed
