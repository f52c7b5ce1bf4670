"""What a run ends with: what each arm did, in words, and where to look."""

from __future__ import annotations

import csv
import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from nichetrial.errors import Note
from nichetrial.formatting import biologies, effect
from nichetrial.pipeline.current import current, is_current
from nichetrial.pipeline.plan import Plan
from nichetrial.records.stored import notes_in
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.study.sections import USUAL_STORE

__all__ = ["effect_lines", "failure_lines", "notes_of", "summary", "void_arms", "way_to_runs"]


def summary(plan: Plan, missing: Sequence[str] = ()) -> list[str]:
    """Lines for the terminal: effects, failures, report. What is left of an earlier version of
    the study is not among them."""
    study, results = plan.study, plan.layout
    worth, compared = None, is_current(plan, "compare")
    if compared:
        rows = _rows(results.comparison("effects", "csv"))
        worth = max((_number(row["effective"], 0.0) for row in rows), default=None)
    behind = biologies(study.cohort.particles, worth)
    lines = ["", f"{study.title}: {behind}, {study.cohort.mice} mice"]
    if compared:
        lines += [f"  {line}" for line in void_lines(study, void_arms(results))]
        lines += [f"  {line}" for line in effect_lines(study, results, missing)]
        lines += [f"  {line}" for line in failure_lines(study, results)]
    else:
        lines.append("  The arms of this version of the study are not compared yet.")
    if is_current(plan, "report"):
        lines += ["", f"Report:      {plan.layout.page}"]
    return lines


def way_to_runs(plan: Plan) -> list[str]:
    """The command that shows the tracked runs, if there are any, as it works in this folder."""
    receipts = (plan.layout.receipt, plan.layout.evidence.receipt)
    if not any(Path(receipt).is_file() for receipt in receipts):
        return []
    usual = plan.file == "config.yaml" or not (
        Path("config.yaml").exists() or plan.study.tracking.uri != USUAL_STORE
    )
    return [f"Runs:        nichetrial ui{'' if usual else f' {shlex.quote(plan.file)}'}"]


def notes_of(plan: Plan, *, evidence: bool = False) -> list[Note]:
    """What jobs noted for this version of the study, each once."""
    records, _ = current(plan, Path(plan.results), evidence=evidence)
    return list(dict.fromkeys(note for record in records for note in notes_in(record)))


def void_arms(results: Layout) -> list[str]:
    """Arms that were simulated, and of which no mouse came to an end."""
    return [
        row["arm"]
        for row in _rows(results.comparison("arms", "csv"))
        if _number(row["finished"], 0) == 0 < _number(row["mice"], 0) - _number(row["missing"], 0)
    ]


def void_lines(study: ResolvedStudy, void: Sequence[str]) -> list[str]:
    """A line for each arm without a result."""
    labels = {arm.name: arm.label for arm in study.arms}
    return [f"{labels[arm]}: no result, because every mouse failed" for arm in void]


def effect_lines(study: ResolvedStudy, results: Layout, missing: Sequence[str] = ()) -> list[str]:
    """One line for each arm against its reference; none if the comparison is not made yet."""
    labels = {arm.name: arm.label for arm in study.arms}
    void, lines = void_arms(results), []
    for row in _rows(results.comparison("effects", "csv")):
        if row["outcome"] != "foci" or row["arm"] not in labels or row["arm"] in void:
            continue
        arm, reference = labels[row["arm"]], labels.get(row["reference"], row["reference"])
        if row["arm"] in missing or row["reference"] in missing:
            lines.append(f"{arm}: no result, because jobs failed")
        elif row["reference"] in void:
            lines.append(f"{arm}: not compared, because {reference} has no result")
        elif not row["ratio"] and _number(row["particles"], 0) == 0:
            lines.append(f"{arm}: not compared with {reference}, because no mouse finished in both")
        elif not row["ratio"]:
            lines.append(f"{arm}: no ratio to {reference} (no foci there)")
        else:
            lines.append(effect(arm, reference, row))
    return lines


def failure_lines(study: ResolvedStudy, results: Layout) -> list[str]:
    """Mice that did not come to an end, by arm; those left out say less than they seem to."""
    labels = {arm.name: arm.label for arm in study.arms}
    lines = []
    for row in _rows(results.comparison("arms", "csv")):
        counts = {k: int(_number(row[k], 0)) for k in ("implausible", "step_limit", "not_finite")}
        if any(counts.values()):
            what = ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in counts.items() if n)
            lines.append(
                f"{labels.get(row['arm'], row['arm'])}: mice without a result: {what}; the first "
                f"again: nichetrial replay STUDY --particle {row['failed_particle']} "
                f"--animal {row['failed_animal']} --arm {row['arm']} --trace"
            )
    return lines


def _rows(path: str) -> list[dict[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    except FileNotFoundError:
        return []


def _number(text: str, missing: float = math.nan) -> float:
    value = float(text) if text else math.nan
    return missing if math.isnan(value) else value
