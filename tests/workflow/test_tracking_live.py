"""MLflow beside a study that runs, is stopped, is killed, or whose server is down."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from nichetrial.tracking import store
from tests.support.runs import STUDY, TINY, mlflow_runs, nichetrial, snakemake, started, until_said
from tests.support.stores import facts

pytestmark = [pytest.mark.slow]

PARENT, ARM = "A tiny study", "AMD3100"
CHUNKS = ("000000-000004", "000005-000009")


def states(folder: Path) -> dict[str, str]:
    """Name -> status of the runs that are there, before there is a store as well."""
    database = folder / "results" / "mlflow" / "mlflow.db"
    return dict(mlflow_runs(folder)) if database.is_file() else {}


def forget(folder: Path, *arms: str) -> None:
    """Remove the store, and of these arms all results."""
    shutil.rmtree(folder / "results" / "mlflow")
    (folder / "results" / "tiny" / "tracking" / "receipt.json").unlink()
    for arm in arms:
        for kind in ("simulations", "records/simulate"):
            shutil.rmtree(folder / "results" / "tiny" / kind / arm)


def hold(folder: Path, where: str) -> dict[str, str]:
    """An environment in which simulations of an arm and chunk wait until they are stopped."""
    place = folder / "hold"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import sys, time\n"
        f"if 'simulate' in sys.orig_argv and any({where!r} in w for w in sys.orig_argv):\n"
        "    time.sleep(300)\n"
    )
    return {"PYTHONPATH": str(place)}


def wait_for(folder: Path, seconds: float, wanted: dict[str, str]) -> None:
    deadline = time.monotonic() + seconds
    while not wanted.items() <= states(folder).items():
        assert time.monotonic() < deadline, states(folder)
        time.sleep(0.1)


def test_arms_appear_while_others_run_and_ctrl_c_is_killed(folder, monkeypatch):
    forget(folder, "high", "amd3100")
    for name, value in hold(folder, f"high/particles-{CHUNKS[1]}").items():
        monkeypatch.setenv(name, value)
    run = started(folder, "--cores", "2")
    try:
        wait_for(folder, 240, {PARENT: "RUNNING", ARM: "FINISHED", "Untreated": "FINISHED"})
        assert "TIMP-1-high" not in states(folder), "it has not ended"
        assert run.poll() is None
    finally:
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=60) == 130
    after = states(folder)
    assert after[PARENT] == after["TIMP-1-high"] == "KILLED"
    assert after[ARM] == "FINISHED"
    assert [p for p in psutil.process_iter() if "live" in _words(p, folder)] == []

    monkeypatch.undo()
    again = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert again.returncode == 0, again.stdout
    assert set(states(folder).values()) == {"FINISHED"}


def _words(process: psutil.Process, folder: Path) -> list[str]:
    try:
        return process.cmdline() if process.cwd() == str(folder) else []
    except psutil.Error:
        return []


def test_killed_outright_again_and_again_then_run_is_as_undisturbed(folder, finished):
    """All processes at once, the one that writes to MLflow among them, as when a machine dies."""
    forget(folder, "high", "amd3100")
    for table in ("comparisons", "figures", "records/figure"):
        shutil.rmtree(folder / "results" / "tiny" / table, ignore_errors=True)
    chance, kills = random.Random(1), 3  # noqa: S311
    for kill in range(kills):
        run = started(folder, "--cores", "2")
        until_said("to run: ", run, folder)
        time.sleep(chance.uniform(3.0 * kill, 3.0 * kill + 3.0))
        processes = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        for process in processes:
            process.suspend()
        for process in processes:
            process.kill()
        run.wait()
        psutil.wait_procs(processes, timeout=30)
    again = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert again.returncode == 0, again.stdout
    assert facts(folder) == facts(finished[0])


def test_killed_alone_is_told_by_the_writer_that_survives(folder, monkeypatch):
    """Snakemake and its jobs are killed; the writer sees the end of its lines."""
    forget(folder, "high")
    for name, value in hold(folder, f"high/particles-{CHUNKS[1]}").items():
        monkeypatch.setenv(name, value)
    run = started(folder, "--cores", "2")
    wait_for(folder, 240, {PARENT: "RUNNING"})
    for process in psutil.Process(run.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "live" not in process.cmdline():
                process.kill()
    run.wait(timeout=60)
    wait_for(folder, 60, {PARENT: "KILLED"})


@pytest.fixture
def nobody() -> str:
    """The address of a server that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_dead_server_costs_seconds_and_one_line_and_the_next_run_sends(folder, nobody):
    (folder / STUDY).write_text(TINY + f"tracking: {{uri: {nobody}}}\n")
    for path in (folder / "results" / "tiny" / "figures").glob("foci.*"):
        path.unlink()
    start = time.monotonic()
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - start < 300  # MLflow alone would try for minutes, many times
    told = [line for line in done.stdout.splitlines() if nobody in line]
    assert len(told) == 1, done.stdout
    assert re.match(r"nichetrial: .*no MLflow server answers .*results are safe", told[0])
    assert "not in MLflow yet (see results/tiny/logs/track.log); all" in done.stdout
    assert "Traceback" not in done.stdout
    assert "AMD3100 against TIMP-1-high: " in done.stdout
    assert (folder / "results" / "tiny" / "report.html").is_file()
    assert not (folder / "results" / "tiny" / "tracking" / "receipt.json").exists()

    again = nichetrial(folder, "run", STUDY, "--dry-run")
    assert "record the runs in MLflow" in again.stdout
    refused = nichetrial(folder, "track", "sync", "results/tiny")
    assert refused.returncode == 2
    assert "no MLflow server answers" in refused.stdout
    other = f"sqlite:///{folder}/other.db"
    sent = nichetrial(folder, "track", "sync", "--to", other)
    assert sent.returncode == 0, sent.stdout
    assert sent.stdout.splitlines() == [f"track: 4 runs under 'A tiny study', in {other}"]


def test_bare_snakemake_shows_runs_as_well(folder):
    forget(folder, "amd3100")
    profile = Path(__file__).resolve().parents[2] / "workflow" / "profiles" / "default"
    words = ["--configfile", STUDY, "--workflow-profile", str(profile), "--cores", "2"]
    bare = snakemake(folder, *words, "--until", "simulate")
    assert bare.returncode == 0, bare.stdout
    assert states(folder) == {}, "a run that is to stop before its tracking shows nothing"
    whole = snakemake(folder, *words)
    assert whole.returncode == 0, whole.stdout
    assert set(states(folder).values()) == {"FINISHED"}
    log = folder / "results" / "tiny" / "logs" / "tracking" / "live-trial.log"
    assert log.read_text() == "", "what it could not do would be here"


def test_a_run_without_mlflow_is_not_disturbed(folder, monkeypatch):
    """The package is broken: only the tracking itself fails."""
    forget(folder, "amd3100")
    place = folder / "broken" / "mlflow"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise ImportError('no such package')\n")
    monkeypatch.setenv("PYTHONPATH", str(place.parent))
    done = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert re.search("^not in MLflow yet .*: ImportError: no such package$", done.stdout, re.M)
    assert "AMD3100 against TIMP-1-high: " in done.stdout


def test_the_store_is_moved_and_the_pictures_still_open(folder, tmp_path):
    """Copied, the first one removed: found by the next sync, without any run being made again."""
    moved = tmp_path / "elsewhere" / "copy"
    before = mlflow_runs(folder)
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    with closing(sqlite3.connect(moved / "results" / "mlflow" / "mlflow.db")) as connection:
        (uri,) = connection.execute("SELECT artifact_uri FROM runs").fetchone()
    assert str(moved) not in uri
    synced = nichetrial(moved, "track", "sync", "results/tiny")
    assert synced.returncode == 0, synced.stdout
    assert mlflow_runs(moved) == before
    receipt = json.loads((moved / "results/tiny/tracking/receipt.json").read_text())
    at = store.locate(receipt["uri"])
    with store.opened(at) as client:
        picture = client.download_artifacts(receipt["parent_run_id"], "figures/foci.png")
        assert Path(picture).read_bytes() == (moved / "results/tiny/figures/foci.png").read_bytes()
        assert str(moved) in client.get_run(receipt["parent_run_id"]).info.artifact_uri
