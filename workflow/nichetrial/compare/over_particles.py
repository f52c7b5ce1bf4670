"""Effects over what nobody knows: computed inside each possible biology, then summed up over them.

A particle is one possible biology: a set of parameters that agrees with what is known. In each, the
same animals with the same random events are in every arm, so an effect inside a particle has no
noise between groups. How the effect differs from particle to particle is what science does not
know; more mice do not make that smaller.

Particles of a calibrated population may be copies of each other in part: ``effective`` is how many
independent ones they are worth, as a share of their number. It widens the errors of probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from nichetrial.compare.nested import Design
from nichetrial.compare.pooled import OUTCOME_UNITS, POOLED, Outcomes
from nichetrial.engine.elementary import log
from nichetrial.study.resolved import ComparisonSpec
from nichetrial.study.sections import Combination, Pair
from nichetrial.tables import Schema

__all__ = [
    "EFFECTS",
    "EXCESS",
    "GAINED",
    "INTERACTIONS",
    "PARTICLES",
    "ROUNDING",
    "WIDE",
    "days_gained",
    "directions",
    "effects",
    "excess",
    "interactions",
    "log_ratios",
    "means_of",
    "of_excess",
    "over_particles",
    "particles",
    "summary",
    "summed",
    "values_of",
]

Floats = NDArray[np.float64]

SMOOTH = {"foci": "expected_foci"}
"""Outcome -> what stands for it inside a particle: a few animals may have no focus by chance, which
would make a ratio of nothing; the expected number has no such chance in it."""
DAYS = ("metastasis_free_days", "survival_days")
"""Outcomes that are cut at the end of the study, of which a ratio would mean little."""

ROUNDING = 1e-12
"""An excess this close to 0 is none: it is a difference of products."""

WIDENED = 1.1
"""How many times as wide the noise of few animals may make an interval unmentioned."""

WIDE, HALF = (0.05, 0.95), (0.25, 0.75)
"""Ends of the intervals over particles: 90 % and 50 %."""

_I, _F = pa.int64(), pa.float64()


def _chance(what: str) -> tuple[pa.DataType, str, str]:
    return _F, "1", f"share of the particles in which {what}"


def summed(name: str, what: str, unit: str = "1") -> Schema:
    """The columns that ``summary`` fills."""
    return {
        name: (_F, unit, f"{what} inside a particle: median over particles"),
        f"{name}_low": (_F, unit, "lower bound of its 90 % interval over particles"),
        f"{name}_high": (_F, unit, "upper bound"),
    }


_COUNTED: Schema = {
    "particles": (_I, "particles", "particles counted"),
    "effective": (_F, "particles", "independent particles that these are worth"),
}


def _judged(name: str, what: str) -> Schema:
    """The columns that ``_judgement`` fills."""
    return {
        name: _chance(what),
        "p_error": (_F, "1", f"standard error of {name} from the number of particles"),
        **_COUNTED,
    }


OVER_PARTICLES: Schema = {
    **summed("ratio", "ratio arm / reference"),
    "ratio_q25": (_F, "1", "lower bound of its 50 % interval over particles"),
    "ratio_q75": (_F, "1", "upper bound"),
    **summed("difference", "arm - reference", "see unit"),
    "p_fewer": _chance("the arm has less than the reference; equal counts half"),
    "p_more": _chance("the arm has more; equal counts half"),
    "p_relevant": _chance("the ratio falls by at least comparisons.relevant"),
    "p_error": (_F, "1", "standard error of p_fewer from the number of particles"),
    "noise": (
        _F,
        "1",
        "standard deviation of the log ratio that the few animals leave inside a particle",
    ),
    "widened": (_F, "1", "how many times as wide this noise makes the interval"),
    "enough": (_I, "mice", "mice of each particle with which it would widen it by a tenth"),
    **_COUNTED,
    "without": (_I, "particles", "left out of the ratio, because their reference expects nothing"),
    "dropped": (_I, "particles", "left out, because an animal failed in either arm"),
}
_KEYS = ("outcome", "arm", "reference")
EFFECTS: Schema = {
    **{key: POOLED[key] for key in _KEYS},
    **OVER_PARTICLES,
    **{name: column for name, column in POOLED.items() if name not in _KEYS},
}
"""The table of effects: over particles, and of the cohort as one."""
_OF_GAINED = {
    "difference": "difference",
    "difference_low": "difference_low",
    "difference_high": "difference_high",
    "p_longer": "p_more",
    "p_error": "p_error",
    "particles": "particles",
    "effective": "effective",
}
GAINED: Schema = {
    **summed("difference", "event-free days gained", "d"),
    **_judged("p_longer", "the event-free time is longer; equal counts half"),
}
_FOUR = ("arm", "reference", "against_arm", "against_reference")
INTERACTIONS: Schema = {
    "arm": (pa.string(), "1", "the arm of the effect"),
    "reference": (pa.string(), "1", "its reference"),
    "against_arm": (pa.string(), "1", "the arm of the effect that it is compared with"),
    "against_reference": (pa.string(), "1", "its reference"),
    **summed("ratio", "ratio of the two ratios of foci"),
    **_judged("p_smaller", "the ratio of ratios is below 1; 1 counts half"),
}
EXCESS: Schema = {
    **summed("excess", "observed - expected ratio"),
    **_judged("p_better", "the effect is larger than expected (excess below 0; 0 counts half)"),
}


PARTICLES: Schema = {
    "arm": (pa.string(), "1", "the arm"),
    "particle": (_I, "1", "number of the particle"),
    "mice": (_I, "mice", "its mice"),
    "finished": (_I, "mice", "of these, simulated to the end"),
    **{name: (_F, unit, "mean over the finished") for name, unit in OUTCOME_UNITS.items()},
}
"""What became of each particle in each arm."""


def particles(outcomes: Outcomes) -> pd.DataFrame:
    """A row for each arm and particle (schema PARTICLES)."""
    found = []
    for name, table in outcomes.items():
        done = table["status"] == "finished"
        values = table[list(OUTCOME_UNITS)].where(done).astype(np.float64)
        means = values.groupby(table["particle"]).mean()
        counts = done.groupby(table["particle"]).agg(["size", "sum"])
        means.insert(0, "mice", counts["size"])
        means.insert(1, "finished", counts["sum"])
        found.append(means.reset_index().assign(arm=name))
    if not found:
        return pd.DataFrame(columns=list(PARTICLES))
    return pd.concat(found, ignore_index=True)[list(PARTICLES)]


def _animals(design: Design, table: pd.DataFrame, outcome: str) -> Floats:
    return design.values(table, SMOOTH.get(outcome, outcome))


def over_particles(
    outcomes: Outcomes, spec: ComparisonSpec, *, effective: float = 1.0
) -> pd.DataFrame:
    """A row for each pair and outcome (schema OVER_PARTICLES, with ``outcome``, ``arm``,
    ``reference``); pairs with an absent arm have none.

    Args:
        outcomes: arm -> outcomes with ``particle`` and ``animal``: the same rows in the same order
            in each arm, sorted and balanced.
    """
    rows = []
    for pair in spec.pairs:
        if pair.arm not in outcomes or pair.reference not in outcomes:
            continue
        arm, reference = outcomes[pair.arm], outcomes[pair.reference]
        design = Design.of([arm, reference])
        for outcome in OUTCOME_UNITS:
            row: dict[str, Any] = {
                "outcome": outcome,
                "arm": pair.arm,
                "reference": pair.reference,
                "dropped": int((~design.whole).sum()),
            }
            a, b = _animals(design, arm, outcome), _animals(design, reference, outcome)
            row |= values_of(
                a, b, relevant=spec.relevant, ratios=outcome not in DAYS, effective=effective
            )
            rows.append(row)
    return pd.DataFrame(rows, columns=[*_KEYS, *OVER_PARTICLES])


def effects(
    outcomes: Outcomes, pooled: pd.DataFrame, spec: ComparisonSpec, *, effective: float = 1.0
) -> pd.DataFrame:
    """All that is known of each effect (schema EFFECTS), in the order of ``pooled``."""
    over = over_particles(outcomes, spec, effective=effective)
    whole = pooled.merge(over, on=list(_KEYS), how="left")
    counts = dict.fromkeys(("particles", "without", "dropped"), "Int64")
    whole = whole[list(EFFECTS)].astype(counts | {"enough": "Int64"})
    return whole.fillna(dict.fromkeys(counts, 0))


def values_of(
    a: Floats, b: Floats, *, relevant: float, ratios: bool = True, effective: float = 1.0
) -> dict[str, Any]:
    """What ``a`` does against ``b``, both (particles, animals), over particles (OVER_PARTICLES).

    >>> found = values_of(np.array([[1.0], [3.0]]), np.array([[2.0], [2.0]]), relevant=0.2)
    >>> found["ratio"], found["p_fewer"], found["p_relevant"]
    (1.0, 0.5, 0.5)
    """
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    difference = mean_a - mean_b
    row: dict[str, Any] = {"particles": len(a), "effective": effective * len(a), "without": 0}
    if not len(a):
        return row
    row |= summary("difference", difference)
    row["p_more"] = _share(difference)
    row["p_fewer"] = 1.0 - row["p_more"]
    row["p_error"] = _error(row["p_fewer"], row["effective"])
    if not ratios:
        return row
    able = mean_b > 0.0
    row["without"] = int((~able).sum())
    if not able.any():
        return row
    ratio = mean_a[able] / mean_b[able]
    row |= summary("ratio", ratio)
    row["ratio_q25"], row["ratio_q75"] = map(float, np.quantile(ratio, HALF))
    row["p_relevant"] = float(np.mean(ratio <= (1.0 - relevant) * (1.0 + 1e-12)))
    return row | _noise(a[able], b[able])


def summary(name: str, values: Floats) -> dict[str, float]:
    """The columns of ``summed``: what has no number, such as a ratio to nothing, is left out.

    >>> summary("x", np.array([1.0, 2.0, 3.0, np.nan]))
    {'x': 2.0, 'x_low': 1.1, 'x_high': 2.9}
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), math.nan)
    low, high = np.quantile(known, WIDE)
    return {name: float(np.median(known)), f"{name}_low": float(low), f"{name}_high": float(high)}


def _share(values: Floats) -> float:
    """Of those above 0; those at 0 count half."""
    return float(np.mean(values > 0.0) + 0.5 * np.mean(values == 0.0))


def _error(share: float, n: float) -> float:
    """Standard error of a share of ``n``, not 0 where all or none were seen (Agresti and Coull
    1998, doi 10.1080/00031305.1998.10480550)."""
    near = (share * n + 2.0) / (n + 4.0)
    return math.sqrt(near * (1.0 - near) / (n + 4.0))


def _judgement(name: str, values: Floats, effective: float) -> dict[str, float]:
    """The share of particles above 0, called ``name``, with its error and their number."""
    n = len(values)
    counted = {"particles": n, "effective": effective * n}
    if not n:
        return counted
    share = _share(values)
    return {name: share, "p_error": _error(share, effective * n), **counted}


def log_ratios(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Log ratios of the means over animals (particles,), and the variance that few animals leave in
    each, by leaving out one after another (jackknife).

    Particles in which either is 0, or would be without one animal, are left out of both. ``a``,
    ``b``: (particles, animals), of two animals at least.
    """
    animals = a.shape[1]
    sums = [x.sum(axis=1, keepdims=True) for x in (a, b)]
    without = [total - x for total, x in zip(sums, (a, b), strict=True)]
    kept = np.logical_and.reduce([(x > 0.0).all(axis=1) for x in (*sums, *without)])
    apart = _logs(without[0][kept] / without[1][kept])
    ratio = _logs(sums[0][kept] / sums[1][kept])
    spread = apart - apart.mean(axis=1, keepdims=True)
    return ratio[:, 0], (animals - 1) / animals * (spread**2).sum(axis=1)


def of_excess(excess: Floats, effective: float = 1.0) -> dict[str, float]:
    """The columns of EXCESS for an excess inside each particle (particles,)."""
    rounded = np.where(np.abs(excess) < ROUNDING, 0.0, excess)
    return summary("excess", rounded) | _judgement("p_better", -rounded, effective)


def _noise(a: Floats, b: Floats) -> dict[str, float]:
    """The noise of log ratios, and what it adds to the interval; nothing where the animals or
    particles are too few."""
    animals = a.shape[1]
    if animals < 2:
        return {}
    ratio, noises = log_ratios(a, b)
    if len(ratio) < 2:
        return {}
    noise = float(noises.mean())
    total = float(ratio.var(ddof=1))
    known = total - noise
    found: dict[str, Any] = {"noise": math.sqrt(noise)}
    if noise == 0.0:
        return found | {"widened": 1.0, "enough": 1}
    if known <= 0.0:
        return found | {"widened": math.inf}
    enough = math.ceil(noise * animals / (known * (WIDENED**2 - 1.0)) - ROUNDING)
    return found | {"widened": math.sqrt(total / known), "enough": enough}


@njit(cache=True, error_model="numpy")
def _logs(values):
    """Logarithms with the same bytes on every processor, which NumPy's own have not."""
    out = np.empty(values.shape)
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            out[i, k] = log(values[i, k])
    return out


def days_gained(
    arm: pd.DataFrame,
    reference: pd.DataFrame,
    outcome: str,
    until: float,
    *,
    effective: float = 1.0,
) -> dict[str, float]:
    """Event-free days up to a day, ``arm`` - ``reference``, over particles (schema GAINED)."""
    design = Design.of([arm, reference])
    a, b = (
        _animals(design, table.assign(**{outcome: table[outcome].clip(upper=until)}), outcome)
        for table in (arm, reference)
    )
    found = values_of(a, b, relevant=0.0, ratios=False, effective=effective)
    return {name: found[source] for name, source in _OF_GAINED.items() if source in found}


def means_of(table: pd.DataFrame, outcome: str) -> dict[str, Floats]:
    """Arm -> mean of an outcome in each particle (particles,), NaN where an animal failed.

    ``table``: schema PARTICLES, the particles of each arm in the same order.
    """
    whole = table[SMOOTH.get(outcome, outcome)].where(table["finished"] == table["mice"])
    return {str(name): rows.to_numpy(np.float64) for name, rows in whole.groupby(table["arm"])}


def directions(
    table: pd.DataFrame, pairs: Iterable[Pair], outcome: str
) -> dict[tuple[str, str], NDArray[np.int64]]:
    """(arm, reference) -> in each particle (particles,), whether the arm has more (1), less (-1) or
    the same (0, also where an animal failed, or an arm is absent) of an outcome.

    ``table``: as of ``means_of``.
    """
    of, none = means_of(table, outcome), np.full(table["particle"].nunique(), np.nan)
    found = {}
    for pair in pairs:
        apart = of.get(pair.arm, none) - of.get(pair.reference, none)
        found[pair.arm, pair.reference] = np.sign(np.nan_to_num(apart)).astype(np.int64)
    return found


def interactions(
    outcomes: Outcomes, spec: ComparisonSpec, *, effective: float = 1.0
) -> pd.DataFrame:
    """A row for each interaction (schema INTERACTIONS): the ratio of two ratios of expected foci
    inside each particle. Those with an absent arm have none."""
    rows = []
    for item in spec.interactions:
        names = [name for p in (item.effect, item.against) for name in (p.arm, p.reference)]
        if any(name not in outcomes for name in names):
            continue
        design = Design.of([outcomes[name] for name in names])
        a, b, c, d = (_animals(design, outcomes[name], "foci") for name in names)
        # (a / b) / (c / d) of means over animals, with every animal in all four
        able = np.all([x.mean(axis=1) > 0.0 for x in (b, c, d)], axis=0)
        whole: dict[str, Any] = dict(zip(_FOUR, names, strict=True))
        top, bottom = ((x.mean(axis=1) * y.mean(axis=1))[able] for x, y in ((a, d), (b, c)))
        whole |= _judgement("p_smaller", bottom - top, effective)
        if able.any():
            whole |= summary("ratio", top / bottom)
        rows.append(whole)
    return pd.DataFrame(rows, columns=list(INTERACTIONS))


def excess(
    outcomes: Outcomes,
    combination: Combination,
    reference: str,
    null: str,
    *,
    effective: float = 1.0,
) -> dict[str, float]:
    """Observed - expected ratio of expected foci inside each particle, over particles (EXCESS).

    The expected foci are computed in each animal and then averaged: where animals differ in how
    sensitive they are to both treatments, the product of averages is not the average product.

    Args:
        null: ``bliss`` or ``hsa``.
    """
    names = (combination.arm, *combination.of, reference)
    design = Design.of([outcomes[name] for name in names])
    both, *parts, none = (_animals(design, outcomes[name], "foci") for name in names)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.stack([np.where(none > 0.0, part / none, np.nan) for part in parts])
    expected = none * (shares.prod(axis=0) if null == "bliss" else shares.min(axis=0))
    able = np.isfinite(expected).all(axis=1) & (none.mean(axis=1) > 0.0)
    if not able.any():
        return {"particles": 0}
    over = (both[able].mean(axis=1) - expected[able].mean(axis=1)) / none[able].mean(axis=1)
    return of_excess(over, effective)
