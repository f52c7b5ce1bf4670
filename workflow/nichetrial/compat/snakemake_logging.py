"""Snakemake's log of events, safe from an interrupt at any moment.

Why: Snakemake writes its events into a ``queue.Queue`` through a handler with a lock. An interrupt
that comes while its main thread has one of the two locks, and has not yet entered the block that
gives it back, leaves it taken: the thread that reads the queue, or a job's, then waits for ever.
``SimpleQueue`` has no such moment, and needs no lock before it.

Seen to fit: Snakemake 9.27.1. Canary: tests/unit/test_interrupts.py.
"""

from __future__ import annotations

import logging.handlers
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any

__all__ = ["Handler", "make_safe"]


class _NoLock(AbstractContextManager[None]):
    def acquire(self) -> None:
        """Nothing to wait for."""

    def release(self) -> None:
        """Nothing to give back."""

    def __exit__(self, *_: object) -> None:
        """As ``release``."""


class Handler(logging.handlers.QueueHandler):
    """Puts records into a queue that threads may use at the same time."""

    def createLock(self) -> None:
        self.lock = _NoLock()  # type: ignore[assignment]


def make_safe() -> None:
    """Before Snakemake sets up its log. Raises AttributeError if it does not have one like this."""
    from snakemake import logging as snakemake

    def queue(_: int) -> SimpleQueue[Any]:
        return SimpleQueue()

    _ = snakemake.Queue, snakemake.logging.handlers.QueueHandler
    snakemake.Queue = queue
    snakemake.logging.handlers.QueueHandler = Handler
