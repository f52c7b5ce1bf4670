"""Fronts of several criteria: by hand, and what must always hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nichetrial.compare.ranking import amount, fronts, injections
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
