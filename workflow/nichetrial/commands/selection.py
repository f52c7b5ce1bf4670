"""One arm and one mouse of a study file, as named on the command line."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.study.kinds import did_you_mean
from nichetrial.study.resolved import Arm, ResolvedStudy

__all__ = ["arm_named", "mouse_numbered"]


def arm_named(study: ResolvedStudy, name: str) -> Arm:
    """The arm of that name. Raises UserError."""
    try:
        return study.arm(name)
    except KeyError:
        meant = did_you_mean(name, [a.name for a in study.arms])
        raise UserError(
            codes.NO_SUCH_ARM, f'there is no arm "{name}"{meant}', place="--arm"
        ) from None


def mouse_numbered(study: ResolvedStudy, word: str) -> int:
    """The number of a mouse of the study. Raises UserError."""
    mice = study.cohort.mice
    if not (word.isascii() and word.isdigit() and len(word) < 19 and int(word) < mice):
        raise UserError(
            codes.NO_SUCH_MOUSE,
            f'"{word[:40]}" is no mouse of this study; its mice are 0 to {mice - 1}',
            place="--mouse",
        )
    return int(word)
