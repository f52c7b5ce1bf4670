"""A killed run takes its Snakemake with it: the child watches a pipe that its parent holds.

The kernel closes the parent's end however the parent dies, on Linux and macOS alike; the child then
ends itself and its jobs as it does on an interrupt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, MutableMapping

__all__ = ["PATIENCE", "held", "watch"]

VARIABLE = "NICHETRIAL_LIFELINE"
"""Tells the child which descriptor to watch; it takes it out again, so that jobs do not see it."""

PATIENCE = 10.0
"""Seconds between asking to stop, asking again, and killing."""


@contextlib.contextmanager
def held() -> Iterator[tuple[int, dict[str, str]]]:
    """For the parent: the descriptor that the child inherits, and what its environment says."""
    watched, kept = os.pipe()
    try:
        yield watched, {VARIABLE: str(watched)}
    finally:
        os.close(kept)
        os.close(watched)


def watch(environment: MutableMapping[str, str] = os.environ) -> threading.Thread | None:
    """For the child: from now on, stop this process group when the parent is gone."""
    number = environment.pop(VARIABLE, "")
    if not number.isdecimal():
        return None
    os.set_inheritable(int(number), False)
    thread = threading.Thread(target=_until_closed, args=(int(number),), daemon=True)
    thread.start()
    return thread


def _until_closed(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.read(fd, 1)
    for strength in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        _stop(strength)
        time.sleep(PATIENCE)


def _stop(strength: int) -> None:
    """The group if it is ours alone: it has the jobs in it."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), strength)
    else:
        os.kill(os.getpid(), strength)
