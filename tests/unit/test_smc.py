"""The sampler on made-up distances whose posterior is known, and its promises on draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nichetrial.cohort import smc
from nichetrial.cohort.smc import PARTICLES, Particles, Settings, effective, move, select, start
from nichetrial.cohort.space import NAMES, parameters, plausible, priors_of
from nichetrial.engine.philox import purpose, uniforms
from nichetrial.model.parameters import PARAMETERS
from nichetrial.tables import read, write

PRIORS = priors_of("full")
ONE, TWO = "mmp_ki", "sdf1_half_life"
"""Log-uniform, and in no rule of plausibility: their prior is uniform in the cube."""
OTHERS = ("cxcr4_kd", "niche_half_time", "colony_plateau", "niche_gain", "sdf1_proteolysis")
ALARM = 1e-6
"""Chance that one comparison with a closed form fails for a sound sampler under another seed."""


def axis(values: np.ndarray, name: str) -> np.ndarray:
    """Where mice (n, NAMES) lie along a log-uniform axis of the cube."""
    p = PARAMETERS[name]
    return np.log(values[:, NAMES.index(name)] / p.a) / np.log(p.b / p.a)


def box(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """0 for 0.2 <= u_1 <= 0.5."""
    u = axis(values, ONE)
    return np.maximum(np.maximum(0.2 - u, u - 0.5), 0.0)


def band(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """0 for 0.9 <= u_1 + u_2 <= 1.1: two parameters that only together are known."""
    return np.maximum(np.abs(axis(values, ONE) + axis(values, TWO) - 1.0) - 0.1, 0.0)


def lucky(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """0 with the chance 1/4 + 3/4 u_1, by luck that the key of the experiment decides."""
    luck = uniforms(np.uint64(9), 0, keys, purpose("luck"), np.zeros_like(keys))
    return np.where(luck < 0.25 + 0.75 * axis(values, ONE), 0.0, 1.0)


def calibrated(distance, s: Settings, generations: int) -> list[Particles]:
    slots = np.arange(s.particles)
    found = [start(s, PRIORS, slots, distance)]
    for g in range(1, generations + 1):
        found.append(move(s, PRIORS, found[-1], slots, g, distance))
    return found


SETTINGS = Settings(seed=11, particles=2000, moves=4)


@pytest.fixture(scope="module")
def in_box() -> list[Particles]:
    return calibrated(box, SETTINGS, 6)


@pytest.fixture(scope="module")
def in_band() -> list[Particles]:
    return calibrated(band, SETTINGS, 8)


@pytest.fixture(scope="module")
def by_luck() -> list[Particles]:
    return calibrated(lucky, SETTINGS, 8)


def families(p: Particles) -> float:
    """Independent points at the least: all that descend from one draw are counted as one."""
    _, sizes = np.unique(p.origin, return_counts=True)
    return float(sizes.sum() ** 2 / np.sum(sizes.astype(float) ** 2))


def agrees(p: Particles, x: np.ndarray, cdf) -> bool:
    """Is the sample within the band of Dvoretzky, Kiefer and Wolfowitz around its distribution?"""
    n = len(x)
    at = cdf(np.sort(x))
    apart = max(np.max(at - np.arange(n) / n), np.max(np.arange(1, n + 1) / n - at))
    return bool(apart < np.sqrt(np.log(2 / ALARM) / (2 * families(p))))


def uniform_cdf(x):
    return np.clip(x, 0.0, 1.0)


def test_the_comparison_can_fail(in_box):
    """It tells a box from one that is a tenth of the cube off, and from no box at all."""
    p = in_box[-1]
    assert families(p) > 300
    assert not agrees(p, p.u[:, NAMES.index(ONE)], lambda x: np.clip((x - 0.3) / 0.3, 0, 1))
    assert not agrees(p, p.u[:, NAMES.index(ONE)], uniform_cdf)


def test_the_posterior_of_a_box_is_uniform_in_it(in_box):
    p = in_box[-1]
    u = p.u[:, NAMES.index(ONE)]
    assert (p.distance == 0.0).all()
    assert ((u >= 0.2) & (u <= 0.5)).all()
    assert agrees(p, u, lambda x: np.clip((x - 0.2) / 0.3, 0, 1))
    error = 0.3 / np.sqrt(12) / np.sqrt(families(p))
    assert abs(u.mean() - 0.35) < stats.norm.isf(ALARM / 2) * error
    for name in (*OTHERS, TWO):
        assert agrees(p, p.u[:, NAMES.index(name)], uniform_cdf), name


def test_the_posterior_of_a_band_keeps_the_correlation(in_band):
    p = in_band[-1]
    one, two = p.u[:, NAMES.index(ONE)], p.u[:, NAMES.index(TWO)]
    assert (p.distance == 0.0).all()
    area = 0.19

    def of_sum(s):
        below = np.where(s < 1.0, (s**2 - 0.81) / 2, 0.095 + (1 - (2 - s) ** 2) / 2)
        return np.clip(below / area, 0, 1)

    def of_one(x):
        low = 0.1 * np.minimum(x, 0.1) + np.minimum(x, 0.1) ** 2 / 2
        middle = 0.2 * np.clip(x - 0.1, 0, 0.8)
        high = np.clip(x - 0.9, 0, 0.1)
        return (low + middle + 0.2 * high - high**2 / 2) / area

    assert of_one(1.0) == pytest.approx(1.0)
    assert agrees(p, one + two, of_sum)
    assert agrees(p, one, of_one)
    assert agrees(p, two, of_one)
    assert np.corrcoef(one, two)[0, 1] < -0.95
    for name in OTHERS:
        assert agrees(p, p.u[:, NAMES.index(name)], uniform_cdf), name


def test_luck_weighs_by_the_chance_of_agreement(by_luck):
    """Were the luck of an experiment used twice, lucky particles would be kept for it."""
    p = by_luck[-1]
    assert (p.distance == 0.0).all()
    u = p.u[:, NAMES.index(ONE)]
    assert agrees(p, u, lambda x: (0.25 * x + 0.375 * x**2) / 0.625)
    assert not agrees(p, u, uniform_cdf)


# --- promises -------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["in_box", "in_band", "by_luck"])
def test_limits_never_rise_and_no_distance_exceeds_its_limit(run, request):
    generations = request.getfixturevalue(run)
    limits = [select(SETTINGS, p, g + 1)[0] for g, p in enumerate(generations)]
    assert limits == sorted(limits, reverse=True)
    for limit, p in zip(limits, generations[1:], strict=False):
        assert p.distance.max() <= limit
    for p in generations:
        assert (p.u > 0.0).all()
        assert (p.u < 1.0).all()
        assert plausible(parameters(p.u, PRIORS)).all()


@pytest.mark.parametrize(("run", "distance"), [("in_box", box), ("in_band", band)])
def test_the_distance_that_is_told_is_that_of_the_point(run, distance, request):
    for p in request.getfixturevalue(run):
        again = distance(parameters(p.u, PRIORS), p.slot)
        assert again.tobytes() == p.distance.tobytes()


def test_steps_are_taken_by_the_particles_that_moved(in_box):
    s = Settings(seed=SETTINGS.seed, particles=2000, moves=1)
    before = in_box[-1]
    after = move(s, PRIORS, before, before.slot, 7, box)
    assert (before.distance == 0.0).all()  # all continue themselves
    stayed = (before.u == after.u).all(axis=1)
    refused = after.taken == 0
    assert 0 < refused.sum() < len(refused)
    assert stayed[refused].all()
    assert stayed[~refused].mean() < 0.02  # a step along the difference of two copies is none
    assert (after.tried == 1).all()
    assert after.origin.tobytes() == before.origin.tobytes()
    for p in in_box[1:]:
        assert (p.tried == SETTINGS.moves).all()
        assert (p.taken <= p.tried).all()


def test_implausible_proposals_are_neither_simulated_nor_taken():
    asked = []

    def watch(values, keys):
        asked.append(values)
        return np.zeros(len(values))

    s = Settings(seed=4, particles=300, moves=3)
    last = calibrated(watch, s, 2)[-1]
    assert all(plausible(values).all() for values in asked)
    # with a distance that all meet, a step is taken just if it was plausible
    assert last.taken.sum() == sum(map(len, asked[-3:])) < 3 * 300


def test_every_experiment_of_a_calibration_has_luck_of_its_own():
    asked = []

    def watch(values, keys):
        asked.append(keys)
        return np.zeros(len(values))

    s = Settings(seed=4, particles=50, moves=3)
    calibrated(watch, s, 4)
    keys = np.concatenate(asked)
    assert len(np.unique(keys)) == len(keys)


S = Settings(seed=2, particles=40, moves=2)
FIRST = start(S, PRIORS, np.arange(40), band)
SECOND = move(S, PRIORS, FIRST, np.arange(40), 1, band)


def same(a: Particles, b: Particles) -> bool:
    return a.table().to_numpy().tobytes() == b.table().to_numpy().tobytes()


def joined(parts: list[Particles]) -> Particles:
    whole = pd.concat([p.table() for p in parts])
    return Particles.of(whole.sort_values("slot", kind="stable"))


@settings(max_examples=25)
@given(
    order=st.permutations(range(40)),
    cuts=st.lists(st.integers(1, 39), unique=True, max_size=6).map(sorted),
)
def test_chunks_and_order_change_nothing(order, cuts):
    chunks = [np.array(c, np.int64) for c in np.split(np.array(order), cuts)]
    assert same(joined([start(S, PRIORS, c, band) for c in chunks]), FIRST)
    assert same(joined([move(S, PRIORS, FIRST, c, 1, band) for c in chunks]), SECOND)


@settings(max_examples=10)
@given(first=st.integers(0, 39), size=st.integers(1, 40))
def test_a_chunk_that_is_moved_again_is_the_same(first, size, tmp_path_factory):
    """As when a run is taken up again: the generation before comes from its files."""
    folder = tmp_path_factory.mktemp("particles")
    for k in (0, 1):
        part = FIRST.table().iloc[20 * k : 20 * (k + 1)]
        write(part, folder / f"{k}.parquet", PARTICLES)
    whole = Particles.of(read(folder / "0.parquet", folder / "1.parquet"))
    assert same(whole, FIRST)
    slots = np.arange(first, min(first + size, 40))
    mine = move(S, PRIORS, whole, slots, 1, band)
    assert same(mine, Particles.of(SECOND.table().iloc[slots]))


def test_seed_and_generation_are_part_of_the_key():
    other = start(Settings(seed=3, particles=40, moves=2), PRIORS, np.arange(40), band)
    assert (other.u != FIRST.u).all()
    again = move(S, PRIORS, FIRST, np.arange(40), 2, band)
    assert not same(again, SECOND)


def test_a_fixed_parameter_stays_at_its_value():
    priors = priors_of("monotonic")
    slots = np.arange(40)
    p = move(S, priors, start(S, priors, slots, band), slots, 1, lambda v, k: np.zeros(len(v)))
    values = parameters(p.u, priors)
    kind, fixed, _ = priors["mmp_ki"]
    assert kind == "fixed"
    assert (values[:, NAMES.index("mmp_ki")] == fixed).all()


def test_priors_without_a_plausible_particle_end():
    priors = {**PRIORS, "anti_ly6g_depth": ("fixed", 1.0, 0.0)}
    with pytest.raises(ValueError, match="no plausible particle in 1000 draws"):
        start(Settings(seed=1, particles=3, moves=1), priors, np.arange(3), box)


def test_steps_have_no_drift(in_box):
    """From the middle of the cube, as many and as far up as down: else they were not symmetric."""
    u = np.full((2000, len(NAMES)), 0.5)
    slots, width = np.arange(2000), np.full(len(NAMES), 0.2)
    to = smc._propose(SETTINGS, in_box[0], u, width, slots, 1)
    apart = to[to != 0.5] - 0.5
    assert len(apart) > 8000
    assert abs(apart.mean()) < stats.norm.isf(ALARM / 2) * apart.std() / np.sqrt(len(apart))
    assert ((to != 0.5).sum(axis=1) > 0).mean() > 0.99  # all but differences of one particle


# --- selection ------------------------------------------------------------------------------------


def made_up(distance) -> Particles:
    n = len(distance)
    slots, none = np.arange(n), np.zeros(n, np.int64)
    u = np.random.default_rng(1).uniform(size=(n, len(NAMES)))
    return Particles(
        slot=slots, origin=slots, u=u, distance=np.asarray(distance, float), taken=none, tried=none
    )


@settings(max_examples=60)
@given(
    distance=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.0, np.inf]), min_size=2, max_size=60),
    keep=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
    generation=st.integers(1, 50),
)
def test_near_particles_continue_themselves_and_the_others_near_ones(distance, keep, generation):
    whole = made_up(distance)
    s = Settings(seed=5, particles=len(distance), moves=1, keep=keep)
    limit, continues = select(s, whole, generation)
    near = whole.distance <= limit
    assert limit in distance
    assert near.sum() >= np.ceil(keep * len(distance))
    assert (whole.distance < limit).sum() < np.ceil(keep * len(distance))
    assert (continues[near] == np.flatnonzero(near)).all()
    assert near[continues].all()


def test_each_near_particle_has_the_same_chance():
    whole = made_up([0.0] * 10 + [1.0] * 5990)
    s = Settings(seed=5, particles=6000, moves=1, keep=10 / 6000)
    limit, continues = select(s, whole, 1)
    assert limit == 0.0
    counts = np.bincount(continues[10:], minlength=10)
    assert len(counts) == 10
    assert stats.chisquare(counts).pvalue > ALARM
    assert (select(s, whole, 2)[1][10:] != continues[10:]).any()


@pytest.mark.parametrize(
    ("copies", "expected"),
    [([1, 1, 1, 1], 4.0), ([4], 1.0), ([2, 1, 1], 16 / 6), ([3, 3], 2.0), ([9, 1], 100 / 82)],
)
def test_copies_count_together_in_the_effective_number(copies, expected):
    points = np.random.default_rng(0).uniform(size=(len(copies), 5))
    assert effective(np.repeat(points, copies, axis=0)) == pytest.approx(expected)


def test_the_curve_by_hand(in_box):
    frame = smc.curve(SETTINGS, in_box)
    assert list(frame.columns) == list(smc.GENERATIONS)
    assert list(frame["generation"]) == list(range(7))
    assert frame["limit"][0] == np.inf
    assert np.isnan(frame["acceptance"][0])
    assert frame["met"][0] == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / 2000))
    assert frame["met"].iloc[-1] == 1.0
    assert frame["median"].iloc[-1] == 0.0
    assert (frame["limit"].diff().dropna() <= 0).all()
    p = in_box[-1]
    assert frame["acceptance"].iloc[-1] == p.taken.mean() / SETTINGS.moves
    assert frame["origins"].iloc[-1] == len(set(p.origin))
    assert (frame["origins"].diff().dropna() <= 0).all()
    assert frame["origins"][0] == frame["effective"][0] == 2000
