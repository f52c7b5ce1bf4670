"""An arm as the engine sees it: a sorted list of events, and what to read when."""

from __future__ import annotations

import numpy as np

from nichetrial.engine.ensemble import Events, Reading
from nichetrial.engine.forcing import CHANNELS, EVENT
from nichetrial.study.resolved import Arm

__all__ = ["events", "reading"]


def events(arm: Arm) -> Events:
    """All events of an arm. A dose of nothing is no event."""
    rows: list[tuple[float, int, int, float]] = []
    if arm.vector is not None and arm.vector.fold != 1.0:
        rows.append((arm.vector.onset, EVENT["vector"], 0, arm.vector.fold - 1.0))
    challenge = arm.challenge
    how = "cells" if challenge.route == "intravenous" else "implant"
    rows.append((challenge.day, EVENT[how], 0, challenge.cells))
    if challenge.resection is not None:
        rows.append((challenge.resection, EVENT["resect"], 0, 0.0))
    for treatment in arm.treatments:
        channel = CHANNELS.index(treatment.drug)
        if treatment.amount == 0.0:
            continue
        if treatment.method == "pump":
            rate = treatment.amount / (treatment.every or treatment.until - treatment.start)
            rows.append((treatment.start, EVENT["pump"], channel, rate))
            rows.append((treatment.until, EVENT["pump"], channel, -rate))
        else:
            rows += [(day, EVENT["bolus"], channel, treatment.amount) for day in treatment.doses()]
    rows.sort()
    times, kinds, channels, amounts = zip(*rows, strict=True)
    return Events(
        np.array(times, dtype=np.float64),
        np.array(kinds, dtype=np.int64),
        np.array(channels, dtype=np.int64),
        np.array(amounts, dtype=np.float64),
    )


def reading(arm: Arm) -> Reading:
    """When and how this arm is read."""
    r = arm.readout
    return Reading(
        arm.challenge.day, r.day, r.end, r.visible_cells, r.detectable_cells, r.lethal_cells
    )
