"""What a run read, as MLflow's datasets: the virtual mice and the study.

A digest here tells what a dataset *is*, not how it was cut into files: mice that are drawn by the
same study, seed, population and code are the same mice in any chunks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nichetrial.records import identity
from nichetrial.records.stored import RunRecord
from nichetrial.study.resolved import ResolvedStudy

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

__all__ = ["Dataset", "inputs", "mice", "simulated", "study_file"]

DIGEST_LENGTH = 12
"""Characters; MLflow shows all of them next to the name, and takes up to 36."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One input of a run. ``source``: where it lies, from the results folder on; ``profile``: what
    is in it; ``context``: what it is to the run, which MLflow shows next to its name."""

    name: str
    digest: str
    source: str
    profile: Mapping[str, Any]
    context: str

    def plain(self) -> dict[str, Any]:
        """As JSON, for the digest of a run's content."""
        return asdict(self)


def study_file(study: ResolvedStudy, key: str) -> Dataset:
    """The resolved study; ``key``: of its run, which covers all that shapes a result."""
    profile = {"arms": len(study.arms), "mice": study.cohort.mice, "seed": study.seed}
    return Dataset(
        name=f"study {study.name}",
        digest=key[:DIGEST_LENGTH],
        source="study.json",
        profile=profile,
        context="study",
    )


def mice(study: ResolvedStudy, cohort: Mapping[str, Any], drawn: Sequence[RunRecord]) -> Dataset:
    """The virtual mice. ``cohort``: without what changes no mouse; ``drawn``: records of the jobs
    that drew them, for the code and the population that they took."""
    made_by = sorted({r["code_digest"] for r in drawn})
    read = sorted({digest for r in drawn for digest in r["inputs"].values()})
    text = identity.canonical([cohort, study.seed, made_by, read])
    return Dataset(
        name=f"{study.cohort.particles} particles of {study.name}",
        digest=hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH],
        source="parameters/",
        profile={
            "particles": study.cohort.particles,
            "mice": study.cohort.mice,
            "population": study.cohort.population,
            "seed": study.seed,
        },
        context="mice",
    )


def simulated(study: ResolvedStudy, key: str, table: str, arms: int) -> Dataset:
    """A table that the arms left, of which comparisons and figures are made. ``key``: of the
    study's run; ``table``: ``outcomes`` or ``colonies``; ``arms``: that have finished."""
    text = identity.canonical([key, table, arms])
    return Dataset(
        name=f"{table} of {arms} arms of {study.name}",
        digest=hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH],
        source=f"simulations/*/*.{table}.parquet",
        profile={"arms": arms, "mice": study.cohort.mice, "seed": study.seed},
        context=table,
    )


def inputs(found: Sequence[Dataset]) -> list[DatasetInput]:
    """As MLflow takes them."""
    from mlflow.entities import Dataset as Entity
    from mlflow.entities import DatasetInput, InputTag

    return [
        DatasetInput(
            dataset=Entity(
                name=d.name,
                digest=d.digest,
                source_type="local",
                source=json.dumps({"uri": d.source}),
                profile=json.dumps(dict(d.profile)),
            ),
            tags=[InputTag(key="mlflow.data.context", value=d.context)],
        )
        for d in found
    ]
