"""Mice needed: how often a real experiment of n mice per group would show what the cohort shows.

One simulated experiment is one particle (one answer to what nobody knows) and, in each group, its
first n animals; the groups hold different animals, as in a lab. So the chance is over what is not
known, which mice one gets, and chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.lab_tests import Tested, adjusted, log_rank, mann_whitney, welch
from nichetrial.compare.pooled import Outcomes, ratio_of_means
from nichetrial.compare.time_to_event import EVENTS
from nichetrial.study.sections import Pair
from nichetrial.tables import Schema

__all__ = [
    "DESIGN",
    "MICE_NEEDED",
    "POWER",
    "Experiments",
    "design",
    "experiments",
    "mice_needed",
    "power",
]

Floats = NDArray[np.float64]

_I, _F, _S = pa.int64(), pa.float64(), pa.string()
_PAIR: Schema = {
    "arm": (_S, "1", "the arm; empty: the design as a whole"),
    "reference": (_S, "1", "what it is compared with"),
    "outcome": (_S, "1", "what the test is done on"),
    "test": (_S, "1", "mann_whitney, welch or log_rank; two-sided"),
}
_COUNTED: Schema = {
    "experiments": (_I, "experiments", "simulated experiments counted"),
    "dropped": (_I, "experiments", "left out because one of their mice failed"),
}
POWER: Schema = {
    **_PAIR,
    "alpha": (_F, "1", "level of significance"),
    "direction": (
        _I,
        "1",
        "of the effect in most particles: 1 higher or later, -1, 0 none; each is tested in its own",
    ),
    "n": (_I, "mice", "mice in each group"),
    "chance": (_F, "1", "share of experiments significant in the direction of their particle"),
    "chance_error": (_F, "1", "Monte-Carlo standard error, from the number of particles"),
    "wrong": (_F, "1", "share of experiments significant in another direction"),
    "wrong_error": (_F, "1", "Monte-Carlo standard error"),
    **_COUNTED,
}
DESIGN: Schema = {
    "alpha": (_F, "1", "level of significance, of the design as a whole"),
    "correction": (_S, "1", "for the number of comparisons: holm, bonferroni or none"),
    "comparisons": (_I, "1", "comparisons in the design"),
    "n": (_I, "mice", "mice in each group"),
    "all_show": (_F, "1", "share of experiments that show all effects, after the correction"),
    "all_error": (_F, "1", "Monte-Carlo standard error"),
    "any_shows": (_F, "1", "share of experiments that show at least one effect"),
    "any_error": (_F, "1", "Monte-Carlo standard error"),
    "expected": (_F, "1", "mean number of effects shown"),
    "expected_error": (_F, "1", "Monte-Carlo standard error"),
    **_COUNTED,
}
MICE_NEEDED: Schema = {
    **_PAIR,
    "target": (_F, "1", "chance asked for; of the design: that all comparisons show"),
    "mice": (_I, "mice", "smallest group from which on the chance is reached; empty: none tried"),
    "mice_low": (_I, "mice", "lower bound of its bootstrap interval over particles"),
    "mice_high": (_I, "mice", "upper bound; empty: beyond the largest group tried"),
    "largest": (_I, "mice", "the largest group tried"),
    "chance_at_largest": (_F, "1", "chance with that group"),
    "written": (_S, "1", "the same in words"),
}


@dataclass(frozen=True)
class Experiments:
    """What the test says of each experiment, group size and pair.

    Attributes:
        p: (experiments, sizes, pairs), two-sided. sign: the same shape, see ``Tested``.
        complete: the same shape; false where a mouse failed, and the experiment is left out.
        directions: (experiments, pairs), of the effect in the particle of each experiment.
        particles: (experiments,), the particle of each.
    """

    pairs: tuple[Pair, ...]
    outcome: str
    test: str
    sizes: tuple[int, ...]
    directions: NDArray[np.int64]
    particles: NDArray[np.int64]
    p: Floats
    sign: NDArray[np.int8]
    complete: NDArray[np.bool_]

    def shown(self, alpha: float, correction: str = "none") -> NDArray[np.bool_]:
        """Significant, and in the direction of the effect. Where there is no effect, nothing is."""
        wanted = self.directions[:, None, :]
        right = (self.sign == wanted) & (wanted != 0)
        return (adjusted(self.p, correction) < alpha) & right


def experiments(
    groups: Outcomes,
    pairs: Sequence[Pair],
    *,
    outcome: str,
    test: str,
    sizes: Sequence[int],
    directions: Mapping[tuple[str, str], int | NDArray[np.int64]],
    particles: NDArray[np.int64] | None = None,
) -> Experiments:
    """Do the test in each experiment, for each size and pair.

    Args:
        groups: arm -> outcomes of its animals, with the columns ``experiment`` and ``animal``; each
            arm has the same experiments and at least max(sizes) animals in each. An absent arm is
            one in which every mouse failed.
        directions: (arm, reference) -> 1, -1 or 0, of the effect in the particle of each
            experiment, or of all.
        particles: (experiments,), the particle of each; None: each has its own.

    Raises ValueError for a test that is none or does not suit the outcome, and for too few animals.
    """
    if test not in ("mann_whitney", "welch", "log_rank"):
        raise ValueError(f"unknown test {test!r}")
    if test == "log_rank" and outcome not in EVENTS:
        raise ValueError(f"log_rank is for {' and '.join(EVENTS)}, not for {outcome}")
    arms = {name: _Group(table, outcome) for name, table in groups.items()}
    numbers = {group.numbers for group in arms.values()}
    if len(numbers) > 1 or any(g.values.shape[1] < max(sizes) for g in arms.values()):
        raise ValueError("arms differ in their experiments, or have too few animals in each")
    shape = (len(next(iter(numbers), ())), len(sizes), len(pairs))
    p, sign = np.ones(shape), np.zeros(shape, np.int8)
    complete = np.zeros(shape, bool)
    for k, pair in enumerate(pairs):
        if pair.arm not in arms or pair.reference not in arms:
            continue
        arm, ref = arms[pair.arm], arms[pair.reference]
        for s, n in enumerate(sizes):
            result = _test(arm, ref, n, test)
            p[:, s, k], sign[:, s, k] = result
            complete[:, s, k] = (arm.done & ref.done)[:, :n].all(axis=1)
    return Experiments(
        pairs=tuple(pairs),
        outcome=outcome,
        test=test,
        sizes=tuple(sizes),
        directions=np.stack(
            [np.broadcast_to(directions[p.arm, p.reference], shape[0]) for p in pairs], axis=1
        ).astype(np.int64)
        if pairs
        else np.zeros((shape[0], 0), np.int64),
        particles=np.arange(shape[0]) if particles is None else particles,
        p=p,
        sign=sign,
        complete=complete,
    )


class _Group:
    """One arm as matrices (experiments, animals)."""

    def __init__(self, table: pd.DataFrame, outcome: str) -> None:
        table = table.sort_values(["experiment", "animal"], kind="stable")
        sizes = table.groupby("experiment", sort=False).size()
        if sizes.nunique() > 1:
            raise ValueError("experiments differ in their number of animals")
        shape = (len(sizes), -1) if len(sizes) else (0, 0)
        self.numbers = tuple(sizes.index)
        self.done = (table["status"] == "finished").to_numpy().reshape(shape)
        self.values = table[outcome].to_numpy(np.float64).reshape(shape)
        self.seen: NDArray[np.bool_] | None = None
        if outcome in EVENTS:
            self.seen = table[EVENTS[outcome]].to_numpy(bool).reshape(shape)


def _test(arm: _Group, ref: _Group, n: int, test: str) -> Tested:
    a, b = arm.values[:, :n], ref.values[:, :n]
    if test == "log_rank":
        if arm.seen is None or ref.seen is None:
            raise ValueError("log_rank needs to know which events were seen")
        return log_rank(a, arm.seen[:, :n], b, ref.seen[:, :n])
    return mann_whitney(a, b) if test == "mann_whitney" else welch(a, b)


def _mean(
    values: NDArray[Any], used: NDArray[np.bool_], particles: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Mean of the used and its standard error, over the first axis; NaN if none is.

    Experiments of one particle are alike, so the error is that of a ratio of sums over particles
    (Cochran, Sampling Techniques, 3rd edition, section 6.4).
    """
    sums, counts = _sums(values * used, particles), _sums(used, particles)
    count = counts.sum(axis=0)
    mean = ratio_of_means(sums.sum(axis=0), count)
    apart = ((sums - mean * counts) ** 2).sum(axis=0)
    return mean, ratio_of_means(np.sqrt(apart), count)


def _sums(values: NDArray[Any], particles: NDArray[np.int64]) -> Floats:
    """Sums over the experiments of each particle, by particle."""
    _, which = np.unique(particles, return_inverse=True)
    out = np.zeros((which.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(out, which, values)
    return out


def power(done: Experiments, *, alpha: float) -> pd.DataFrame:
    """Chance that each comparison shows alone (schema POWER): one row a pair and size."""
    significant = done.p < alpha
    shown = done.shown(alpha)
    chance, chance_error = _mean(shown, done.complete, done.particles)
    wrong, wrong_error = _mean(significant & ~shown, done.complete, done.particles)
    used = done.complete.sum(axis=0)
    rows = [
        {
            **_named(done, pair),
            "alpha": alpha,
            "direction": int(np.sign(done.directions[:, k].sum())),
            "n": n,
            "chance": chance[s, k],
            "chance_error": chance_error[s, k],
            "wrong": wrong[s, k],
            "wrong_error": wrong_error[s, k],
            "experiments": used[s, k],
            "dropped": done.p.shape[0] - used[s, k],
        }
        for k, pair in enumerate(done.pairs)
        for s, n in enumerate(done.sizes)
    ]
    return pd.DataFrame(rows, columns=list(POWER))


def design(done: Experiments, *, alpha: float, correction: str) -> pd.DataFrame:
    """Chance that all comparisons show, corrected for their number.

    Schema DESIGN, one row per size.

    An experiment in which any group has a mouse that failed is left out.
    """
    shown = done.shown(alpha, correction)
    complete = np.logical_and.reduce(done.complete, axis=2)
    every, every_error = _mean(np.logical_and.reduce(shown, axis=2), complete, done.particles)
    some, some_error = _mean(np.logical_or.reduce(shown, axis=2), complete, done.particles)
    used = complete.sum(axis=0)
    number, number_error = _mean(shown.sum(axis=2), complete, done.particles)
    rows = []
    for s, n in enumerate(done.sizes):
        rows.append(
            {
                "alpha": alpha,
                "correction": correction,
                "comparisons": len(done.pairs),
                "n": n,
                "all_show": every[s],
                "all_error": every_error[s],
                "any_shows": some[s],
                "any_error": some_error[s],
                "expected": number[s],
                "expected_error": number_error[s],
                "experiments": used[s],
                "dropped": done.p.shape[0] - used[s],
            }
        )
    return pd.DataFrame(rows, columns=list(DESIGN))


def mice_needed(
    done: Experiments, *, alpha: float, correction: str, target: float, bootstrap: Bootstrap
) -> pd.DataFrame:
    """Smallest group for the chance ``target`` (schema MICE_NEEDED): each pair, then the design.

    The interval is Monte-Carlo error alone: that of so many particles and experiments, no more.
    ``bootstrap``: over particles.
    """
    alone = done.shown(alpha)
    together = np.logical_and.reduce(done.shown(alpha, correction), axis=2)
    cases = [
        (_named(done, p), alone[:, :, k], done.complete[:, :, k]) for k, p in enumerate(done.pairs)
    ]
    if done.pairs:
        whole = {"arm": "", "reference": "", "outcome": done.outcome, "test": done.test}
        cases.append((whole, together, np.logical_and.reduce(done.complete, axis=2)))
    rows = []
    for named, hit, used in cases:
        chance, _ = _mean(hit, used, done.particles)
        columns = np.hstack([_sums(hit & used, done.particles), _sums(used, done.particles)])
        mice, low, high = _smallest(done.sizes, chance, columns, target, bootstrap)
        largest = max(done.sizes)
        rows.append(
            {
                **named,
                "target": target,
                "mice": mice,
                "mice_low": low,
                "mice_high": high,
                "largest": largest,
                "chance_at_largest": chance[int(np.argmax(done.sizes))],
                "written": _written(mice, low, high, largest, bool(used.any())),
            }
        )
    frame = pd.DataFrame(rows, columns=list(MICE_NEEDED))
    return frame.astype(dict.fromkeys(("mice", "mice_low", "mice_high"), "Int64"))


def _named(done: Experiments, pair: Pair) -> dict[str, str]:
    return {
        "arm": pair.arm,
        "reference": pair.reference,
        "outcome": done.outcome,
        "test": done.test,
    }


def _smallest(
    sizes: tuple[int, ...], chance: Floats, columns: Floats, target: float, bootstrap: Bootstrap
) -> tuple[int | None, int | None, int | None]:
    """The smallest size with its interval; None: beyond the largest.

    ``columns``: (particles, sizes + sizes), experiments that show and experiments counted.
    """
    count = len(sizes)
    if not columns[:, count:].any():
        return None, None, None
    drawn = bootstrap.means(columns, np.ones(len(columns), bool))
    with np.errstate(invalid="ignore"):
        reached = np.vstack([chance, ratio_of_means(drawn[:, :count], drawn[:, count:])]) >= target
    order = np.argsort(sizes)
    # a chance that falls below the target again with more mice was not reached but by accident
    lasting = np.logical_and.accumulate(reached[:, order[::-1]], axis=1).sum(axis=1)
    ladder = np.append(np.sort(sizes), np.iinfo(np.int64).max)
    found = ladder[count - lasting]
    low = np.percentile(found[1:], bootstrap.tail, method="lower")
    high = np.percentile(found[1:], 100.0 - bootstrap.tail, method="higher")
    mice, least, most = (
        None if value == ladder[-1] else int(value) for value in (found[0], low, high)
    )
    return mice, least, most


def _written(mice: int | None, low: int | None, high: int | None, largest: int, any_: bool) -> str:
    if not any_:
        return "not known: no experiment without a failure"
    beyond = f"more than {largest}"
    if low is None:
        return beyond
    if low == high:
        return f"{low}"
    return f"{mice or beyond} ({low} to {high or beyond})"
