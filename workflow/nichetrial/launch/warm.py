"""A warm parent for the jobs of a run on this computer.

Most of a short job is Python that starts and imports. So one process imports what jobs need, loads
the compiled model, and forks a child for each job. A job is still a command of its own, ``python -m
nichetrial stage ...``, which Snakemake starts, stops and waits for; it hands its words, folder,
environment and terminal over (``warm_client``). A child is a job like any other: it sees what it
would see in a process of its own, and dies with its command. On a cluster there is no parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from nichetrial.launch import lifeline, process
from nichetrial.launch.warm_client import HANDED, LENGTH, PYTHON, STATUS

__all__ = ["Parent", "parent"]

MODULE = "nichetrial.commands.warm_parent"
"""What the parent runs."""
LONGEST = 100
"""Characters of a socket's path that every system takes."""
PATIENCE = 30.0
"""Seconds to wait for the rest of a task."""


@contextlib.contextmanager
def parent(*, here: bool) -> Iterator[None]:
    """A parent that the jobs started in the block find by their environment.

    Args:
        here: the jobs run on this computer.
    """
    with tempfile.TemporaryDirectory(prefix="nichetrial-") as folder:  # closed to others
        path = os.path.join(folder, "jobs")
        if not here or os.environ.get(HANDED) == "no" or len(path) > LONGEST:
            yield
            return
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door,
            lifeline.held() as (watched, given),
        ):
            door.bind(path)
            door.listen(128)
            child = subprocess.Popen(  # noqa: S603  (a list of words, no shell)
                [sys.executable, "-m", MODULE, str(door.fileno())],
                stdin=subprocess.DEVNULL,
                process_group=0,
                pass_fds=(door.fileno(), watched),
                env=process.surroundings(os.environ) | given,
            )
            door.close()
            os.environ |= {HANDED: path, PYTHON: sys.prefix}
            try:
                yield
            finally:
                del os.environ[HANDED], os.environ[PYTHON]
                child.terminate()
                child.wait()


class Parent:
    """The parent's side of the door.

    Args:
        door: where tasks come in.
        watched: the end of a pipe that closes when the run is gone.
        load: has what a job with these words needs in memory.
        do: does a job; the exit code.
    """

    def __init__(
        self,
        door: socket.socket,
        watched: int,
        *,
        load: Callable[[list[str]], None],
        do: Callable[[list[str]], int],
    ) -> None:
        self._door, self._watched = door, watched
        self._load, self._do = load, do
        self._jobs: dict[int, socket.socket] = {}
        self._ended, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)

    def serve(self) -> None:
        """Until the run is gone, or SIGTERM."""
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
        try:
            while not stopped:
                clients = {s.fileno(): pid for pid, s in self._jobs.items()}
                inputs: list[Any] = [self._door, self._watched, self._ended, *clients]
                ready = select.select(inputs, [], [])[0]
                if self._watched in ready:
                    return
                for one in ready:
                    if isinstance(one, socket.socket):
                        self._start(self._door.accept()[0])
                    elif one == self._ended:
                        os.read(self._ended, 4096)
                        self._reap()
                    elif clients[one] in self._jobs:
                        self._pass_on(clients[one])
        finally:
            for pid in self._jobs:
                os.kill(pid, signal.SIGKILL)

    def _start(self, client: socket.socket) -> None:
        """A job; a task that does not come whole is none."""
        client.settimeout(PATIENCE)
        fds: list[int] = []
        try:
            head, fds, *_ = socket.recv_fds(client, LENGTH.size, 3)
            content = client.recv(LENGTH.unpack(head)[0], socket.MSG_WAITALL)
            task = json.loads(content)
        except (OSError, ValueError, LookupError, struct.error):
            for fd in fds:
                os.close(fd)
            client.close()
            return
        client.settimeout(None)
        self._load(task["words"])
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(task, fds, parent)
        for fd in fds:
            os.close(fd)
        self._jobs[pid] = client

    def _pass_on(self, pid: int) -> None:
        """A signal to the job; SIGKILL if its command is gone."""
        numbers = b""
        with contextlib.suppress(OSError):
            numbers = self._jobs[pid].recv(64)
        for number in numbers or bytes([signal.SIGKILL]):
            os.kill(pid, number)
        if not numbers:
            self._jobs.pop(pid).close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if client := self._jobs.pop(pid, None):
                with client, contextlib.suppress(OSError):
                    client.sendall(STATUS.pack(status))

    def _become(self, task: dict[str, Any], fds: list[int], parent: int) -> NoReturn:
        """In the child: do the job as a process that has just started would."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)  # until the job minds them itself
            _die_with(parent)
            for fd in (self._ended, self._wakes, self._watched):
                os.close(fd)
            for connection in (self._door, *self._jobs.values()):
                connection.close()
            for target, fd in enumerate(fds):
                os.dup2(fd, target)
            for fd in fds:
                os.close(fd)
            os.environ.clear()
            os.environ.update(task["environment"])
            os.chdir(task["folder"])
            sys.argv = [sys.argv[0], *task["words"]]
            code = self._do(task["words"])
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def _die_with(parent: int) -> None:
    """The kernel kills this process when its parent is killed. (Elsewhere than on Linux, a parent
    that is killed alone leaves it.)"""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
