"""Time to event: by hand, and what inspections leave open. Other programs: tests/validation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nichetrial import tables
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.time_to_event import (
    EVENT_FREE,
    EVENTS,
    MOST_DAYS,
    RESTRICTED_MEANS,
    Looks,
    event_free,
    looked_at,
    restricted_means,
)
from nichetrial.study.resolved import ReadOut
from nichetrial.study.sections import Pair
from nichetrial.trial.simulate import simulate
from tests.support import mice

END = 40.0
PAIR = [Pair(arm="x", reference="ref")]
ENDS = {"x": END, "ref": END, "gone": END}


def arm(days, status="finished") -> pd.DataFrame:
    """Both events on these days; none on or after END."""
    days = np.asarray(days, dtype=float)
    columns = dict.fromkeys(EVENTS, np.minimum(days, END))
    columns |= dict.fromkeys(EVENTS.values(), days < END)
    numbers = np.arange(len(days))  # each mouse of a particle of its own
    return pd.DataFrame(columns).assign(status=status, particle=numbers, animal=0)


@pytest.mark.parametrize("lethal", [1e5, 1e6, 5e8])
def test_a_dead_mouse_is_no_longer_at_risk_of_metastasis(lethal):
    """With a low lethal burden, many colonies kill before one of them can be detected."""
    readout = ReadOut(
        day=11.0, end=40.0, visible_cells=100.0, detectable_cells=65000.0, lethal_cells=lethal
    )
    table = simulate(mice.arm(readout=readout), mice.cohort(200), seed=1).outcomes
    free, alive = table["metastasis_free_days"], table["survival_days"]
    assert (free <= alive).all()
    first = table["first_event"]
    assert ((first == "none") == ~table["metastasis_observed"]).all()
    assert (free[first == "death"] == alive[first == "death"]).all()
    assert table["death_observed"][first == "death"].all()
    assert (first == "death").any() == (lethal < 5e8)
    assert (first == "metastasis").any()


def curve(days, view="always", **options) -> pd.DataFrame:
    frame = event_free({"x": arm(days)}, ["x"], ends=ENDS, **options)
    return frame[(frame["outcome"] == "survival_days") & (frame["view"] == view)]


def gained(x, ref, **options) -> pd.Series:
    boot = Bootstrap(seed=1, n=len(x), resamples=500, interval=0.95)
    options = {"ends": ENDS, "bootstrap": boot} | options
    return restricted_means({"x": x, "ref": ref}, PAIR, **options).iloc[1]


def test_kaplan_meier_by_hand():
    rows = curve([10, 20, 20, 30, 50])
    assert rows["day"].tolist() == [0, 10, 20, 30, 40]
    np.testing.assert_allclose(rows["free"], [1, 0.8, 0.4, 0.2, 0.2])
    assert rows["at_risk"].tolist() == [5, 5, 4, 2, 1]
    assert rows["events"].tolist() == [0, 1, 2, 1, 0]
    assert rows["censored"].tolist() == [0, 0, 0, 0, 1]


def test_the_band_holds_the_curves_of_the_particles():
    """Of 21 particles the k-th loses a mouse in twenty each day from day k on."""
    days = np.add.outer(np.arange(21), np.arange(1, 21)).ravel()
    particle = np.repeat(np.arange(21), 20)
    table = arm(days).assign(particle=particle, animal=np.tile(np.arange(20), 21))
    frame = event_free({"x": table}, ["x"], ends=ENDS)
    rows = frame[frame["outcome"] == "survival_days"].set_index("day")
    for day in (5.0, 10.0, 20.0):
        inside = np.sort([(days[particle == k] > day).mean() for k in range(21)])
        assert (rows["free_low"][day], rows["free_high"][day]) == pytest.approx(
            (inside[1], inside[19])  # 5 % and 95 % of 21
        )
        assert rows["free"][day] == pytest.approx(inside.mean())
    never = curve([50, 50])
    assert never[["free", "free_low", "free_high"]].to_numpy().min() == 1


def test_failed_mice_and_absent_arms_are_left_out(tmp_path):
    outcomes = {
        "x": arm([10, 20, 30], ["finished", "not_finite", "finished"]),
        "ref": arm([10], "step_limit"),
    }
    frame = event_free(outcomes, ["x", "ref", "gone"], ends=ENDS, inspections=(14.0,))
    assert set(frame["arm"]) == {"x"}
    assert frame["at_risk"].max() == 2
    tables.write(frame, tmp_path / "event_free.parquet", EVENT_FREE)
    nothing = event_free({}, ["gone"], ends=ENDS)
    tables.write(nothing, tmp_path / "nothing.parquet", EVENT_FREE)


def test_a_long_curve_is_thinned_but_exact_where_it_stands():
    days = np.random.default_rng(0).uniform(0, 60, 5000)
    rows = curve(days)
    assert len(rows) == MOST_DAYS
    exact = [(days > day).mean() if day < END else (days >= END).mean() for day in rows["day"]]
    np.testing.assert_allclose(rows["free"], exact)
    assert rows["events"].sum() == (days < END).sum()
    assert rows["censored"].sum() == (days >= END).sum()


days_lists = st.lists(st.floats(1, 60), min_size=1, max_size=30)
look_lists = st.lists(st.floats(1, END), min_size=1, max_size=6, unique=True)


@settings(max_examples=60)
@given(days_lists, look_lists)
def test_the_lab_sees_the_truth_at_each_inspection_and_too_much_between(days, looks):
    truth, seen = curve(days), curve(days, "inspected", inspections=tuple(looks))

    def at(rows, day):
        return rows["free"].to_numpy()[np.searchsorted(rows["day"], day, side="right") - 1]

    last = max(looks)
    for day in looks:
        assert at(seen, day) == pytest.approx(
            (np.asarray(days) > day).mean() if day < END else (np.asarray(days) >= END).mean()
        )
    for day in np.linspace(0, last, 11):
        assert at(seen, day) >= at(truth, day) - 1e-12


@settings(max_examples=60)
@given(days_lists, st.data(), look_lists, st.floats(1, END))
def test_inspections_bracket_the_true_gain(days, data, looks, horizon):
    other = data.draw(st.lists(st.floats(1, 60), min_size=len(days), max_size=len(days)))
    row = gained(arm(days), arm(other), horizon=horizon, inspections=tuple(looks))
    for bounds in ("mean_arm", "mean_reference", "difference"):
        truth = row[bounds.replace("difference", "pooled_difference")]
        assert row[f"{bounds}_least"] - 1e-9 <= truth <= row[f"{bounds}_most"] + 1e-9
    assert row["difference_least"] <= row["difference_seen"] <= row["difference_most"]

    def read(days) -> float:
        """What the inspections say: the day that finds it, or free at the last one."""
        inside = np.array(sorted(look for look in looks if look <= END))
        found = np.append(inside, np.inf)[np.searchsorted(inside, days, side="left")]
        return float(np.minimum(found, min(horizon, inside[-1])).mean())

    assert row["difference_seen"] == pytest.approx(read(days) - read(other), abs=1e-9)


def test_looks_by_hand():
    looks = Looks(np.array([3.0, 7.0, 8.0, 15.0, 40.0]), np.array([1, 1, 1, 1, 0], bool), (14, 7))
    assert looks.seen.tolist() == [True, True, True, False, False]
    assert looks.day.tolist() == [7, 7, 14, 14, 14]
    assert looks.earlier.tolist() == [0, 0, 7, 14, 14]
    assert looks.later.tolist() == [7, 7, 14, np.inf, np.inf]


def test_inspections_after_the_follow_up_are_not_made():
    assert looked_at((7.0, 14.0, 99.0), END) == (7.0, 14.0)
    assert looked_at((), END) == ()
    with pytest.raises(ValueError, match="later than the end of follow-up"):
        looked_at((99.0,), END)


def test_restricted_mean_by_hand_is_the_area_under_the_curve():
    row = gained(arm([10, 20, 50, 50]), arm([10, 10, 20, 50]), horizon=30.0)
    assert row["mean_arm"] == (10 + 20 + 30 + 30) / 4
    assert row["mean_reference"] == (10 + 10 + 20 + 30) / 4
    assert row["pooled_difference"] == 5
    assert row["pooled_ratio"] == pytest.approx(90 / 70)
    rows = curve([10, 20, 50, 50])
    edges = np.append(rows["day"][rows["day"] < 30], 30)
    assert np.sum(np.diff(edges) * rows["free"][rows["day"] < 30]) == pytest.approx(row["mean_arm"])


def test_pairs_are_resampled_together(tmp_path):
    days = np.random.default_rng(0).uniform(5, 30, 200)
    row = gained(arm(days + 2.0), arm(days))
    assert row["pooled_difference"] == pytest.approx(2.0)
    assert row["pooled_difference_low"] == pytest.approx(2.0)  # not so if arms were resampled apart
    assert row["pooled_difference_high"] == pytest.approx(2.0)
    half = gained(arm(np.where(np.arange(200) % 2, days, days + 2.0)), arm(days))
    width = half["pooled_difference_high"] - half["pooled_difference_low"]
    assert width / 2 == pytest.approx(1.96 * 1.0 / np.sqrt(200), rel=0.15)


def test_horizon_is_within_the_follow_up_of_both_and_failures_are_counted(tmp_path):
    x = arm([10.0, 20.0, 50.0], ["finished", "finished", "step_limit"])
    row = gained(x, arm([50.0, 10.0, 10.0]), horizon=99.0, ends=ENDS | {"ref": 35.0})
    assert (row["horizon"], row["n"], row["failures"]) == (35, 2, 1)
    assert row["mean_reference"] == (35 + 10) / 2
    boot = Bootstrap(seed=1, n=3, resamples=20, interval=0.95)
    gone = [Pair(arm="gone", reference="ref"), *PAIR]
    frame = restricted_means({"x": x, "ref": x}, gone, ends=ENDS, bootstrap=boot)
    assert frame["failures"].tolist() == [3, 3, 1, 1]
    assert frame["n"].tolist() == [0, 0, 2, 2]
    assert frame["mean_arm_least"].isna().all()
    tables.write(frame, tmp_path / "restricted_means.parquet", RESTRICTED_MEANS)


def test_censoring_before_the_horizon_is_refused():
    early = arm([10.0, 20.0]).assign(death_observed=False)
    with pytest.raises(ValueError, match="censored before day 40"):
        gained(early, arm([10.0, 20.0]))


def test_days_gained_over_particles_end_with_the_shorter_follow_up():
    """In each particle by itself; days beyond the horizon count for neither."""
    days = {"x": [[10.0, 20.0], [30.0, 50.0]], "ref": [[10.0, 10.0], [40.0, 60.0]]}
    tables = {}
    for name, values in days.items():
        table = arm(np.ravel(values)).assign(particle=[0, 0, 1, 1], animal=[0, 1, 0, 1])
        tables[name] = table.assign(
            **dict.fromkeys(EVENTS, np.ravel(values)), **dict.fromkeys(EVENTS.values(), True)
        )
    boot = Bootstrap(seed=1, n=2, resamples=100, interval=0.95)
    frame = restricted_means(tables, PAIR, ends={"x": 45.0, "ref": 45.0}, bootstrap=boot)
    row = frame.iloc[1]  # gained: 5 and, cut at day 45, -5
    assert (row["difference"], row["p_longer"], row["particles"]) == (0.0, 0.5, 2)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((-4.5, 4.5))
