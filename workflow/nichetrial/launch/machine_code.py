"""Compiled code for a run: there before its jobs start, in a folder that is safe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nichetrial.compat import numba_cache
from nichetrial.errors import Note

__all__ = ["ready"]


@contextmanager
def ready(say: Callable[[str], None], *, here: bool = True) -> Iterator[Note | None]:
    """Have the model compiled and tested before the block; what it yields is for the user to read.

    Without a folder that is safe, one is made for this run, handed to its jobs by the environment
    and removed after the block.

    Args:
        say: prints a line while the user waits.
        here: the jobs run on this computer. Otherwise the first job on each kind of processor
            compiles, and the others there wait for it.

    Raises: UserError if the compiled model does not pass its test.
    """
    folder = numba_cache.settle()
    if folder.private:
        os.environ[numba_cache.HANDED] = str(folder.path)
    try:
        if here and not folder.usable:
            say("compiling the model for this processor: about a minute, only once")
            folder.build()
        yield folder.note
    finally:
        if folder.private:
            os.environ.pop(numba_cache.HANDED, None)
            shutil.rmtree(folder.path, ignore_errors=True)
