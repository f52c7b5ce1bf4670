"""The study of a results folder, as it is read back: data, which is checked before it is used."""

from __future__ import annotations

import os

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records.stored import read_json
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["read_study"]


def read_study(path: str | os.PathLike[str]) -> ResolvedStudy:
    """The resolved study in a study.json. Raises UserError if the file is missing or not one."""
    try:
        return ResolvedStudy.model_validate(read_json(path))
    except (OSError, ValueError) as error:
        raise UserError(
            codes.NO_RESULTS,
            f"this is no study.json of a results folder ({type(error).__name__}); "
            "`nichetrial run` writes one",
            place=str(path),
        ) from None
