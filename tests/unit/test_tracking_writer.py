"""The writer against real MLflow stores: exactly once, through retries, kills and two at a time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from nichetrial.errors import UserError
from nichetrial.records import identity
from nichetrial.records.record import recording
from nichetrial.tracking import store
from nichetrial.tracking.writer import sync, write, write_receipt
from tests.support.stores import Counted, Killed, contents, planned
from tests.support.tracked import LABELS, build, compare, simulate, study

pytestmark = [pytest.mark.slow]

PACKAGE_ROOT = str(identity.PACKAGE.parent)


def run_track(results: Path, at: store.Store, experiment: str = "small") -> dict[str, Any]:
    receipt = results / "tracking" / "receipt.json"
    content = sync(planned(results), store=at, experiment=experiment, folder=receipt.parent)
    write_receipt(receipt, content)
    return content


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def results(base: Path) -> Path:
    return build(base)


@pytest.fixture(scope="module")
def made(base: Path) -> store.Store:
    """One store for the module; each test takes an experiment of its own in it."""
    return store.locate(f"sqlite:///{base / 'store' / 'mlflow.db'}")


@pytest.fixture(scope="module")
def client(made: store.Store) -> Any:
    with store.opened(made) as opened:
        return opened


@pytest.fixture(scope="module")
def undisturbed(results: Path, made: store.Store, client: Any) -> dict[str, Any]:
    run_track(results, made, "undisturbed")
    return contents(client, "undisturbed")


def test_runs_are_as_planned(results: Path, client: Any, undisturbed: dict[str, Any]) -> None:
    runs = planned(results)
    assert set(undisturbed) == {run.key for run in runs}
    for run in runs:
        there = undisturbed[run.key]
        assert there["name"] == run.name
        assert there["status"] == "FINISHED"
        assert there["times"] == (run.start, run.end)
        assert there["params"] == run.params
        once = {k: [(v, run.end, 0)] for k, v in run.metrics.items()}
        curves = {k: [(v, at, n) for n, at, v in p] for k, p in run.history.items()}
        assert there["metrics"] == once | curves
        assert there["artifacts"] == {a.name: a.digest for a in run.artifacts}
        parent = there["tags"].get("mlflow.parentRunId")
        assert parent == (runs[0].key if run.child else None)
        assert there["tags"]["mlflow.note.content"]


def test_twice_makes_no_second_run_and_asks_little(
    results: Path, made: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    receipt = run_track(results, made, "undisturbed")
    assert contents(client, "undisturbed") == undisturbed
    counted = Counted(client)
    write(planned(results), counted, receipt["experiment_id"])  # type: ignore[arg-type]
    assert counted.calls == ["search_runs"]


def test_receipt(results: Path, made: store.Store, undisturbed: dict[str, Any]) -> None:
    run_track(results, made, "undisturbed")
    receipt = json.loads((results / "tracking" / "receipt.json").read_text())
    assert set(receipt) == {"uri", "experiment_id", "parent_run_id", "view", "runs", "synced_at"}
    assert receipt["view"] == "small"
    assert receipt["uri"] == made.uri
    assert set(receipt["runs"]) == set(undisturbed)
    assert receipt["runs"][planned(results)[0].key] == receipt["parent_run_id"]


def test_results_removed_and_made_again_are_the_same_runs(
    tmp_path: Path, made: store.Store, client: Any
) -> None:
    first = run_track(build(tmp_path), made, "again")
    before = contents(client, "again")
    shutil.rmtree(tmp_path / "results")
    second = run_track(build(tmp_path), made, "again")
    assert second["runs"] == first["runs"]
    after = contents(client, "again")
    for key, run in before.items():
        for part in ("name", "status", "times", "params", "metrics", "artifacts"):
            assert after[key][part] == run[part], part


def test_store_removed_gives_the_same_runs_back(
    tmp_path: Path, results: Path, undisturbed: dict[str, Any]
) -> None:
    new = store.locate(f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    run_track(results, new)
    with store.opened(new) as opened:
        assert contents(opened, "small") == undisturbed
    assert not [p for p in (tmp_path / "new").iterdir() if p.name.endswith(".part")]


def test_killed_before_any_call_then_synced_is_as_undisturbed(
    results: Path, made: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    runs = planned(results)
    experiment_id = store.experiment(client, made, "count")
    counted = Counted(client)
    write(runs, counted, experiment_id)  # type: ignore[arg-type]
    total = len(counted.calls)
    assert total > 25
    for last in range(total):
        name = f"killed {last}"
        experiment_id = store.experiment(client, made, name)
        with pytest.raises(Killed):
            write(runs, Counted(client, last), experiment_id)  # type: ignore[arg-type]
        write(runs, client, experiment_id)
        assert contents(client, name) == undisturbed, f"after {counted.calls[:last][-3:]}"


def test_killed_again_and_again(
    results: Path, made: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    experiment_id = store.experiment(client, made, "again and again")
    for last in (2, 4, 3, 6, 5, 9, 7, 12):
        with pytest.raises(Killed):
            write(planned(results), Counted(client, last), experiment_id)  # type: ignore[arg-type]
    write(planned(results), client, experiment_id)
    assert contents(client, "again and again") == undisturbed


def test_failed_arm_is_failed_and_mended_by_the_next_sync(
    tmp_path: Path, made: store.Store, client: Any
) -> None:
    broken = build(tmp_path, failed=("amd3100/particles-000000-000001",))
    ids = run_track(broken, made, "failed")["runs"]

    def statuses() -> dict[str, str]:
        return {r["name"]: r["status"] for r in contents(client, "failed").values()}

    assert statuses() == {
        "A small study": "FAILED",
        LABELS["high"]: "FINISHED",
        LABELS["amd3100"]: "FAILED",
        LABELS["untreated"]: "FINISHED",
        "Comparison of the arms": "FINISHED",
    }
    simulate(broken, study(), "amd3100/particles-000000-000001")
    compare(broken, study(), [])
    assert run_track(broken, made, "failed")["runs"] == ids
    assert set(statuses().values()) == {"FINISHED"}
    arm = next(r for r in planned(broken) if r.name == LABELS["amd3100"])
    assert client.get_run(ids[arm.key]).info.end_time == arm.end


def test_end_moves_when_more_was_done(tmp_path: Path, made: store.Store, client: Any) -> None:
    results = build(tmp_path)
    parent = run_track(results, made, "more")["parent_run_id"]
    before = client.get_run(parent).info
    figure = results / "records" / "figure" / "foci.json"
    with recording(figure, stage="figure", name="foci", parameters={}):
        time.sleep(0.005)
    run_track(results, made, "more")
    after = client.get_run(parent).info
    assert (after.start_time, after.status) == (before.start_time, before.status)
    assert after.end_time == planned(results)[0].end > before.end_time


def test_run_deleted_by_hand_comes_back_as_itself(
    results: Path, made: store.Store, client: Any, undisturbed: dict[str, Any]
) -> None:
    receipt = run_track(results, made, "deleted")
    client.delete_run(receipt["parent_run_id"])
    assert run_track(results, made, "deleted")["runs"] == receipt["runs"]
    assert contents(client, "deleted") == undisturbed


def test_name_given_by_the_user_stays(results: Path, made: store.Store, client: Any) -> None:
    receipt = run_track(results, made, "renamed")
    client.update_run(receipt["parent_run_id"], name="mine")
    (results / "report.html").write_text("<html>another report</html>")
    try:
        run_track(results, made, "renamed")
    finally:
        (results / "report.html").write_text("<html>report</html>")
    run = client.get_run(receipt["parent_run_id"])
    assert run.info.run_name == "mine"


def test_experiment_in_the_bin(results: Path, made: store.Store, client: Any) -> None:
    experiment_id = store.experiment(client, made, "binned")
    client.delete_experiment(experiment_id)
    with pytest.raises(UserError, match="in its bin"):
        run_track(results, made, "binned")


def _command(results: Path, uri: str) -> tuple[list[str], dict[str, str]]:
    code = "from nichetrial.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "track", "sync", ".", "--to", uri]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    return command, env | {"PYTHONPATH": PACKAGE_ROOT}


@pytest.mark.slow
def test_two_processes_at_once_on_a_store_that_is_not_there(
    tmp_path: Path, results: Path, undisturbed: dict[str, Any]
) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    command, env = _command(results, uri)
    both = [
        subprocess.Popen(
            command, cwd=results, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out == ""
        assert err == f"track: 4 runs under 'A small study', in {uri}\n", "nothing else is said"
    with store.opened(store.locate(uri)) as opened:
        assert contents(opened, "small") == undisturbed


@pytest.mark.slow
def test_kill_while_the_store_is_made(
    tmp_path: Path, results: Path, undisturbed: dict[str, Any]
) -> None:
    at = store.locate(f"sqlite:///{tmp_path / 'mlflow.db'}")
    command, env = _command(results, at.uri)
    process = subprocess.Popen(command, cwd=results, env=env, stderr=subprocess.DEVNULL)
    part = tmp_path / ".mlflow.db.part"
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert part.exists()
    assert at.database is not None
    assert not at.database.exists()
    run_track(results, at)
    with store.opened(at) as opened:
        assert contents(opened, "small") == undisturbed


def test_dead_server_is_one_line_in_no_time(results: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(UserError, match=r"no MLflow server answers.*results are safe") as caught:
        run_track(results, store.locate(f"http://127.0.0.1:{port}"))
    assert time.monotonic() - start < 30  # MLflow alone would try for minutes
    assert "\n" not in str(caught.value)


def test_file_that_is_no_store_is_told_at_once(tmp_path: Path, results: Path) -> None:
    (tmp_path / "mlflow.db").write_text("these are not the bytes of a database")
    with pytest.raises(UserError, match="not an SQLite database"):
        run_track(results, store.locate(f"sqlite:///{tmp_path / 'mlflow.db'}"))


def test_store_of_another_version_is_told_in_one_line(tmp_path: Path, results: Path) -> None:
    import sqlite3

    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table alembic_version (version_num varchar(32))")
        connection.execute("insert into alembic_version values ('from the future')")
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UserError, match="MLflow could not take the runs") as caught:
            run_track(results, store.locate(f"sqlite:///{path}"))
    assert "\n" not in str(caught.value)


def test_relative_address_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    at = store.locate("sqlite:///results/mlflow/mlflow.db")
    assert at.database == tmp_path / "results" / "mlflow" / "mlflow.db"
    assert at.uri == f"sqlite:///{at.database}"
    assert at.artifacts == (tmp_path / "results" / "mlflow" / "artifacts").as_uri()


def test_lock_waits_and_is_let_go_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "folder" / ".lock"
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        with store.locked(path):
            os.write(written, b"x")
            time.sleep(60)
        os._exit(0)
    assert os.read(read, 1) == b"x"
    with pytest.raises(UserError, match="another process"), store.locked(path, seconds=0.2):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with store.locked(path, seconds=0.2):
        pass


def test_mlflow_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys, nichetrial.commands.track, nichetrial.commands.ui, nichetrial.records.record;"
        "raise SystemExit('mlflow' in sys.modules)"
    )
    env = os.environ | {"PYTHONPATH": PACKAGE_ROOT}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 0
