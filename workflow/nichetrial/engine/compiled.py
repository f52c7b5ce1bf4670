"""Where compiled code is kept between processes: a folder for exactly this source.

Numba looks only at the file of the function it loads, not at the files of those it calls: with one
folder for all, a change of an equation would go on running the old one. It also wants to write
where it reads, so a cache in a place that can only be read is copied to one that can be written.
And it writes an index and then the code, both without a lock: two processes that compile at the
same time can leave an index that names one function and the code of another.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numba.core.caching import IndexDataCacheFile

__all__ = ["OLD_KEPT", "candidates", "digest", "one_at_a_time", "settle"]

OLD_KEPT = 3
"""Folders of other versions of the source that stay in the source tree."""


def one_at_a_time() -> None:
    """From here on this process reads and writes Numba's files only while no other one does."""
    for name in ("save", "load"):
        method = getattr(IndexDataCacheFile, name)
        if not hasattr(method, "__wrapped__"):
            setattr(IndexDataCacheFile, name, _locked(method))


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def inner(self: Any, *args: Any) -> Any:
        try:
            lock = open(Path(self._index_path).with_name(".lock"), "a")  # noqa: SIM115
        except OSError:  # it can only be read, so nobody writes
            return method(self, *args)
        with lock:
            with contextlib.suppress(OSError):  # no locks where NUMBA_CACHE_DIR says
                fcntl.flock(lock, fcntl.LOCK_EX)
            return method(self, *args)

    return inner


def digest(folder: Path) -> str:
    """Of the names and contents of the modules in ``folder``."""
    source = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        source.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return source.hexdigest()[:16]


def candidates(tree: Path, given: str) -> list[Path]:
    """Parents of the folder, best first: what NUMBA_CACHE_DIR says, the source tree, the user's
    cache (a home may be shared: Numba keeps processors apart), the machine's temporary folder."""
    if given:
        return [Path(given)]
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [
        tree / "__pycache__",
        Path(home) / "nichetrial",
        Path(tempfile.gettempdir()) / f"nichetrial-{os.getuid()}",
    ]


def settle(name: str, bases: Sequence[Path]) -> Path:
    """The folder ``name`` in the first base that can be written, with what another base has of it.

    Where none can, it is in the last one, and Numba says so when it compiles.
    """
    for base in bases:
        folder = base / name
        if not _writable(folder):
            continue
        if not any(folder.iterdir()):
            _fill(folder, [other / name for other in bases if other != base])
            _forget(base, name)
        return folder
    return bases[-1] / name


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    # a temporary folder is everybody's: code that another user has put there must not run
    ours = os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid()
    return ours and _has_locks(folder.parent)


def _has_locks(base: Path) -> bool:
    """Some file systems that the nodes of a cluster share have none."""
    try:
        with tempfile.TemporaryFile(dir=base) as probe:
            fcntl.flock(probe, fcntl.LOCK_EX)
        return True
    except OSError:
        return False


def _fill(folder: Path, others: Sequence[Path]) -> None:
    """Copy the first of ``others`` that is there and ours or root's; whole, or not at all."""
    for other in others:
        part = folder.with_name(f".{folder.name}.{socket.gethostname()}.{os.getpid()}.part")
        try:
            if other.is_dir() and other.stat().st_uid in (os.getuid(), 0):
                shutil.copytree(other, part)
                part.rename(folder)
                return
        except OSError:  # cannot be read, or another process was faster: then it compiles
            shutil.rmtree(part, ignore_errors=True)


def _forget(base: Path, name: str) -> None:
    """Remove the oldest folders of other versions, where they can only be this tree's own."""
    if base.name != "__pycache__":
        return
    kind = name.rpartition("-")[0]
    others = [f for f in base.glob(f"{kind}-*") if f.name != name]
    for old in sorted(others, key=lambda f: f.stat().st_mtime)[:-OLD_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
