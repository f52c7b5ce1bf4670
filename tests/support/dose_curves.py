"""Mice of a dose sweep with a known curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nichetrial.study.load import load
from nichetrial.study.resolved import Sweep
from tests.support.mice import nested

P, A = 10, 4
"""Particles, mice of each."""

STUDY = load("config.yaml")

SWEEP = STUDY.sweep("dose")


def mice(ratios, sweep: Sweep = SWEEP, noise: float = 0.0) -> dict[str, pd.DataFrame]:
    """Arms of a sweep with these ratios to the reference in every mouse, but for noise between
    particles."""
    random = np.random.default_rng(0)
    base = random.uniform(5, 30, (P, A))
    out = {"timp1_high": nested(base)}
    for arm, ratio in zip(sweep.arms, ratios, strict=True):
        out[arm.name] = nested(base * ratio * random.lognormal(0, noise, (P, 1)))
    return out
