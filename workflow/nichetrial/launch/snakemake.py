"""Snakemake, silent when it is stopped while it starts: ``python -m nichetrial.launch.snakemake``.

Python tells an interrupt by a traceback, and Snakemake minds interrupts only once it has loaded,
which takes seconds. Until then the system's own way of dying by a signal does better.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

__all__ = ["main"]

AGAIN = 0.05
"""Seconds after which an interrupt that came at a bad moment is tried again."""


def main() -> None:
    """Load Snakemake, then run it on the words of the command line."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ignored:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from snakemake.cli import main as snakemake

    if not ignored:
        for number in (signal.SIGINT, signal.SIGALRM):
            signal.signal(number, _interrupt)
    try:
        snakemake()
    except KeyboardInterrupt:  # before it minds them itself
        sys.exit(130)


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not out of a call of ``logging``: its queue would stay locked,
    and Snakemake would wait for it without an end when it reports that it stops."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in ("logging", "queue"):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
