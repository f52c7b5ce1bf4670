"""The study of a results folder, as it is read back: data, which is checked before it is used."""

from __future__ import annotations

import os

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records.stored import read_json
from nichetrial.study.resolved import FORMAT, ResolvedStudy

__all__ = ["is_of_other_edition", "read_study"]


def read_study(path: str | os.PathLike[str]) -> ResolvedStudy:
    """The resolved study in a study.json. Raises UserError if the file is missing, or not one of
    this edition."""
    try:
        content = read_json(path)
        if isinstance(content, dict) and "arms" in content and content.get("format") != FORMAT:
            raise UserError(
                codes.OTHER_EDITION,
                "these results were made by another version of nichetrial, which wrote them in "
                "another way; run the study again, or use that version",
                place=str(path),
            )
        return ResolvedStudy.model_validate(content)
    except (OSError, ValueError) as error:
        raise UserError(
            codes.NO_RESULTS,
            f"this is no study.json of a results folder ({type(error).__name__}); "
            "`nichetrial run` writes one",
            place=str(path),
        ) from None


def is_of_other_edition(path: str | os.PathLike[str]) -> bool:
    """Whether there is a study.json, and it is one of another version."""
    try:
        read_study(path)
    except UserError as error:
        return error.code is codes.OTHER_EDITION
    return False
