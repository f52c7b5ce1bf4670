"""Which results belong to this version of a study: only those are shown, tracked or packed."""

from __future__ import annotations

from pathlib import Path

from nichetrial.pipeline.jobs import job, jobs
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stage import Job
from nichetrial.records.identity import file_digest
from nichetrial.records.stored import RunRecord, inside, made_by, read_record

__all__ = ["current", "is_current"]


def is_current(plan: Plan, stage: str, **wildcards: str) -> bool:
    """Whether a job has finished for this version of the study and of the code, and its results are
    what it wrote."""
    one = job(plan, stage, **wildcards)
    record = read_record(one.record)
    return record is not None and _is_of(one, record, None) and _sound(plan, record)


def current(plan: Plan, results: Path, *, evidence: bool) -> tuple[list[RunRecord], list[str]]:
    """The records of this version of the study, whatever code they ran, and the names of those that
    are not there or belong to another version.

    Args:
        results: the folder, wherever it lies now.
    """
    found, others = [], []
    for one in jobs(plan, evidence=evidence):
        within = one.record.removeprefix(f"{plan.results}/")
        record = read_record(results / within)
        if record is not None and _is_of(one, record, record["code_digest"]):
            found.append(record)
        else:
            others.append(within.removeprefix("records/").removesuffix(".json"))
    return found, others


def _is_of(one: Job, record: RunRecord, code: str | None) -> bool:
    same = record.get("params_digest") == one.digest(code)
    return record["status"] == "FINISHED" and same


def _sound(plan: Plan, record: RunRecord) -> bool:
    return all(
        (path := inside(plan.results, within)) is not None and file_digest(path) == digest
        for within, digest in made_by([record]).items()
    )
