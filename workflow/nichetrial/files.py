"""Files on disk: whole or not at all, and only where they may be.

A half-written file never has the final name: it is written next to it and renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic", "delivered", "half_written"]


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the target's folder; renamed onto ``path`` when the block succeeds.

    The file and its new name are on the disk before the block's caller goes on: after a power cut
    there is the old file or the new one, and never an empty one.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # processes of two hosts can have the same number, and the folder may be shared by both
    part = target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        yield part
        _on_disk(part)
        os.replace(part, target)
        _on_disk(target.parent)
    finally:
        part.unlink(missing_ok=True)


def half_written(folder: str | os.PathLike[str]) -> Iterator[tuple[Path, int]]:
    """Files below ``folder`` that ``atomic`` has begun on this computer, each with the number of
    its process."""
    for part in Path(folder).rglob(f".*.{socket.gethostname()}.*.part"):
        number = part.name.rsplit(".", 2)[1]
        if number.isdecimal() and number.isascii() and part.is_file():
            yield part, int(number)


@contextmanager
def delivered(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path, whose content goes where a user wants it when the block succeeds.

    A new or an ordinary file is replaced at once and whole. A link is followed, and a device, a
    pipe or the like is written into: it is never replaced by a file.

    Raises: OSError if it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if not target.exists() or target.is_file():
        with atomic(target) as part:
            yield part
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "content")
        yield part
        with open(part, "rb") as content, open(target, "wb") as stream:
            shutil.copyfileobj(content, stream)


def _on_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk, as far as its file system can say."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # it cannot say
            raise
    finally:
        os.close(number)
