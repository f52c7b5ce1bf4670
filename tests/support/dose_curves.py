"""Mice of a dose sweep with a known curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nichetrial.study.load import load
from nichetrial.study.resolved import Sweep

N = 40

STUDY = load("config.yaml")

SWEEP = STUDY.sweep("dose")


def mice(ratios, sweep: Sweep = SWEEP, noise: float = 0.0) -> dict[str, pd.DataFrame]:
    """Arms of a sweep with these ratios to the reference in every mouse, but for noise."""
    random = np.random.default_rng(0)
    base = random.uniform(5, 30, N)
    out = {"timp1_high": pd.DataFrame({"status": "finished", "foci": base})}
    for arm, ratio in zip(sweep.arms, ratios, strict=True):
        foci = base * ratio * random.lognormal(0, noise, N)
        out[arm.name] = pd.DataFrame({"status": "finished", "foci": foci})
    return out
