"""Room to write: whether there is any, and which disk, quota or limit it is that has none left."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from pathlib import Path

__all__ = ["TAKEN", "lack", "why"]

TAKEN = {
    errno.ENOSPC: "No space left on device",
    errno.EDQUOT: "Disk quota exceeded",
    errno.EFBIG: "File too large",
}
"""Errors of a write for which there was no room -> what the system, and so a log, calls them."""


def why(error: OSError, folder: str | os.PathLike[str]) -> str:
    """What there is no room on, and what to do, as one clause; '' for any other error.

    Args:
        folder: below which a file was written.
    """
    if error.errno == errno.EFBIG:
        largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        limit = f" of {largest:,} bytes (`ulimit -f`)" if largest > 0 else ""
        return f"the limit{limit} on the size of files is reached; raise it"
    if error.errno == errno.EDQUOT:
        return f"your quota on the disk at {_mount(folder)} is used up; make room"
    if error.errno == errno.ENOSPC:
        what = "files (inodes)" if _without_inodes(folder) else "bytes"
        return f"the disk at {_mount(folder)} has no room for more {what}; make room"
    return ""


def lack(folder: str | os.PathLike[str], size: int) -> str:
    """The same, found by writing a file of ``size`` bytes and removing it; '' if it can be.

    Raises: OSError if the folder cannot be written for another reason.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(size))
    except OSError as error:
        if clause := why(error, folder):
            return clause
        raise
    return ""


def _mount(folder: str | os.PathLike[str]) -> str:
    """Where the disk that has the folder is mounted."""
    path = Path(folder).resolve()
    return str(next(p for p in (path, *path.parents) if os.path.ismount(p)))


def _without_inodes(folder: str | os.PathLike[str]) -> bool:
    """(Some file systems make inodes as needed; they count none.)"""
    state = os.statvfs(folder)
    return state.f_files > 0 and state.f_favail == 0
