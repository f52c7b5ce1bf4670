"""A run made again from what MLflow has of it, compared, and put into a crate."""

from __future__ import annotations

import importlib.resources
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from nichetrial.records import git
from nichetrial.records.identity import checkout
from tests.support.runs import STUDY, TINY, nichetrial

pytestmark = [pytest.mark.slow]


def test_an_arm_made_again_has_the_same_bytes_and_what_has_not_is_told(folder):
    if git.state(checkout())[0] is None:
        pytest.skip("not in a git repository")
    # as if the run had made other bytes of two files
    with closing(sqlite3.connect(folder / "results" / "mlflow" / "mlflow.db")) as connection:
        [(parent,)] = connection.execute("SELECT run_uuid FROM runs WHERE name = 'A tiny study'")
    [jobs] = (folder / "results" / "mlflow").rglob(f"{parent}/artifacts/provenance/jobs.json")
    content = json.loads(jobs.read_text())
    for job in content["jobs"]:
        if job["name"] == "amd3100":
            job["outputs"] = dict.fromkeys(job["outputs"], "0" * 64)
    jobs.write_text(json.dumps(content))
    to = folder / "again"
    other = nichetrial(folder, "reproduce", "AMD3100", "--trust", "--cores", "2", "--to", str(to))
    assert other.returncode == 1
    assert "packages: those of the run's lock are installed" in other.stdout
    assert "not equal: 1 of 7 files" in other.stdout  # so the six others are
    assert "differs  results/tiny/experiments/amd3100.parquet" in other.stdout
    assert "code, packages and machine are those of the run: this should not be" in other.stdout
    assert f"kept: {to}" in other.stdout
    assert not (to / "work" / "results" / "mlflow").exists()

    for words, told in (
        (["nobody"], "there is no run with the id 'nobody'"),
        (["Comparison of the arms"], "of the kind 'comparison'; name a study or an arm"),
        (["AMD3100", "--to", str(to)], "this folder is not empty"),
        (["AMD3100", "--tracking-uri", "sqlite:///none.db"], "there are no tracked runs here"),
    ):
        refused = nichetrial(folder, "reproduce", *words)
        assert refused.returncode == 2
        assert told in refused.stdout
        assert "Traceback" not in refused.stdout
    assert not (folder / "none.db").exists()


def test_differences_are_told_of_folders_runs_and_arms(folder):
    same = nichetrial(folder, "diff", "A tiny study", "results/tiny")
    assert same.returncode == 0, same.stdout
    assert "They are equal: study, code, environment, data, results." in same.stdout

    shutil.copytree(folder / "results" / "tiny", folder / "before" / "tiny")
    (folder / STUDY).write_text(TINY.replace("dose: 5 mg/kg", "dose: 6 mg/kg"))
    done = nichetrial(folder, "run", STUDY, "--cores", "2", "--until", "comparisons")
    assert done.returncode == 0, done.stdout
    other = nichetrial(folder, "diff", "before/tiny", "results/tiny")
    assert other.returncode == 1
    assert "arms.amd3100.treatments.0.amount" in other.stdout
    assert "simulations/amd3100/" in other.stdout
    assert "simulations/high/" not in other.stdout
    assert "foci of amd3100 / high" in other.stdout
    assert "Equal: code, environment, data." in other.stdout

    arms = nichetrial(folder, "diff", "AMD3100", "results/tiny:amd3100")
    assert arms.returncode == 1
    assert "arm.treatments.0.amount" in arms.stdout
    mixed = nichetrial(folder, "diff", "AMD3100", "results/tiny")
    assert (mixed.returncode, "name two of a kind" in mixed.stdout) == (2, True)


def test_a_crate_is_valid(finished, tmp_path, monkeypatch):
    """By the validator of the format. The context is the copy that rocrate has, because the
    validator would fetch it; version 1.1, which the crate names, spells two terms otherwise."""
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    crate = tmp_path / "crate"
    made = nichetrial(finished[0], "export", "crate", "results/tiny", "--to", str(crate))
    assert made.returncode == 0, made.stdout
    context = json.loads(
        importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text()
    )
    for term in ("ComputationalWorkflow", "FormalParameter"):
        context["@context"][term] = f"https://bioschemas.org/{term}"

    answer = SimpleNamespace(
        status_code=200, headers={"Content-Type": "application/ld+json"}, json=lambda: context
    )
    monkeypatch.setattr(HttpRequester, "get", lambda *_, **__: answer, raising=False)

    def issues() -> list[str]:
        settings = services.ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier="workflow-run-crate-0.5",
            requirement_severity=models.Severity.REQUIRED,
        )
        return [i.message for i in services.validate(settings).get_issues()]

    assert issues() == []
    graph = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    run = next(e for e in graph if e["@type"] == "CreateAction")
    made_files = {e["@id"] for e in run["result"]}
    assert "simulations/amd3100/particles-000000-000004.outcomes.parquet" in made_files
    assert all((crate / name).is_file() for name in made_files)
    assert run["object"]["@id"].startswith("origin/study/")

    again = nichetrial(finished[0], "export", "crate", "results/tiny", "--to", str(crate))
    assert (again.returncode, "something here already" in again.stdout) == (2, True)
    (crate / Path(sorted(made_files)[0])).unlink()
    assert issues(), "the validator finds nothing at all"
