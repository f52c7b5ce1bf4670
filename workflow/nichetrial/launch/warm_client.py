"""A job that finds a warm parent (``warm``) hands its work over and waits for the end.

Only modules that Python loads anyway, or quickly: every job starts with this one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from types import FrameType

__all__ = ["HANDED", "LENGTH", "PYTHON", "STATUS", "hand_over", "wake"]

HANDED = "NICHETRIAL_WARM"
"""The parent's socket; ``no`` from a user: every job is a process that starts by itself."""
PYTHON = "NICHETRIAL_WARM_PYTHON"
"""The parent's environment of Python: a job that Snakemake starts in another one stays there."""

LENGTH = struct.Struct("!I")
"""Before the words: how many bytes they are."""
STATUS = struct.Struct("!i")
"""The parent's answer: how the job ended, as ``os.waitpid`` reports it."""


def wake() -> None:
    """There are jobs to come: the parent, if there is one, can load what they need."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as parent:
        parent.connect(os.environ.get(HANDED, ""))


def hand_over(words: Sequence[str]) -> int | None:
    """The exit code of the job that the parent did; None if there is no parent.

    Signals are passed on. If the job dies by a signal, this process does, too.
    """
    path = os.environ.get(HANDED, "no")
    if path == "no" or words[:1] != ["stage"] or os.environ.get(PYTHON) != sys.prefix:
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as parent:
        try:
            parent.connect(path)
        except OSError:
            return None

        def pass_on(number: int, _: FrameType | None) -> None:
            parent.send(bytes([number]))

        task = {"words": list(words), "folder": os.getcwd(), "environment": dict(os.environ)}
        content = json.dumps(task).encode()
        socket.send_fds(parent, [LENGTH.pack(len(content))], [0, 1, 2])
        parent.sendall(content)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, pass_on)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = parent.recv(STATUS.size, socket.MSG_WAITALL)
    if len(answer) < STATUS.size:
        print("nichetrial: the process that does the jobs was killed", file=sys.stderr)
        return 1
    code = os.waitstatus_to_exitcode(STATUS.unpack(answer)[0])
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL has no other way
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code
