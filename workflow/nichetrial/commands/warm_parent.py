"""The warm parent of a run's jobs (``launch.warm``), which ``nichetrial run`` starts.

``python -m nichetrial.commands.warm_parent FD``, with the listening socket FD.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import socket
import sys

from nichetrial.launch import lifeline
from nichetrial.launch.warm import Parent

__all__ = ["main"]

FIRST = ("nichetrial.commands.stage", "nichetrial.stages.simulate", "nichetrial.stages.compare")
"""Imported as soon as there is a job. Other stages are imported for their first job."""
LATE = {"figure": ("matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg")}
"""Stage -> what it imports only while it works."""


def load(words: list[str]) -> None:
    """What the job of a stage needs. The job itself reports what cannot be imported."""
    stage = words[1] if len(words) > 1 and words[1].isidentifier() else "stage"
    for name in (f"nichetrial.stages.{stage}", *LATE.get(stage, ())):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def main() -> None:
    """Load nothing before there is something to do; then serve until the run is over."""
    watched = int(os.environ.pop(lifeline.VARIABLE))
    os.set_inheritable(watched, False)
    door = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(door.fileno(), False)
    if watched in select.select([door.fileno(), watched], [], [])[0]:
        return
    with contextlib.suppress(Exception):  # a job that needs what fails here says so itself
        for name in FIRST:
            importlib.import_module(name)
        from nichetrial.engine.self_test import exercise

        exercise()
    from nichetrial import cli

    gc.freeze()  # what is loaded stays shared with the children
    Parent(door, watched, load=load, do=cli.main).serve()


if __name__ == "__main__":
    main()
