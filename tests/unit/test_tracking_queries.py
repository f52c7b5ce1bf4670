"""Names and paths with every kind of character reach the store, and are found again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial import codes
from nichetrial.compat import mlflow_database
from nichetrial.compat import mlflow_queries as queries
from nichetrial.errors import UserError
from nichetrial.provenance import past_run
from nichetrial.tracking import store
from nichetrial.tracking.stored_run import in_database
from nichetrial.tracking.writer import sync
from tests.support.stores import planned
from tests.support.tracked import build

pytestmark = [pytest.mark.slow]

NAMES = [
    """it's "both" quotes""",
    "back\\slash \\' \\\"",
    "50 % of _all_ %s %(x)s",
    "a; DROP TABLE runs; --",
    "über 日本 µ 😀",
    "`back` ticks",
    "' OR '1'='1",
    "x" * 500,
]


@given(st.text())
def test_a_pattern_says_nothing_to_the_query_language(text: str) -> None:
    asked = queries.pattern(text)
    assert len(asked) == len(text)
    assert asked.replace("_", "a").isalnum() or not asked
    assert asked.isascii()


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> store.Store:
    """A store with an experiment and a run of each name, and another run of the same shape."""
    at = store.locate(f"sqlite:///{tmp_path_factory.mktemp('named')}/mlflow.db")
    with store.opened(at) as client:
        for name in NAMES:
            experiment = store.experiment(client, at, name)
            assert store.experiment(client, at, name) == experiment
            client.create_run(experiment, run_name=name)
            client.create_run(experiment, run_name="?" + name[1:])
    return at


@pytest.mark.parametrize("name", NAMES)
def test_a_name_finds_what_has_it(at: store.Store, name: str) -> None:
    assert at.database is not None
    with store.opened(at, to_read=True) as client:
        (run,) = queries.named(client, name)
        assert run.info.run_name == name
        assert past_run._found(client, name, at.uri).info.run_id == run.info.run_id
        experiment = client.get_experiment_by_name(name)
        assert run.info.experiment_id == experiment.experiment_id
        assert mlflow_database.experiment_id(at.database, name) == experiment.experiment_id
        assert not mlflow_database.has_tag(at.database, experiment.experiment_id, name)
        assert in_database(at.database, experiment.experiment_id, name) == []


def test_a_name_that_is_not_there(at: store.Store) -> None:
    with store.opened(at, to_read=True) as client, pytest.raises(UserError) as caught:
        past_run._found(client, "it_s _both_ quotes", at.uri)
    assert caught.value.place == at.uri


@pytest.mark.parametrize("name", [n.replace("/", "") for n in NAMES[:-1]] + ["h#ash", "x" * 200])
def test_a_working_folder_of_any_name_has_a_store(tmp_path: Path, name: str) -> None:
    """MLflow's first statement had the working folder in it: with both kinds of quotes nothing was
    tracked. In a process of its own, for MLflow keeps in mind where it was."""
    here = tmp_path / name
    runs = planned(build(here))
    code = (
        "import os\n"
        "from nichetrial.tracking import store\n"
        "at = store.locate('sqlite:///results/mlflow/mlflow.db')\n"
        "with store.opened(at) as client:\n"
        "    found = client.search_experiments()\n"
        "    print(store.experiment(client, at, 'tried'), *[e.artifact_location for e in found])\n"
    )
    env = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", f"{(here / 'results/mlflow/artifacts').as_uri()}/0"]
    at = store.locate(f"sqlite:///{here}/results/mlflow/mlflow.db")
    first, second = (sync(runs, store=at, experiment=name, folder=here) for _ in range(2))
    assert first["runs"] == second["runs"]
    with store.opened(at, to_read=True) as client:
        assert client.list_artifacts(first["parent_run_id"])


def test_a_path_that_mlflow_cannot_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "why?"
    odd.mkdir()
    monkeypatch.chdir(odd)
    with pytest.raises(UserError) as caught:
        store.locate("sqlite:///mlflow.db").require_sound()
    assert caught.value.code is codes.UNFIT_PATH
    assert caught.value.place == str(odd / "mlflow.db")
    assert list(odd.iterdir()) == []


@pytest.mark.parametrize("left", [50, 5_000, -1])
def test_a_store_that_is_cut_off_is_said_to_be_damaged(tmp_path: Path, left: int) -> None:
    """With what brings the runs back; a whole one is taken."""
    at = store.locate(f"sqlite:///{tmp_path}/mlflow.db")
    assert at.database
    with closing(sqlite3.connect(at.database)) as connection:
        connection.execute("CREATE TABLE runs (name TEXT)")
        connection.executemany("INSERT INTO runs VALUES (?)", [("x" * 900,)] * 100)
        connection.commit()
    at.require_sound()
    whole = at.database.read_bytes()
    at.database.write_bytes(whole[:left])
    with pytest.raises(UserError) as caught:
        at.require_sound()
    assert caught.value.code is codes.NOT_A_STORE
    assert "track sync" in caught.value.message


def test_a_store_that_is_closed_to_this_user_is_said_to_be(tmp_path, monkeypatch) -> None:
    at = store.locate(f"sqlite:///{tmp_path}/mlflow.db")
    assert at.database
    at.database.touch()

    def closed(*_: object) -> None:  # root may read all
        raise PermissionError

    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(UserError) as caught:
        at.require_sound()
    assert (caught.value.code, caught.value.place) == (codes.NOT_A_STORE, str(at.database))


def test_a_setting_that_mlflow_cannot_read_is_one_message(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "x")
    at = store.locate(f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(UserError) as caught, store.opened(at):
        pass
    assert caught.value.code is codes.STORE_REFUSED
    assert "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE" in caught.value.message


def test_a_store_without_room_is_said_to_be(tmp_path: Path) -> None:
    at = store.locate(f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(UserError) as caught, store._refusals(at, to_read=False):
        raise sqlite3.OperationalError("database or disk is full")
    assert caught.value.code is codes.NOT_WRITABLE


def test_a_store_that_is_damaged_inside_is_said_to_be(tmp_path: Path) -> None:
    at = store.locate(f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(UserError) as caught, store._refusals(at, to_read=False):
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert caught.value.code is codes.NOT_A_STORE
