"""Tables of event-free days, mice needed and uncertainty of invented mice, for tests of figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.over_particles import particles
from nichetrial.compare.power import design, experiments, mice_needed, power
from nichetrial.compare.time_to_event import event_free, restricted_means
from nichetrial.compare.uncertainty import uncertainty
from nichetrial.study.resolved import ResolvedStudy

E, N = 40, 10
"""Experiments or particles, animals in each."""


def lab_tables(
    study: ResolvedStudy,
    outcomes: dict[str, pd.DataFrame],
    factor: dict[str, float],
    *,
    zero: bool = False,
    inspections: Sequence[float] = (),
) -> dict[str, pd.DataFrame]:
    """Name -> table, made of ``outcomes`` (absent: arms that failed) and of invented foci around
    ``factor``, the mean of each arm."""
    pairs = study.comparisons.pairs
    ends = {arm.name: arm.readout.end for arm in study.arms}
    boot = Bootstrap(seed=1, n=study.cohort.particles, resamples=50, interval=0.95)
    foci = {}
    for k, name in enumerate(outcomes):
        random = np.random.default_rng(k)
        mean = 0.0 if zero else 20.0 * factor.get(name, 0.9)
        foci[name] = random.poisson(mean * random.lognormal(0, 0.3, (E, N)))
    groups = {
        name: _keyed(values, ("experiment", "animal")).assign(foci=values.ravel())
        for name, values in foci.items()
    }
    found = experiments(
        groups,
        pairs,
        outcome="foci",
        test="mann_whitney",
        sizes=range(4, N + 1),
        directions={
            (p.arm, p.reference): int(
                np.sign(factor.get(p.arm, 0.9) - factor.get(p.reference, 0.9))
            )
            for p in pairs
        },
    )
    over = Bootstrap(seed=1, n=E, resamples=50, interval=0.95)
    return {
        "event_free": event_free(
            outcomes, [a.name for a in study.arms], ends=ends, inspections=inspections
        ),
        "restricted_means": restricted_means(
            outcomes, pairs, ends=ends, bootstrap=boot, inspections=inspections
        ),
        "power": power(found, alpha=0.05),
        "mice_needed": mice_needed(
            found, alpha=0.05, correction="holm", target=0.8, bootstrap=over
        ),
        "design": design(found, alpha=0.05, correction="holm"),
        "uncertainty": uncertainty(outcomes, pairs),
        "particles": particles(outcomes),
    }


def _keyed(values: np.ndarray, keys: tuple[str, ...]) -> pd.DataFrame:
    places = np.indices(values.shape).reshape(len(keys), -1)
    return pd.DataFrame(dict(zip(keys, places, strict=True))).assign(status="finished")
