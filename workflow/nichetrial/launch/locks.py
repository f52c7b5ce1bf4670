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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from nichetrial.compat import snakemake_files
from nichetrial.files import half_written

__all__ = [
    "LOCK",
    "FolderBusy",
    "Hold",
    "folder_lock",
    "leftovers",
    "remove_abandoned",
    "snakemakes",
]

LOCK = f"{snakemake_files.STATE}/nichetrial.lock"

HEAD = "nichetrial.launch.snakemake"
PATIENCE = 30.0
"""Seconds to wait for the Snakemake of a run that was killed: it ends by itself."""


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
    lock = folder / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        owner = _owner(fd)
        _take(fd, folder, owner)
        stopped = _end(leftovers(folder))
        recovered = "; ".join(filter(None, [_clear_stale(folder, owner), stopped]))
        _write(fd, _me())
        try:
            yield Hold(fd, recovered)
        finally:
            _write(fd, None)
    finally:
        os.close(fd)


def _take(fd: int, folder: Path, owner: dict[str, Any] | None) -> None:
    """Get the lock, at once unless its owner was killed and only its Snakemake is still ending."""
    deadline = time.monotonic() + (PATIENCE if _killed(owner) else 0)
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
        if _killed(owner):
            living = ", ".join(map(str, snakemakes(folder)))
            raise FolderBusy(
                f"the run that was started{_when(owner)} was killed, but its Snakemake"
                f"{f' (process {living})' if living else ''} still works in {folder}. "
                "Wait for it, or stop it."
            )
        raise FolderBusy(
            f"another nichetrial run works in {folder}{_who(owner)}. Wait for it, or stop it, "
            "or run from another folder."
        )


def _killed(owner: dict[str, Any] | None) -> bool:
    """Whether the owner was a process of this computer that is no more."""
    if not owner or owner.get("host") != socket.gethostname():
        return False
    return not _alive(owner.get("pid"))


def _alive(pid: Any) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, TypeError, ValueError):
        return False


def remove_abandoned(folder: str | os.PathLike[str]) -> None:
    """Remove what processes of this computer that were killed had half written below ``folder``."""
    for part, pid in half_written(folder):
        if not _alive(pid):
            with suppress(OSError):
                part.unlink()


def snakemakes(folder: Path) -> list[int]:
    """Ids of living Snakemake processes that work in ``folder``, on this computer."""
    return [process.pid for process in _working_in(folder, _is_snakemake)]


def leftovers(folder: Path) -> list[psutil.Process]:
    """Jobs in ``folder`` that outlived a Snakemake killed together with its run.

    They would go on next to the jobs of the next run, and write what an older study asked for. A
    job that somebody runs by hand leads its process group itself; the leader of these is dead.
    """
    found = []
    for process in _working_in(folder, _is_job):
        try:
            if not _alive(os.getpgid(process.pid)):
                found.append(process)
        except OSError:  # gone meanwhile
            continue
    return found


def _working_in(folder: Path, wanted: Callable[[list[str]], bool]) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if wanted(process.cmdline()) and Path(process.cwd()).samefile(folder):
                yield process
        except (psutil.Error, OSError):  # gone meanwhile, or another user's
            continue


def _is_job(command: list[str]) -> bool:
    """``python -m nichetrial stage ...`` or ``track ...``."""
    return (
        command[1:3] == ["-m", "nichetrial"]
        and len(command) > 3
        and command[3] in ("stage", "track")
    )


def _end(processes: list[psutil.Process]) -> str:
    """Terminate, and kill what does not go; '' if there were none."""
    for strength in ("terminate", "kill"):
        for process in processes:
            with suppress(psutil.Error):
                getattr(process, strength)()
        if not psutil.wait_procs(processes, timeout=5)[1]:
            break
    jobs = "a job" if len(processes) == 1 else f"{len(processes)} jobs"
    return f"stopped {jobs} that a killed run had left" if processes else ""


def _is_snakemake(command: list[str]) -> bool:
    """``snakemake ...``, ``python .../bin/snakemake ...``, ``python -m snakemake ...``, or ours."""
    names = [Path(word).name for word in command[:4]]
    if HEAD in names:
        return True
    # not a job's own Snakemake: on a cluster of one machine those of Slurm's jobs are here as well
    return "snakemake" in names and ("--mode", "remote") not in itertools.pairwise(command)


def _clear_stale(folder: Path, owner: dict[str, Any] | None) -> str:
    """Remove Snakemake's lock files if their owner is dead; '' if there were none."""
    locks = snakemake_files.locks(folder)
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
