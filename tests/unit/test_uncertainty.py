"""Split of the uncertainty: on invented nested mice whose components are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import tables
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.uncertainty import SPLIT, UNCERTAINTY, uncertainty
from nichetrial.study.sections import Pair

P, A, T = 400, 6, 2
PAIR = [Pair(arm="x", reference="ref")]


def nested(sd: tuple[float, float, float], seed: int, shape=(P, A, T)) -> np.ndarray:
    """Values (particles, animals, twins) with these standard deviations of the three parts."""
    random = np.random.default_rng(seed)
    p, a, _ = shape
    return (
        sd[0] * random.normal(size=(p, 1, 1))
        + sd[1] * random.normal(size=(p, a, 1))
        + sd[2] * random.normal(size=shape)
    )


def group(values: np.ndarray, status="finished") -> pd.DataFrame:
    keys = np.indices(values.shape).reshape(3, -1)
    frame = pd.DataFrame(dict(zip(("particle", "animal", "twin"), keys, strict=True)))
    return frame.assign(status=status, **dict.fromkeys(SPLIT, values.ravel()))


def split(x: pd.DataFrame, ref: pd.DataFrame, n: int = P) -> pd.Series:
    boot = Bootstrap(seed=1, n=n, resamples=300, interval=0.95)
    return uncertainty({"x": x, "ref": ref}, PAIR, boot).iloc[0]


@pytest.fixture(scope="module")
def shared() -> np.ndarray:
    """What a mouse has in both arms; it cancels in a pair."""
    return 10.0 + nested((2.0, 3.0, 1.0), 1)


@pytest.mark.parametrize(
    "sd", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 2.0, 0.0)]
)
def test_known_components_are_found(sd, shared):
    row = split(group(shared - 4.0 + nested(sd, 2)), group(shared))
    scale = shared.mean()
    for part, true in zip(("parameters", "mice", "luck"), sd, strict=True):
        assert row[f"sd_{part}"] * scale == pytest.approx(true, abs=0.2)
        share = true**2 / sum(s**2 for s in sd)
        assert row[f"share_{part}"] == pytest.approx(share, abs=0.08)
        assert row[f"share_{part}_low"] - 1e-12 <= row[f"share_{part}"]
        assert row[f"share_{part}"] <= row[f"share_{part}_high"] + 1e-12
    assert row["effect"] == pytest.approx(-0.4, abs=0.02)
    assert row["particles"] == P


@pytest.mark.slow
def test_intervals_cover_the_true_share_about_as_often_as_they_say():
    sd, n, hits = (1.0, 1.0, 1.0), 100, 0
    zero = group(np.ones((n, 3, 2)))
    for seed in range(60):
        row = split(group(nested(sd, seed, (n, 3, 2))), zero, n)
        hits += row["share_parameters_low"] <= 1 / 3 <= row["share_parameters_high"]
    assert hits >= 50


def test_mean_squares_by_hand():
    x = np.array([[[1.0, 3.0], [5.0, 7.0]], [[10.0, 10.0], [14.0, 18.0]]])
    row = split(group(x), group(np.ones_like(x)), 2)
    # differences to 1; twins: 2, 2, 0, 8: mean 3. animals: 2 (2, 6), 2 (10, 16) -> 16, 36: mean 26
    luck, mice = 3.0, (26.0 - 3.0) / 2
    means = np.array([4.0, 13.0]) - 1.0
    parameters = (4 * np.var(means, ddof=1) - 26.0) / 4
    for part, variance in (("luck", luck), ("mice", mice), ("parameters", parameters)):
        assert row[f"sd_{part}"] == pytest.approx(np.sqrt(variance))
    assert row["share_luck"] == pytest.approx(luck / (luck + mice + parameters))
    assert row["effect"] == pytest.approx(means.mean())
    assert row["error_floor"] == pytest.approx(np.sqrt(parameters))
    assert row["error_8_paired"] == pytest.approx(np.sqrt(parameters + (mice + luck) / 8))


def test_what_mice_buy_is_what_simulated_experiments_say(shared):
    """The error with 8 mice a group: of experiments, each one particle and 8 mice in each group."""
    sd, effect = (0.5, 1.0, 1.0), -4.0
    row = split(group(shared + effect + nested(sd, 2)), group(shared))
    p = 20_000
    gain = nested((sd[0], 0, 0), 3, (p, 1, 1))[:, :, 0]  # of the particle, shared by both groups
    level = nested((2.0, 0, 0), 4, (p, 1, 1))[:, :, 0]
    mouse = np.sqrt(3.0**2 + 1.0**2)
    random = np.random.default_rng(5)
    treated = (
        level
        + effect
        + gain
        + random.normal(0, mouse, (p, 8))
        + random.normal(0, np.sqrt(2.0), (p, 8))
    )
    control = level + random.normal(0, mouse, (p, 8))
    error = (treated.mean(axis=1) - control.mean(axis=1)).std()
    assert row["error_8"] * shared.mean() == pytest.approx(error, rel=0.05)
    errors = [row[f"error_{n}"] for n in ("8", "20", "floor")]
    assert errors == sorted(errors, reverse=True)
    assert row["error_8_paired"] < row["error_8"]  # the part that both groups share cancels


def test_an_outcome_without_luck_has_none(shared):
    same = np.repeat(shared[:, :, :1], 2, axis=2)
    row = split(group(same * 0.3), group(same))
    assert row["sd_luck"] == 0
    assert row["share_luck"] == row["share_luck_high"] == 0
    assert row["share_parameters"] + row["share_mice"] == pytest.approx(1)


def test_no_effect_has_no_uncertainty(shared):
    row = split(group(shared), group(shared))
    assert row["effect"] == row["sd_parameters"] == row["sd_mice"] == row["error_floor"] == 0
    assert np.isnan(row["share_mice"])
    assert row["error_8"] > row["error_8_paired"] == 0


def test_particles_with_a_failed_mouse_are_dropped(shared, tmp_path):
    whole = group(shared - 4.0 + nested((1, 1, 1), 2))
    status = np.where(
        whole["particle"].isin([3, 77]) & (whole["animal"] == 2), "step_limit", "finished"
    )
    broken = whole.assign(status=status)
    broken.loc[broken["status"] != "finished", list(SPLIT)] = np.nan
    row = split(broken, group(shared))
    assert (row["particles"], row["dropped"]) == (P - 2, 2)
    kept = ~whole["particle"].isin([3, 77]).to_numpy()
    fewer, reference = (t[kept].reset_index(drop=True) for t in (whole, group(shared)))
    peer = split(fewer, reference, P - 2)
    for name in ("effect", "sd_parameters", "sd_mice", "sd_luck", "share_mice", "error_8"):
        assert row[name] == pytest.approx(peer[name])
    boot = Bootstrap(seed=1, n=P, resamples=20, interval=0.95)
    frame = uncertainty(
        {"ref": broken, "x": whole}, [*PAIR, Pair(arm="gone", reference="ref")], boot
    )
    assert frame["outcome"].tolist() == list(SPLIT) * 2
    assert (frame[frame["arm"] == "gone"]["dropped"] == P).all()
    tables.write(frame, tmp_path / "uncertainty.parquet", UNCERTAINTY)


def test_reference_of_zero_has_no_shares_of_it():
    row = split(group(nested((1, 1, 1), 1)), group(np.zeros((P, A, T))))
    assert np.isnan(row["effect"])
    assert np.isnan(row["error_8"])
    assert row["share_luck"] == pytest.approx(1 / 3, abs=0.1)


def test_what_is_not_balanced_is_refused(shared):
    x = group(shared)
    for broken in (x.iloc[:-1], x.iloc[::-1].reset_index(drop=True)):
        with pytest.raises(ValueError, match="not balanced"):
            split(broken, broken)
    with pytest.raises(ValueError, match="not balanced"):
        split(x, x.assign(animal=1 - x["animal"]))
    with pytest.raises(ValueError, match="two twins"):
        split(group(shared[:, :, :1]), group(shared[:, :, :1]))
    with pytest.raises(ValueError, match="bootstrap over 7"):
        split(x, x, 7)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0), st.floats(-50, 50))
def test_shares_do_not_depend_on_unit_or_shift(seed, unit, shift):
    shape = (12, 3, 2)
    base, effect = 5.0 + nested((1, 1, 1), seed, shape), nested((1, 2, 1), seed + 1, shape)
    one = split(group(base + effect), group(base), 12)
    other = split(group(unit * (base + effect + shift)), group(unit * base), 12)
    for part in ("parameters", "mice", "luck"):
        assert other[f"share_{part}"] == pytest.approx(one[f"share_{part}"], abs=1e-6)
        assert other[f"sd_{part}"] == pytest.approx(one[f"sd_{part}"], rel=1e-5, abs=1e-6)
