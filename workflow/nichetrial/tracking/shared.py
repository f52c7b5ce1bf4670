"""The server that a group shares: MLflow's own, on Postgres, with MLflow's own login.

Credentials come from the environment and go on in it. MLflow wants the address of the database of
its users in a file; it gets one that exists in memory only, and ends with this process.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.compat import mlflow_server
from nichetrial.errors import UserError
from nichetrial.tracking.server import started

__all__ = ["ADMIN", "DATABASE", "PASSWORD", "sharing"]

DATABASE = "MLFLOW_BACKEND_STORE_URI"
ADMIN, PASSWORD = "MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"
SECRET, CONFIG = "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_AUTH_CONFIG_PATH"
OF_CLIENTS = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
"""What the server has no use for."""

SHORTEST = 12
"""Characters that MLflow wants of a password."""

PATIENCE = 5
"""Seconds that Postgres has to answer."""

FORM = "postgresql://user:password@host:5432/database"
LOGIN = """\
[mlflow]
default_permission = READ
database_uri = {database}
admin_username = {admin}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
"""Who has a login can read all and write what he made. A login that was right is believed for a
minute: the digest of a password takes longer than most requests."""


@contextmanager
def sharing(
    *, files: Path, host: str, port: int, workers: int, allowed_hosts: str | None, largest_file: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Serve runs, users and permissions from Postgres, and the files of runs from ``files``.

    Args:
        allowed_hosts: names under which the server may be asked, as MLflow's option takes them.
        largest_file: megabytes that a file of a run may have.

    Raises: UserError if the environment, Postgres or the port is not as it has to be.
    """
    _installed()
    uri = _database(os.environ)
    admin = os.environ.get(ADMIN) or "admin"
    _first_start(uri, admin, os.environ.get(PASSWORD, ""))
    login = LOGIN.format(database=_quoted(uri), admin=_quoted(admin))
    words = ["--app-name", "basic-auth", "--workers", str(workers)]
    words += ["--serve-artifacts", "--artifacts-destination", str(files.absolute())]
    words += ["--allowed-hosts", allowed_hosts] if allowed_hosts else []
    with _in_memory(login) as config:
        environment = {k: v for k, v in os.environ.items() if k not in OF_CLIENTS}
        environment |= {DATABASE: uri, CONFIG: config}
        environment |= mlflow_server.environment(files.absolute(), upload=largest_file)
        environment.setdefault(SECRET, secrets.token_hex(32))  # the same in all workers
        with started(words, environment=environment, host=host, port=port) as process:
            yield process


def _installed() -> None:
    lacking = [
        name
        for name, module in (("flask-wtf", "flask_wtf"), ("pg8000", "pg8000"))
        if importlib.util.find_spec(module) is None
    ]
    if lacking:
        raise UserError(
            codes.NOT_INSTALLED,
            f"a shared server needs {' and '.join(lacking)}; install the extra: "
            "pip install --editable '.[server]' in the checkout",
        )
    if not hasattr(os, "memfd_create"):
        raise UserError(
            codes.NOT_INSTALLED, "a shared server needs Linux, to keep the password out of files"
        )


def _database(environ: Mapping[str, str]) -> str:
    """The address of the database with the driver that we have. What is wrong is never repeated."""
    uri = environ.get(DATABASE, "")
    scheme, found, rest = uri.partition("://")
    if scheme not in ("postgres", "postgresql", "postgresql+pg8000") or not found or not rest:
        wrong = "this does not name a Postgres database" if uri else "it is not set"
        raise UserError(
            codes.UNFIT_LOGIN, f"{wrong}; put {FORM} into the environment", place=DATABASE
        )
    if rest.split("?")[0].count("@") > 1:
        raise UserError(
            codes.UNFIT_LOGIN,
            "the password has an @ in it; write it as %40 (and : as %3A, / as %2F, % as %25)",
            place=DATABASE,
        )
    return f"postgresql+pg8000://{rest}"


def _first_start(uri: str, admin: str, password: str) -> None:
    """MLflow would try for minutes to reach a database, and tell of a missing password at length.

    Raises: UserError if Postgres is not there, or has no admin and there is no password to make it.
    """
    if not _has_user(uri, admin) and len(password) < SHORTEST:
        raise UserError(
            codes.UNFIT_LOGIN,
            f"the first start makes the user {admin!r}; give it a password of {SHORTEST} "
            "characters or more, in the environment",
            place=PASSWORD,
        )


def _has_user(uri: str, name: str) -> bool:
    from sqlalchemy import create_engine, inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(uri, connect_args={"timeout": PATIENCE})
        with closing(engine.connect()) as connection:
            if not inspect(connection).has_table("users"):
                return False
            found = text("SELECT 1 FROM users WHERE username = :name")
            return connection.execute(found, {"name": name}).first() is not None
    except (SQLAlchemyError, OSError, ValueError) as error:
        raise UserError(
            codes.NO_POSTGRES, f"Postgres does not let us in ({_reason(error)})", place=DATABASE
        ) from None


def _reason(error: Exception) -> str:
    """What Postgres or the network said. Nothing else: it might repeat the address, with the
    password, or parts of one that was written wrongly."""
    original: Any = getattr(error, "orig", None)
    said: Sequence[Any] = getattr(original, "args", ())
    if said and isinstance(said[0], dict) and said[0].get("M"):
        return str(said[0]["M"])
    cause = getattr(original, "__cause__", None)
    if isinstance(cause, TimeoutError):
        return f"no answer in {PATIENCE} s"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"the address cannot be understood; it is {FORM}"


def _quoted(value: str) -> str:
    """As a value in a file for Python's configparser."""
    if "\n" in value:
        raise UserError(
            codes.UNFIT_LOGIN, "there is a line break in it", place=f"{DATABASE}, {ADMIN}"
        )
    return value.replace("%", "%%")


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """The path of a file that is nowhere but in memory, and that only this user can read."""
    number = os.memfd_create("login")
    try:
        os.write(number, text.encode())
        yield f"/proc/{os.getpid()}/fd/{number}"
    finally:
        os.close(number)
