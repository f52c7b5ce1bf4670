"""``nichetrial ui``: the real server over a real store, its link, and how it ends."""

from __future__ import annotations

import html
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nichetrial.commands import ui
from nichetrial.compat.mlflow_pages import runs_page
from nichetrial.errors import UserError
from nichetrial.records import identity
from nichetrial.tracking import store
from nichetrial.tracking.runs import Run
from nichetrial.tracking.server import HOST, serving
from nichetrial.tracking.study_runs import plan
from nichetrial.tracking.writer import sync, write_receipt
from tests.support.tracked import build, jobs, study

pytestmark = [pytest.mark.slow]

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def planned(results: Path) -> list[Run]:
    of = study()
    return plan(of, jobs(of), results)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with results, a store, and a receipt."""
    here = tmp_path_factory.mktemp("ui")
    results = build(here)
    at = store.locate(f"sqlite:///{here / 'results' / 'mlflow' / 'mlflow.db'}")
    receipt = results / "tracking" / "receipt.json"
    write_receipt(
        receipt, sync(planned(results), store=at, experiment="small", folder=receipt.parent)
    )
    return here


START = """\
import sys
from nichetrial.study import load
from tests.support.tracked import study
load.load = lambda path: study()
from nichetrial.cli import main
raise SystemExit(main(["ui", "any.yaml", *sys.argv[1:]]))
"""


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[2]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    env["PYTHONPATH"] = os.pathsep.join([str(identity.PACKAGE.parent), str(root)])
    return subprocess.Popen(
        [sys.executable, "-c", START, "--port", str(port), "--no-browser"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def servers(folder: Path) -> list[int]:
    """Processes that have this folder's store on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if f"{folder}/results/mlflow/mlflow.db".encode() in words:
            found.append(int(path.parent.name))
    return found


def token_of(link: str) -> str:
    (token,) = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"]
    return token


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[str, int, subprocess.Popen[str]]]:
    port = free_port()
    process = start(folder, port)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), port, process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def _get(address: str, token: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(address, headers=headers)  # noqa: S310  (our own address)
    with DIRECT.open(asked, timeout=10) as answer:
        return bytes(answer.read())


@pytest.mark.slow
def test_link_leads_to_the_runs_of_the_study(
    folder: Path, served: tuple[str, int, subprocess.Popen[str]]
) -> None:
    link, port, _ = served
    receipt = json.loads((folder / "results/small/tracking/receipt.json").read_text())
    token = token_of(link)
    assert len(token) >= 32
    at = f"http://127.0.0.1:{port}/?token={token}#/experiments/{receipt['experiment_id']}/runs"
    assert link == f"{at}?workflowType=machine_learning&viewStateShareKey=small"
    run = json.loads(
        _get(
            f"http://{HOST}:{port}/api/2.0/mlflow/runs/get?run_id={receipt['parent_run_id']}", token
        )
    )["run"]
    assert run["info"]["run_name"] == "A small study"
    picture = _get(
        f"http://{HOST}:{port}/get-artifact?path=figures%2Ffoci.png"
        f"&run_uuid={receipt['parent_run_id']}",
        token,
    )
    assert picture == (folder / "results/small/figures/foci.png").read_bytes()


@pytest.mark.slow
def test_port_that_is_taken(folder: Path, served: tuple[str, int, subprocess.Popen[str]]) -> None:
    second = start(folder, served[1])
    out, err = second.communicate(timeout=30)
    assert second.returncode == 2
    assert out == ""
    assert f"port {served[1]} cannot be had" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_server_takes_the_same_runs_once(
    folder: Path,
    tmp_path: Path,
    served: tuple[str, int, subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token_of(served[0]))
    at = store.locate(f"http://{HOST}:{served[1]}")
    assert at.artifacts is None
    runs = planned(folder / "results" / "small")
    first, second = (sync(runs, store=at, experiment="by http", folder=tmp_path) for _ in range(2))
    assert first["runs"] == second["runs"]
    with store.opened(at) as client:
        found = client.search_runs([first["experiment_id"]])
    assert sorted(r.info.run_name or "" for r in found) == sorted(r.name for r in runs)
    assert {(r.info.status, r.info.start_time) for r in found} == {
        (r.status, r.start) for r in runs
    }


@pytest.mark.slow
def test_ctrl_c_ends_it_cleanly(
    folder: Path, served: tuple[str, int, subprocess.Popen[str]]
) -> None:
    _, port, process = served
    assert servers(folder)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert err.splitlines()[-1] == "ui: ended"
    assert "Traceback" not in err
    end = time.monotonic() + 5
    while servers(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert servers(folder) == []
    with pytest.raises(OSError, match="refused"):
        _get(f"http://{HOST}:{port}/health")


def test_no_store_yet(tmp_path: Path) -> None:
    at = store.locate(f"sqlite:///{tmp_path / 'mlflow.db'}")
    message = r"no tracked runs yet; `nichetrial run`"
    with pytest.raises(UserError, match=message), serving(at, port=free_port(), token="any"):  # noqa: S106
        pass
    assert list(tmp_path.iterdir()) == []


def test_place_on_a_server_is_what_the_receipt_says(tmp_path: Path) -> None:
    at = store.locate("http://127.0.0.1:5000")
    receipt = tmp_path / "receipt.json"
    nowhere = "#/experiments?workflowType=machine_learning"
    assert ui._place(receipt, at, "small") == nowhere
    content = {"uri": "http://elsewhere", "experiment_id": "4", "view": "small"}
    receipt.write_text(json.dumps(content))
    assert ui._place(receipt, at, "small") == nowhere
    receipt.write_text(json.dumps(content | {"uri": at.uri}))
    runs = "#/experiments/4/runs?workflowType=machine_learning"
    assert ui._place(receipt, at, "small") == f"{runs}&viewStateShareKey=small"
    receipt.write_text(json.dumps({"uri": at.uri, "experiment_id": "4", "view": None}))
    assert ui._place(receipt, at, "small") == runs


def test_link_to_a_view_only_where_it_was_saved(folder: Path) -> None:
    at = store.locate(f"sqlite:///{folder / 'results' / 'mlflow' / 'mlflow.db'}")
    receipt = folder / "results" / "another" / "tracking" / "receipt.json"
    assert "viewStateShareKey" not in ui._place(receipt, at, "small")
    receipt = folder / "results" / "small" / "tracking" / "receipt.json"
    assert ui._place(receipt, at, "small").endswith("&viewStateShareKey=small")


def test_browser_only_where_there_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not ui._display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert ui._display()


def test_the_browser_gets_the_link_by_a_page_of_ones_own(tmp_path: Path) -> None:
    """Everybody can read the words of a process; a link in the page's place is not followed."""
    page, other = tmp_path / "open.html", tmp_path / "other"
    other.write_text("kept")
    page.symlink_to(other)
    link = "http://127.0.0.1:5000/?token=abc#/experiments/1/runs?a=b&c=d"
    with ui._handed_over(link, page) as made:
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        assert not made.is_symlink()
        assert html.escape(link) in made.read_text()
    assert not page.exists()
    assert other.read_text() == "kept"


def test_without_a_study_file_it_shows_all_studies_of_the_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    shown, place = ui._shown(None)
    assert shown.database == folder / "results" / "mlflow" / "mlflow.db"
    assert place == runs_page(None, None)
