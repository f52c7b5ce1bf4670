"""Fronts of several criteria: by hand, and what must always hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nichetrial.compare.ranking import amount, fronts, injections, ranking
from tests.support.mice import treatment


def test_fronts_by_hand():
    criteria = np.array([[1.0, 0.0], [0.5, 3.0], [0.5, 4.0], [0.9, 4.0], [1.0, 0.0]])
    assert fronts(criteria).tolist() == [1, 1, 2, 3, 1]


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.integers(0, 3)))
def test_nothing_on_the_first_front_is_beaten_and_the_beaten_do_not_matter(criteria):
    front = fronts(criteria)
    assert (front >= 1).all()
    for i in np.flatnonzero(front == 1):
        better = (criteria <= criteria[i]).all(axis=1) & (criteria < criteria[i]).any(axis=1)
        assert not better.any()
    kept = criteria[front == 1]
    assert (fronts(kept) == 1).all()


def test_what_is_given_in_all():
    bolus = treatment("amd3100", 5, every=0.5, until=11.0)
    pump = treatment("amd3100", 10, every=1.0, until=10.0, method="pump")
    assert injections(bolus) == 23
    assert injections(pump) == 1
    assert round(amount(bolus), 9) == 115.0
    assert round(amount(pump), 9) == 100.0


def test_arms_are_ranked_by_the_median_over_particles(small_study):
    reference = small_study.comparisons.reference
    effects = pd.DataFrame(
        [
            {"outcome": outcome, "arm": arm.name, "reference": reference, "ratio": ratio}
            for outcome, ratio in (("burden", 9.0), ("foci", 0.5))
            for arm in small_study.arms
            if arm.name != reference
        ]
    )
    course = pd.DataFrame({"particle": [0, 0, 1], "blood_neutrophils": [1.0, 0.4, 0.8]})
    courses = {arm.name: course for arm in small_study.arms}
    table = ranking(effects, courses, small_study).set_index("arm")
    assert table["ratio"].to_dict() == {
        arm.name: 1.0 if arm.name == reference else 0.5 for arm in small_study.arms
    }
    assert table["nadir"].to_list() == pytest.approx([0.6] * len(table))
    assert (table["neutropenic"] == 0.5).all()
    lost = {name: course for name, course in courses.items() if name != reference}
    assert ranking(effects, lost, small_study).empty
