"""What a user reads when something is not right: errors (exit code 2) and notes (exit code 0).

Each has a stable code, ``NT012``, declared in ``nichetrial.codes`` with its cause and cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Code", "Fault", "Note", "UserError", "refuse"]


@dataclass(frozen=True)
class Code:
    """The kind of a message: what causes it and what cures it, as the docs list it."""

    number: int
    cause: str
    cure: str

    def __str__(self) -> str:
        return f"NT{self.number:03d}"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        code: its kind, from ``nichetrial.codes``.
        message: what is wrong and what would be right, in one or two sentences.
        place: where, e.g. ``"config.yaml:41: arms.amd3100.treatments[0].dose"``; shown first.
    """

    code: Code
    message: str
    place: str | None = None

    def __str__(self) -> str:
        text = f"{self.code} {self.message}"
        return f"{self.place}: {text}" if self.place else text


class UserError(Exception):
    """Something the user can put right: one message and exit code 2, never a traceback.

    >>> from nichetrial import codes
    >>> print(UserError(codes.USAGE, "there is no command 'rum'", place="nichetrial"))
    nichetrial: NT100 there is no command 'rum'
    """

    def __init__(self, code: Code, message: str, *, place: str | None = None) -> None:
        self.faults: tuple[Fault, ...] = (Fault(code, message, place),)
        super().__init__(str(self.faults[0]))

    @classmethod
    def several(cls, faults: Sequence[Fault]) -> UserError:
        """One error for all ``faults`` (at least one); its text has a line for each."""
        error = cls(faults[0].code, faults[0].message, place=faults[0].place)
        error.faults = tuple(faults)
        error.args = ("\n".join(map(str, faults)),)
        return error

    @property
    def code(self) -> Code:
        """The code of the first fault."""
        return self.faults[0].code

    @property
    def message(self) -> str:
        """The message of the first fault."""
        return self.faults[0].message

    @property
    def place(self) -> str | None:
        """The place of the first fault."""
        return self.faults[0].place


@dataclass(frozen=True)
class Note:
    """Something that is allowed but probably not meant. ``--strict`` makes it an error.

    Args:
        code: its kind, from ``nichetrial.codes`` (NT8xx).
        reason: why it was noticed, as a clause.
        remedy: what to do about it, as a clause.
        place: as in ``Fault``.
    """

    code: Code
    reason: str
    remedy: str
    place: str | None = None

    def __str__(self) -> str:
        return f"note: {self.fault}"

    @property
    def fault(self) -> Fault:
        """The same as an error."""
        return Fault(self.code, f"{self.reason}; {self.remedy}", self.place)


def refuse(notes: Sequence[Note]) -> None:
    """Raise one UserError for all ``notes``; nothing for none. This is what ``--strict`` does."""
    if notes:
        raise UserError.several([note.fault for note in notes])
