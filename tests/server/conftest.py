"""A Postgres cluster that is thrown away, and ``nichetrial serve`` on it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import PASSWORD, Served, free_port, postgres_programs, serve


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The address of an empty database, on this machine only, with a password."""
    binaries = postgres_programs()
    as_user: list[str] = []
    # not below pytest's folder, which another user cannot enter
    place = Path(tempfile.mkdtemp(prefix="nichetrial-postgres-"))
    password = place / "password"
    password.write_text(PASSWORD)
    if os.getuid() == 0:  # Postgres refuses root
        user = pwd.getpwnam("postgres")
        for path in (place, password):
            os.chown(path, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    data, port = place / "data", free_port()

    def do(program: str, *words: str) -> None:
        # a server that stays would keep a pipe open, and we would wait for its end
        with (place.parent / f"{place.name}.log").open("a") as said:
            subprocess.run(
                [*as_user, str(binaries / program), "-D", str(data), *words],
                cwd=place,
                stdout=said,
                stderr=said,
                check=True,
                timeout=60,
            )

    try:
        do("initdb", "-U", "lab", "-A", "scram-sha-256", "--pwfile", str(password), "--no-sync")
        options = f"-F -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place}"
        do("pg_ctl", "start", "-w", "-l", str(place / "log"), "-o", options)
        quoted = urllib.parse.quote(PASSWORD, safe="")
        yield f"postgresql://lab:{quoted}@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            do("pg_ctl", "stop", "-m", "immediate", "-w")
        shutil.rmtree(place)
        place.with_name(f"{place.name}.log").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def served(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    admin = secrets.token_urlsafe(12)
    process = serve(
        folder,
        *("--port", str(port), "--files", "kept", "--workers", "1"),
        MLFLOW_BACKEND_STORE_URI=database,
        MLFLOW_AUTH_ADMIN_PASSWORD=admin,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address == f"http://127.0.0.1:{port}", (folder / "said.txt").read_text()
        quoted = urllib.parse.quote(PASSWORD, safe="")
        yield Served(
            process,
            address,
            folder / "kept",
            folder / "said.txt",
            admin,
            (PASSWORD, quoted, quoted.replace("%", "%%"), admin),
        )
    finally:
        process.terminate()
        process.communicate(timeout=30)
