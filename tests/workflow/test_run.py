"""The whole workflow on a tiny study, from the study file to the report and MLflow."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from nichetrial.formatting import interval, share
from nichetrial.launch.locks import snakemakes
from nichetrial.pipeline.products import COMPARISONS, TABLES
from tests.support.runs import (
    DRAWN,
    STUDY,
    TINY,
    mlflow_runs,
    nichetrial,
    parquet,
    snakemake,
    started,
    until_said,
)

pytestmark = [pytest.mark.slow]

ARMS = ("high", "amd3100", "untreated")
CHUNKS = ("000000-000004", "000005-000009")
COMPARED = [rule for rule in COMPARISONS if rule not in ("compare_sweeps", "optimise")]


def test_everything_is_there(finished):
    results = finished[0] / "results" / "tiny"
    expected = {"study.json", "report.html", "tracking/receipt.json", "comparisons/metrics.json"}
    expected |= {f"figures/{name}.{kind}" for name in DRAWN for kind in ("png", "svg")}
    for table in (t for rule in COMPARED for t in TABLES[rule]):
        expected |= {f"comparisons/{table}.{kind}" for kind in ("parquet", "csv")}
    expected |= {"dose_curve/particles-000000-000002.parquet", "records/resolve.json"}
    for chunk in CHUNKS:
        kinds = ("typical.parquet", "mice.parquet", "rejections.csv")
        expected |= {f"parameters/particles-{chunk}.{kind}" for kind in kinds}
        for arm in ARMS:
            expected.add(f"experiments/{arm}.parquet")
            for table in ("outcomes", "courses", "colonies"):
                expected.add(f"simulations/{arm}/particles-{chunk}.{table}.parquet")
            expected.add(f"records/simulate/{arm}/particles-{chunk}.json")
            expected.add(f"logs/simulate/{arm}/particles-{chunk}.log")
    assert {name for name in expected if not (results / name).is_file()} == set()
    records = [json.loads(p.read_text()) for p in (results / "records").rglob("*.json")]
    assert {record["status"] for record in records} == {"FINISHED"}
    assert all(record["params_digest"] for record in records)


def test_progress_and_summary_are_told(finished):
    said = finished[1]
    steps = re.findall(r"^\[(\d+)/(\d+)\] +(\d+) %  \d+:\d\d elapsed", said, re.M)
    total = int(steps[0][1])
    assert [int(step) for step, _, _ in steps] == list(range(1, total + 1))
    assert steps[-1][2] == "100"
    assert re.search(r"about \d+:\d\d left  simulate amd3100, particles 0-4 done", said)
    assert re.search(
        r"AMD3100 against TIMP-1-high: .*; foci × [\d.]+ \([\d.]+ to [\d.]+\), fewer in \d+ %", said
    )
    assert "results/tiny/report.html" in said
    assert "nichetrial ui" in said
    assert "Traceback" not in said


def test_show_repeats_the_summary(finished):
    folder, said = finished[0], finished[1]
    shown = nichetrial(folder, "show", "results/tiny").stdout.strip()
    assert "AMD3100 against TIMP-1-high: " in shown
    assert shown in said


def test_runs_are_in_mlflow(finished):
    runs = mlflow_runs(finished[0])
    assert {status for _, status in runs} == {"FINISHED"}
    assert {"AMD3100", "TIMP-1-high", "Untreated"} <= {name for name, _ in runs}


def test_an_effect_is_the_same_number_in_terminal_report_and_mlflow(finished):
    folder, said = finished
    with open(folder / "results" / "tiny" / "comparisons" / "effects.csv", newline="") as stream:
        rows = {r["arm"]: r for r in csv.DictReader(stream) if r["outcome"] == "foci"}
    page = (folder / "results" / "tiny" / "report.html").read_text()
    store = folder / "results" / "mlflow" / "mlflow.db"
    for arm, label in (("amd3100", "AMD3100"), ("untreated", "Untreated")):
        row = rows[arm]
        shown = interval(row["ratio"], row["ratio_low"], row["ratio_high"])
        assert f"{label} against TIMP-1-high: " in said
        assert f"foci × {shown}, fewer in {share(row['p_fewer'])}" in said
        assert f'<td class="n">{shown}</td><td class="n">{share(row["p_fewer"])}</td>' in page
        with closing(sqlite3.connect(store)) as connection:
            metrics = dict(
                connection.execute(
                    "SELECT key, value FROM latest_metrics JOIN runs USING (run_uuid)"
                    " WHERE name = ? AND key LIKE 'effect/foci%'",
                    (label,),
                )
            )
        for column, name in (
            ("ratio", "ratio_median"),
            ("ratio_low", "ratio_low"),
            ("ratio_high", "ratio_high"),
            ("p_fewer", "probability_fewer"),
        ):
            assert metrics[f"effect/foci_{name}"] == float(row[column])


def test_a_second_run_has_nothing_to_do(folder):
    results = folder / "results"
    before = {p: p.stat().st_mtime_ns for p in results.rglob("*") if p.is_file()}
    again = nichetrial(folder, "run", STUDY)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
    assert "AMD3100 against TIMP-1-high: " in again.stdout
    assert {p: p.stat().st_mtime_ns for p in results.rglob("*") if p.is_file()} == before


def test_tracking_twice_makes_no_second_run(folder):
    before = mlflow_runs(folder)
    (folder / "results" / "tiny" / "tracking" / "receipt.json").unlink()
    again = nichetrial(folder, "run", STUDY)
    assert again.returncode == 0, again.stdout
    assert "record the runs in MLflow done" in again.stdout
    assert mlflow_runs(folder) == before


def test_bare_snakemake_makes_the_same_bytes(finished, tmp_path):
    (tmp_path / "config.yaml").write_text(TINY)
    bare = snakemake(tmp_path, "--cores", "2", "--until", "compare", "power", "dose_curve")
    assert bare.returncode == 0, bare.stdout
    mine, theirs = (parquet(f / "results" / "tiny") for f in (tmp_path, finished[0]))
    assert list(mine) == list(theirs)
    assert {name for name in mine if mine[name] != theirs[name]} == set()


def test_bare_snakemake_and_the_command_agree_on_what_is_done(folder):
    bare = snakemake(folder, "--cores", "2", "--configfile", STUDY, "--dry-run")
    assert "Nothing to be done" in bare.stdout, bare.stdout


def test_chunks_change_no_result(finished, fresh):
    (fresh / STUDY).write_text(TINY.replace("chunk: 10", "chunk: 20"))
    done = nichetrial(fresh, "run", STUDY, "--cores", "1", "--until", "comparisons")
    assert done.returncode == 0, done.stdout
    one, two = (f / "results" / "tiny" / "comparisons" for f in (fresh, finished[0]))
    assert parquet(one) == parquet(two)


def line_of(text: str) -> int:
    """Where a text stands in the tiny study."""
    return next(i for i, line in enumerate(TINY.splitlines(), 1) if text in line)


BROKEN = {
    "no such drug": ("drug: amd3100", "drug: amd3101"),
    "dose after read-out": ("start: 3 d", "start: 30 d"),
    "unknown key": ("title:", "titel:"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry"])
def test_a_broken_study_is_told_with_its_line_and_nothing_is_written(fresh, broken, dry):
    (fresh / STUDY).write_text(TINY.replace(*broken))
    refused = nichetrial(fresh, "run", STUDY, *dry)
    assert refused.returncode == 2
    assert f"{STUDY}:{line_of(broken[0])}: " in refused.stdout
    assert "Traceback" not in refused.stdout
    assert sorted(p.name for p in fresh.iterdir()) == [STUDY]


def test_a_broken_study_in_bare_snakemake_is_told_as_well(fresh):
    (fresh / STUDY).write_text(TINY.replace("drug: amd3100", "drug: amd3101"))
    refused = snakemake(fresh, "--cores", "1", "--configfile", STUDY)
    assert refused.returncode == 1
    assert f"{STUDY}:{line_of('drug: amd3100')}: " in refused.stdout
    assert "Traceback" not in refused.stdout
    assert not (fresh / "results").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no.yaml"], "no.yaml"),
        ([STUDY, "--profile", "fast"], "no profile 'fast'"),
        ([STUDY, "--cores", "0"], "number of cores"),
        ([STUDY, "--until", "figure"], "invalid choice"),
    ],
)
def test_wrong_options_are_told_before_anything_is_written(fresh, words, told):
    refused = nichetrial(fresh, "run", *words)
    assert refused.returncode == 2
    assert told in refused.stdout
    assert sorted(p.name for p in fresh.iterdir()) == [STUDY]


def _effects(folder: Path) -> dict[str, int]:
    """Arm -> mice that its effect on foci stands on."""
    with open(folder / "results" / "tiny" / "comparisons" / "effects.csv", newline="") as stream:
        return {
            r["arm"]: int(float(r["n"])) for r in csv.DictReader(stream) if r["outcome"] == "foci"
        }


def test_an_arm_that_fails_takes_no_other_with_it_and_comes_back(folder, finished, failing_arm):
    results = folder / "results" / "tiny"
    before = parquet(results)
    (results / "simulations" / "amd3100" / f"particles-{CHUNKS[1]}.outcomes.parquet").unlink()
    shutil.rmtree(folder / "results" / "mlflow")  # where the arm's run would stay FINISHED

    failed = nichetrial(folder, "run", STUDY, "--cores", "2", **failing_arm)
    assert failed.returncode == 1
    log = f"results/tiny/logs/simulate/amd3100/particles-{CHUNKS[1]}.log"
    assert "FAILED  simulate amd3100, particles 5-9" in failed.stdout
    assert "    the disk is full" in failed.stdout
    end = failed.stdout[failed.stdout.index("A tiny study: 10 possible biologies") :]
    assert log in end
    assert "not include arm amd3100" in end
    assert "AMD3100: no result, because jobs failed" in end
    assert re.search(r"Untreated against TIMP-1-high: .*; foci × [\d.]+", end)
    assert _effects(folder) == {"amd3100": 0, "untreated": 20}
    assert "AMD3100" in (results / "report.html").read_text(), failed.stdout
    assert ("AMD3100", "FAILED") in mlflow_runs(folder)

    again = nichetrial(folder, "run", STUDY, "--cores", "2", **failing_arm)
    assert again.returncode == 1
    assert "compare the arms done" not in again.stdout  # what can be had was there
    assert _effects(folder) == {"amd3100": 0, "untreated": 20}

    mended = nichetrial(folder, "run", STUDY, "--cores", "2")
    assert mended.returncode == 0, mended.stdout
    assert _effects(folder) == {"amd3100": 20, "untreated": 20}
    assert parquet(results) == before
    assert {status for _, status in mlflow_runs(folder)} == {"FINISHED"}
    assert len(mlflow_runs(folder)) == len(mlflow_runs(finished[0]))


def test_a_snakemake_that_cannot_start_says_why_itself(fresh):
    (fresh / "profile").mkdir()
    (fresh / "profile" / "config.yaml").write_text("executor: nonsense\n")
    done = nichetrial(fresh, "run", STUDY, "--profile", "profile")
    assert done.returncode == 1
    assert "no job was started" in done.stdout
    assert "nonsense" in done.stdout
    assert "Traceback" not in done.stdout


def test_until_stops_there(fresh):
    done = nichetrial(fresh, "run", STUDY, "--cores", "2", "--until", "parameters")
    assert done.returncode == 0, done.stdout
    results = fresh / "results" / "tiny"
    assert len(list((results / "parameters").glob("*.mice.parquet"))) == 2
    assert not (results / "simulations").exists()


def test_a_run_that_is_interrupted_stops_cleanly_and_goes_on(fresh):
    run = started(fresh, "--cores", "1", "--until", "simulations")
    until_said(r"draw particles \d+-\d+ done\n", run, fresh)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 130
    said = (fresh / "said.txt").read_text()
    finished = re.findall(r"draw particles \d+-\d+ done", said)
    assert "same command to continue" in said
    assert snakemakes(fresh) == []
    assert list((fresh / ".snakemake" / "locks").glob("*")) == []
    assert not list((fresh / "results").rglob("*.part"))

    again = nichetrial(fresh, "run", STUDY, "--cores", "2", "--until", "parameters")
    assert again.returncode == 0, again.stdout
    assert not [job for job in finished if job in again.stdout]


def test_a_run_that_is_killed_is_taken_up_again(fresh, finished):
    run = started(fresh, "--cores", "1", "--until", "parameters")
    until_said(r"draw particles \d+-\d+ done\n", run, fresh)
    children = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    for child in children:
        child.kill()
    run.wait()
    psutil.wait_procs(children, timeout=30)
    assert list((fresh / ".snakemake" / "locks").glob("*")), "nothing to recover from"

    again = nichetrial(fresh, "run", STUDY, "--cores", "2", "--until", "parameters")
    assert again.returncode == 0, again.stdout
    assert "was killed and left its lock; cleared" in again.stdout
    mine, theirs = (parquet(f / "results" / "tiny" / "parameters") for f in (fresh, finished[0]))
    assert mine == theirs


def test_two_runs_in_one_folder_are_refused(fresh):
    run = started(fresh, "--cores", "1", "--until", "parameters")
    try:
        until_said("to run: ", run, fresh)
        second = nichetrial(fresh, "run", STUDY)
        assert second.returncode == 1
        assert f"another nichetrial run works in {os.path.realpath(fresh)}" in second.stdout
    finally:
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=60) == 143
