"""Sweeps become arms: the same as written by hand, with names that do not depend on the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nichetrial.study.comparison_checks import contents
from nichetrial.study.load import load_text
from nichetrial.study.resolved import ResolvedStudy
from tests.support.broken_studies import SOUND


def swept(*lines: str, arm: str = "amd3100", more: str = "") -> ResolvedStudy:
    text = "".join(f"    {line}\n" for line in (f"arm: {arm}", *lines))
    arms = SOUND.replace("comparisons:\n", f"{more}sweeps:\n  s:\n{text}comparisons:\n")
    return load_text(arms)


def doses(values: list[int]) -> str:
    return f"grid: {{treatments.amd3100.dose: [{', '.join(f'{v} mg/kg' for v in values)}]}}"


def test_a_swept_arm_is_the_arm_written_by_hand():
    hand = (
        "  hand:\n    treatments:\n"
        "      - {drug: amd3100, dose: 7 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n"
    )
    study = swept(doses([3, 7]), more=hand)
    assert contents(study.arm("s_7mgkg")) == contents(study.arm("hand"))
    assert contents(study.arm("s_3mgkg")) != contents(study.arm("hand"))


@given(st.lists(st.integers(1, 99), min_size=2, max_size=6, unique=True), st.randoms())
def test_name_and_content_of_an_arm_do_not_depend_on_the_other_values(values, random):
    some = values[: max(2, len(values) // 2)]
    shuffled = sorted(values, key=lambda _: random.random())
    few, many = swept(doses(some)).sweep("s").arms, swept(doses(shuffled)).sweep("s").arms
    kept = {arm.name: arm for arm in many}
    assert len(kept) == len(values)
    assert all(kept[arm.name] == arm for arm in few)


def test_a_dose_of_nothing_is_no_treatment():
    study = swept(doses([0, 5]))
    assert study.arm("s_0mgkg").treatments == ()
    assert contents(study.arm("s_0mgkg")) == contents(study.arm("high"))


def test_a_grid_is_every_combination_and_its_points_are_in_the_units_of_its_axes():
    study = swept(
        "grid:",
        "  treatments.amd3100.start: [0 d, 36 h]",
        "  treatments.amd3100.duration: [2 d, 4 d, 7 d]",
        "  challenge.day: [3 d]",
    )
    sweep = study.sweep("s")
    assert [arm.name for arm in sweep.arms] == [
        "s_0d_2d",
        "s_0d_4d",
        "s_0d_7d",
        "s_36h_2d",
        "s_36h_4d",
        "s_36h_7d",
    ]
    assert [axis.what for axis in sweep.axes] == ["start", "duration"]  # the rest does not vary
    assert {arm.challenge.day for arm in sweep.arms} == {3.0}
    last = study.arm("s_36h_7d").treatments[0]
    assert (last.start, last.until) == (1.5, 8.0)  # the last of 14 doses
    assert sweep.asks == "window"


def test_points_are_taken_as_they_stand_and_a_word_has_no_number():
    sweep = swept(
        "points:",
        "  - {treatments.amd3100.method: pump, treatments.amd3100.every: 24 h}",
        "  - {treatments.amd3100.method: bolus, treatments.amd3100.every: 12 h}",
    ).sweep("s")
    assert [arm.name for arm in sweep.arms] == ["s_pump_24h", "s_bolus_12h"]
    assert [arm.treatments[0].method for arm in sweep.arms] == ["pump", "bolus"]
    assert [point[0] for point in sweep.points] == [None, None]
    assert sweep.asks == "schedules"


@pytest.mark.parametrize(
    ("lines", "arm", "asks"),
    [
        (("grid: {treatments.anti_ly6g.dose: [1 mg/kg, 2 mg/kg]}",), "both", "dose_response"),
        (("grid: {treatments.1.dose: [1 mg/kg, 2 mg/kg]}",), "both", "dose_response"),
        (
            (
                "grid:",
                "  treatments.0.dose: [1 mg/kg, 2 mg/kg]",
                "  treatments.1.dose: [1 mg/kg, 2 mg/kg]",
            ),
            "both",
            "surface",
        ),
        (("grid: {timp1_vector.fold: [2, 20]}",), "high", "effects"),
        (("grid: {host.cd63: [0, 0.5]}",), "high", "effects"),
    ],
)
def test_what_is_varied_is_what_is_asked(lines, arm, asks):
    assert swept(*lines, arm=arm).sweep("s").asks == asks


def test_two_thousand_arms_are_arms_and_one_more_is_not_asked_for():
    starts = ", ".join(f"{k / 5:g} d" for k in range(50))
    study = swept(
        "grid:",
        f"  treatments.amd3100.dose: [{', '.join(f'{k} mg/kg' for k in range(1, 41))}]",
        f"  treatments.amd3100.start: [{starts}]",
    )
    assert len({arm.name for arm in study.swept}) == 2000
