"""How the simulation of a mouse can end, each with advice."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Outcome"]


class Outcome(IntEnum):
    """The value is what the kernels return; ``advice`` says what to do about it."""

    FINISHED = 0
    STEP_LIMIT = 1
    NOT_FINITE = 2
    IMPLAUSIBLE = 3

    @property
    def label(self) -> str:
        """The name in tables: ``finished``, ``step_limit`` ..."""
        return self.name.lower()

    @property
    def advice(self) -> str:
        """One sentence for people."""
        return {
            Outcome.FINISHED: "nothing to do",
            Outcome.STEP_LIMIT: "the integration needed too many steps: look for a very dense "
            "dosing schedule, or for a rate of this mouse that is far above the others",
            Outcome.NOT_FINITE: "a state became infinite or not a number: look at this mouse's "
            "parameters, an override may allow values that have no meaning",
            Outcome.IMPLAUSIBLE: "no plausible mouse was found: widen the overridden distributions",
        }[self]
