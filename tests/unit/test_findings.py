"""Published findings as data: what ships, what is refused, and that set B is never fitted."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nichetrial import cli, codes
from nichetrial.errors import UserError
from nichetrial.evidence import findings as module
from nichetrial.evidence.finding_studies import arms_of, experiment_files
from nichetrial.evidence.findings import (
    COLUMNS,
    FITTED,
    HELD_OUT,
    OUTCOMES,
    all_findings,
    check_held_out,
    fitted_findings,
    held_out_digest,
    read_findings,
)
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.load import load_text
from nichetrial.tables import read
from nichetrial.trial.simulate import OUTCOMES as TABLE

SETS = pytest.mark.parametrize(("file", "name"), [(FITTED, "A"), (HELD_OUT, "B")], ids=["A", "B"])

STUDY = """\
study: {name: mine}
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 1e5 cells, day: 4 d}
  readout: {day: 11 d, end: 11 d}
arms:
  control: {timp1_vector: none}
  high: {}
comparisons: {reference: control}
"""
ROW = {
    "id": "M1",
    "set": "A",
    "finding": "More foci",
    "experiment": "mine",
    "arm": "high",
    "reference": "control",
    "outcome": "foci",
    "statistic": "ratio",
    "direction": "up",
    "value": "",
    "low": "",
    "high": "",
    "source": "we 2026",
    "citation": "",
    "trust": "read",
}


def write_findings(path: Path, *rows: dict[str, str], columns=COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(ROW | row for row in rows)
    return path


@pytest.fixture
def mine(tmp_path) -> Path:
    """A folder with an experiment of one's own."""
    (tmp_path / "mine.yaml").write_text(STUDY)
    return tmp_path


# --- what ships -----------------------------------------------------------------------------------


@SETS
def test_a_set_is_whole_and_in_its_folder(file, name):
    found = read_findings(file, name)
    assert len(found) >= 9
    assert {f.set for f in found} == {name}
    assert all(f.id.startswith(name) for f in found)
    for f in found:
        assert f.finding, f.id
        assert f.source, f.id
        assert f.trust in ("read", "second-hand"), f.id
        # a finding without a citation must at least say its journal and year
        assert f.citation or f.source[-4:].isdigit(), f.id
        assert f.experiment.parent == file.parent
        assert not f.value < f.low, f.id  # of what was not published, nothing is less
        assert not f.value > f.high, f.id


def test_ids_are_unique_over_both_sets():
    ids = [f.id for f in all_findings()]
    assert len(set(ids)) == len(ids) == len(read_findings(FITTED)) + len(read_findings(HELD_OUT))
    assert [f.id for f in fitted_findings()] == ids[: len(fitted_findings())]


@SETS
def test_every_experiment_has_its_arms_and_every_study_file_its_finding(file, name):
    found = read_findings(file)
    arms = arms_of(found)
    for f in found:
        assert (f.experiment, f.arm) in arms
        assert (f.experiment, f.reference) in arms or not f.reference
    assert set(experiment_files(found)) == set(file.parent.glob("*.yaml"))
    read_ = {(f.experiment, n) for f in found for n in (f.arm, f.reference) if n}
    assert set(arms) == read_


def test_arms_that_differ_in_name_alone_are_one():
    arms = arms_of(all_findings())
    assert (
        arms[FITTED.parent / "premetastatic.yaml", "timp1_high"]
        is (arms[HELD_OUT.parent / "blockade.yaml", "timp1_high"])
    )
    extreme, high = (
        arms[HELD_OUT.parent / "extreme_timp1.yaml", "timp1_extreme"],
        arms[HELD_OUT.parent / "blockade.yaml", "timp1_high"],
    )
    assert extreme is not high


def test_outcomes_are_columns_of_the_table_of_outcomes():
    assert set(OUTCOMES) <= set(TABLE)


# --- what is refused ------------------------------------------------------------------------------


def told(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_findings(path)
    return f"{caught.value.place}: {caught.value.code}"


def test_a_finding_of_ones_own_is_read_as_written(mine):
    rows = [
        {},
        {
            "id": "M2",
            "statistic": "mean",
            "reference": "",
            "direction": "value",
            "low": "1",
            "high": "2",
            "value": "1.5",
        },
        {
            "id": "M3",
            "statistic": "parameter",
            "reference": "",
            "direction": "value",
            "outcome": "mmp_ki",
            "low": "1",
            "high": "2",
        },
    ]
    one, two, three = read_findings(write_findings(mine / "f.csv", *rows))
    assert (one.id, one.set, one.experiment) == ("M1", "A", mine / "mine.yaml")
    assert math.isnan(one.value)
    assert math.isnan(one.low)
    assert (two.low, two.value, two.high) == (1.0, 1.5, 2.0)
    assert three.outcome == "mmp_ki"


WRONG: dict[str, dict[str, str]] = {
    "direction": {"direction": "upp"},
    "statistic": {"statistic": "ratios"},
    "outcome": {"outcome": "focus"},
    "outcome of another kind": {"outcome": "mmp_ki"},
    "set": {"set": "C"},
    "no number": {"value": "2,5"},
    "no lower number": {"low": "two"},
    "upside down": {"direction": "none", "low": "2", "high": "1"},
    "an empty range": {"direction": "none", "low": "1", "high": "1"},
    "half a range": {"direction": "value", "low": "1", "statistic": "mean", "reference": ""},
    "upside down, with a direction": {"low": "3", "high": "2"},
    "beyond its direction": {"high": "0.5"},
    "direction without a ratio": {"statistic": "mean", "reference": ""},
    "number outside its range": {"value": "5", "low": "1.5", "high": "2"},
    "arm against itself": {"reference": "high"},
    "the name of a column": {"id": "particle"},
    "ratio without a reference": {"reference": ""},
    "reference without a ratio": {
        "statistic": "mean",
        "direction": "value",
        "low": "1",
        "high": "2",
    },
    **{
        f"experiment {name!r}": {"experiment": name}
        for name in ("../x", "/etc/passwd", "a/b", "..", ".hidden", "a\\b", "")
    },
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_with_file_and_line(change, mine):
    path = write_findings(mine / "f.csv", {}, {"id": "M2", **change}, {"id": "M3"})
    assert told(path) == f"{path}:3: {codes.UNFIT_FINDING}"


@pytest.mark.parametrize(
    "columns",
    [(*COLUMNS, "remark"), COLUMNS[:-1], ("Id", *COLUMNS[1:])],
    ids=["unknown", "missing", "misspelt"],
)
def test_the_columns_are_told(columns, mine):
    path = write_findings(mine / "f.csv", {}, columns=columns)
    assert told(path) == f"{path}:2: {codes.UNFIT_FINDINGS}"


def test_columns_may_stand_in_any_order(mine):
    path = write_findings(mine / "f.csv", {}, columns=COLUMNS[::-1])
    assert read_findings(path) == read_findings(write_findings(mine / "g.csv", {}))


@pytest.mark.parametrize("end", [",more", None], ids=["a cell more", "a cell less"])
def test_a_row_of_another_length_is_told(end, mine):
    path = write_findings(mine / "f.csv", {}, {"id": "M2"})
    text = path.read_text().rstrip("\n")
    path.write_text(text + end if end else text.rpartition(",")[0])
    assert told(path) == f"{path}:3: {codes.UNFIT_FINDINGS}"


def test_the_line_is_that_of_the_file_after_blank_ones(mine):
    path = write_findings(mine / "f.csv", {}, {"id": "M2", "direction": "upp"})
    head, one, two = path.read_text().splitlines()
    path.write_text("\n".join([head, "", one, "", "", two]) + "\n")
    assert told(path) == f"{path}:6: {codes.UNFIT_FINDING}"


def test_a_mark_of_byte_order_is_no_column(mine):
    """Spreadsheets write one."""
    path = write_findings(mine / "f.csv", {})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [f.id for f in read_findings(path)] == ["M1"]


@pytest.mark.parametrize(
    "make",
    [
        lambda p: None,
        lambda p: p.mkdir(),
        lambda p: p.write_bytes(b"id,\xff\n"),
        lambda p: p.write_text(""),
        lambda p: write_findings(p),
        lambda p: p.write_text("id\n" + "x" * 200_000),
    ],
    ids=["missing", "folder", "not UTF-8", "empty", "only a head", "an endless cell"],
)
def test_a_file_that_holds_no_findings_is_refused(make, tmp_path):
    path = tmp_path / "f.csv"
    make(path)
    assert told(path) == f"{path}: {codes.UNFIT_FINDINGS}"


def test_a_finding_of_the_other_set_is_refused(mine):
    path = write_findings(mine / "f.csv", {}, {"id": "M2", "set": "B"})
    with pytest.raises(UserError, match=r"f\.csv:3: NT027 "):
        fitted_findings([str(path)])
    with pytest.raises(UserError, match=r"f\.csv:2: NT027 "):
        all_findings([], [str(path)])


def test_an_id_is_there_once_over_all_files(mine):
    twice = write_findings(mine / "f.csv", {}, {})
    with pytest.raises(UserError, match=r"NT028 .* M1 "):
        fitted_findings([str(twice)])
    ours = write_findings(mine / "g.csv", {"id": "A1"})
    with pytest.raises(UserError, match=r"NT028 .* A1 "):
        fitted_findings([str(ours)])
    one, two = (str(write_findings(mine / f"{k}.csv", {"set": k})) for k in ("A", "B"))
    with pytest.raises(UserError, match=r"NT028 .* M1 "):
        all_findings([one], [two])


def test_arms_and_experiments_that_do_not_exist_are_told(mine):
    found = read_findings(write_findings(mine / "f.csv", {"reference": "untreated"}))
    with pytest.raises(UserError) as caught:
        arms_of(found)
    assert (caught.value.code, caught.value.place) == (codes.NO_SUCH_ARM, str(mine / "mine.yaml"))
    found = read_findings(write_findings(mine / "f.csv", {"experiment": "yours"}))
    with pytest.raises(UserError, match=r"yours\.yaml: NT001 "):
        arms_of(found)


# --- set B is held out ----------------------------------------------------------------------------


@pytest.fixture
def copy_of_b(tmp_path, monkeypatch) -> Path:
    """A copy of set B that the module takes for the set itself."""
    folder = tmp_path / "held_out"
    shutil.copytree(HELD_OUT.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "HELD_OUT", folder / "findings.csv")
    return folder


def test_set_b_is_as_it_was_set_aside(copy_of_b):
    check_held_out()


@pytest.mark.parametrize("name", sorted(p.name for p in HELD_OUT.parent.glob("*.*")))
def test_no_file_of_set_b_changes_unseen(name, copy_of_b):
    path = copy_of_b / name
    text = path.read_bytes()
    path.write_bytes(text.replace(b"1", b"2", 1) if b"1" in text else text + b" ")
    assert path.read_bytes() != text
    with pytest.raises(UserError, match="NT029 "):
        check_held_out()
    path.write_bytes(text)
    check_held_out()
    path.unlink()
    with pytest.raises(UserError, match="NT029 "):
        check_held_out()


def test_no_file_is_added_to_set_b_or_renamed_unseen(copy_of_b):
    (copy_of_b / "more.yaml").write_text(STUDY)
    with pytest.raises(UserError, match="NT029 "):
        check_held_out()
    (copy_of_b / "more.yaml").unlink()
    (copy_of_b / "blockade.yaml").rename(copy_of_b / "blockades.yaml")
    with pytest.raises(UserError, match="NT029 "):
        check_held_out()


PARTICLES = [
    "stage",
    "particles",
    "--variant",
    "full",
    "--particles",
    "000000-000019",
    "--generation",
]
FIRST = "evidence/full/particles/000/000000-000019.parquet"
SMALL = STUDY + "calibration: {particles: 20, moves: 1, mice: 2, generations: 1, chunk: 20}\n"


def particles(folder: Path) -> dict[str, bytes]:
    """Two generations by the stage itself: file -> bytes."""
    folder.mkdir()
    study = folder / "study.json"
    study.write_text(load_text(SMALL).model_dump_json())
    for generation in ("000", "001"):
        assert cli.main([*PARTICLES, generation, "--study", str(study)]) == 0
    made = folder / "evidence" / "full" / "particles"
    return {p.parent.name: p.read_bytes() for p in made.rglob("*.parquet")}


def test_particles_do_not_depend_on_what_set_b_says(tmp_path, monkeypatch, copy_of_b):
    before = particles(tmp_path / "before")
    assert sorted(before) == ["000", "001"]
    # no findings at all, and experiments that are none: whoever reads them fails
    for path in copy_of_b.iterdir():
        path.write_text("this is neither a table nor a study\n")
    with pytest.raises(UserError):
        all_findings()
    monkeypatch.setattr(module, "HELD_OUT_DIGEST", held_out_digest())
    assert particles(tmp_path / "after") == before


def test_particles_do_depend_on_what_set_a_says(tmp_path, monkeypatch):
    """Else the test above would say nothing."""
    before = particles(tmp_path / "before")
    folder = tmp_path / "fitted"
    shutil.copytree(FITTED.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "findings.csv").read_text()
    assert text.count(",ratio,up,") >= 3
    (folder / "findings.csv").write_text(text.replace(",ratio,up,", ",ratio,down,", 1))
    monkeypatch.setattr(module, "FITTED", folder / "findings.csv")
    assert particles(tmp_path / "after") != before


@pytest.mark.slow
def test_no_row_of_set_b_is_parsed_while_particles_move(tmp_path):
    """All files that the process opens are watched: those of set B for their digest alone."""
    (tmp_path / "study.json").write_text(load_text(SMALL).model_dump_json())
    code = """
import json, sys
opened = []
def watch(event, args):
    if event == "open" and "held_out" in str(args[0]) and "__pycache__" not in str(args[0]):
        frame, names = sys._getframe(1), []
        while frame:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        opened.append([str(args[0]), bool({"held_out_digest", "files_digest"} & {*names})])
sys.addaudithook(watch)
from nichetrial import cli, codes
from nichetrial.evidence import findings
code = cli.main(sys.argv[1:])
print(json.dumps([code, opened]))
count = len(opened)
findings.read_findings(findings.HELD_OUT)
print(json.dumps(opened[count:]))
"""
    words = [*PARTICLES, "000", "--study", "study.json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (result, opened), control = map(json.loads, done.stdout.splitlines()[-2:])
    assert result == 0
    assert len(read(tmp_path / FIRST)) == 20
    assert {Path(name).name for name, _ in opened} == {
        p.name for p in HELD_OUT.parent.iterdir() if p.suffix in (".csv", ".yaml")
    }
    assert all(digest for _, digest in opened)
    # what reading a row looks like to the watch
    assert [digest for _, digest in control] == [False]


def test_a_changed_set_b_stops_a_calibration(tmp_path, monkeypatch, copy_of_b, capsys):
    (copy_of_b / "blockade.yaml").write_text("")
    study = tmp_path / "study.json"
    study.write_text(load_text(SMALL).model_dump_json())
    assert cli.main([*PARTICLES, "000", "--study", str(study)]) == 2
    assert f": {codes.HELD_OUT} " in capsys.readouterr().err
    assert not (tmp_path / FIRST).exists()


def test_parameters_of_findings_are_in_units_of_the_table():
    """A half-life of TIMP-1 of 1.1 is in hours, of which its prior is about one."""
    (f,) = [f for f in fitted_findings() if f.statistic == "parameter"]
    p = PARAMETERS[f.outcome]
    assert p.a * 24 <= f.value <= p.b * 24
    assert np.isfinite([f.low, f.high]).all()
