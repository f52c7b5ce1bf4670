"""Records and results are data: whatever is in them ends in one message, and leads nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.provenance.past_run import of_folder
from nichetrial.records.stored import (
    LARGEST,
    damaged,
    inside,
    made_by,
    read_record,
    read_records,
    require_sound,
)
from nichetrial.study.resolved import ResolvedStudy
from tests.support.tracked import build, study

RECORD = "records/compare.json"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return build(tmp_path).relative_to(tmp_path)


def edited(results: Path, **changes) -> Path:
    """The record of the comparison with some keys changed."""
    path = results / RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def nested(depth: int) -> str:
    return '{"a": ' * depth + "1" + "}" * depth


CRAFTED = {
    "nothing of a record": '{"a": null}',
    "a list": "[]",
    "cut off": '{"run_key": "12',
    "nested deeply": nested(100_000),
    "not text": "\udcff",
    "larger than any": " " * (LARGEST + 1),
}


@pytest.mark.parametrize("content", CRAFTED.values(), ids=CRAFTED)
def test_what_is_no_record_is_named(results, content):
    (results / RECORD).write_bytes(content.encode(errors="surrogateescape"))
    assert read_record(results / RECORD) is None
    with pytest.raises(UserError) as caught:
        read_records(results)
    assert (caught.value.code, caught.value.place) == (codes.BAD_RECORD, f"{results}/{RECORD}")


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {f"m{k}": 1.0 for k in range(1_000_000)}},
        {"metrics": {"mice": "many"}},
        {"metrics": [1]},
        {"inputs": {"a": None}},
        {"outputs": ["a"]},
        {"outputs": {"a\0b": "0"}},
        {"outputs": {"a\nb": "0"}},
        {"start": "yesterday"},
        {"end": 7},
        {"status": "DONE"},
        {"parameters": None},
        {"parameters": "all"},
        {"seed": "7"},
        {"git": {"commit": ["x"], "dirty": None}},
        {"environment": {"python": 3}},
        {"notes": [{"code": "x"}]},
        {"science": {"model": {"a": 1}}},
        {"code": "model"},
        {"error": {"a": 1}},
        {"name": 1},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_record_with_something_else_in_it_is_none(results, changes):
    assert read_record(edited(results, **changes)) is None


def test_a_link_is_no_record(results, tmp_path):
    """Nor is what it leads to read: it may be anybody's."""
    record = results / RECORD
    record.rename(tmp_path / "elsewhere.json")
    record.symlink_to(tmp_path / "elsewhere.json")
    assert read_record(record) is None
    with pytest.raises(UserError) as caught:
        read_records(results)
    assert caught.value.code == codes.BAD_RECORD


@pytest.mark.parametrize("words", [("track", "sync"), ("diff",), ("export", "crate")])
def test_commands_end_with_one_message(results, words):
    edited(results, metrics=None)
    more = (str(results),) if words[0] == "diff" else ()
    done = subprocess.run(
        [sys.executable, "-m", "nichetrial", *words, str(results), *more],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"nichetrial: {results}/{RECORD}: {codes.BAD_RECORD} ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


# No path or link leads out of the results folder


OUTSIDE = ["/etc/passwd", "../secret", "a/../../secret", "results/small/../../../secret", "", "."]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out(results, path):
    (results.parent.parent / "secret").write_text("secret")
    assert inside(results, path) is None
    assert all(
        ".." not in within for within in made_by([{"status": "FINISHED", "outputs": {path: "0"}}])
    )


def test_no_link_is_followed(results, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    table = results / "comparisons" / "effects.csv"
    table.unlink()
    table.symlink_to(secret / "key")
    assert inside(results, "comparisons/effects.csv") is None
    shutil.rmtree(results / "figures")
    (results / "figures").symlink_to(secret)
    assert inside(results, "figures/key") is None
    (results / "figures" / "foci.png").write_text("theirs")
    assert {"comparisons/effects.csv", "figures/foci.png"} <= set(
        damaged(results, read_records(results))
    )


def test_a_pipe_or_a_device_is_not_read(results):
    table = results / "comparisons" / "effects.csv"
    table.unlink()
    os.mkfifo(table)
    assert damaged(results, read_records(results)) == ["comparisons/effects.csv"]


# What is not what its record says is not shown


@pytest.mark.parametrize(
    "within",
    [
        "comparisons/effects.csv",
        "comparisons/metrics.json",
        "report.html",
        "study.json",
        "figures/foci.svg",
        "simulations/high/particles-000000-000001.outcomes.parquet",
    ],
)
def test_a_byte_that_is_changed_is_noticed(results, within):
    """Also where size and times stay as they were."""
    path = results / within
    at = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    with pytest.raises(UserError) as caught:
        require_sound(results, read_records(results))
    assert (caught.value.code, caught.value.place) == (codes.DAMAGED, f"{results}/{within}")
    with pytest.raises(UserError):
        of_folder(results)


def test_many_are_counted(results):
    for path in (results / "simulations").rglob("*.parquet"):
        path.write_bytes(b"")
    with pytest.raises(UserError) as caught:
        require_sound(results, read_records(results))
    assert len(caught.value.faults) == 6
    assert {fault.code for fault in caught.value.faults} == {codes.DAMAGED}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"arms": 1}', nested(100_000)])
def test_a_study_that_is_none_ends_in_a_message(results, content):
    (results / "study.json").write_text(content)
    with pytest.raises(UserError) as caught:
        of_folder(results)
    assert caught.value.place == str(results / "study.json")


def test_the_study_that_the_tests_build_is_one():
    assert ResolvedStudy.model_validate_json(study().written()) == study()
