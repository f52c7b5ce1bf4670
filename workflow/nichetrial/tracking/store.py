"""Where runs are kept: an SQLite file (made here, once) or a server.

MLflow is imported only here and in the writers, and only when one of their functions is called.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nichetrial import codes, room
from nichetrial.compat import mlflow_client, mlflow_database
from nichetrial.errors import UserError
from nichetrial.store_address import refusal

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["QUIET", "Store", "experiment", "forgotten", "locate", "lock_of", "locked", "opened"]

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""Environment for MLflow: nothing sent home, a dead server noticed soon, no extra processes, and no
question to a server for each run only to print its address."""

KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tag of a new experiment: it holds runs, and no conversations with a language model."""

PATIENCE = 5.0
"""Seconds that a server has to answer at all."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")

REFUSED = {
    "error code 401": "the server does not take the login; set MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD in the environment",
    "error code 413": "the server takes no file as large as this; it can be started with a higher "
    "`nichetrial serve --largest-file`",
    "error code 429": "too many logins failed, so the server takes none for a minute; set "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment to what is right",
    "Permission denied": "this user may not write to the experiment; ask who made it, or name "
    "another as tracking.experiment",
}
"""What a server with login says, and what that means here."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where runs go: ``uri`` as MLflow takes it, absolute; ``database`` for SQLite, None for a
    server."""

    uri: str
    database: Path | None

    @property
    def artifacts(self) -> str | None:
        """Where a new experiment keeps its files; None leaves it to the server."""
        return (self.database.parent / "artifacts").as_uri() if self.database else None

    def require_sound(self) -> None:
        """Raises UserError for a file that MLflow would try for minutes to open. An empty one
        becomes the store."""
        database = self.database
        if database is None:
            return
        if "?" in str(database):
            raise UserError(
                codes.UNFIT_PATH,
                "MLflow cannot open a file whose path has a question mark; rename the folder, or "
                "name another store as tracking.uri",
                place=str(database),
            )
        try:
            self._require_a_database(database)
        except PermissionError:
            raise UserError(
                codes.NOT_A_STORE,
                "you may not read the store; correct the permissions of the file and its folder, "
                "or name another store as tracking.uri",
                place=str(database),
            ) from None

    def _require_a_database(self, database: Path) -> None:
        if database.is_file():
            with database.open("rb") as stream:
                head = stream.read(100)
            if head and not head.startswith(b"SQLite format 3\0"):
                raise UserError(
                    codes.NOT_A_STORE, "this file is not an SQLite database", place=str(database)
                )
            if head and mlflow_database.is_cut_off(database, head):
                raise self._damaged()
        elif database.exists():
            raise UserError(
                codes.NOT_A_STORE,
                "this is not a file, so it cannot be the store",
                place=str(database),
            )

    def _damaged(self) -> UserError:
        return UserError(
            codes.NOT_A_STORE,
            "the store is damaged; delete the file, and `nichetrial track sync` brings all runs of "
            "these results back",
            place=str(self.database),
        )


def locate(uri: str, *, place: str = "tracking.uri") -> Store:
    """The store that ``uri`` names; a relative SQLite path is below the working directory.

    Args:
        uri: ``sqlite:///PATH`` or the ``http(s)://`` address of a server.
        place: where it is written, for messages.

    Raises: UserError for any other address, or a secret in it.
    """
    if found := refusal(uri):
        code, message = found
        raise UserError(code, message, place=place)
    if not uri.startswith("sqlite:"):
        return Store(uri=uri.rstrip("/"), database=None)
    database = Path(os.path.abspath(uri.removeprefix("sqlite:///")))
    return Store(uri=f"sqlite:///{database}", database=database)


def forgotten(store: Store, receipt: Path) -> bool:
    """Whether the store no longer has the runs of a receipt: it was deleted, or came back empty.
    False if that cannot be known, or if somebody put them into MLflow's bin."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        content = json.loads(receipt.read_text(encoding="utf-8"))
        run_id = content["parent_run_id"]
        if store.database:
            return mlflow_database.lacks_run(store.database, str(run_id))
        if content["uri"] == store.uri:
            return mlflow_client.lacks_run(store.uri, str(run_id), seconds=PATIENCE)
    return False


def lock_of(store: Store, folder: Path) -> Path:
    """The lock of a store's writers: next to the database, or in ``folder`` for a server."""
    return store.database.with_name(".lock") if store.database else folder / ".lock"


@contextmanager
def locked(path: Path, *, seconds: float = 300.0) -> Iterator[None]:
    """Only one process at a time. The lock goes with its process, so a killed one leaves none.

    Raises: UserError after ``seconds`` of waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    with path.open("a") as handle:
        while True:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise UserError(
                        codes.STORE_BUSY,
                        f"another process has been writing to MLflow for over {seconds:.0f} s; "
                        "try again when it has ended",
                        place=str(path),
                    ) from None
                time.sleep(0.05)
        yield


@contextmanager
def opened(store: Store, *, to_read: bool = False) -> Iterator[MlflowClient]:
    """A client for the store, which is made if it is a file and not there; call it under the lock.

    Whatever goes wrong with MLflow inside becomes a UserError of one line. ``to_read``: a store
    that is not there is one of these, and no lock is needed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if store.database is None:
        _answers(store.uri)
    else:
        store.require_sound()
        there = store.database.exists() and store.database.stat().st_size > 0
        if to_read and not there:
            raise UserError(
                codes.NO_STORE,
                "there are no tracked runs here; name their store: --tracking-uri",
                place=store.uri,
            )
        if to_read and store.artifacts:
            mlflow_database.settle_place(store.database, store.artifacts)
    with _refusals(store, to_read=to_read):
        if store.database is None:
            with mlflow_client.bounded():
                yield _client(store.uri)
            return
        if not there:
            _create(store.database)
        with mlflow_database.commits_quickly(store.database):
            yield _client(store.uri)


def experiment(client: MlflowClient, store: Store, name: str) -> str:
    """The id of the experiment of that name, made if need be. Raises UserError if it is deleted."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        tags = KIND | ({mlflow_database.BESIDE: "yes"} if store.artifacts else {})
        try:
            return str(client.create_experiment(name, store.artifacts, tags=tags))
        except MlflowException:  # another machine may have made it this moment
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    stage = found.lifecycle_stage
    if found.name != name or not found.experiment_id or stage not in ("active", "deleted"):
        raise UserError(codes.NOT_A_STORE, "what answers here is not MLflow", place=store.uri)
    if stage == "deleted":
        raise UserError(
            codes.IN_BIN,
            f"MLflow has the experiment {name!r} in its bin; restore it there, or name another",
            place="tracking.experiment",
        )
    return str(found.experiment_id)


def _client(uri: str) -> MlflowClient:
    with _quietly():
        from mlflow import MlflowClient
    return MlflowClient(tracking_uri=uri)


@contextmanager
def _quietly() -> Iterator[None]:
    """Import a part of MLflow without what it says meanwhile and later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _create(database: Path) -> None:
    """Make the schema under another name first: a kill half-way must not leave half a store."""
    database.parent.mkdir(parents=True, exist_ok=True)
    part = database.with_name(f".{database.name}.part")
    for old in (part, part.with_name(f"{part.name}-journal")):
        old.unlink(missing_ok=True)
    with mlflow_database.commits_quickly(part, new=True):
        with _quietly():
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        # by default MLflow writes the working folder into a statement, and quotes it wrongly
        SqlAlchemyStore(f"sqlite:///{part}", (database.parent / "artifacts").as_uri())
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    os.replace(part, database)


def _answers(uri: str) -> None:
    """Raise UserError unless MLflow is there; asked before it is imported, which is slow."""
    try:
        answer = mlflow_client.ask(f"{uri}/health", seconds=PATIENCE)
    except OSError as error:
        reason = f"{getattr(error, 'reason', None) or error}"[:300]
        raise UserError(
            codes.SERVER_SILENT,
            f"no MLflow server answers ({reason}){_proxied(uri)}; the results are safe, and the "
            "same command sends them when it is back",
            place=uri,
        ) from None
    # others ask for a login here already, or are too busy to say that they are well
    if answer.ok and answer.text.strip() != "OK":
        raise UserError(
            codes.NOT_A_STORE, f"what answers here is not MLflow{_proxied(uri)}", place=uri
        )
    if not answer.ok and (proxied := _proxied(uri)):
        raise UserError(
            codes.SERVER_SILENT,
            f"no MLflow server answers (status {answer.status_code}){proxied}",
            place=uri,
        )


def _proxied(uri: str) -> str:
    """That a server on this machine is asked by way of a proxy, if so, and how not to."""
    parts = urllib.parse.urlsplit(uri)
    proxy = mlflow_client.proxy(uri)
    if not proxy or parts.hostname not in LOOPBACK:
        return ""
    return (
        f"; it is asked by way of the proxy {proxy} that the environment names, which cannot reach "
        f"this machine: add {parts.hostname} to NO_PROXY"
    )


@contextmanager
def _refusals(store: Store, *, to_read: bool) -> Iterator[None]:
    """Turn what MLflow, its database or the network raise into one line."""
    uri = store.uri
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        module = type(error).__module__.split(".")[0]
        known = ("mlflow", "requests", "urllib3", "sqlalchemy", "sqlite3", "alembic")
        if module not in known and not mlflow_client.raised(error):
            raise
        refused = next((text for code, text in REFUSED.items() if code in str(error)), None)
        if refused:
            raise UserError(
                codes.STORE_REFUSED,
                f"{refused}. The results are safe, and the same command sends them",
                place=uri,
            ) from error
        if store.database and mlflow_database.MALFORMED in str(error):
            raise store._damaged() from error
        if store.database and mlflow_database.FULL in str(error):
            lack = room.why(OSError(errno.ENOSPC, ""), store.database.parent)
            raise UserError(codes.NOT_WRITABLE, lack, place=uri) from error
        line = next(iter(str(error).splitlines()), "")[:300]
        if to_read:
            raise UserError(
                codes.STORE_REFUSED, f"MLflow could not give the run ({line})", place=uri
            ) from error
        raise UserError(
            codes.STORE_REFUSED,
            f"MLflow could not take the runs ({line}); the results are safe, and the same command "
            "continues where it stopped",
            place=uri,
        ) from error
