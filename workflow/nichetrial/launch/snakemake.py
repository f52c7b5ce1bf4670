"""Snakemake, silent when it is stopped while it starts: ``python -m nichetrial.launch.snakemake``.

Python tells an interrupt by a traceback, and Snakemake minds interrupts only once it has loaded,
which takes seconds. Until then the system's own way of dying by a signal does better.
"""

from __future__ import annotations

import logging
import signal
import sys
from argparse import ArgumentParser

from nichetrial.compat.snakemake_logging import make_safe

__all__ = ["main"]


def main() -> None:
    """Load Snakemake, then run it on the words of the command line."""
    ArgumentParser.print_usage = lambda *_: None  # type: ignore[method-assign]  # 130 lines
    logging.raiseExceptions = False  # its own log, on a full disk: the jobs tell that
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ignored:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from snakemake.cli import main as snakemake

    make_safe()
    if not ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        snakemake()
    except KeyboardInterrupt:  # before it minds them itself
        sys.exit(130)


if __name__ == "__main__":
    main()
