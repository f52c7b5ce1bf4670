"""One arm and one mouse of a study file, as named on the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.plan import Plan
from nichetrial.study.kinds import did_you_mean
from nichetrial.study.load import load
from nichetrial.study.resolved import Arm, ResolvedStudy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Chosen", "add_selection"]


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The study file, an arm of it and a mouse."""
    parser.add_argument("study", nargs="?", default="config.yaml", help="study file (config.yaml)")
    parser.add_argument("--arm", required=True, help="name of the arm in the study file")
    parser.add_argument(
        "--particle", required=True, metavar="K", help="number of the particle, counted from 0"
    )
    parser.add_argument(
        "--animal",
        default="0",
        metavar="I",
        help="number of the mouse among those of its particle, counted from 0 (0)",
    )


class Chosen:
    """A study with one arm and one mouse. Raises UserError for what is unknown."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.study: ResolvedStudy = load(args.study)
        self.arm = _arm_named(self.study, args.arm)
        self.particle = _number(args.particle, self.study.cohort.particles, "particle")
        self.animal = _number(args.animal, self.study.cohort.mice_per_particle, "animal")
        self._file = args.study

    @property
    def words(self) -> str:
        return f"particle {self.particle}, animal {self.animal}"

    def file(self, ending: str) -> str:
        """A name for what is made of this mouse."""
        return f"{self.study.name}-{self.arm.name}-mouse{self.particle}-{self.animal}{ending}"

    def drawn(self) -> pd.DataFrame:
        """The mouse, as the study draws it: one row of parameters. Raises UserError."""
        from nichetrial.cohort.particle_source import particles_of
        from nichetrial.cohort.sample import sample  # the compiled code takes a moment to load

        own = Plan.of(self.study, self._file).own_population
        cohort = self.study.cohort
        mice = sample(
            seed=self.study.seed,
            first=self.particle,
            last=self.particle,
            mice=self.animal + 1,
            overrides=cohort.overrides,
            population=particles_of(cohort.population, own),
        ).mice
        return mice.iloc[[self.animal]].reset_index(drop=True)


def _arm_named(study: ResolvedStudy, name: str) -> Arm:
    try:
        return study.arm(name)
    except KeyError:
        meant = did_you_mean(name, [a.name for a in study.arms])
        raise UserError(
            codes.NO_SUCH_ARM, f'there is no arm "{name}"{meant}', place="--arm"
        ) from None


def _number(word: str, count: int, what: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 19 and int(word) < count):
        known = "the only one is 0" if count == 1 else f"they are 0 to {count - 1}"
        raise UserError(
            codes.NO_SUCH_MOUSE,
            f'"{word[:40]}" is no {what} of this study; {known}',
            place=f"--{what}",
        )
    return int(word)
