"""nichetrial check: is this study file right?"""

from __future__ import annotations

import argparse

from nichetrial.commands.study_file import add_study, checked
from nichetrial.study.words import summary

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial check``."""
    add_study(parser)


def run(args: argparse.Namespace) -> None:
    """Print one line for a study that can run. Raises UserError with all that is wrong."""
    study = checked(args).study
    fit, predict = study.calibration.fit, study.calibration.predict
    if fit or predict:
        from nichetrial.evidence.finding_studies import arms_of  # only then: it takes a moment
        from nichetrial.evidence.findings import all_findings

        arms_of(all_findings(fit, predict))
    print(f"{args.study}: ok; {summary(study)}")
