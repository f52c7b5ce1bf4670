"""What a results folder plans for MLflow; and ``build``, which makes a small results folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nichetrial.compat.mlflow_pages import DESCRIPTION_LIMIT
from nichetrial.errors import UserError
from nichetrial.records.record import recording
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.study_runs import plan
from tests.support.tracked import (
    COMPARISON,
    LABELS,
    PARENT,
    build,
    compare,
    jobs,
    planned,
    simulate,
    study,
)

LATER = "2999-01-01T00:00:00.000Z"


HIGH, AMD, UNTREATED = LABELS.values()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return build(tmp_path)


def test_one_run_for_study_each_arm_and_comparison(results: Path) -> None:
    runs = planned(results)
    assert list(runs) == [PARENT, HIGH, AMD, UNTREATED, COMPARISON]
    assert {run.status for run in runs.values()} == {"FINISHED"}
    assert len({run.key for run in runs.values()}) == 5
    assert all(run.start <= run.end for run in runs.values())
    assert runs[PARENT].start <= min(r.start for r in runs.values())
    assert runs[PARENT].end >= max(r.end for r in runs.values())


def test_params_that_differ_come_first_in_plain_words(results: Path) -> None:
    runs = planned(results)
    amd = runs[AMD].params
    assert list(amd)[:3] == ["timp1_vector.fold", "timp1_vector.onset_day", "treatment.amd3100"]
    assert amd["timp1_vector.fold"] == "2.5"
    assert amd["treatment.amd3100"] == "5 mg/kg every 12 h from day 2 to day 16"
    assert all(name.startswith("unchanged.") for name in list(amd)[3:])
    assert amd["unchanged.challenge.cells"] == "500000"
    assert runs[UNTREATED].params["timp1_vector.fold"] == "none"
    assert runs[HIGH].params["treatment.amd3100"] == "none"
    assert runs[PARENT].params["challenge.cells"] == "500000"
    assert runs[PARENT].params["reference"] == "high"
    assert "challenge.resection_day" not in runs[PARENT].params


def test_metrics_are_numbers_under_names_that_mlflow_takes(results: Path) -> None:
    runs = planned(results)
    amd = runs[AMD].metrics
    assert amd["foci mean"] == 3.0
    assert amd["odd_name"] == 1.0
    assert "nothing" not in amd
    assert amd["effect/foci_ratio_median"] == 0.25
    assert amd["effect/foci_responders"] == 0.9
    assert amd["effect/foci_probability_fewer"] == 0.94
    assert "burden_responders" not in amd
    untreated = runs[UNTREATED].metrics
    assert untreated["effect/foci_ratio_median"] == 0.1, "against the reference, not another arm"
    assert "effect/burden_ratio_median" not in untreated
    comparison = runs[COMPARISON].metrics
    assert comparison["largest excess"] == 0.5
    assert "not a number" not in comparison
    assert comparison["effect/foci_ratio_median.untreated.vs.amd3100"] == 0.4
    assert runs[PARENT].metrics["effect/foci_ratio_median.amd3100"] == 0.25
    curve = runs[PARENT].history["arms_finished"]
    assert [(step, value) for step, _, value in curve] == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert [at for _, at, _ in curve] == sorted(runs[n].end for n in LABELS.values())


def test_description_has_the_effects_table(results: Path) -> None:
    note = planned(results)[PARENT].tags["mlflow.note.content"]
    assert "Does it track?" in note
    assert "| AMD3100 twice daily&emsp; | 0.25 (0.20 to 0.31) | 94 % | 12 | 50 |" in note
    assert "| burden&emsp; | 0.30 | – |" in note
    own = planned(results)[AMD].tags["mlflow.note.content"]
    assert "- amd3100: 5 mg/kg every 12 h" in own
    assert "| foci&emsp; | 0.25 (0.20 to 0.31) | 94 % | 12 | 50 |" in own


def test_long_description_is_cut_at_a_line() -> None:
    of = study()
    rows = [
        {"outcome": f"outcome {i}", "arm": "amd3100", "reference": "high", "ratio": "0.5"}
        for i in range(1000)
    ]
    note = words.study_note(of, rows, [])
    assert 7000 < len(note) <= DESCRIPTION_LIMIT
    assert note.endswith("\n(shortened)")
    assert all(line.endswith("|") for line in note.splitlines() if line.startswith("|"))


def test_artifacts_of_study_and_comparison(results: Path) -> None:
    runs = planned(results)
    names = {a.name for a in runs[PARENT].artifacts}
    assert {"figures/foci.png", "figures/forest.svg", "report.html", "study.json"} <= names
    assert {"effects.csv", "envs/requirements.txt"} <= names
    assert {a.name for a in runs[COMPARISON].artifacts} == {
        "comparisons/effects.csv",
        "comparisons/metrics.json",
    }


def test_failed_missing_and_left_over_jobs(tmp_path: Path) -> None:
    of = study()
    first = build(
        tmp_path,
        failed=("amd3100/particles-000002-000003",),
        skip="untreated/particles-000000-000001",
    )
    runs = planned(first)
    assert {n: r.status for n, r in runs.items()} == {
        PARENT: "FAILED",
        HIGH: "FINISHED",
        AMD: "FAILED",
        UNTREATED: "FAILED",
        COMPARISON: "FINISHED",
    }
    assert "ArithmeticError: step too small" in runs[AMD].tags["mlflow.note.content"]
    assert "did not run, or was killed" in runs[UNTREATED].tags["mlflow.note.content"]
    assert runs[PARENT].metrics["arms_failed"] == 2

    simulate(first, of, "amd3100/particles-000002-000003")
    simulate(first, of, "untreated/particles-000000-000001")
    between = planned(first)
    assert between[AMD].status == "FINISHED"
    assert between[COMPARISON].status == "KILLED", "it was made without the two arms"
    compare(first, of, [])
    mended = planned(first)
    assert {r.status for r in mended.values()} == {"FINISHED"}
    assert {n: r.key for n, r in mended.items()} == {n: r.key for n, r in runs.items()}


@pytest.mark.parametrize("signal", [KeyboardInterrupt(), SystemExit(143)])
def test_a_job_that_was_stopped_did_not_fail(results: Path, signal: BaseException) -> None:
    name = "amd3100/particles-000002-000003"
    simulate(results, study(), name, signal)
    assert planned(results)[AMD].status == planned(results)[PARENT].status == "KILLED"
    simulate(results, study(), name, "step too small")
    assert planned(results)[AMD].status == planned(results)[PARENT].status == "FAILED"


def test_a_job_whose_mice_could_not_be_drawn_failed(results: Path) -> None:
    (results / "records" / "simulate" / "amd3100" / "particles-000002-000003.json").unlink()
    assert planned(results)[AMD].status == "KILLED"
    drawn = results / "records" / "parameters" / "particles-000002-000003.json"
    content = json.loads(drawn.read_text())
    drawn.write_text(json.dumps(content | {"status": "FAILED", "error": "OSError: disk full"}))
    assert planned(results)[AMD].status == "FAILED"


def test_a_study_without_its_report_was_stopped(results: Path) -> None:
    (results / "report.html").unlink()
    runs = planned(results)
    assert {n for n, r in runs.items() if r.status != "FINISHED"} == {PARENT}
    assert runs[PARENT].status == "KILLED"
    assert "the report is not written" in runs[PARENT].tags["mlflow.note.content"]


def test_an_arm_that_is_not_compared_yet_tells_its_mice(results: Path) -> None:
    (results / "records" / "compare.json").unlink()
    assert planned(results)[AMD].metrics == {"mice_finished": 4.0, "mice_failed": 0.0}


def test_nothing_of_an_arm_is_there(tmp_path: Path) -> None:
    results = build(tmp_path)
    before = planned(results)
    for path in (results / "records" / "simulate").rglob("*.json"):
        path.unlink()
    (results / "records" / "compare.json").unlink()
    after = planned(results)
    assert {n: r.key for n, r in after.items()} == {n: r.key for n, r in before.items()}
    assert {r.status for r in after.values()} == {"KILLED"}, "nothing failed, it was stopped"
    assert after[AMD].start == after[PARENT].start
    assert "effect/foci_ratio_median" not in after[AMD].metrics


def test_records_of_another_study_code_or_cohort_are_not_taken(results: Path) -> None:
    one = results / "records" / "simulate" / "amd3100" / "particles-000000-000001.json"
    text = one.read_text()
    kept = json.loads(text)
    (arm,) = kept["parameters"]["study"]["arms"]
    path = next(iter(kept["inputs"]))
    for changed in (
        {"seed": 8},
        {"parameters": {"study": {"arms": [arm | {"label": "before"}]}}},
        {"science": kept["science"] | {"engine": "older"}},
        {"lock_digest": "older"},
        {"inputs": {path: "other mice"}},
    ):
        one.write_text(json.dumps(kept | changed))
        run = planned(results)[AMD]
        assert run.status == "KILLED", changed
        assert "left from an earlier study" in run.tags["mlflow.note.content"]
        comparison = planned(results)[COMPARISON]
        assert comparison.status == "KILLED", "it read what is left over"
        assert not comparison.metrics
    one.write_text(text)
    assert planned(results)[AMD].status == "FINISHED"


def test_comparison_of_older_simulations_is_not_taken(results: Path) -> None:
    out = results / "simulations" / "amd3100" / "particles-000000-000001.outcomes.parquet"
    record = results / "records" / "simulate" / "amd3100" / "particles-000000-000001.json"
    content = json.loads(record.read_text())
    content["outputs"] = dict.fromkeys(content["outputs"], "new bytes")
    record.write_text(json.dumps(content))
    run = planned(results)[COMPARISON]
    assert out.exists()
    assert run.status == "KILLED"
    assert not run.metrics
    assert not run.artifacts


def test_identity_is_of_config_code_and_lock(tmp_path: Path, results: Path) -> None:
    def keys(of: ResolvedStudy, folder: str) -> set[str]:
        return {r.key for r in planned(build(tmp_path / folder, of), of).values()}

    same = {r.key for r in planned(results).values()}
    tracking = {"uri": "http://127.0.0.1:1", "experiment": "another"}
    assert keys(study(), "again") == same
    assert keys(study(tracking=tracking), "elsewhere") == same
    cohort = {"particles": 4, "mice_per_particle": 1, "chunk": 4, "overrides": {}}
    assert keys(study(cohort=cohort), "other chunks") == same
    assert not keys(study(seed=8), "other seed") & same
    assert not keys(study(cohort=cohort | {"particles": 5}), "more particles") & same
    record = next((results / "records").glob("compare.json"))
    content = json.loads(record.read_text())
    content["science"] |= {"compare": "new"}
    record.write_text(json.dumps(content | {"end": LATER}))
    assert not {r.key for r in planned(results).values()} & same


def test_code_counts_for_the_jobs_that_run_it(results: Path) -> None:
    resolve = results / "records" / "resolve.json"
    content = json.loads(resolve.read_text()) | {"end": LATER}

    def failed(changed: str) -> set[str]:
        science = content["science"] | {changed: "new"}
        resolve.write_text(json.dumps(content | {"science": science}))
        return {r.name for r in planned(results).values() if r.status == "KILLED"}

    assert failed("cohort") == set(), "none of these jobs ran it"
    assert failed("compare") == {PARENT, COMPARISON}
    assert failed("engine") == {PARENT, HIGH, AMD, UNTREATED, COMPARISON}


def test_same_arm_in_two_studies_has_one_arm_key(tmp_path: Path, results: Path) -> None:
    other = study(title="Another title")
    mine, theirs = planned(results), planned(build(tmp_path / "b", other), other)
    assert mine[AMD].key != theirs[AMD].key
    tag = "nichetrial.arm_key"
    assert mine[AMD].tags[tag] == theirs[AMD].tags[tag] != mine[HIGH].tags[tag]


def test_span_of_a_study_that_was_changed_and_of_one_that_was_not(results: Path) -> None:
    before = planned(results)[PARENT]
    with recording(results / "records" / "resolve.json", stage="resolve", name="s", parameters={}):
        pass
    resolved = planned(results)[PARENT]
    assert resolved.end >= before.end
    assert resolved.start <= min(r.start for r in planned(results).values())
    simulate(results, study(), "amd3100/particles-000000-000001")
    assert planned(results)[PARENT].start > resolved.start


def test_no_records(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run records"):
        plan(study(), jobs(study()), tmp_path)
