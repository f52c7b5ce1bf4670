"""The one error a user is meant to read: one message and exit code 2, never a traceback."""

__all__ = ["UserError"]


class UserError(Exception):
    """Something the user can put right.

    Args:
        message: what is wrong and what would be right, in one or two sentences.
        place: where, e.g. ``"config.yaml:41: arms.amd3100.treatments[0].dose"``; shown first.
    """

    def __init__(self, message: str, *, place: str | None = None) -> None:
        self.message = message
        self.place = place
        super().__init__(f"{place}: {message}" if place else message)
