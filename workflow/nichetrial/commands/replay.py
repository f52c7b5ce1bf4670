"""One mouse of a study again, by itself: what became of it, and every step on the way."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from nichetrial import codes
from nichetrial.commands.selection import Chosen, add_selection
from nichetrial.errors import UserError
from nichetrial.files import delivered

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial replay``."""
    parser.description = (
        "Simulate one mouse of a study again, by itself: the same numbers as in the study."
    )
    add_selection(parser)
    parser.add_argument(
        "--trace",
        nargs="?",
        const="",
        metavar="FILE",
        help="write every attempt of the integration as CSV (STUDY-ARM-mouseK-I-trace.csv)",
    )


def run(args: argparse.Namespace) -> int:
    """Simulate and report: 0 if the mouse came to an end, otherwise 1.

    Raises UserError for what is unknown or cannot be written.
    """
    chosen, trace = Chosen(args), args.trace
    study, arm = chosen.study, chosen.arm

    from nichetrial.engine.integrate import TRACE  # the compiled code takes a moment to load
    from nichetrial.engine.outcome import Outcome
    from nichetrial.trial.simulate import OUTCOMES, most_attempts, simulate

    attempts = np.full((most_attempts(arm), len(TRACE)), np.nan)
    result = simulate(arm, chosen.drawn(), seed=study.seed, trace=attempts)
    table = pd.DataFrame(attempts[~np.isnan(attempts[:, 0])], columns=list(TRACE))
    for column in ("accepted", "lands"):
        table[column] = table[column].astype(int)
    row = result.outcomes.iloc[0]
    outcome = Outcome[str(row["status"]).upper()]
    print(f"{study.name}, arm {arm.name}, {chosen.words}: {outcome.label} ({outcome.advice})")
    accepted = int(table["accepted"].sum())
    print(f"steps: {accepted} accepted, {len(table) - accepted} rejected")
    if outcome is Outcome.FINISHED:
        for name, (_, unit, meaning) in OUTCOMES.items():
            if name not in ("particle", "animal", "status", "steps"):
                value = f"{row[name]:.6g}" if isinstance(row[name], float) else f"{row[name]}"
                print(f"  {name:<22}{value:>13} {unit if unit != '1' else '':<10}{meaning}")
    code = int(outcome is not Outcome.FINISHED)
    if trace is None:
        return code
    path = Path(trace or chosen.file("-trace.csv"))
    if path.is_dir():
        raise UserError(
            codes.NOT_WRITABLE, "is a folder; name the file to write", place=f"--trace {path}"
        )
    try:
        with delivered(path) as part:
            table.to_csv(part, index=False, lineterminator="\n")
    except OSError as error:
        raise UserError(
            codes.NOT_WRITABLE, f"the file cannot be written: {error.strerror}", place=str(path)
        ) from error
    print(f"written: {path} (a row for each attempt: day at its end, step in days, error over ")
    print("  tolerance, whether it was accepted and landed on a day of the plan, and the states)")
    return code
