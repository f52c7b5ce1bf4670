"""MLflow's server behind our guards, beside us: ready when a block starts, gone when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.compat import mlflow_database, mlflow_server
from nichetrial.errors import UserError
from nichetrial.tracking.store import QUIET, Store

__all__ = ["HOST", "serving", "started", "stoppable"]

HOST = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104  (asked for, never bound by itself)
"""Addresses that a server listens on, and the one to ask it at."""

READY_SECONDS = 90.0
END_SECONDS = 5.0


@contextmanager
def serving(store: Store, *, port: int, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the SQLite file ``store`` on this machine only, to those who have the ``token``.

    Raises: UserError if there is no store yet, the port is taken, or the server does not come up.
    """
    database = store.database
    if database is None or not database.is_file():
        raise UserError(
            codes.NO_STORE,
            "there are no tracked runs yet; `nichetrial run` makes the first ones",
            place=str(database or store.uri),
        )
    if store.artifacts:
        mlflow_database.settle_place(database, store.artifacts)
    words = ["--allowed-hosts", f"{HOST}:{port},localhost:{port}"]
    words += ["--backend-store-uri", store.uri, "--default-artifact-root", str(store.artifacts)]
    words += ["--no-serve-artifacts", "--workers", "1"]
    own = {k: v for k, v in os.environ.items() if "MLFLOW_" not in k}
    own |= mlflow_server.environment(database.parent / "artifacts", token=token, port=port)
    log = database.with_name("ui.log")
    with started(words, environment=own, host=HOST, port=port, log=log) as process:
        yield process


@contextmanager
def started(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    host: str,
    port: int,
    log: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``mlflow server`` with these options.

    ``environment``: with what ``mlflow_server.environment`` gives; ``log``: keeps what the server
    says, for this user; without one, it goes to standard error.

    Raises: UserError if the port is taken or the server does not come up.
    """
    _free(host, port)
    words = [*words, "--host", host, "--port", str(port), "--uvicorn-opts", mlflow_server.UVICORN]
    with _private(log) if log else _standard_error() as stream:
        process = subprocess.Popen(  # noqa: S603  (no shell)
            [sys.executable, "-P", "-m", mlflow_server.MLFLOW, "server", *words],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**QUIET, **environment, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,  # Ctrl-C reaches us alone, and we end all its processes
        )
    try:
        _wait(process, host, port, log)
        yield process
    finally:
        _end(process)


@contextmanager
def stoppable(name: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block without an error, and are reported."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        print(f"\n{name}: ended", file=sys.stderr)
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@contextmanager
def _standard_error() -> Iterator[int]:
    yield 2


@contextmanager
def _private(path: Path) -> Iterator[int]:
    """A new file that only this user can read; a link or an older file in its place is removed."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            raise UserError(
                codes.UNFIT_PORT, f"{host!r} is no address of this machine", place="--host"
            ) from None
        except (OSError, OverflowError) as error:
            raise UserError(
                codes.UNFIT_PORT,
                f"port {port} cannot be had ({getattr(error, 'strerror', None) or error}); perhaps "
                f"the UI is open already? Otherwise give another one: --port {port % 65000 + 1}",
                place="--port",
            ) from None


def _wait(process: subprocess.Popen[bytes], host: str, port: int, log: Path | None) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by a proxy
    at = EVERYWHERE.get(host, host)
    address = f"http://{f'[{at}]' if ':' in at else at}:{port}/health"
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with suppress(OSError), direct.open(address, timeout=2):
            return
        time.sleep(0.2)
    if log is None:
        raise UserError(
            codes.SERVER_FAILED, "the MLflow server did not start; what it said is above"
        )
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    raise UserError(
        codes.SERVER_FAILED, f"the MLflow server did not start: {last[0][:300]}", place=str(log)
    )


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
