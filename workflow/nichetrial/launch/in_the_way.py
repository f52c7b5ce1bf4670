"""What stands where a run keeps its own files and is not what belongs there.

Found before anything starts. Later it would end a job, Snakemake or this program at some place, the
same way at every further run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from nichetrial import codes
from nichetrial.compat import snakemake_files
from nichetrial.errors import Fault, UserError
from nichetrial.launch.locks import LOCK
from nichetrial.pipeline.jobs import jobs
from nichetrial.pipeline.plan import Plan
from nichetrial.records.origin import FOLDER, ORIGIN

__all__ = ["require_free"]

NAMED = 5
"""Places that are named in a message; more are counted."""

NO_FILE = "this is not a file, as it has to be"
NO_FOLDER = "this is not a folder, as it has to be"
NOWHERE = "this link leads nowhere"
UNREADABLE = "you may not read this file"
CLOSED = "you may not read or write in this folder"


def require_free(plan: Plan) -> None:
    """Raises UserError that names what is in the way of a run in the working folder."""
    found = [*_in_results(plan), *_in_state()]
    faults = [
        Fault(
            codes.IN_THE_WAY,
            f"{why}; {_cure(why)}, and the same command makes what belongs there",
            place=path,
        )
        for path, why in found[:NAMED]
    ]
    if len(found) > NAMED:
        faults.append(Fault(codes.IN_THE_WAY, f"{len(found) - NAMED} more are in the way"))
    if faults:
        raise UserError.several(faults)


def _cure(why: str) -> str:
    closed = why in (UNREADABLE, CLOSED)
    return "correct its permissions, or move it away" if closed else "move it away"


def _in_results(plan: Plan) -> Iterator[tuple[str, str]]:
    layout = plan.layout
    files = {layout.study, layout.receipt, layout.evidence.receipt}
    files.add(f"{layout.results}/{FOLDER}/{ORIGIN}")
    for job in jobs(plan, evidence=True):
        files.update([*job.outputs, job.record, job.log])
    folders = {str(above) for file in files for above in PurePosixPath(file).parents}
    of_files = {path.rpartition("/")[0] for path in (layout.receipt, layout.evidence.receipt)}

    def belongs(path: str) -> bool | None:
        if path in files or path.rpartition("/")[0] in of_files:
            return False
        return True if path in folders else None

    top = str(PurePosixPath(layout.results).parent)
    wrong = _wrong(top, belongs)
    if wrong:
        yield top, wrong
    else:
        yield from _below(layout.results, belongs)


def _in_state() -> Iterator[tuple[str, str]]:
    """Of what Snakemake keeps, only what it reads in every run: environments lie there too."""
    state = snakemake_files.STATE
    memories = [f"{state}/{name}" for name in snakemake_files.MEMORIES]
    folders = [state, *(f"{state}/{name}" for name in snakemake_files.FOLDERS)]
    tops = dict.fromkeys(folders, True) | {LOCK: False}

    def in_memory(path: str) -> bool:
        return path in memories or snakemake_files.is_folder(path.rpartition("/")[2])

    found = [(path, why) for path in tops if (why := _wrong(path, tops.get))]
    yield from found
    if not found:
        for memory in memories:
            yield from _below(memory, in_memory)


def _below(path: str, belongs: Callable[[str], bool | None]) -> Iterator[tuple[str, str]]:
    """What is wrong with ``path`` and all that is below it.

    Args:
        belongs: whether a folder (or else a file) belongs there; None if it does not matter.
    """
    if wrong := _wrong(path, belongs):
        yield path, wrong
    elif os.path.isdir(path) and not os.path.islink(path):
        for name in sorted(os.listdir(path)):
            yield from _below(f"{path}/{name}", belongs)


def _wrong(path: str, belongs: Callable[[str], bool | None]) -> str:
    """Why ``path`` is in the way; '' if it is not, or if nothing is there."""
    if not os.path.lexists(path):
        return ""
    if not os.path.exists(path):
        return NOWHERE
    folder = belongs(path)
    if os.path.isdir(path):
        if folder is False:
            return NO_FILE
        return "" if os.access(path, os.R_OK | os.W_OK | os.X_OK) else CLOSED
    if folder:
        return NO_FOLDER
    if not os.path.isfile(path):
        return NO_FILE
    return "" if os.access(path, os.R_OK) else UNREADABLE
