"""The study file of a command: its options, its checks, and notes about it on the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nichetrial.errors import Note, refuse
from nichetrial.study.assemble import Assembled
from nichetrial.study.load import load_with_experiment
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking.store import locate

__all__ = ["add_study", "checked", "give"]

TRIED = 64
"""Particles that are drawn to see whether there are plausible ones."""


def add_study(parser: argparse.ArgumentParser) -> None:
    """The study file, and the option ``--strict``."""
    parser.add_argument("study", nargs="?", default="config.yaml", help="study file (config.yaml)")
    parser.add_argument("--strict", action="store_true", help="treat notes as errors")


def checked(args: argparse.Namespace) -> Assembled:
    """The study, its notes printed. Raises UserError for all that is wrong with it or its store."""
    whole = load_with_experiment(args.study)
    locate(whole.study.tracking.uri).require_sound()
    if whole.study.cohort.overrides and whole.study.cohort.population != "own":
        _try_mice(whole.study)
    give(whole.notes, strict=args.strict)
    return whole


def _try_mice(study: ResolvedStudy) -> None:
    """Raises UserError if the parameters of the study leave no plausible mouse."""
    from nichetrial.cohort.particle_source import particles_of
    from nichetrial.cohort.sample import sample  # the compiled code takes a moment to load

    sample(
        seed=study.seed,
        first=0,
        last=min(study.cohort.particles, TRIED) - 1,
        mice=1,
        overrides=study.cohort.overrides,
        population=particles_of(study.cohort.population),
    )


def give(notes: Sequence[Note], *, strict: bool) -> None:
    """Print notes, one line each. Raises UserError for them if ``strict``."""
    if strict:
        refuse(notes)
    for note in notes:
        print(f"nichetrial: {note}", file=sys.stderr, flush=True)
