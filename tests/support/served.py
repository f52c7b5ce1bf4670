"""`nichetrial serve` on a temporary Postgres."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = f"p@ss%{secrets.token_hex(8)}:/word"
"""Of the database; with all that an address has to write in another way."""


@dataclass(frozen=True)
class Served:
    """A server that runs, and what to know about it."""

    process: subprocess.Popen[str]
    uri: str
    files: Path
    said: Path
    admin: str
    """The password of the user admin."""
    secrets: tuple[str, ...]
    """What must not be found anywhere."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command in ``folder``; what it says on standard error is in ``said.txt``."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "nichetrial", "serve", *words],
            cwd=folder,
            env=clean | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )


def postgres_programs() -> Path:
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and not folders:
        lacking = "Postgres is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    return Path(found).resolve().parent if found else folders[-1].parent
