"""Mice and arms that several tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nichetrial.cohort.sample import sample
from nichetrial.compare.pooled import OUTCOME_UNITS
from nichetrial.model.drugs import DRUGS
from nichetrial.study.resolved import Arm, Challenge, Host, ReadOut, Treatment, Vector

SEED = 2015


def cohort(n: int, seed: int = SEED) -> pd.DataFrame:
    """The first mouse of each of ``n`` particles of the priors."""
    return sample(seed=seed, first=0, last=n - 1, mice=1, overrides={}).mice


def nested(values: Any, status: str = "finished") -> pd.DataFrame:
    """Outcomes of some animals of each particle: one number, (particles, animals), for all."""
    values = np.asarray(values, dtype=np.float64)
    particle, animal = np.indices(values.shape).reshape(2, -1)
    frame = pd.DataFrame({"particle": particle, "animal": animal, "status": status})
    return frame.assign(**dict.fromkeys(OUTCOME_UNITS, values.ravel()))


def treatment(drug: str, mg_per_kg: float, **schedule: Any) -> Treatment:
    """A treatment, from day 0 to day 11 unless said."""
    values = {"start": 0.0, "every": 3.0, "until": 11.0, "written": ""} | schedule
    return Treatment(drug=drug, amount=mg_per_kg * 1e6 / DRUGS[drug].molar_mass, **values)


def arm(*treatments: Treatment, name: str = "arm", **changes: Any) -> Arm:
    """The TIMP-1-high experiment with treatments."""
    values: dict[str, Any] = {
        "label": name,
        "host": Host(),
        "vector": Vector(fold=10.0, onset=0.0),
        "challenge": Challenge(route="intravenous", cells=1e6, day=4.0),
        "readout": ReadOut(
            day=11.0, end=40.0, visible_cells=100.0, detectable_cells=65000.0, lethal_cells=5e8
        ),
    } | changes
    return Arm(name=name, treatments=treatments, **values)


ARMS: dict[str, Arm] = {
    "untreated": arm(name="untreated", vector=None),
    "timp1_high": arm(name="timp1_high"),
    "amd3100": arm(treatment("amd3100", 5, every=0.5), name="amd3100"),
    "pump": arm(treatment("amd3100", 10, every=1.0, method="pump"), name="pump"),
    "anti_sdf1": arm(treatment("anti_sdf1", 5), name="anti_sdf1"),
    "anti_ly6g": arm(treatment("anti_ly6g", 10, every=2.0), name="anti_ly6g"),
    "murinised": arm(treatment("anti_ly6g_murinised", 10, every=7.0), name="murinised"),
    "anti_timp1": arm(treatment("anti_timp1", 10), name="anti_timp1"),
    "mmp_inhibitor": arm(treatment("mmp_inhibitor", 30, every=0.5), name="mmp_inhibitor"),
    "cd63_ko": arm(name="cd63_ko", host=Host(cd63=0.0)),
    "timp1_ko": arm(name="timp1_ko", host=Host(timp1=0.0), vector=None),
    "extreme": arm(name="extreme", vector=Vector(fold=1e5, onset=0.0)),
    "timp1_in_tissue": arm(name="timp1_in_tissue", host=Host(timp1_tissue=4.0), vector=None),
    "primary": arm(
        name="primary", challenge=Challenge(route="primary", cells=1e6, day=1.0, resection=10.0)
    ),
}


def row(frame: pd.DataFrame, k: int) -> np.ndarray:
    """Parameters of one mouse in the kernels' order."""
    from nichetrial.engine.kernels import PARAMETER_NAMES

    return frame[list(PARAMETER_NAMES)].to_numpy(dtype=np.float64)[k]


AT_ONCE = arm(
    treatment("amd3100", 5, every=0.1, until=1.0),
    treatment("amd3100", 2, every=0.3, until=1.0),
    treatment("amd3100", 10, every=1.0, method="pump"),
    treatment("amd3100", 20, every=1.0, start=2.0, until=5.0, method="pump"),
    treatment("anti_ly6g", 5, every=None, start=3.3),
    treatment("anti_ly6g_murinised", 5, every=None, start=3.3),
    name="at_once",
    label="<many> & various \u2192",
    vector=Vector(fold=10.0, onset=0.3),
    host=Host(mmp9=0.5),
    challenge=Challenge(route="intravenous", cells=1e6, day=0.0),
)
