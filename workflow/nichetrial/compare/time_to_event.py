"""Time to an event, as the simulation sees it and as a lab that looks at its mice now and then.

The events are the first detectable metastasis and the lethal burden. A mouse without one is
right-censored when its arm's follow-up ends: that is the only censoring there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.over_particles import GAINED, WIDE, days_gained
from nichetrial.compare.pooled import Outcomes, ratio_of_means
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema

__all__ = [
    "EVENTS",
    "EVENT_FREE",
    "RESTRICTED_MEANS",
    "Looks",
    "event_free",
    "looked_at",
    "restricted_means",
]

Floats = NDArray[np.float64]

EVENTS = {"metastasis_free_days": "metastasis_observed", "survival_days": "death_observed"}
"""Column of the days -> column that says whether the event was seen until the end of follow-up."""

MOST_DAYS = 400
"""Rows a curve has at most: beyond, it is given on evenly spaced days, exact on each."""

_I, _F = pa.int64(), pa.float64()
EVENT_FREE: Schema = {
    "outcome": (pa.string(), "1", "the event: metastasis_free_days or survival_days"),
    "arm": (pa.string(), "1", "the arm"),
    "view": (
        pa.string(),
        "1",
        "always: every mouse is watched all the time; inspected: events are seen at inspections",
    ),
    "day": (_F, "d", "day of the study"),
    "free": (_F, "1", "Kaplan-Meier: share of mice free of the event after this day"),
    "free_low": (
        _F,
        "1",
        "the same inside a particle: lower bound of its 90 % band over particles",
    ),
    "free_high": (_F, "1", "upper bound"),
    "at_risk": (_I, "mice", "mice free and under observation just before this day"),
    "events": (_I, "mice", "events since the row before"),
    "censored": (_I, "mice", "mice whose observation ended without an event since the row before"),
}
RESTRICTED_MEANS: Schema = {
    "outcome": (pa.string(), "1", "the event: metastasis_free_days or survival_days"),
    "arm": (pa.string(), "1", "the arm"),
    "reference": (pa.string(), "1", "what it is compared with"),
    "horizon": (_F, "d", "event-free days are counted from day 0 up to this day"),
    "n": (_I, "mice", "pairs compared"),
    "mean_arm": (_F, "d", "mean event-free days up to the horizon, in the arm"),
    "mean_reference": (_F, "d", "the same in the reference"),
    **GAINED,
    "pooled_difference": (_F, "d", "arm - reference: event-free days gained, of all mice"),
    "pooled_difference_low": (_F, "d", "lower bound of its bootstrap interval over particles"),
    "pooled_difference_high": (_F, "d", "upper bound"),
    "pooled_ratio": (_F, "1", "arm / reference, of all mice"),
    "pooled_ratio_low": (_F, "1", "lower bound of its bootstrap interval over particles"),
    "pooled_ratio_high": (_F, "1", "upper bound"),
    "mean_arm_least": (
        _F,
        "d",
        "what inspections leave open: all events just after the earlier look; empty: always looked",
    ),
    "mean_arm_most": (_F, "d", "all events at the later look"),
    "mean_reference_least": (_F, "d", "the same of the reference"),
    "mean_reference_most": (_F, "d", "the same of the reference"),
    "difference_least": (_F, "d", "least difference that the inspections do not exclude"),
    "difference_most": (_F, "d", "greatest difference that the inspections do not exclude"),
    "difference_seen": (_F, "d", "as a lab reads it: found at inspections, until the last one"),
    "failures": (_I, "mice", "pairs lost because a mouse failed in either arm"),
}


class Looks:
    """What a lab knows of each mouse that it looks at on some days only.

    Attributes:
        seen: was the event seen at an inspection?
        day: the inspection that saw it; the last one for a mouse without.
        earlier, later: the event lies in (earlier, later]; later is infinite for a mouse without.
    """

    def __init__(
        self, days: Floats, observed: NDArray[np.bool_], inspections: Sequence[float]
    ) -> None:
        looks = np.unique(np.asarray(inspections, dtype=np.float64))
        first = np.searchsorted(looks, days, side="left")
        self.seen: NDArray[np.bool_] = observed & (first < looks.size)
        first = np.where(self.seen, first, looks.size)
        self.later: Floats = np.append(looks, np.inf)[first]
        self.earlier: Floats = np.append(0.0, looks)[first]
        self.day: Floats = np.where(self.seen, self.later, looks[-1])


def looked_at(inspections: Iterable[float], end: float) -> tuple[float, ...]:
    """The inspections until the end of follow-up. Raises ValueError if there are some, all later.

    Whoever knows the mice free of metastasis when the tumour cells arrive counts that day in.
    """
    inspections = tuple(inspections)
    inside = tuple(day for day in inspections if day <= end)
    if inspections and not inside:
        raise ValueError(f"all inspections are later than the end of follow-up, day {end}")
    return inside


def event_free(
    outcomes: Outcomes,
    names: Iterable[str],
    *,
    ends: Mapping[str, float],
    inspections: Sequence[float] = (),
) -> pd.DataFrame:
    """Kaplan-Meier curves of the finished mice (schema EVENT_FREE); absent arms are left out.

    Args:
        ends: arm -> day on which its follow-up ends.
        inspections: days on which a lab looks; empty: rows of the view ``always`` alone. What is
            seen at an inspection happened since the one before, so the curve of ``inspected`` lies
            on or above that of ``always``, and meets it at each inspection.
    """
    parts = []
    for name in names:
        if name not in outcomes:
            continue
        done = outcomes[name][outcomes[name]["status"] == "finished"]
        if done.empty:
            continue
        end = ends[name]
        looks = looked_at(inspections, end)
        for outcome, observed in EVENTS.items():
            days, seen = done[outcome].to_numpy(np.float64), done[observed].to_numpy(bool)
            curves = {"always": (days, seen, end)}
            if looks:
                lab = Looks(days, seen, looks)
                curves["inspected"] = (lab.day, lab.seen, looks[-1])
            for view, (at, event, last) in curves.items():
                curve = _curve(at, event, last, done["particle"].to_numpy())
                parts.append(curve.assign(outcome=outcome, arm=name, view=view))
    if not parts:
        return pd.DataFrame(columns=list(EVENT_FREE))
    return pd.concat(parts, ignore_index=True)[list(EVENT_FREE)]


def _curve(
    days: Floats, event: NDArray[np.bool_], end: float, particles: NDArray[np.int64]
) -> pd.DataFrame:
    survival = ecdf(CensoredData.right_censored(days, ~event)).sf
    at = np.unique(np.concatenate(([0.0, end], days[event])))
    if at.size > MOST_DAYS:
        at = np.linspace(0.0, end, MOST_DAYS)
    k = np.searchsorted(survival.quantiles, at, side="right")
    ordered, ended = np.sort(days[event]), np.sort(days[~event])
    until = np.searchsorted(ordered, at, side="right")
    gone = np.searchsorted(ended, at, side="right")
    before = np.searchsorted(ordered, at, side="left") + np.searchsorted(ended, at, side="left")
    low, high = np.quantile(_inside(days, event, at, particles), WIDE, axis=0)
    return pd.DataFrame(
        {
            "day": at,
            "free": np.append(1.0, survival.probabilities)[k],
            "free_low": low,
            "free_high": high,
            "at_risk": days.size - before,
            "events": np.diff(until, prepend=0),
            "censored": np.diff(gone, prepend=0),
        }
    )


def _inside(
    days: Floats, event: NDArray[np.bool_], at: Floats, particles: NDArray[np.int64]
) -> Floats:
    """(particles, at): share of each one's mice without an event until each day. None is censored
    before the end."""
    numbers, which = np.unique(particles, return_inverse=True)
    happened = np.zeros((len(numbers), len(at) + 1))
    np.add.at(happened, (which[event], np.searchsorted(at, days[event], side="left")), 1.0)
    gone: Floats = np.cumsum(happened, axis=1)[:, :-1] / np.bincount(which)[:, None]
    return 1.0 - gone


def restricted_means(
    outcomes: Outcomes,
    pairs: Iterable[Pair],
    *,
    ends: Mapping[str, float],
    bootstrap: Bootstrap,
    horizon: float | None = None,
    inspections: Sequence[float] = (),
    effective: float = 1.0,
) -> pd.DataFrame:
    """Event-free days up to a horizon, arm against reference (schema RESTRICTED_MEANS).

    No mouse is censored before the end of follow-up, so the restricted mean (the area under the
    Kaplan-Meier curve; Royston and Parmar, doi 10.1186/1471-2288-13-152) is the mean of
    min(day, horizon), and mice are compared within pairs.

    Args:
        ends: arm -> day on which its follow-up ends.
        horizon: day; None, or one later than the follow-up: the earlier end of the two arms.
        inspections: see ``event_free``; then the table says between which bounds the truth lies.
        effective: see ``compare.over_particles``.

    Raises ValueError for a mouse that is censored before the horizon.
    """
    rows = []
    mice = len(next(iter(outcomes.values()), ()))
    for pair in pairs:
        for outcome, observed in EVENTS.items():
            row = {
                "outcome": outcome,
                "arm": pair.arm,
                "reference": pair.reference,
                "n": 0,
                "particles": 0,
                "failures": mice,
            }
            rows.append(row)
            if pair.arm not in outcomes or pair.reference not in outcomes:
                continue
            last = min(ends[pair.arm], ends[pair.reference])
            until = last if horizon is None else min(horizon, last)
            tables = [outcomes[name] for name in (pair.arm, pair.reference)]
            valid = np.logical_and.reduce([(t["status"] == "finished").to_numpy() for t in tables])
            row |= {"horizon": until, "n": int(valid.sum()), "failures": int((~valid).sum())}
            if not valid.any():
                continue
            days = [t[outcome].to_numpy(np.float64) for t in tables]
            seen = [t[observed].to_numpy(bool) for t in tables]
            for d, s in zip(days, seen, strict=True):
                if (valid & ~s & (d < until)).any():
                    raise ValueError(f"{outcome}: a mouse is censored before day {until}")
            row |= days_gained(tables[0], tables[1], outcome, until, effective=effective)
            row |= _gained(np.minimum(np.column_stack(days), until), valid, bootstrap)
            looks = looked_at(inspections, last)
            if looks:
                row |= _bounds(
                    [Looks(d[valid], s[valid], looks) for d, s in zip(days, seen, strict=True)],
                    until,
                    max(looks),
                )
    return pd.DataFrame(rows, columns=list(RESTRICTED_MEANS))


def _gained(days: Floats, valid: NDArray[np.bool_], bootstrap: Bootstrap) -> dict[str, float]:
    arm, ref = days[valid].mean(axis=0)
    drawn = bootstrap.means(days, valid)
    low, high = bootstrap.bounds(drawn[:, 0] - drawn[:, 1])
    ratio_low, ratio_high = bootstrap.bounds(ratio_of_means(drawn[:, 0], drawn[:, 1]))
    return {
        "mean_arm": float(arm),
        "mean_reference": float(ref),
        "pooled_difference": float(np.mean(days[valid, 0] - days[valid, 1])),
        "pooled_difference_low": low,
        "pooled_difference_high": high,
        "pooled_ratio": float(ratio_of_means(arm, ref)),
        "pooled_ratio_low": ratio_low,
        "pooled_ratio_high": ratio_high,
    }


def _bounds(looks: list[Looks], horizon: float, last: float) -> dict[str, float]:
    """``last``: the last inspection, behind which a lab knows nothing."""
    seen = [float(np.minimum(look.later, min(horizon, last)).mean()) for look in looks]
    (arm_least, arm_most), (ref_least, ref_most) = (
        [float(np.minimum(day, horizon).mean()) for day in (look.earlier, look.later)]
        for look in looks
    )
    return {
        "mean_arm_least": arm_least,
        "mean_arm_most": arm_most,
        "mean_reference_least": ref_least,
        "mean_reference_most": ref_most,
        "difference_least": arm_least - ref_most,
        "difference_most": arm_most - ref_least,
        "difference_seen": seen[0] - seen[1],
    }
