"""Canaries of nichetrial/compat: one that fails names the module that a new version makes wrong."""

from __future__ import annotations

import inspect
import json
import re
import sqlite3
from base64 import urlsafe_b64encode
from contextlib import closing
from pathlib import Path

import pytest

from nichetrial.compat import (
    mlflow_database,
    mlflow_files,
    mlflow_pages,
    mlflow_routes,
    mlflow_server,
    slurm_messages,
    snakemake_files,
    snakemake_messages,
)

pytestmark = [pytest.mark.slow]


def test_routes() -> None:
    """nichetrial/compat/mlflow_routes.py lists addresses that MLflow still has."""
    import mlflow.server as server

    known = [rule.rule for rule in server.app.url_map.iter_rules()]
    for wanted in (
        "experiments/create",
        "runs/create",
        "runs/search",
        "runs/log-batch",
        "runs/log-inputs",
        "metrics/get-history",
        "artifacts/list",
    ):
        assert any(rule.endswith(f"/mlflow/{wanted}") for rule in known), mlflow_routes.__file__
    served = {rule for rule in known if mlflow_routes.allowed("POST", rule)}
    looked_at = {rule for rule in known if mlflow_routes.allowed("GET", rule)} - served
    for rules, words in (
        (served, ("experiments", "runs", "upload-artifact", "search", "graphql")),
        (
            looked_at,
            ("get", "search", "artifacts", "static-files", "health", "version", "server-info", "/"),
        ),
    ):
        assert all(any(word in rule for word in words) for rule in rules), mlflow_routes.__file__


def test_files() -> None:
    """nichetrial/compat/mlflow_files.py stands where MLflow opens files."""
    from mlflow.server import artifact_router, handlers
    from mlflow.store.artifact import artifact_repository_registry as registry
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    module = mlflow_files.__file__
    assert handlers.get_artifact_repository is registry.get_artifact_repository, module
    assert "LocalArtifactRepository(" not in inspect.getsource(handlers), module
    assert "LocalArtifactRepository(" not in inspect.getsource(artifact_router), module
    public = {
        name
        for name, of in vars(LocalArtifactRepository).items()
        if inspect.isfunction(of) and not name.startswith("_")
    }
    known = {
        "get_local_path",
        "log_artifact",
        "log_artifact_from_stream",
        "log_artifact_from_async_stream",
        "log_artifacts",
        "download_artifacts",
        "list_artifacts",
        "delete_artifacts",
        "download_trace_data",
    }
    assert public == known, module
    taken = list(inspect.signature(SqlAlchemyStore.create_experiment).parameters)
    assert taken == ["self", "name", "artifact_location", "tags"], module


def test_the_server() -> None:
    """nichetrial/compat/mlflow_server.py starts our application where MLflow starts its own."""
    from mlflow import server
    from mlflow.server.auth import create_app

    taken = list(inspect.signature(server._build_uvicorn_command).parameters)
    assert taken == [
        "uvicorn_opts",
        "host",
        "port",
        "workers",
        "app_name",
        "env_file",
        "is_factory",
    ], mlflow_server.__file__
    source = inspect.getsource(server._run_server)
    assert "full_command = _build_uvicorn_command(" in source, mlflow_server.__file__
    assert 'app = "mlflow.server.fastapi_app:app"' in source, mlflow_server.__file__
    assert server._find_app("basic-auth") in mlflow_server.APPS, mlflow_server.__file__
    assert callable(create_app)
    for app in mlflow_server.APPS.values():
        assert server._is_factory(app), mlflow_server.__file__


def test_the_database(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    path = tmp_path / "mlflow.db"
    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("e", tags={"a": "1"})
    run = client.create_run(experiment, tags={"study": "s", "b": "2"}).info
    client.delete_run(run.run_id)
    module = mlflow_database.__file__
    assert mlflow_database.experiment_id(path, "e") == experiment, module
    assert mlflow_database.has_tag(path, experiment, "a"), module
    (row,) = mlflow_database.tagged_runs(path, experiment, "study", "s", ("b",))
    assert row == (run.run_id, False, "RUNNING", run.start_time, None, {"b": "2"}), module
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT artifact_uri FROM runs")
        connection.execute("SELECT artifact_location FROM experiments")


def test_addresses_of_pages() -> None:
    """MLflow's own pages still know the words of our addresses; tests/browser opens them."""
    import mlflow.server

    scripts = Path(mlflow.server.__file__).parent.glob("js/build/static/js/*.js")
    wanted = {
        mlflow_pages.SAVED,
        mlflow_pages.VIEW,
        *mlflow_pages.TRAINING.split("="),
        "searchFilter",
        "orderByKey",
        "orderByAsc",
        "selectedColumns",
        "columnOrder",
        "columnWidths",
        "createdAt",
    }
    for script in scripts:
        text = script.read_text(encoding="utf-8", errors="replace")
        wanted = {word for word in wanted if word not in text}
    assert wanted == set(), mlflow_pages.__file__


def test_the_memory_of_snakemake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from snakemake import persistence
    from snakemake.persistence import file

    module = snakemake_files.__file__
    source = inspect.getsource(persistence) + inspect.getsource(file)
    assert 'os.path.join(self.path, "metadata")' in source, module
    assert 'os.path.join(self.path, "locks")' in source, module
    assert "urlsafe_b64encode(id.encode()).decode()" in source, module
    assert '".snakemake"' in source, module
    kept = tmp_path / snakemake_files.STATE / "metadata"
    kept.mkdir(parents=True)
    (kept / urlsafe_b64encode(b"out/a.txt").decode()).write_text(json.dumps({"params": ["abc"]}))
    monkeypatch.chdir(tmp_path)
    assert snakemake_files.remembers("out/a.txt", "abc")
    assert not snakemake_files.remembers("out/b.txt", "abc")


def _source(package: str) -> str:
    """All of a package's source, with strings that are written in parts put together."""
    import importlib

    folder = Path(importlib.import_module(package).__file__ or "").parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", text)


def test_the_words_of_snakemake() -> None:
    module = snakemake_messages.__file__
    source = _source("snakemake") + _source("snakemake_executor_plugin_slurm")
    words = [*snakemake_messages.REASONS, snakemake_messages.IDLE, *snakemake_messages.REDUNDANT]
    assert [word for word in words if word not in source] == [], module
    assert "Trying to restart job {" in source, module
    assert snakemake_messages.retried("Trying to restart job 7.") == 7


def test_the_words_of_the_executor() -> None:
    module = slurm_messages.__file__
    source = _source("snakemake_executor_plugin_slurm")
    assert "SLURM status is: '{" in source, module
    assert "SLURM sbatch failed. The error message was" in source, module
    assert all(word in source for word in slurm_messages.SLURM), module
