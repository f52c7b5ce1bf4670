"""Addresses of stores: no secret is kept, no file is taken for a database, nothing is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.runs import STUDY, TINY, nichetrial

SENTINEL = "hunter2"

ADDRESSES = {
    "NT031": f"https://mlflow.example.org/?token={SENTINEL}",
    "NT030": "http://169.254.169.254/",
    "NT401": "sqlite:///results/tiny/study.json",
}


def files(folder: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("command", ["check", "run", "calibrate", "ui"])
@pytest.mark.parametrize("code", ADDRESSES)
def test_an_unfit_store_in_the_study_stops_before_anything_is_written(fresh, code, command):
    (fresh / STUDY).write_text(f"{TINY}tracking: {{uri: '{ADDRESSES[code]}'}}\n")
    (fresh / "results/tiny").mkdir(parents=True)
    (fresh / "results/tiny/study.json").write_text("{}\n")
    before = files(fresh)
    done = nichetrial(fresh, command, STUDY)
    assert done.returncode == 2
    assert f": {code} " in done.stdout
    assert SENTINEL not in done.stdout
    assert files(fresh) == before


@pytest.mark.parametrize(
    "words",
    [
        ("track", "sync", "results/tiny", "--to"),
        ("diff", "results/tiny", "0" * 32, "--tracking-uri"),
        ("reproduce", "0" * 32, "--tracking-uri"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("code", ADDRESSES)
def test_an_unfit_store_on_the_command_line_is_refused(folder, code, words):
    before = files(folder)
    done = nichetrial(folder, *words, ADDRESSES[code])
    assert done.returncode == 2
    assert f": {code} " in done.stdout
    assert SENTINEL not in done.stdout
    assert files(folder) == before


def test_a_login_from_the_environment_is_nowhere_in_the_results(folder):
    (folder / STUDY).write_text(f"{TINY}tracking: {{uri: 'http://127.0.0.1:9'}}\n")
    shutil.rmtree(folder / "results/tiny/tracking")
    login = {
        "MLFLOW_TRACKING_USERNAME": SENTINEL,
        "MLFLOW_TRACKING_PASSWORD": SENTINEL,
        "MLFLOW_TRACKING_TOKEN": SENTINEL,
    }
    done = nichetrial(folder, "run", STUDY, "--cores", "2", **login)
    packed = nichetrial(folder, "export", "crate", "results/tiny", "--to", "tiny.zip", **login)
    assert packed.returncode == 0, packed.stdout
    assert SENTINEL not in done.stdout + packed.stdout
    shutil.unpack_archive(folder / "tiny.zip", folder / "unpacked")
    assert [path for path, content in files(folder).items() if SENTINEL.encode() in content] == []


def test_a_store_of_its_own_that_is_damaged_keeps_no_study_from_another(folder):
    (folder / "results/mlflow/mlflow.db").write_text("this was a database")
    words = ("track", "sync", "results/tiny")
    assert nichetrial(folder, *words).returncode == 2
    done = nichetrial(folder, *words, "--to", "sqlite:///elsewhere/mlflow.db")
    assert done.returncode == 0, done.stdout
