"""``nichetrial serve``: the default study over HTTP into Postgres, who may enter, and no traces."""

from __future__ import annotations

import base64
import os
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from nichetrial import cli
from nichetrial.errors import UserError
from nichetrial.tracking import store
from nichetrial.tracking.writer import sync
from tests.support import ROOT
from tests.support.runs import nichetrial
from tests.support.served import PASSWORD, Served, free_port, postgres_programs, serve
from tests.support.stores import contents, planned
from tests.support.tracked import build

NAME = "seubert2015"
FEWER: dict[str, dict[str, Any]] = {
    "cohort": {"particles": 10, "mice_per_particle": 4},
    "comparisons": {"resamples": 100},
    "power": {"experiments": 100, "sizes": [4, 6]},
    "optimise": {"particles": 5, "evaluations": 20},
    "figures": {"formats": ["png"], "dpi": 60, "course_particles": 2, "dose_particles": 2},
}
"""What is asked of fewer mice, and more roughly, so that the test is short."""

CURVES = ("arms_finished",)

WHOLE = "NICHETRIAL_TEST_WHOLE_STUDY"
"""Set in the environment, the study is run as it is (many minutes)."""


def login(password: str, user: str = "admin") -> dict[str, str]:
    return {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}


def traces(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Files below ``folder`` that hold one of these."""
    secret = [word.encode() for word in words]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(p) for p in files if any(word in p.read_bytes() for word in secret)]


def command_lines() -> str:
    lines = []
    for process in psutil.process_iter():
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)


@pytest.fixture(scope="module")
def tried(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the default study was run with the server as its store."""
    folder = tmp_path_factory.mktemp("tried")
    study = yaml.safe_load((ROOT / "config.yaml").read_text())
    if not os.environ.get(WHOLE):
        for part, values in FEWER.items():
            study[part] |= values
        study["sweeps"] = {"dose": study["sweeps"]["dose"]}
    study["tracking"]["uri"] = served.uri
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    done = nichetrial(folder, "run", "study.yaml", "--cores", "2", **login(served.admin))
    (folder / "terminal.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "not in MLflow yet" not in done.stdout
    return folder


@pytest.mark.slow
def test_the_default_study_arrives_as_in_a_file(
    tried: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = store.locate(f"sqlite:///{tried / 'beside.db'}")
    done = nichetrial(tried, "track", "sync", "--to", at.uri)
    assert done.returncode == 0, done.stdout
    for name, value in login(served.admin).items():
        monkeypatch.setenv(name, value)
    with store.opened(at) as client:
        wanted = contents(client, NAME, curves=CURVES)
    with store.opened(store.locate(served.uri)) as client:
        found = contents(client, NAME, files=str(served.files), curves=CURVES)
    assert len(found) > 10
    assert found.keys() == wanted.keys()
    for key, run in wanted.items():
        for part, value in run.items():
            assert found[key][part] == value, (run["name"], part)
    assert all(run["status"] == "FINISHED" for run in found.values())
    assert any(name.endswith(".png") for run in found.values() for name in run["artifacts"])


@pytest.mark.slow
def test_no_credentials_are_left_anywhere(tried: Path, served: Served) -> None:
    pair = base64.b64encode(f"admin:{served.admin}".encode()).decode()
    words = (*served.secrets, pair)
    assert (tried / ".snakemake").is_dir()
    assert traces(tried, words) == []
    assert traces(served.said.parent, words) == []
    assert not any(word in command_lines() for word in words)


@pytest.mark.slow
@pytest.mark.parametrize("given", ["wrong and long enough", None])
def test_a_login_that_is_not_right_is_told_in_one_line(
    tried: Path, served: Served, given: str | None
) -> None:
    done = nichetrial(tried, "track", "sync", f"results/{NAME}", **login(given) if given else {})
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"nichetrial: {served.uri}: NT403 ")
    assert "wrong and long" not in line


@pytest.mark.slow
def test_another_user_reads_what_he_may_not_change(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.server.auth.client import AuthServiceClient

    at, runs = store.locate(served.uri), planned(build(tmp_path))

    def enter(user: str, password: str) -> None:
        for name, value in login(password, user).items():
            monkeypatch.setenv(name, value)

    enter("admin", served.admin)
    sync(runs, store=at, experiment="of admin", folder=tmp_path)
    AuthServiceClient(served.uri).create_user("guest", "guest's password")
    enter("guest", "guest's password")
    with store.opened(at) as client:
        assert len(contents(client, "of admin", files=str(served.files))) == len(runs)
    changed = [*runs[:-1]]
    with pytest.raises(UserError, match="this user may not write to the experiment") as caught:
        sync(
            planned(build(tmp_path / "more", skip="high/particles-000000-000001")),
            store=at,
            experiment="of admin",
            folder=tmp_path,
        )
    assert "\n" not in str(caught.value)
    synced = sync(changed, store=at, experiment="of guest", folder=tmp_path)
    assert len(synced["runs"]) == len(changed)


@pytest.mark.slow
def test_it_listens_on_this_machine_only(served: Served) -> None:
    processes = [psutil.Process(served.process.pid)]
    processes += processes[0].children(recursive=True)
    listens = {c.laddr.ip for p in processes for c in p.net_connections() if c.status == "LISTEN"}
    assert listens == {"127.0.0.1"}


@pytest.mark.slow
def test_the_first_start_wants_a_password(database: str, tmp_path: Path) -> None:
    """For a user that is not there yet; it is asked for before MLflow is."""
    process = serve(
        tmp_path,
        "--port",
        str(free_port()),
        MLFLOW_BACKEND_STORE_URI=database,
        MLFLOW_AUTH_ADMIN_USERNAME="head",
        MLFLOW_AUTH_ADMIN_PASSWORD="too short",  # noqa: S106
    )
    out, _ = process.communicate(timeout=60)
    said = (tmp_path / "said.txt").read_text().splitlines()
    assert (process.returncode, out) == (2, "")
    assert said[-1].startswith("nichetrial: MLFLOW_AUTH_ADMIN_PASSWORD: NT408 ")
    assert "too short" not in "".join(said)
    assert [path.name for path in tmp_path.iterdir()] == ["said.txt"]


@pytest.mark.slow
def test_postgres_refuses_the_password(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = re.sub(r":[^:@]*@", ":another-one@", database)
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", wrong)
    assert cli.main(["serve", "--port", str(free_port())]) == 2
    said = capsys.readouterr().err
    assert "MLFLOW_BACKEND_STORE_URI: NT409 " in said
    assert "another-one" not in said


@pytest.mark.slow
def test_sigterm_ends_it_with_all_its_processes(
    served: Served, database: str, tmp_path: Path
) -> None:
    """Alone, and after the first start: the password of the first user is not needed any more."""
    words = ("--port", str(free_port()), "--workers", "1")
    process = serve(tmp_path, *words, MLFLOW_BACKEND_STORE_URI=database)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2, "MLflow's command, and the server that it starts"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (tmp_path / "said.txt").read_text().splitlines()[-1] == "serve: ended"
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (None, "it is not set; put postgresql://user:password@host:5432/database into the"),
        ("sqlite:///hidden-word.db", "this does not name a Postgres database; put"),
        ("postgresql://lab:hidden-word@x@127.0.0.1/db", "the password has an @ in it; write it"),
        ("postgresql://lab:hidden-word@127.0.0.1:1/db", r"let us in \(Connection refused\)"),
        ("postgresql://lab:hidden-word/x@127.0.0.1:no/db", "the address cannot be understood"),
    ],
)
def test_what_is_wrong_with_the_address_is_told_without_it(
    address: str | None,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("MLFLOW_BACKEND_STORE_URI", raising=False)
    if address:
        monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", address)
    assert cli.main(["serve", "--port", str(free_port())]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    start, line = captured.err.splitlines()
    assert start == "serve: starting MLflow, this takes some seconds ..."
    assert re.match(f"nichetrial: MLFLOW_BACKEND_STORE_URI: .*{told}", line)
    assert "hidden-word" not in line


def test_a_host_that_others_reach_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_BACKEND_STORE_URI", raising=False)
    assert cli.main(["serve", "--host", "0.0.0.0"]) == 2  # noqa: S104
    assert "serve: other machines can reach it, and passwords" in capsys.readouterr().err
    assert cli.main(["serve", "--host", "localhost"]) == 2
    assert "other machines" not in capsys.readouterr().err


def test_the_login_is_in_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from nichetrial.tracking.shared import _in_memory

    with _in_memory(PASSWORD) as path:
        assert Path(path).read_text() == PASSWORD
        assert os.readlink(path).startswith("/memfd:")
    assert not Path(path).exists()


def test_without_postgres_tests_are_left_out_but_fail_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install postgresql"):
        postgres_programs()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Postgres is not installed"):
        postgres_programs()
