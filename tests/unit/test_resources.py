"""What jobs are given grows with the study and with each attempt, and is above what was used."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nichetrial.compare.bootstrap import BATCHES as BOOTSTRAP_BATCHES
from nichetrial.engine.ensemble import BIN_EDGES, grid
from nichetrial.figures.declared import FIGURES
from nichetrial.pipeline.products import COMPARISONS
from nichetrial.pipeline.resources import (
    BATCHES,
    COLONY_CLASSES,
    MEMORY_FACTOR,
    OF_TABLE,
    Needs,
    course_days,
    prices,
)
from nichetrial.pipeline.stages import STAGES
from nichetrial.study.layout import Chunk
from nichetrial.study.resolved import OptimiseSpec, Sweep, SweepAxis
from nichetrial.study.sections import PowerSpec
from nichetrial.trial.events import reading
from tests.support import ROOT
from tests.support.mice import arm, treatment

WHOLE = (*COMPARISONS, "report", "track", "sensitivity", "snakemake")
"""Rules of which there is one job a study."""


class Named(dict):
    """Wildcards as Snakemake gives them."""


def _sized(
    study,
    *,
    particles: int,
    arms: int = 4,
    resamples: int = 100,
    swept: int = 3,
    experiments: int = 100,
):
    more = tuple(arm(treatment("anti_ly6g", 5), name=f"a{k}", label=str(k)) for k in range(arms))
    points = tuple(arm(name=f"s{k}", label=str(k)) for k in range(swept))
    sweep = Sweep(
        name="dose",
        label="dose",
        base="a0",
        kind="grid",
        arms=points,
        axes=(SweepAxis(key="treatments.amd3100.dose", what="dose", drug="amd3100"),),
        points=tuple((float(k),) for k in range(swept)),
        written=tuple((str(k),) for k in range(swept)),
    )
    search = OptimiseSpec(
        arm="a0",
        treatment=0,
        budget=100.0,
        dose=(1.0, 100.0),
        start=(0.0, 8.0),
        every=(0.5, 4.0),
        particles=25,
        evaluations=10 + experiments // 10,
    )
    return study.model_copy(
        update={
            "arms": more,
            "sweeps": (sweep,),
            "optimise": search,
            "power": PowerSpec(experiments=experiments),
            "cohort": study.cohort.model_copy(update={"particles": particles}),
            "comparisons": study.comparisons.model_copy(update={"resamples": resamples}),
        }
    )


def _every(needs: Needs, chunk: str) -> dict[str, tuple[float, float]]:
    """Rule -> megabytes and minutes of the first attempt."""
    names = {rule: Named() for rule in WHOLE}
    names |= {"parameters": Named(chunk=chunk), "dose_curve": Named(chunk=chunk)}
    names |= {"simulate": Named(chunk=chunk, arm="a0"), "sweep": Named(chunk=chunk, sweep="dose")}
    names |= {"experiments": Named(arm="a0")}
    asked = {
        rule: (needs.megabytes(rule)(n, 1), needs.minutes(rule)(n, 1)) for rule, n in names.items()
    }
    for figure in FIGURES:
        named = Named(figure=figure)
        asked[f"figure {figure}"] = (
            needs.megabytes("figure")(named, 1),
            needs.minutes("figure")(named, 1),
        )
    return asked


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    particles=st.integers(1, 10**6),
    more=st.integers(0, 10**6),
    arms=st.integers(1, 8),
    further=st.integers(0, 8),
    resamples=st.integers(100, 10**5),
    experiments=st.integers(100, 10**5),
)
def test_more_of_anything_never_needs_less(
    small_study, particles, more, arms, further, resamples, experiments
):
    few = _every(
        Needs(_sized(small_study, particles=particles, arms=arms)), Chunk(0, particles - 1).name
    )
    larger = _sized(
        small_study,
        particles=particles + more,
        arms=arms + further,
        resamples=resamples,
        swept=3 + further,
        experiments=experiments,
    )
    many = _every(Needs(larger), Chunk(0, particles + more - 1).name)
    for rule, (memory, time) in few.items():
        assert many[rule][0] >= memory, rule
        assert many[rule][1] >= time, rule


def test_a_large_job_is_given_more_than_a_small_one(small_study):
    few, many = (
        _every(
            Needs(_sized(small_study, particles=n, arms=a, resamples=r, swept=s, experiments=e)),
            Chunk(0, n - 1).name,
        )
        for n, a, r, s, e in ((100, 2, 100, 3, 100), (1_000_000, 100, 20_000, 100, 10_000))
    )
    for rule in ("parameters", "simulate", "sweep", *COMPARISONS, "figure foci"):
        assert many[rule][0] > few[rule][0], rule
    for rule in ("simulate", "sweep", *COMPARISONS, "figure foci"):
        assert many[rule][1] > few[rule][1], rule


def test_an_attempt_more_is_given_twice_as_much(small_study):
    needs, named = Needs(small_study), Named(chunk="0-99", arm="high")
    for ask in (needs.megabytes("simulate"), needs.minutes("simulate")):
        assert [ask(named, k) for k in (1, 2, 3)] == [ask(named, 1) * f for f in (1, 2, 4)]


def _rules() -> dict[str, str]:
    """Name -> text of each rule that has a job."""
    texts = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    rules = [part for text in texts for part in re.split(r"^rule ", text, flags=re.M)[1:]]
    return {rule.split(":")[0]: rule for rule in rules if "shell:" in rule}


def test_every_rule_is_measured_and_given_its_own_needs():
    rules = _rules()
    assert set(rules) == STAGES.keys() - {"resolve"}
    for name, rule in rules.items():
        assert f'mem_mb=needs.megabytes("{name}")' in rule
        assert f'runtime=needs.minutes("{name}")' in rule
        known = [f"figure {figure}" for figure in FIGURES] if name == "figure" else [name]
        for one in known:
            need = prices()[one]
            assert sum(price.megabytes for price in need.values()) > 50, one
            assert sum(price.seconds for price in need.values()) > 0.5, one


def test_what_is_priced_is_there():
    figures = {f"figure {figure}" for figure in FIGURES}
    assert set(prices()) == set(_rules()) - {"figure"} | figures | {"snakemake"}


def test_what_is_priced_is_counted(small_study):
    """No price is without a load, which would be nothing for ever."""
    needs = Needs(_sized(small_study, particles=250))
    named = {"chunk": "0-99", "particles": "0-99", "sweep": "dose", "arm": "a0"}
    for rule, costs in prices().items():
        kind, _, figure = rule.partition(" ")
        loads = needs.loads(kind, figure=figure, **named)
        assert set(costs) <= {*loads, "job", "cold", "planned"}, rule


def test_every_table_of_a_figure_is_of_the_study_or_has_a_load():
    small = {
        "arms",
        "mice_needed",
        "design",
        "optimum",
        "synergy",
        "dose_curves",
        "event_free",
        "ranking",
    }
    assert {table for figure in FIGURES.values() for table in figure.shows} - small == set(OF_TABLE)


def test_a_rule_that_is_not_known_is_an_error(small_study):
    with pytest.raises(KeyError):
        Needs(small_study).of("astrology")


def test_what_is_known_of_other_parts_is_so(small_study):
    assert BATCHES == BOOTSTRAP_BATCHES
    assert len(BIN_EDGES) - 1 == COLONY_CLASSES
    for readout in ((11.0, 40.0), (11.3, 40.9), (5.0, 5.0), (7.5, 7.8)):
        changed = small_study.arms[0].readout.model_copy(
            update={"day": readout[0], "end": readout[1]}
        )
        one = small_study.arms[0].model_copy(update={"readout": changed})
        assert course_days(one) == len(grid(reading(one)))


def test_a_stage_stays_within_what_it_is_given(tmp_path, small_study):
    """One real process: memory of the stage alone must fit without the share of Snakemake."""
    study = tmp_path / "study.json"
    study.write_text(small_study.model_dump_json())
    words = ["stage", "parameters", "--study", str(study), "--chunk", "000000-000049"]
    # not ru_maxrss, in which a process begins with what its parent had before exec
    code = (
        "import sys; from nichetrial.cli import main; code = main(sys.argv[1:]); "
        "said = open('/proc/self/status').read(); "
        "print(int(said.split('VmHWM:')[1].split()[0]) / 1024); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.returncode == 0, done.stderr
    used = float(done.stdout.splitlines()[-1])
    needs = Needs(small_study)
    assert 50 < used < MEMORY_FACTOR * needs.of("parameters", chunk="0-49").megabytes
    assert used < needs.megabytes("parameters")(Named(chunk="0-49"), 1)
