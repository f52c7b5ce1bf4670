"""Stage evidence_report: the page of the calibration, which shows what the model explains."""

from __future__ import annotations

from nichetrial.files import atomic
from nichetrial.records.stored import read_records
from nichetrial.report.calibration_page import recorded, render
from nichetrial.stages.work import Work

__all__ = ["run"]


def run(work: Work) -> None:
    """Write the page. Its own record is not part of it."""
    page = render(work.study, work.results, recorded(read_records(work.results, evidence=True)))
    with atomic(work.target("page")) as part:
        part.write_text(page, encoding="utf-8", newline="\n")
