"""Sound study files: what they resolve to."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import cli
from nichetrial.model.drugs import DRUGS
from nichetrial.study.load import load, load_text
from nichetrial.study.patches import merge
from nichetrial.study.resolved import Arm, ResolvedStudy, digest
from tests.support.broken_studies import SOUND


def test_an_arm_is_the_experiment_with_its_patch() -> None:
    study = load_text(SOUND)
    high, plain = study.arm("high"), study.arm("plain")
    assert high.vector is not None
    assert (high.vector.fold, high.vector.onset) == (10.0, 0.0)
    assert plain.vector is None
    assert plain.challenge == high.challenge
    assert (high.label, plain.label) == ("TIMP-1 high", "plain")


def test_treatments_in_plain_numbers() -> None:
    (given_,) = load_text(SOUND).arm("amd3100").treatments
    assert given_.amount == pytest.approx(5e6 / DRUGS["amd3100"].molar_mass)
    assert (given_.start, given_.every, given_.until) == (0.0, 0.5, 11.0)
    assert given_.written == "5 mg/kg every 12 h, day 0 to 11"
    assert given_.doses() == tuple(k / 2 for k in range(23))


def test_left_out_until_is_the_read_out_and_a_single_dose_ends_at_its_start() -> None:
    text = SOUND.replace(", every: 2 d, until: 11 d}\n  both", ", every: 2 d}\n  both")
    assert (
        load_text(text.replace("combinations:", "pairs: []\n  combinations:"))
        .arm("ly6g")
        .treatments
        == load_text(SOUND).arm("ly6g").treatments
    )
    single = SOUND.replace("every: 2 d, until: 11 d", "method: bolus").replace(
        "start: 0 d, m", "start: day 3, m"
    )
    (dose,) = load_text(single).arm("ly6g").treatments
    assert (dose.every, dose.until, dose.doses()) == (None, 3.0, (3.0,))
    assert dose.written == "10 mg/kg on day 3"


def test_an_arms_treatments_replace_those_of_the_experiment() -> None:
    shared = "  treatments: [{drug: anti_timp1, dose: 1 mg/kg, start: 1 d}]\n  readout:"
    study = load_text(SOUND.replace("  readout:", shared, 1))
    assert [t.drug for t in study.arm("high").treatments] == ["anti_timp1"]
    assert [t.drug for t in study.arm("ly6g").treatments] == ["anti_ly6g"]
    assert all(arm.treatments == () for arm in study.dose_curve)


def test_pairs_are_all_arms_against_the_reference_then_the_declared() -> None:
    declared = "  pairs: [{arm: both, reference: ly6g}]\n  combinations:"
    pairs = load_text(SOUND.replace("  combinations:", declared)).comparisons.pairs
    assert [(p.arm, p.reference) for p in pairs] == [
        ("amd3100", "high"),
        ("ly6g", "high"),
        ("both", "high"),
        ("plain", "high"),
        ("both", "ly6g"),
    ]


def test_the_dose_curve_has_stable_names() -> None:
    folds = "  dpi: 100\n  dose_folds: [1e5, 31.6, 1, 1e3]"
    curve = load_text(SOUND.replace("  dpi: 100", folds)).dose_curve
    assert [a.name for a in curve] == ["dose_1", "dose_31p6", "dose_1000", "dose_100000"]
    assert [a.vector.fold for a in curve if a.vector] == [1.0, 31.6, 1e3, 1e5]


def test_parameters_in_internal_units() -> None:
    written = """
  parameters:
    timp1_basal: {fixed: 73.5 ug/L}
    sdf1_half_life: {log_uniform: [12 h, 2 d]}
    tumour_growth: {log_normal: {median: 0.4 /d, cv: 0.5}, between_mice: 0.1}
    arrest_probability: {beta: {mean: 0.8, size: 20}}
    mobilisation: {uniform: [1, 3]}"""
    found = load_text(
        SOUND.replace("  particles: 60", "  particles: 60" + written)
    ).cohort.overrides
    assert {k: (v.kind, round(v.a, 9), v.b) for k, v in found.items()} == {
        "timp1_basal": ("fixed", 2.625, 0.0),
        "sdf1_half_life": ("log_uniform", 0.5, 2.0),
        "tumour_growth": ("log_normal", 0.4, 0.5),
        "arrest_probability": ("beta", 0.8, 20.0),
        "mobilisation": ("uniform", 1.0, 3.0),
    }
    assert {k: v.between_mice for k, v in found.items() if v.between_mice} == {"tumour_growth": 0.1}
    assert list(found) == sorted(found)  # the order in the file is no part of a study


def test_figures_never_ask_for_more_particles_than_there_are() -> None:
    figures = load_text(SOUND.replace("particles: 60", "particles: 7")).figures
    assert (figures.course_particles, figures.dose_particles) == (7, 7)


def test_a_combination_of_a_genotype_and_a_drug() -> None:
    arms = """
  ko: {host: {cd63: 0}}
  ko_amd3100:
    host: {cd63: 0}
    treatments:
      - {drug: amd3100, dose: 5000 ug/kg, start: day 0, every: 0.5 d, until: 264 h}
comparisons:"""
    text = SOUND.replace("\ncomparisons:", arms).replace(
        "    - {arm: both", "    - {arm: ko_amd3100, of: [amd3100, ko]}\n    - {arm: both"
    )
    assert [c.arm for c in load_text(text).comparisons.combinations] == ["ko_amd3100", "both"]


@given(
    particles=st.integers(1, 2**18),
    seed=st.integers(0, 2**63 - 1),
    fold=st.floats(1.5, 1e8),  # at 1 the vector does nothing and two arms are the same
    hours=st.integers(1, 263),
)
@settings(max_examples=40)
def test_a_resolved_study_survives_json(particles: int, seed: int, fold: float, hours: int) -> None:
    text = (
        SOUND.replace("particles: 60", f"particles: {particles}\n  chunk: 1000")
        .replace("seed: 7", f"seed: {seed}")
        .replace("fold: 10", f"fold: {fold!r}")
        .replace("day: 4 d", f"day: {hours} h")
    )
    study = load_text(text)
    assert study.seed == seed
    again = ResolvedStudy.model_validate_json(study.model_dump_json(indent=2))
    assert again == study
    assert digest(again) == digest(study)


@given(hours=st.integers(1, 200), dose=st.integers(1, 500))
@settings(max_examples=40)
def test_the_same_schedule_in_other_units_is_the_same_study(hours: int, dose: int) -> None:
    def given_as(start: str, amount: str) -> Arm:
        line = f"{{drug: amd3100, dose: {amount}, start: {start}}}"
        text = SOUND.replace("    timp1_vector: none", f"    treatments:\n      - {line}")
        return load_text(text).arm("plain")

    (one,) = given_as(f"{hours} h", f"{dose} mg/kg").treatments
    (other,) = given_as(f"{hours * 60} min", f"{dose * 1000} ug/kg").treatments
    assert one.model_dump(exclude={"written"}) == other.model_dump(exclude={"written"})


_LEAF = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
_TREE = st.recursive(
    st.dictionaries(st.sampled_from("abc"), _LEAF, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | _LEAF, max_size=3),
    max_leaves=8,
)


@given(base=_TREE, patches=st.lists(_TREE, min_size=1, max_size=3))
def test_patches_do_not_leak(base: dict, patches: list[dict]) -> None:
    before = deepcopy((base, patches))
    merged = [merge(base, patch) for patch in patches]
    for result, patch in zip(merged, patches, strict=True):
        assert merge(result, patch) == result  # laid over twice is laid over once
        assert all(result[k] == v for k, v in patch.items() if not isinstance(v, dict))
    for result in merged:
        for value in result.values():
            if isinstance(value, dict | list):
                value.clear()
    assert (base, patches) == before


@given(st.permutations(["amd3100", "ly6g", "both", "plain"]))
@settings(max_examples=10)
def test_an_arm_does_not_depend_on_its_neighbours(order: list[str]) -> None:
    head, _, rest = SOUND.partition("  amd3100:\n")
    body, _, tail = rest.partition("comparisons:")
    blocks: dict[str, str] = {}
    for line in ("  amd3100:\n" + body).splitlines(keepends=True):
        if line.startswith("  ") and line[2] != " ":
            name = line.strip().rstrip(":")
            blocks[name] = ""
        blocks[name] += line
    text = head + "".join(blocks[name] for name in order) + "comparisons:" + tail
    study = load_text(text)
    assert [a.name for a in study.arms] == ["high", *order]
    assert set(study.arms) == set(load_text(SOUND).arms)


def test_resolve_writes_the_study_and_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(SOUND, encoding="utf-8")
    words = ["stage", "resolve", "--file", "study.yaml", "--study", "r/study.json"]
    assert cli.main(words) == 0
    text = Path("r/study.json").read_text(encoding="utf-8")
    assert ResolvedStudy.model_validate_json(text) == load("study.yaml")
    record = json.loads(Path("r/records/resolve.json").read_text(encoding="utf-8"))
    assert (record["status"], record["stage"], record["seed"]) == ("FINISHED", "resolve", 7)
    assert sorted(p.name for p in Path("r").iterdir()) == ["records", "study.json"]
