"""The promises on randomness, in what a study writes: each to the byte.

A draw depends on the seed, the mouse and the purpose, and on nothing else: not the arm, the chunk,
the worker, the order, nor how many mice there are. Of the engine alone, in any lane and company:
test_engine.py; of the whole workflow, cores and chunks included: tests/workflow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial.cohort.sample import sample
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.resolved import Distribution, Vector
from nichetrial.trial.simulate import Simulated, simulate
from tests.support import ROOT
from tests.support.mice import ARMS, SEED, arm, cohort, treatment

WHOLE = cohort(60)
LUCK = [
    "first_event",
    "foci",
    "colonies",
    "burden",
    "largest_colony",
    "metastasis_free_days",
    "survival_days",
]
"""Outcomes that the colonies' draws decide."""
SLOW = settings(max_examples=20)


def drawn(first: int, last: int, *, seed: int = SEED) -> pd.DataFrame:
    """One mouse of each of these particles."""
    return sample(seed=seed, first=first, last=last, mice=1, overrides={}).mice


def simulated(mice: pd.DataFrame, a=ARMS["amd3100"], seed: int = SEED) -> Simulated:
    """With the courses of all mice."""
    return simulate(a, mice, seed=seed, course_particles=10**9)


def table(frame: pd.DataFrame) -> list[bytes]:
    """The bytes of each column; texts as they are written."""
    return [
        c.to_numpy().tobytes() if c.dtype.kind in "ifb" else "\n".join(c).encode()
        for _, c in frame.items()
    ]


def of(frame: pd.DataFrame, mice: object) -> list[bytes]:
    """The bytes of these mice."""
    return table(frame[frame["particle"].isin(np.atleast_1d(mice))])


IN_ONE = simulated(WHOLE)


@SLOW
@given(cuts=st.sets(st.integers(1, 59), max_size=12))
def test_any_chunks_give_the_same_mice_and_the_same_results(cuts):
    edges = [0, *sorted(cuts), 60]
    chunks = [
        sample(seed=SEED, first=low, last=high - 1, mice=1, overrides={})
        for low, high in pairwise(edges)
    ]
    mice = [chunk.mice for chunk in chunks]
    assert table(pd.concat(mice)) == table(WHOLE)
    rejected = sum((chunk.rejected for chunk in chunks), start=type(chunks[0].rejected)())
    assert rejected == sample(seed=SEED, first=0, last=59, mice=1, overrides={}).rejected
    parts = [simulated(m) for m in mice]
    assert table(pd.concat([p.outcomes for p in parts])) == table(IN_ONE.outcomes)
    assert table(pd.concat([p.courses for p in parts])) == table(IN_ONE.courses)
    colonies = sum(p.colonies["colonies"] for p in parts)
    assert colonies.equals(IN_ONE.colonies["colonies"])


def test_mouse_17_alone_is_mouse_17_among_a_thousand():
    many = drawn(0, 999)
    alone = drawn(17, 17)
    assert table(alone) == of(many, 17)
    among, by_itself = simulated(many), simulated(alone)
    assert table(by_itself.outcomes) == of(among.outcomes, 17)
    assert table(by_itself.courses) == of(among.courses, 17)
    # and adding mice has left the first ones as they were
    first = np.arange(60)
    assert table(WHOLE) == of(many, first)
    assert table(IN_ONE.outcomes) == of(among.outcomes, first)


@SLOW
@given(order=st.permutations(range(12)))
def test_the_order_of_the_mice_does_not_matter(order):
    shuffled = simulated(WHOLE.iloc[list(order)]).outcomes.sort_values("particle")
    assert table(shuffled) == of(IN_ONE.outcomes, np.arange(12))


@SLOW
@given(seed=st.integers(0, 2**63 - 1), other=st.integers(0, 2**63 - 1))
def test_the_seed_decides_and_nothing_else_does(seed, other):
    found = [drawn(0, 7, seed=s) for s in (seed, seed, other)]
    assert table(found[0]) == table(found[1])
    assert (seed == other) == (table(found[0]) == table(found[2]))
    # the same mice under another seed: other colonies, not another course or expectation
    mice = WHOLE.iloc[:8]
    one, again, two = (simulated(mice, ARMS["untreated"], seed=s) for s in (seed, seed, other))
    assert table(one.outcomes) == table(again.outcomes)
    assert table(one.courses) == table(two.courses)
    plain = [c for c in one.outcomes if c not in LUCK and not c.endswith("_observed")]
    assert table(one.outcomes[plain]) == table(two.outcomes[plain])
    assert (seed == other) == one.outcomes["burden"].equals(two.outcomes["burden"])


@SLOW
@given(changed=st.sets(st.sampled_from(sorted(PARAMETERS)), min_size=1, max_size=5))
def test_a_draw_depends_on_its_purpose_alone(changed):
    """Other distributions for some parameters leave all others' draws, where none is refused."""
    overrides = {}
    for name in changed:
        p = PARAMETERS[name]
        middle = {"uniform": 0.5 * (p.a + p.b), "log_uniform": (p.a * p.b) ** 0.5}.get(p.kind, p.a)
        overrides[name] = Distribution(kind="fixed", a=middle)
    plain, found = (
        sample(seed=SEED, first=0, last=59, mice=1, overrides=own) for own in ({}, overrides)
    )
    once = np.ones(60, bool)
    for one, other in ((plain.typical, found.typical), (plain.mice, found.mice)):
        once &= (one["attempts"] == 1) & (other["attempts"] == 1)
        assert once.sum() > 20
        others = ["particle", *(n for n in PARAMETERS if n not in changed)]
        assert table(other.loc[once, others]) == table(one.loc[once, others])
        for name in changed:
            assert other[name].nunique() == 1
            assert one[name].nunique() > 50 or PARAMETERS[name].kind == "fixed"


@SLOW
@given(
    day=st.floats(11.5, 38).map(lambda x: round(x, 2)),
    drug=st.sampled_from(["amd3100", "anti_sdf1", "anti_ly6g", "mmp_inhibitor"]),
)
def test_arms_are_identical_up_to_their_first_difference(day, drug):
    """A drug after the read-out: all that was read before is the same, luck included."""
    mice = WHOLE.iloc[:9]
    a = arm(treatment(drug, 20, start=day, until=39.0))
    late, plain = simulated(mice, a), simulated(mice, ARMS["timp1_high"])
    same = [c for c in late.outcomes if not c.startswith(("metastasis_", "survival_", "death_"))]
    same.remove("steps")
    assert table(late.outcomes[same]) == table(plain.outcomes[same])
    assert table(late.colonies) == table(plain.colonies)
    before = late.courses["day"] <= day
    assert table(late.courses[before]) == table(plain.courses[before])
    shown = [c for c in late.courses if c not in ("particle", "day")]
    assert table(late.courses.loc[~before, shown]) != table(plain.courses.loc[~before, shown])
    # colonies that had been founded by then are detected on the same day in both
    for outcome in ("metastasis_free_days", "survival_days"):
        early = np.minimum(late.outcomes[outcome], plain.outcomes[outcome]) <= day
        assert table(late.outcomes.loc[early, [outcome]]) == table(
            plain.outcomes.loc[early, [outcome]]
        )


NOTHING = {
    "no drug": (arm(treatment("amd3100", 0)), ARMS["timp1_high"], {}),
    "an empty pump": (arm(treatment("mmp_inhibitor", 0, method="pump")), ARMS["timp1_high"], {}),
    "a vector of nothing": (arm(vector=Vector(fold=1.0, onset=2.0)), ARMS["untreated"], {}),
    "not absorbed": (
        arm(treatment("anti_ly6g", 10, every=1.7)),
        ARMS["timp1_high"],
        {"antibody_bioavailability": 0.0},
    ),
    "no killing": (
        arm(treatment("anti_ly6g", 10), treatment("anti_ly6g_murinised", 9, start=1.1)),
        ARMS["timp1_high"],
        {"anti_ly6g_depth": 0.0, "anti_ly6g_murinised_depth": 0.0},
    ),
    "no target": (
        ARMS["timp1_ko"].model_copy(update={"treatments": ARMS["anti_timp1"].treatments}),
        ARMS["timp1_ko"],
        {},
    ),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_treatment_without_effect_differs_in_no_mouse_and_no_number(name):
    """Number of steps included; engine-level schedules: test_engine.py."""
    treated, plain, changed = NOTHING[name]
    mice = WHOLE.assign(**changed)
    one, other = simulated(mice, treated), simulated(mice, plain)
    assert table(one.outcomes) == table(other.outcomes)
    assert table(one.courses) == table(other.courses)
    assert table(one.colonies) == table(other.colonies)
    # it is the difference that vanished, not what was to be compared
    assert (other.outcomes["status"] == "finished").all()
    assert other.outcomes["expected_foci"].nunique() == len(mice)


@pytest.mark.slow
def test_another_process_with_another_hash_seed_draws_the_same():
    code = (
        "import hashlib; from tests.support.mice import ARMS, SEED, cohort\n"
        "from tests.unit.test_randomness import simulated, table\n"
        "m = cohort(12); r = simulated(m)\n"
        "all_ = b''.join(table(m) + table(r.outcomes) + table(r.courses))\n"
        "print(hashlib.sha256(all_).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(ROOT)]),
            },
            capture_output=True,
            check=True,
            text=True,
            cwd=ROOT,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 64
