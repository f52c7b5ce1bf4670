"""References for test_lifelines.py by lifelines, no dependency: it holds pandas below 3.

In an environment of its own, from the root of the repository:

    python -m venv /tmp/lifelines && /tmp/lifelines/bin/pip install lifelines==0.30.3
    /tmp/lifelines/bin/python tests/validation/make_lifelines.py

writes the tables in tests/validation/references: the samples, and what lifelines makes of
them. The tests read both, so the two programs get the same numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time

FOLDER = Path(__file__).parent / "references"
LOOKS = {"freireich": (5.0, 10.0, 15.0, 20.0, 25.0, 30.0), "mice": (14.0, 21.0, 28.0, 35.0)}

# Freireich 1963 (Blood 21:699), weeks in remission of acute leukaemia; + is 0 in the second row.
SIX_MP = (
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def samples() -> pd.DataFrame:
    """The two trials: columns trial, group, day, seen."""
    random = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"trial": "freireich", "group": "6-MP", "day": SIX_MP[0], "seen": SIX_MP[1]}),
        pd.DataFrame({"trial": "freireich", "group": "placebo", "day": PLACEBO, "seen": 1}),
    ]
    for group, scale in (("treated", 40.0), ("control", 25.0)):
        day = 10.0 + scale * random.weibull(1.5, 60)
        day = np.minimum(np.round(day, 3), 40.0)
        parts.append(pd.DataFrame({"trial": "mice", "group": group, "day": day, "seen": day < 40}))
    return pd.concat(parts, ignore_index=True).astype({"day": float, "seen": int})


def main() -> None:
    """Write the four tables."""
    FOLDER.mkdir(exist_ok=True)
    table = samples()
    curves, means, turnbull = [], [], []
    for (trial, group), rows in table.groupby(["trial", "group"], sort=False):
        fit = KaplanMeierFitter(alpha=0.05).fit(rows["day"], rows["seen"])
        band = fit.confidence_interval_
        curve = pd.DataFrame(
            {
                "day": fit.survival_function_.index,
                "free": fit.survival_function_.iloc[:, 0].to_numpy(),
                "free_low": band.iloc[:, 0].to_numpy(),
                "free_high": band.iloc[:, 1].to_numpy(),
                "at_risk": fit.event_table["at_risk"].to_numpy(),
                "events": fit.event_table["observed"].to_numpy(),
                "censored": fit.event_table["censored"].to_numpy(),
            }
        )
        curves.append(curve.assign(trial=trial, group=group))
        for horizon in (10.0, 20.0, 35.0):
            mean = restricted_mean_survival_time(fit, t=horizon)
            means.append({"trial": trial, "group": group, "horizon": horizon, "mean": mean})
        if trial == "mice" or group == "placebo":  # without censoring before the last look
            looks = np.array(LOOKS[str(trial)])
            first = np.searchsorted(looks, rows["day"], side="left")
            first = np.where(rows["seen"] == 1, first, looks.size)
            later, earlier = np.append(looks, np.inf)[first], np.append(0.0, looks)[first]
            # lifelines takes intervals as closed: neighbours would share the day of the look
            fit = KaplanMeierFitter().fit_interval_censoring(earlier + 1e-6, later)
            for look in looks:
                free = fit.survival_function_.loc[: look + 1e-9].iloc[-1].min()
                turnbull.append({"trial": trial, "group": group, "day": look, "free": free})
    tests = []
    for trial, rows in table.groupby("trial", sort=False):
        (_, a), (_, b) = rows.groupby("group", sort=False)
        found = logrank_test(a["day"], b["day"], a["seen"], b["seen"])
        tests.append({"trial": trial, "chi2": found.test_statistic, "p": found.p_value})
    for name, frame in {
        "samples": table,
        "curves": pd.concat(curves, ignore_index=True),
        "means": pd.DataFrame(means),
        "turnbull": pd.DataFrame(turnbull),
        "log_rank": pd.DataFrame(tests),
    }.items():
        frame.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
