"""Stage resolve: the study file, complete and in plain numbers, for all later stages."""

from __future__ import annotations

from nichetrial.files import atomic
from nichetrial.stages.work import Work

__all__ = ["run"]


def run(work: Work) -> None:
    """Write study.json."""
    with atomic(work.target("study")) as part:
        part.write_text(work.study.written(), encoding="utf-8")
    work.record.metric("arms", len(work.study.arms))
    work.record.metric("mice", work.study.cohort.mice)
