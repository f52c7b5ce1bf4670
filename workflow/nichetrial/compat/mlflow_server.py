"""``mlflow server`` behind guards: the servers of ``nichetrial ui`` and ``nichetrial serve``.

Run as ``python -P -m nichetrial.compat.mlflow_server server ...``: MLflow's own command, which
starts our application where it would start its own.

Why: MLflow has a plugin for applications (``mlflow.app``), but reads it from installed metadata,
which a checkout that was updated does not have, and only its own ``basic-auth`` gets its tables and
first user made before there are several processes.

Seen to fit: MLflow 3.17.2. Canary: tests/security/test_servers.py.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from nichetrial.compat import guards
from nichetrial.compat.mlflow_files import fence
from nichetrial.compat.mlflow_routes import allowed, takes_files

__all__ = ["MEGABYTE", "MLFLOW", "UPLOAD", "UVICORN", "environment", "own", "shared"]

MLFLOW = "nichetrial.compat.mlflow_server"
MEGABYTE = 1_000_000
UPLOAD = 200
"""Megabytes that a file of a run may have, unless said otherwise."""

IN_MEMORY = 16 * MEGABYTE
"""Bytes of all other requests; MLflow reads them whole, before it asks who sends them."""

APPS = {
    "mlflow.server.fastapi_app:app": f"{MLFLOW}:own",
    "mlflow.server.auth:create_app": f"{MLFLOW}:shared",
}
"""What MLflow would start, without and with its login, and what is started instead."""

UVICORN = shlex.join(["--app-dir", str(Path(__file__).parents[2]), "--no-access-log"])
"""Options for the server below MLflow. It would put the working folder first on the path of
modules, and write the token into its log."""

_ROOT, _TOKEN, _PORT, _UPLOAD = (
    f"NICHETRIAL_SERVER_{name}" for name in ("ROOT", "TOKEN", "PORT", "UPLOAD")
)


def environment(
    root: Path, *, token: str = "", port: int = 0, upload: int = UPLOAD
) -> dict[str, str]:
    """What the server gets to know by its environment, which only the same user can read.

    Args:
        root: the folder of all files of runs.
        token: without it, nobody is let in by the server of one user.
        upload: megabytes a file may have.
    """
    known = {_ROOT: str(root), _TOKEN: token, _PORT: str(port), _UPLOAD: str(upload)}
    return known | {"PYTHONSAFEPATH": "1"}


def own() -> guards.App:
    """The application of ``nichetrial ui``: one user, who has a token, on this machine."""
    from mlflow.server.fastapi_app import app

    token, port = os.environ[_TOKEN], int(os.environ[_PORT])
    if not token:
        raise ValueError("without a token everybody would be let in")
    return guards.own_pages_only(guards.door(_guarded(app), token, port))


def shared() -> guards.App:
    """The application of ``nichetrial serve``: MLflow's, with its login."""
    from mlflow.server.auth import create_app

    return guards.own_pages_only(guards.fewer_guesses(_guarded(create_app())))


def _guarded(app: Any) -> guards.App:
    fence(Path(os.environ[_ROOT]))
    upload = int(os.environ[_UPLOAD]) * MEGABYTE

    def limit(method: str, path: str) -> int:
        return upload if takes_files(method, path) else min(upload, IN_MEMORY)

    return guards.listed(guards.smaller(app, limit), allowed)


def main() -> None:
    """MLflow's command line. Raises AttributeError or KeyError rather than start it unguarded."""
    from mlflow import cli, server

    build = server._build_uvicorn_command

    def guarded(opts: Any, host: Any, port: Any, workers: Any, app: str, *rest: Any) -> list[str]:
        env_file = rest[0] if rest else None
        return build(opts, host, port, workers, APPS[app], env_file, is_factory=True)

    server._build_uvicorn_command = guarded
    cli.cli()


if __name__ == "__main__":
    main()
