"""How far a simulated experiment is from a finding, and whether a prediction has hit it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nichetrial.evidence.findings import Finding

__all__ = ["ENOUGH", "INTERVAL", "Prediction", "agrees", "bounds", "distance", "predict"]

Floats = NDArray[np.float64]
ENOUGH = 0.9
"""Share of simulated experiments that must agree for a direction to count as predicted."""
INTERVAL = 0.9
"""Of predictions."""
FARTHEST, SMALLEST = 5.0, 1e-3
"""The most that one finding adds to the distance; a ratio below the second counts as it."""


def bounds(f: Finding) -> tuple[float, float]:
    """What the statistic must lie in, ends included."""
    low = f.low if math.isfinite(f.low) else -math.inf
    high = f.high if math.isfinite(f.high) else math.inf
    if f.direction == "up":
        low = max(low, math.nextafter(1.0, 2.0))
    if f.direction == "down":
        high = min(high, math.nextafter(1.0, 0.0))
    return low, high


def agrees(f: Finding, values: Floats) -> NDArray[np.bool_]:
    """Which experiments (n,) have the direction, or for ``none`` and ``value`` lie in the range."""
    if f.direction == "up":
        return values > 1.0
    if f.direction == "down":
        return values < 1.0
    low, high = bounds(f)
    return (values >= low) & (values <= high)


def distance(findings: Sequence[Finding], values: Floats) -> Floats:
    """From experiments (n, findings) to the findings: (n,), 0 where all are met.

    The sum over findings of how far, as a factor, the statistic lies outside its bounds: the
    logarithm, at most FARTHEST. Infinite where an experiment failed.
    """
    total = np.zeros(len(values))
    for f, column in zip(findings, values.T, strict=True):
        low, high = bounds(f)
        ends = [abs(b) for b in (low, high) if math.isfinite(b) and b != 0.0]
        floor = SMALLEST * min([1.0, *ends])
        x = np.log(np.maximum(column, floor))
        below = math.log(max(low, floor)) - x if math.isfinite(low) else np.zeros(len(x))
        above = x - math.log(max(high, floor)) if math.isfinite(high) else np.zeros(len(x))
        out = np.clip(np.maximum(below, above), 0.0, FARTHEST)
        inside = (column >= low) & (column <= high)
        total += np.where(inside, 0.0, np.maximum(out, 1e-9))
    total[~np.isfinite(values).all(axis=1)] = np.inf
    return np.round(total, 9)  # the last bits of a logarithm differ between processors


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a population of particles says to one finding."""

    predicted: float
    """Median over simulated experiments."""
    low: float
    high: float
    """Bounds of the predictive interval (INTERVAL)."""
    direction_share: float
    """Share of the experiments that agree with the direction, or lie in the range."""
    place: float
    """Share of the experiments below the published number; NaN where none was published."""
    failed: int
    """Experiments without a number."""
    hit: bool


def predict(f: Finding, values: Floats) -> Prediction:
    """Judge experiments (n,) against a finding.

    A hit has the direction in at least ENOUGH of the experiments (``none``: the statistic in its
    range in as many), and for what was published as a number: the number, or where only a range
    was published some of it, lies in the predictive interval. A ``value`` must have its median in
    the range.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        nothing = math.nan
        return Prediction(
            predicted=nothing,
            low=nothing,
            high=nothing,
            direction_share=0.0,
            place=nothing,
            failed=len(values),
            hit=False,
        )
    tail = (1.0 - INTERVAL) / 2.0
    low, median, high = (float(q) for q in np.quantile(known, (tail, 0.5, 1.0 - tail)))
    share = float(np.sum(agrees(f, known)) / len(values))
    least, most = bounds(f)
    inside = low <= f.value <= high if math.isfinite(f.value) else low <= most and high >= least
    place = float(np.mean(known < f.value)) if math.isfinite(f.value) else math.nan
    right = least <= median <= most if f.direction == "value" else share >= ENOUGH
    return Prediction(
        predicted=median,
        low=low,
        high=high,
        direction_share=share,
        place=place,
        failed=len(values) - len(known),
        hit=bool(inside and right),
    )
