"""MLflow's own server over the store on this machine, for as long as someone looks at it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nichetrial.errors import UserError
from nichetrial.tracking import sqlite
from nichetrial.tracking.store import QUIET, Store

__all__ = ["HOST", "serving"]

HOST = "127.0.0.1"
READY_SECONDS = 90.0
END_SECONDS = 5.0


@contextmanager
def serving(store: Store, *, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve ``store`` on this machine only, ready when the block starts, gone when it ends.

    Raises: UserError if there is no store yet, the port is taken, or the server does not come up.
    """
    database = store.database
    if database is None or not database.is_file():
        raise UserError(
            "there are no tracked runs yet; `nichetrial run` makes the first ones",
            place=str(database or store.uri),
        )
    _free(port)
    if store.artifacts:
        sqlite.settle_place(database, store.artifacts)
    log = database.with_name("ui.log")
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603  (fixed words, no shell)
            _command(store, port),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**QUIET, **os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,  # Ctrl-C reaches us alone, and we end all its processes
        )
    try:
        _wait(process, port, log)
        yield process
    finally:
        _end(process)


def _command(store: Store, port: int) -> list[str]:
    words = ["--backend-store-uri", store.uri, "--default-artifact-root", str(store.artifacts)]
    words += ["--no-serve-artifacts", "--host", HOST, "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", "server", *words]


def _free(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise UserError(
                f"port {port} cannot be had ({getattr(error, 'strerror', None) or error}); perhaps "
                f"the UI is open already? Otherwise give another one: --port {port % 65000 + 1}",
                place="--port",
            ) from None


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by a proxy
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with suppress(OSError), direct.open(f"http://{HOST}:{port}/health", timeout=2):
            return
        time.sleep(0.2)
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    raise UserError(f"the MLflow server did not start: {last[0][:300]}", place=str(log))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server with its workers; a second try is not polite."""
    for number, patience in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break
    with suppress(ProcessLookupError):  # a worker may outlive the process that started it
        os.killpg(process.pid, signal.SIGKILL)
