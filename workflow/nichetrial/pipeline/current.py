"""Which results belong to this version of a study: only those are shown, tracked or packed."""

from __future__ import annotations

from pathlib import Path

from nichetrial.pipeline.expected import Expected, expected
from nichetrial.pipeline.plan import Plan
from nichetrial.records.identity import file_digest
from nichetrial.records.stored import RunRecord, inside, made_by, read_record

__all__ = ["current", "is_current"]


def is_current(plan: Plan, name: str) -> bool:
    """Whether the job with this record, such as ``report/report``, has finished for this version of
    the study and of the code, and its results are what it wrote."""
    path = plan.layout.record(name)
    (job,) = (job for job in expected(plan, evidence=True) if job.record == path)
    record = read_record(path)
    return record is not None and _is_of(plan, job, record, None) and _sound(plan, record)


def current(plan: Plan, results: Path, *, evidence: bool) -> tuple[list[RunRecord], list[str]]:
    """The records of this version of the study, whatever code they ran, and the names of those that
    are not there or belong to another version.

    Args:
        results: the folder, wherever it lies now.
    """
    found, others = [], []
    for job in expected(plan, evidence=evidence):
        within = job.record.removeprefix(f"{plan.results}/")
        record = read_record(results / within)
        if record is not None and _is_of(plan, job, record, record["code_digest"]):
            found.append(record)
        else:
            others.append(within.removeprefix("records/").removesuffix(".json"))
    return found, others


def _is_of(plan: Plan, job: Expected, record: RunRecord, code: str | None) -> bool:
    same = record.get("params_digest") == job.digest(plan, code)
    return record["status"] == "FINISHED" and same


def _sound(plan: Plan, record: RunRecord) -> bool:
    return all(
        (path := inside(plan.results, within)) is not None and file_digest(path) == digest
        for within, digest in made_by([record]).items()
    )
