"""Run records: what makes a run the same run, and files that are whole or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial.records import identity
from nichetrial.records.record import recording
from nichetrial.records.stored import read_record, read_records

numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
digests = st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), max_size=4)
parts = st.fixed_dictionaries(
    {
        "stage": st.text(min_size=1, max_size=6),
        "name": st.text(min_size=1, max_size=6),
        "parameters": st.dictionaries(st.text(max_size=5), values, max_size=4),
        "seed": st.integers(0, 2**63),
        "code": st.text(min_size=1, max_size=6),
        "inputs": digests,
        "lock": st.text(max_size=6),
    }
)


@given(parts, st.randoms())
def test_order_of_keys_and_inputs_does_not_matter(part: dict[str, Any], random: Any) -> None:
    shuffled = list(part["parameters"].items())
    random.shuffle(shuffled)
    inputs = list(part["inputs"])
    random.shuffle(inputs)
    other = part | {"parameters": dict(shuffled), "inputs": inputs}
    assert identity.run_key(**part) == identity.run_key(**other)


@given(parts, st.sampled_from(["stage", "name", "code", "lock", "seed", "inputs", "parameters"]))
def test_each_part_of_the_identity_counts(part: dict[str, Any], which: str) -> None:
    changed: dict[str, Any] = {
        "seed": part["seed"] + 1,
        "inputs": [*part["inputs"], "beef"],
        "parameters": part["parameters"] | {"a longer name": 1},
    }
    other = part | {which: changed.get(which, f"{part[which]}x")}
    assert identity.run_key(**part) != identity.run_key(**other)


@given(parts, parts)
def test_two_keys_are_equal_only_for_equal_parts(a: dict[str, Any], b: dict[str, Any]) -> None:
    same = identity.canonical(a | {"inputs": sorted(a["inputs"])}) == identity.canonical(
        b | {"inputs": sorted(b["inputs"])}
    )
    assert (identity.run_key(**a) == identity.run_key(**b)) == same


def test_what_is_not_json_has_no_identity() -> None:
    with pytest.raises(TypeError, match=r"not JSON: \w*Path"):
        identity.canonical({"file": Path("x")})
    with pytest.raises(ValueError, match="JSON compliant"):
        identity.canonical({"x": float("nan")})


def _record(path: Path, source: Path, **changed: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "stage": "simulate",
        "name": "high/particles-000000-000001",
        "parameters": {"fold": 2.5, "days": (1, 2)},
        "seed": 1,
        "inputs": [source],
        "rooms": ("model",),
        "code_digest": "c" * 64,
    }
    with recording(path, **(options | changed)) as record:
        record.metric("mice", 2)
        record.metric("mean", float("nan"))
        record.output(source)
    return json.loads(path.read_text())


def test_record_says_what_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "in.txt"
    source.write_text("mice")
    found = _record(tmp_path / "records" / "r.json", source, params_digest="abc")
    assert found["status"] == "FINISHED"
    assert found["error"] is None
    assert found["params_digest"] == "abc"
    assert found["metrics"] == {"mice": 2.0, "mean": None}
    assert found["parameters"] == {"fold": 2.5, "days": [1, 2]}
    assert found["inputs"] == found["outputs"] == {"in.txt": identity.file_digest(source)}
    assert found["start"].endswith("Z")
    assert found["start"] <= found["end"]
    assert (found["code"], found["code_digest"]) == (["model"], "c" * 64)
    assert set(found["git"]) == {"commit", "dirty"}
    assert found["environment"]["packages"]["numpy"]


def test_time_and_place_do_not_change_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set()
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        source = tmp_path / folder / f"{folder}.txt"
        source.write_text("mice")
        record = _record(tmp_path / f"{folder}.json", source, params_digest=folder)
        assert str(tmp_path) not in json.dumps(record)
        keys.add(record["run_key"])
    source.write_text("other mice")
    assert len(keys) == 1
    assert _record(tmp_path / "changed.json", source)["run_key"] not in keys


def _fail(path: Path, error: BaseException) -> None:
    with recording(path, stage="s", name="n", parameters={}) as record:
        record.metric("before", 1)
        raise error


def test_failing_block_leaves_a_failed_record_and_the_error_goes_on(tmp_path: Path) -> None:
    for error in (ValueError("step too small"), KeyboardInterrupt(), SystemExit(143)):
        path = tmp_path / "r.json"
        with pytest.raises(type(error)):
            _fail(path, error)
        found = read_record(path)
        assert found is not None
        assert found["status"] == "FAILED"
        assert found["error"] == f"{type(error).__name__}: {error}"
        assert found["metrics"] == {"before": 1.0}
        assert found["outputs"] == {}


def test_output_that_was_not_made_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with (
        pytest.raises(FileNotFoundError),
        recording(path, stage="s", name="n", parameters={}) as record,
    ):
        record.output(tmp_path / "never.parquet")
    assert (read_record(path) or {})["status"] == "FAILED"


def test_killed_job_leaves_no_record_not_even_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with recording(path, stage="s", name="n", parameters={}):
        pass
    assert path.exists()
    child = os.fork()
    if child == 0:
        with recording(path, stage="s", name="n", parameters={}):
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert list(tmp_path.iterdir()) == []


def test_record_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with (
        pytest.raises(OSError, match="disk full"),
        recording(path, stage="s", name="n", parameters={}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_records_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "records" / "simulate"
    for name in ("b/x", "a/x"):
        with recording(folder / f"{name}.json", stage="simulate", name=name, parameters={}):
            pass
    assert [r["name"] for r in read_records(tmp_path)] == ["a/x", "b/x"]
    assert read_record(folder / "missing.json") is None


def test_a_digest_of_files_follows_names_and_bytes_and_only_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for folder, one, text in (("a", "x", "1"), ("b", "x", "1"), ("c", "y", "1"), ("d", "x", "2")):
        monkeypatch.setattr(identity, "PACKAGE", tmp_path / folder)
        files = [tmp_path / folder / name for name in (f"{one}.py", "z.csv")]
        files[0].parent.mkdir()
        files[0].write_text(text)
        files[1].write_text("same")
        found.append(identity.files_digest(files))
        assert identity.files_digest([*files[::-1], files[0]]) == found[-1]
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_lock_digest_is_empty_outside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "PACKAGE", tmp_path / "site-packages" / "nichetrial")
    assert identity.lock_digest() == ""
    monkeypatch.setattr(identity, "PACKAGE", tmp_path / "workflow" / "nichetrial")
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "requirements.txt").write_text("numpy==2\n")
    (tmp_path / "pyproject.toml").write_text("")
    assert identity.lock_digest() == identity.file_digest(tmp_path / "envs" / "requirements.txt")
