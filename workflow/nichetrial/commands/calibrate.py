"""Command calibrate: the model fitted to published findings, and tested on those held out."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from nichetrial.commands.run import add_running, carry_out, say
from nichetrial.commands.study_file import checked
from nichetrial.evidence.document import tally
from nichetrial.evidence.finding_studies import arms_of
from nichetrial.evidence.findings import all_findings, check_held_out
from nichetrial.pipeline.current import is_current
from nichetrial.pipeline.plan import Plan

__all__ = ["add_arguments", "run"]

TARGET = "evidence"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial calibrate``."""
    add_running(parser)


def run(args: argparse.Namespace) -> int:
    """Check findings and experiments, run, tell hits and misses.

    Raises UserError, before anything is written, for what cannot be right.
    """
    study = checked(args).study
    plan = Plan.of(study, args.study)
    check_held_out()
    findings = all_findings(study.calibration.fit, study.calibration.predict)
    arms = len({id(arm) for arm in arms_of(findings).values()})
    say(
        f"{study.title}: {len(findings)} findings, {arms} arms, "
        f"{study.calibration.particles} particles of each of "
        f"{len(study.calibration.variants)} variants -> {plan.layout.evidence.folder}/"
    )
    return carry_out(plan, args, target=TARGET, tell=_scores)


def _scores(plan: Plan, missing: Sequence[str]) -> list[str]:
    """A line for each variant, once the findings are judged for this version of the study."""
    kept = plan.layout.evidence
    if not is_current(plan, "scoreboard"):
        return []
    path = Path(kept.table("scoreboard", "csv"))
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    lines = ["", f"{'variant':14} {'set A':>9} {'set B':>9}  misses"]
    for variant in plan.study.calibration.variants:
        fitted, predicted, missed = tally(rows, variant)
        lines.append(f"{variant:14} {fitted:>9} {predicted:>9}  {missed}")
    return [*lines, "", f"report: {kept.page}", f"table: {path}"]
