"""What MLflow's pages are given to show: numbers in order, datasets, pictures, a saved view."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nichetrial.compat.mlflow_pages import view_tag
from nichetrial.records.record import recording
from nichetrial.tracking import datasets, live, measures, views
from nichetrial.tracking import descriptions as words
from nichetrial.tracking.optimum_runs import plan_optimum
from nichetrial.tracking.runs import Run
from nichetrial.tracking.study_runs import plan
from tests.support.tracked import build, jobs, study

FREE = (
    "outcome,arm,reference,horizon,difference,difference_low,difference_high\n"
    "survival_days,amd3100,high,90,2.5,1,4\n"
    "survival_days,untreated,high,90,,,\n"
    "survival_days,untreated,amd3100,90,7,7,7\n"
)
NEEDED = (
    "arm,reference,outcome,target,mice,mice_low,mice_high,largest,chance_at_largest\n"
    "amd3100,high,foci,0.8,6,5,8,20,0.99\n"
    "untreated,high,foci,0.8,,,,20,0.3\n"
    ",,foci,0.8,12,10,,20,0.9\n"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = build(tmp_path_factory.mktemp("pages"))
    (made / "comparisons" / "restricted_means.csv").write_text(FREE)
    (made / "comparisons" / "mice_needed.csv").write_text(NEEDED)
    return made


def planned(results: Path) -> list[Run]:
    return plan(study(), jobs(study()), results)


def powered(results: Path, **changed: Any) -> None:
    asked = study().power.model_dump(mode="json") | changed
    path = results / "records" / "power.json"
    with recording(
        path, stage="power", name="power", parameters={"study": {"power": asked}}, seed=7
    ):
        pass


def test_an_arm_begins_with_the_numbers_it_is_judged_by(results: Path) -> None:
    powered(results)
    parent, reference, drug, untreated, _ = planned(results)
    assert list(drug.metrics)[:11] == [
        "effect/foci_ratio_median",
        "effect/foci_ratio_low",
        "effect/foci_ratio_high",
        "effect/foci_probability_fewer",
        "effect/foci_responders",
        "effect/survival_days_gained",
        "effect/survival_days_gained_low",
        "effect/survival_days_gained_high",
        "mice_needed",
        "mice_needed_low",
        "mice_needed_high",
    ]
    assert drug.metrics["effect/survival_days_gained"] == 2.5
    assert drug.metrics["mice_needed"] == 6
    assert drug.metrics["effect/burden_ratio_median"] == 0.3
    assert "mice_needed" not in untreated.metrics
    assert untreated.metrics["chance_with_20_mice"] == 0.3
    assert not any("gained" in name for name in untreated.metrics)
    assert parent.metrics["mice_needed"] == 12
    assert parent.metrics["chance_with_20_mice"] == 0.9
    told = (
        "effect/foci_ratio_median",
        "effect/foci_ratio_high",
        "effect/burden_ratio_median",
        "effect/survival_days_gained",
    )
    assert [reference.metrics[name] for name in told] == [1, 1, 1, 0]
    assert not any(name.startswith(("mice_needed", "chance")) for name in reference.metrics)


def test_mice_needed_for_another_question_are_not_told(results: Path) -> None:
    powered(results, chance=0.5)
    assert not any("mice_needed" in run.metrics for run in planned(results))


def test_the_reference_has_only_what_some_arm_has() -> None:
    effects = [{"outcome": "foci", "ratio": "nan", "ratio_low": "", "ratio_high": ""}]
    assert measures.of_the_reference(effects, []) == {}


def test_while_jobs_run_an_arm_has_no_metric_that_charts_would_begin_with(results: Path) -> None:
    shown = live.so_far(planned(results))
    arms = [run for run in shown if run.tags["nichetrial.role"] == "arm"]
    assert len(arms) == 3
    assert not any(run.metrics for run in arms)


def test_datasets_are_the_same_in_any_chunks_and_others_with_another_seed() -> None:
    drawn = {"code_digest": "c", "inputs": {"priors.csv": "p"}}
    cohort = {"particles": 4, "mice_per_particle": 1, "overrides": {}}
    one = datasets.mice(study(), cohort, [drawn])
    assert datasets.mice(study(), cohort, [drawn, drawn]) == one
    for other in (
        datasets.mice(study(seed=8), cohort, [drawn]),
        datasets.mice(study(), cohort | {"particles": 5}, [drawn]),
        datasets.mice(study(), cohort, [drawn | {"code_digest": "d"}]),
        datasets.mice(study(), cohort, [drawn | {"inputs": {"priors.csv": "q"}}]),
    ):
        assert other.digest != one.digest


def test_what_each_run_read(results: Path) -> None:
    parent, *arms, comparison = planned(results)
    assert [d.context for d in parent.datasets] == ["study", "mice", "outcomes", "colonies"]
    assert [d.context for d in comparison.datasets] == ["mice", "outcomes"]
    assert all(arm.datasets == comparison.datasets[:1] for arm in arms)


def test_pictures_are_shown_below_a_link_to_them() -> None:
    names = ["figures/dose.png", "figures/foci.png", "figures/foci.svg", "report.html", "a/b.png"]
    lines = words.located("\n".join(words.pictures(names)), "4", "abc").splitlines()
    at = "#/experiments/4/runs/abc/artifacts/figures"
    assert lines == [
        f"**[foci]({at}/foci.svg?workflowType=machine_learning)**",
        "",
        "![foci](get-artifact?path=figures%2Ffoci.svg&run_uuid=abc)",
        "",
        f"**[dose]({at}/dose.png?workflowType=machine_learning)**",
        "",
        "![dose](get-artifact?path=figures%2Fdose.png&run_uuid=abc)",
    ]


class Client:
    """As much of MLflow's as a view takes."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.calls = 0

    def get_experiment(self, _: str) -> Client:
        return self

    def set_experiment_tag(self, _: str, key: str, value: str) -> None:
        self.calls += 1
        self.tags[key] = value


def test_the_view_has_the_effect_and_what_differs_and_is_saved_once(results: Path) -> None:
    client, runs = Client(), planned(results)
    for _ in range(2):
        views.offer(client, "1", runs)  # type: ignore[arg-type]
    assert client.calls == 1
    assert list(client.tags) == [view_tag("small")]
    state = json.loads(json.loads(client.tags[view_tag("small")])["state"])
    assert state["orderByKey"] == "metrics.`effect/foci_ratio_median`"
    assert state["selectedColumns"] == [
        "metrics.`effect/foci_ratio_median`",
        "metrics.`effect/foci_ratio_low`",
        "metrics.`effect/foci_ratio_high`",
        "metrics.`effect/foci_probability_fewer`",
        "params.`treatment.amd3100`",
        "params.`timp1_vector.fold`",
        "params.`timp1_vector.onset_day`",
    ]
    assert state["columnOrder"][2:] == state["selectedColumns"]
    assert runs[0].key in state["searchFilter"]
    views.offer(client, "1", live.so_far(runs))  # type: ignore[arg-type]
    state = json.loads(json.loads(client.tags[view_tag("small")])["state"])
    assert state["orderByKey"] == "attributes.start_time"


def test_a_search_for_a_schedule_tells_what_it_found(results: Path) -> None:
    arm = study().arm("amd3100").model_dump(mode="json")
    searched = {
        "arm": "amd3100",
        "treatment": 0,
        "budget": 400.0,
        "dose": [1.0, 40.0],
        "start": [0.0, 8.0],
        "every": [0.5, 4.0],
        "particles": 2,
        "evaluations": 2,
    }
    asked = {"arms": [arm], "optimise": searched}
    (results / "comparisons" / "evaluations.csv").write_text(
        "evaluation,dose,start,every,doses,total,ratio\n"
        "0,5,2,0.5,29,145,0.5\n1,4.4721,4,1,1,4.4721,0.6\n"
    )
    (results / "comparisons" / "optimum.csv").write_text(
        "schedule,dose,start,every,doses,total,ratio,ratio_low,ratio_high\n"
        "own,5,2,0.5,29,145,0.5,0.4,0.6\nbest,4.4721,4,1,1,4.4721,0.6,0.5,0.7\n"
    )
    path = results / "records" / "optimise.json"
    with recording(path, stage="optimise", name="optimise", parameters={"study": asked}, seed=7):
        pass
    parent, own, first = plan_optimum(study(optimise=searched), results)
    assert own.name == "own: 29 doses of 5 mg/kg every 0.5 d from day 2"
    assert first.name == "1: 1 dose of 4.47 mg/kg every 1 d from day 4"
    assert (parent.child, own.child, first.child) == (False, True, True)
    assert first.metrics == {"expected_foci_ratio": 0.6}
    row = "| the best found&emsp; | 4.47 | 1 | 4.47 | 4 | 0.60 (0.50 to 0.70) |"
    assert row in parent.tags["mlflow.note.content"].splitlines()
    assert views.named([parent, own, first]) is None
