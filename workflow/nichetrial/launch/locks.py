"""One run at a time in a folder, and no lock left by the dead in the way of the living.

Two locks matter. Ours, ``.snakemake/nichetrial.lock``, is held by the kernel for as long as the
run or its Snakemake lives, so it cannot be stale. Snakemake's own are files, and a run that is
killed leaves them; they are removed only when it is sure that nobody works here any more.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

__all__ = ["FolderBusy", "Hold", "folder_lock", "snakemakes"]


class FolderBusy(Exception):
    """Another run works in the folder, or may do so. The text says who and what to do."""


@dataclass
class Hold:
    """The lock while it is held. ``fd`` is to be inherited by Snakemake: should this process be
    killed alone, its Snakemake still holds the folder. ``recovered``: what was put right, or ''."""

    fd: int
    recovered: str = ""


@contextmanager
def folder_lock(folder: Path) -> Iterator[Hold]:
    """Hold the folder for a run. Raises FolderBusy."""
    state = folder / ".snakemake"
    state.mkdir(parents=True, exist_ok=True)
    fd = os.open(state / "nichetrial.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        owner = _owner(fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderBusy(
                f"another nichetrial run works in {folder}{_who(owner)}. Wait for it, or stop it, "
                "or run from another folder."
            ) from None
        recovered = _clear_stale(folder, owner)
        _write(fd, _me())
        try:
            yield Hold(fd, recovered)
        finally:
            _write(fd, None)
    finally:
        os.close(fd)


def snakemakes(folder: Path) -> list[int]:
    """Ids of living Snakemake processes that work in ``folder``, on this computer."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if not _is_snakemake(process.cmdline()):
                continue
            if Path(process.cwd()).samefile(folder):
                found.append(process.pid)
        except (psutil.Error, OSError):  # gone meanwhile, or another user's
            continue
    return found


def _is_snakemake(command: list[str]) -> bool:
    """``snakemake ...``, ``python .../bin/snakemake ...`` or ``python -m snakemake ...``."""
    names = [Path(word).name for word in command[:4]]
    # not a job's own Snakemake: on a cluster of one machine those of Slurm's jobs are here as well
    return "snakemake" in names and ("--mode", "remote") not in itertools.pairwise(command)


def _clear_stale(folder: Path, owner: dict[str, Any] | None) -> str:
    """Remove Snakemake's lock files if their owner is dead; '' if there were none."""
    locks = sorted((folder / ".snakemake" / "locks").glob("*.lock"))
    if not locks:
        return ""
    host = owner.get("host") if owner else None
    if host is not None and host != socket.gethostname():
        raise FolderBusy(
            f"the run that {host} started here{_when(owner)} did not end properly, or still works. "
            f"If it does not: run on {host}, or clear its lock with 'snakemake --unlock'."
        )
    living = snakemakes(folder)
    if living:
        raise FolderBusy(
            f"Snakemake (process {', '.join(map(str, living))}) works in {folder}. Wait for it, "
            "or stop it, or run from another folder."
        )
    others = [lock for lock in locks if lock.stat().st_uid != os.getuid()]
    if others:
        raise FolderBusy(
            f"another user's Snakemake has locked {folder}. If it is dead, let that user run "
            "'snakemake --unlock'."
        )
    for lock in locks:
        lock.unlink(missing_ok=True)
    return f"the last run{_when(owner)} was killed and left its lock; cleared, going on from there"


def _me() -> dict[str, Any]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": started}


def _owner(fd: int) -> dict[str, Any] | None:
    """Who wrote the lock last and did not wipe it; None if nobody or unreadable."""
    try:
        content = json.loads(os.pread(fd, 4096, 0).decode())
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _write(fd: int, owner: dict[str, Any] | None) -> None:
    os.ftruncate(fd, 0)
    if owner is not None:
        os.pwrite(fd, json.dumps(owner).encode(), 0)


def _who(owner: dict[str, Any] | None) -> str:
    if not owner:
        return ""
    return f" (process {owner.get('pid')} on {owner.get('host')}, started {owner.get('started')})"


def _when(owner: dict[str, Any] | None) -> str:
    return f" at {owner['started']}" if owner and owner.get("started") else ""
