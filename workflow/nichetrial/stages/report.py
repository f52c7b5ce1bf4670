"""Stage report: one page that holds all that was found."""

from __future__ import annotations

from nichetrial.files import atomic
from nichetrial.records.stored import read_records
from nichetrial.report.provenance import LEFT_OUT
from nichetrial.report.study_page import render
from nichetrial.stages.work import Work

__all__ = ["run"]


def run(work: Work) -> None:
    """Write the report. Its own record, and those of later stages, are not part of it."""
    records = [r for r in read_records(work.results) if r["stage"] not in LEFT_OUT]
    page = render(work.study, work.results, work.missing, records)
    with atomic(work.target("page")) as part:
        part.write_text(page, encoding="utf-8", newline="\n")
