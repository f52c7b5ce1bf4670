"""A tiny calibration, from findings to the scoreboard and into a trial."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from nichetrial.evidence.findings import all_findings
from nichetrial.evidence.scoreboard import SCOREBOARD
from nichetrial.tables import read
from tests.support.runs import STUDY, nichetrial, parquet

pytestmark = [pytest.mark.slow]

VARIANTS = ("full", "monotonic")
SMALL = """\
# a comment
study: {name: small}
cohort: {particles: 5, mice_per_particle: 2, population: own}
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge: {route: intravenous, cells: 1e6 cells, day: 4 d}
  readout: {day: 11 d, end: 11 d}
arms:
  untreated: {timp1_vector: none}
  timp1_high: {}
  anti_ly6g:
    treatments: [{drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d}]
comparisons: {reference: timp1_high}
figures: {formats: [png], dpi: 50, dose_folds: [1, 10, 1e5]}
calibration:
  particles: 20
  generations: 1
  moves: 1
  mice: 2
  chunk: 10
  sobol: 16
  map_points: 2
  map_particles: 4
  variants: [full, monotonic]
  fit: [my/fit.csv]
  predict: [my/predict.csv]
"""
HEAD = (
    "id,set,finding,experiment,arm,reference,outcome,statistic,direction,value,low,high,source,"
    "citation,trust\n"
)
FIT = HEAD + "M1,A,Ours: more SDF-1,mine,high,control,sdf1,ratio,up,,1.01,,we 2026,,read\n"
PREDICT = HEAD + "M2,B,Ours: burden,mine,high,,burden,mean,value,,0,1e12,we 2026,,read\n"
EXPERIMENT = """\
study: {name: mine}
experiment:
  timp1_vector: {fold: 3, onset: 0 d}
  challenge: {route: intravenous, cells: 1e5 cells, day: 4 d}
  readout: {day: 11 d, end: 11 d}
arms:
  control: {timp1_vector: none}
  high: {}
comparisons: {reference: control}
"""


def lay_out(folder: Path, study: str = SMALL) -> Path:
    (folder / "my").mkdir(parents=True)
    (folder / STUDY).write_text(study)
    (folder / "my" / "mine.yaml").write_text(EXPERIMENT)
    (folder / "my" / "fit.csv").write_text(FIT)
    (folder / "my" / "predict.csv").write_text(PREDICT)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, str]:
    """A calibration on two cores, which no test changes, and what it said."""
    folder = lay_out(tmp_path_factory.mktemp("calibrated") / "my studies")
    done = nichetrial(folder, "calibrate", STUDY, "--cores", "2")
    assert done.returncode == 0, done.stdout
    return folder, done.stdout


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of the calibration, to be changed."""
    copy = tmp_path / "my studies"
    shutil.copytree(finished[0], copy, symlinks=True)
    return copy


@pytest.fixture
def fresh(tmp_path) -> Path:
    return lay_out(tmp_path / "new")


def evidence(folder: Path) -> Path:
    return folder / "results" / "small" / "evidence"


def rows(folder: Path) -> list[dict[str, str]]:
    with open(evidence(folder) / "scoreboard.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def tables(folder: Path) -> dict[str, bytes]:
    """All tables of the evidence but the chunks of particles."""
    found = parquet(evidence(folder))
    return {name: data for name, data in found.items() if "/particles/" not in name}


def would_run(folder: Path, *command: str) -> set[str]:
    told = nichetrial(folder, *command, STUDY, "--dry-run")
    assert told.returncode == 0, told.stdout
    return set(re.findall(r"^  (.+?)  \(", told.stdout, re.M))


def test_everything_is_there(finished):
    names = {
        f"{v}/{t}.parquet"
        for v in VARIANTS
        for t in ("population", "generations", "posterior", "experiments")
    }
    names |= {
        f"{v}/particles/{g}/{c}.parquet"
        for v in VARIANTS
        for g in ("000", "001")
        for c in ("000000-000009", "000010-000019")
    }
    names |= {
        f"{t}.{kind}"
        for kind in ("parquet", "csv")
        for t in ("scoreboard", "sobol", "decisions", "dose_arms", "turns", "phase_map")
    }
    names |= {"metrics.json"}
    assert {n for n in names if not (evidence(finished[0]) / n).is_file()} == set()
    assert not list((finished[0] / "results").rglob("*.part"))
    assert not (finished[0] / "results" / "small" / "simulations").exists()


def test_the_scoreboard_has_each_finding_for_each_variant(finished):
    found = rows(finished[0])
    assert list(found[0]) == list(SCOREBOARD)
    ids = [f.id for f in all_findings()]
    a = [i for i in ids if i.startswith("A")]
    expected = [*a, "M1", *ids[len(a) :], "M2"]
    for variant in VARIANTS:
        assert [r["finding"] for r in found if r["variant"] == variant] == expected
    assert {r["verdict"] for r in found} <= {"hit", "miss"}
    own = {r["finding"]: r for r in found if r["variant"] == "full"}
    assert (own["M1"]["set"], own["M2"]["set"]) == ("A", "B")
    assert own["M2"]["what"] == "Ours: burden"
    # what is read is what was simulated
    simulated = read(evidence(finished[0]) / "full" / "experiments.parquet")
    assert list(simulated.columns) == ["particle", *expected]
    assert float(own["M1"]["predicted"]) == pytest.approx(np.median(simulated["M1"]))


def test_hits_and_misses_are_told(finished):
    said = finished[1]
    for variant in VARIANTS:
        own = [r for r in rows(finished[0]) if r["variant"] == variant]
        cells = []
        for name in "AB":
            of = [r["verdict"] == "hit" for r in own if r["set"] == name]
            cells.append(f"{sum(of)} of {len(of)}")
        assert re.search(rf"^{variant} +{cells[0]} +{cells[1]}  ", said, re.M)
    assert "results/small/evidence/scoreboard.csv" in said
    assert "Traceback" not in said


def test_particles_come_nearer(finished):
    for variant in VARIANTS:
        curve = read(evidence(finished[0]) / variant / "generations.parquet")
        assert list(curve["generation"]) == [0, 1]
        assert curve["limit"][1] < curve["limit"][0]
        last = read(*sorted((evidence(finished[0]) / variant / "particles" / "001").iterdir()))
        assert (last["distance"] <= curve["limit"][1]).all()
        assert list(last["slot"]) == list(range(20))
    mono = read(evidence(finished[0]) / "monotonic" / "population.parquet")
    assert mono["mmp_ki"].nunique() == 1
    assert read(evidence(finished[0]) / "full" / "population.parquet")["mmp_ki"].nunique() > 1


def test_a_second_run_has_nothing_to_do(folder):
    results = folder / "results"
    before = {p: p.stat().st_mtime_ns for p in results.rglob("*") if p.is_file()}
    again = nichetrial(folder, "calibrate", STUDY, "--cores", "2")
    assert again.returncode == 0, again.stdout
    assert "nothing to do" in again.stdout
    assert re.search(r"^full +\d+ of 13 +\d+ of 10", again.stdout, re.M)
    assert {p: p.stat().st_mtime_ns for p in results.rglob("*") if p.is_file()} == before


def test_killed_and_taken_up_on_one_core_with_other_chunks_it_is_the_same(fresh, finished):
    """Particles, findings' numbers and all that follows: to the byte."""
    (fresh / STUDY).write_text(SMALL.replace("  chunk: 10\n", "  chunk: 15\n"))
    with open(fresh / "said.txt", "w") as said:
        run = subprocess.Popen(
            [sys.executable, "-m", "nichetrial", "calibrate", STUDY, "--cores", "1"],
            cwd=fresh,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 300
    pattern = r"calibrate (\w+), generation (\d+), particles (\d+-\d+) done\n"
    while len(re.findall(pattern, (fresh / "said.txt").read_text())) < 2:
        assert run.poll() is None, (fresh / "said.txt").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):  # those of a killed run end by themselves
            child.kill()
    run.wait()
    psutil.wait_procs(children, timeout=30)
    before = re.findall(pattern, (fresh / "said.txt").read_text())
    assert not (evidence(fresh) / "scoreboard.parquet").exists()

    again = nichetrial(fresh, "calibrate", STUDY, "--cores", "1")
    assert again.returncode == 0, again.stdout
    assert not set(before) & set(re.findall(pattern, again.stdout))
    mine, theirs = tables(fresh), tables(finished[0])
    assert len(mine) >= 4 * len(VARIANTS) + 6
    assert list(mine) == list(theirs)
    assert {name for name in mine if mine[name] != theirs[name]} == set()


def test_its_own_population_feeds_the_trial(folder):
    done = nichetrial(folder, "run", STUDY, "--cores", "2", "--until", "parameters")
    assert done.returncode == 0, done.stdout
    assert "calibrate " not in done.stdout  # what is there is not made again
    drawn = folder / "results" / "small" / "parameters"
    typical = read(drawn / "particles-000000-000004.typical.parquet")
    mice = read(drawn / "particles-000000-000004.mice.parquet")
    particles = read(evidence(folder) / "full" / "population.parquet")
    assert typical["row"].between(0, 19).all()
    ki = particles["mmp_ki"].to_numpy()[typical["row"]]
    assert (typical["mmp_ki"] == ki).all()
    assert (mice["mmp_ki"].to_numpy() == ki[mice["particle"]]).all()


CALIBRATE = {
    f"calibrate {v}, generation {g}, particles {c}"
    for v in VARIANTS
    for g in ("0", "1")
    for c in ("0-9", "10-19")
}
JUDGED = {"judge the predictions"} | {f"predict all findings by {v}" for v in VARIANTS}


@pytest.mark.parametrize(
    ("old", "new", "among", "none_of"),
    [
        ("# a comment", "# another", set(), {"judge the predictions", *CALIBRATE}),
        ("sobol: 16", "sobol: 32", {"find the parameters that decide"}, JUDGED | CALIBRATE),
        ("map_points: 2", "map_points: 3", {"take the two arms of TIMP-1 apart"}, CALIBRATE),
        ("generations: 1", "generations: 2", JUDGED, CALIBRATE),
    ],
)
def test_a_change_of_the_study_runs_these_jobs(folder, old, new, among, none_of):
    assert SMALL.count(old) == 1
    (folder / STUDY).write_text(SMALL.replace(old, new))
    jobs = would_run(folder, "calibrate")
    assert among <= jobs
    assert not none_of & jobs


def test_a_finding_that_is_changed_is_fitted_or_judged_anew(folder):
    (folder / "my" / "predict.csv").write_text(PREDICT.replace("1e12", "1e11"))
    jobs = would_run(folder, "calibrate")
    assert jobs >= JUDGED
    assert not CALIBRATE & jobs
    (folder / "my" / "fit.csv").write_text(FIT.replace("1.01", "1.02"))
    assert would_run(folder, "calibrate") >= CALIBRATE | JUDGED


def test_an_experiment_of_ones_own_that_is_changed_is_done_again(folder):
    (folder / "my" / "mine.yaml").write_text(EXPERIMENT.replace("fold: 3", "fold: 30"))
    assert would_run(folder, "calibrate") >= CALIBRATE | JUDGED


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("my/fit.csv", ",up,", ",upp,", "my/fit.csv:2: NT028 "),
        ("my/fit.csv", "M1,A", "A1,A", ": NT028 "),
        ("my/predict.csv", "M2,B", "M2,A", "my/predict.csv:2: NT027 "),
        ("my/predict.csv", ",mine,", ",../mine,", "my/predict.csv:2: NT028 "),
        ("my/fit.csv", ",mine,", ",yours,", "my/yours.yaml: NT001 "),
        ("my/mine.yaml", "  high: {}", "  low: {}", "my/mine.yaml: NT015 "),
        ("my/mine.yaml", "route: intravenous", "route: air", "my/mine.yaml:4: "),
        (STUDY, "my/fit.csv", "my/none.csv", "calibration.fit[0]: NT026 "),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(fresh, file, old, new, told):
    path = fresh / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    before = sorted(p for p in fresh.rglob("*"))
    refused = nichetrial(fresh, "calibrate", STUDY)
    assert refused.returncode == 2, refused.stdout
    assert told in refused.stdout
    assert "Traceback" not in refused.stdout
    assert sorted(p for p in fresh.rglob("*")) == before


def test_a_run_by_its_own_population_tells_a_wrong_finding_as_well(fresh):
    (fresh / "my" / "fit.csv").write_text(FIT.replace(",up,", ",upp,"))
    refused = nichetrial(fresh, "run", STUDY, "--until", "parameters")
    assert refused.returncode == 2, refused.stdout
    assert "my/fit.csv:2: NT028 " in refused.stdout
    assert not (fresh / "results").exists()
