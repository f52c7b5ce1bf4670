"""Time to event against lifelines, on Freireich's leukaemia trial and on invented mice.

``make_lifelines.py`` made the references and says how to make them again.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.lab_tests import log_rank
from nichetrial.compare.time_to_event import event_free, restricted_means
from nichetrial.study.sections import Pair

REFERENCES = Path(__file__).parent / "references"
TRIALS = {"freireich": ("6-MP", "placebo"), "mice": ("treated", "control")}
ENDS = {"6-MP": 35.0, "placebo": 35.0, "treated": 40.0, "control": 40.0}


@cache
def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCES / f"{name}.csv")


def outcomes(trial: str) -> dict[str, pd.DataFrame]:
    """The groups of a trial as arms; both events are the same one."""
    table = reference("samples")
    table = table[table["trial"] == trial]
    return {
        name: pd.DataFrame(
            {
                "particle": np.arange(len(rows)),
                "animal": 0,
                "status": "finished",
                "metastasis_free_days": rows["day"],
                "metastasis_observed": rows["seen"] == 1,
                "survival_days": rows["day"],
                "death_observed": rows["seen"] == 1,
            }
        )
        for name, rows in table.groupby("group")
    }


def of(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The rows with these values."""
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame


@pytest.mark.parametrize("trial", TRIALS)
def test_curves_and_numbers_at_risk(trial):
    ours = event_free(outcomes(trial), TRIALS[trial], ends=ENDS)
    for group in TRIALS[trial]:
        theirs = of(reference("curves"), trial=trial, group=group)
        mine = of(ours, arm=group, outcome="survival_days", view="always")
        # they have a row where a mouse is censored, we have one at the end of follow-up
        events = theirs[theirs["events"] > 0]
        at = mine[mine["events"] > 0]
        for column in ("day", "free", "at_risk", "events"):
            np.testing.assert_allclose(at[column], events[column], rtol=1e-9, atol=1e-12)
        assert mine["censored"].sum() == theirs["censored"].sum()


def test_freireich_as_printed():
    """Remission after 6-MP and placebo as textbooks print it (Collett, Klein and Moeschberger)."""
    ours = event_free(outcomes("freireich"), TRIALS["freireich"], ends=ENDS)
    treated = of(ours, arm="6-MP", outcome="survival_days").set_index("day")["free"]
    printed = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {day: round(float(treated[day]), 3) for day in printed} == printed


@pytest.mark.parametrize("horizon", [10.0, 20.0, 35.0])
def test_restricted_means(horizon):
    boot = Bootstrap(seed=1, n=60, resamples=200, interval=0.95)
    arm, ref = TRIALS["mice"]
    row = restricted_means(
        outcomes("mice"), [Pair(arm=arm, reference=ref)], ends=ENDS, horizon=horizon, bootstrap=boot
    ).iloc[0]
    theirs = of(reference("means"), trial="mice", horizon=horizon).set_index("group")["mean"]
    assert row["mean_arm"] == pytest.approx(theirs[arm], rel=1e-12)
    assert row["mean_reference"] == pytest.approx(theirs[ref], rel=1e-12)
    assert row["pooled_difference"] == pytest.approx(theirs[arm] - theirs[ref], abs=1e-12)


@pytest.mark.parametrize(
    ("trial", "groups"), [("freireich", ("placebo",)), ("mice", ("treated", "control"))]
)
def test_inspected_curve_is_the_one_of_turnbull(trial, groups):
    looks = tuple(of(reference("turnbull"), trial=trial)["day"].unique())
    ours = event_free(outcomes(trial), groups, ends=ENDS, inspections=looks)
    for group in groups:
        theirs = of(reference("turnbull"), trial=trial, group=group)
        mine = of(ours, arm=group, outcome="survival_days", view="inspected")
        k = np.searchsorted(mine["day"], theirs["day"], side="right") - 1
        np.testing.assert_allclose(mine["free"].to_numpy()[k], theirs["free"], atol=1e-6)


@pytest.mark.parametrize("trial", TRIALS)
def test_log_rank(trial):
    arms = outcomes(trial)
    groups = []
    for name in TRIALS[trial]:
        groups += [
            arms[name]["survival_days"].to_numpy()[None],
            arms[name]["death_observed"].to_numpy()[None],
        ]
    result = log_rank(*groups)
    assert result.p[0] == pytest.approx(of(reference("log_rank"), trial=trial)["p"].iloc[0])
    assert result.sign[0] == 1  # the treated stay free for longer
