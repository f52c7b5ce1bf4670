"""Numba's cache of machine code: one folder for exactly this source, which nobody else can write.

Numba's index is a pickle, so whoever can write the folder can run code as its reader. And Numba
writes an index and then the code, both without a lock; two processes that compile at the same time
can leave an index that names one function and the code of another. So:

- a folder counts only if it is ours (or root's), as are all files in it and all folders above it;
- one process compiles everything and tests it against the plain reference; the others wait;
- a folder is marked as usable for one kind of processor and one version of Numba at a time.

Seen on Numba 0.61 to 0.66; the canary is tests/unit/test_numba_cache.py. No import of Numba here:
the start of a run asks for the folder, and must not wait for Numba.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import os
import platform
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nichetrial import codes
from nichetrial.errors import Note, UserError

__all__ = ["HANDED", "Folder", "candidates", "digest", "fresh", "install", "safe", "settle"]

KIND = "machine-code"
"""First part of the folder's name; version 0.1 wrote 'compiled', which is not read any more."""
HANDED = "NICHETRIAL_MACHINE_CODE"
"""Environment variable: the private folder that a run made for all of its jobs."""
BUILDING = "NICHETRIAL_MACHINE_CODE_BUILDING"
"""Environment variable of the one process that compiles: it must not wait for itself."""
OLD_KEPT = 3
"""Folders of other versions of the source that stay in the source tree."""
ENGINE = Path(__file__).resolve().parents[1] / "engine"


@dataclass(frozen=True)
class Folder:
    """Where machine code is kept. ``private``: made for this run, and to be removed after it."""

    path: Path
    private: bool = False

    @property
    def usable(self) -> bool:
        """Was everything in it compiled and tested for this processor?"""
        return self._mark.is_file()

    @property
    def _mark(self) -> Path:
        return self.path / f"usable-{_processor()}"

    @property
    def note(self) -> Note | None:
        """Why machine code is not kept, if it is not."""
        if not self.private:
            return None
        return Note(
            codes.NO_SAFE_CACHE,
            "no folder for compiled code belongs to you alone, so it is compiled for this run only",
            "let NUMBA_CACHE_DIR name a folder of your own that nobody else can write",
        )

    def build(self) -> None:
        """Compile and test in one process, unless another one does or did; then wait for it.

        Raises: UserError if the compiled code does not agree with the reference; what was compiled
            is removed then.
        """
        with _lock(self.path / "building.lock"):
            if self.usable:
                return
            done = subprocess.run(
                [sys.executable, "-P", "-m", "nichetrial.engine.self_test"],
                env=os.environ | {BUILDING: str(self.path)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                for file in self.path.rglob("*.nb[ic]"):
                    file.unlink(missing_ok=True)
                said = (done.stderr or done.stdout).strip().splitlines()
                raise UserError(
                    codes.SELF_TEST,
                    "the compiled model did not pass its test against the plain reference, and was "
                    f"removed ({said[-1] if said else f'exit code {done.returncode}'})",
                    place=str(self.path),
                )
            with contextlib.suppress(OSError):  # a full disk: the next process tests again
                self._mark.touch(mode=0o600)


def settle(environment: Mapping[str, str] = os.environ, given: str | None = None) -> Folder:
    """The folder for the source as it is, made if need be.

    Args:
        given: the folder that Numba's own configuration names, for want of NUMBA_CACHE_DIR.
    """
    name = f"{KIND}-{digest(ENGINE)}"
    for variable in (BUILDING, HANDED):
        if variable in environment and safe(Path(environment[variable])):
            return Folder(Path(environment[variable]), private=variable == HANDED)
    bases = candidates(environment, given or environment.get("NUMBA_CACHE_DIR", ""))
    for base in bases:
        folder = _own(base, name)
        if folder is not None and _has_locks(folder):
            if not any(folder.iterdir()):
                _fill(folder, [other / name for other in bases if other != base])
                _forget(base, name)
            return Folder(folder)
    return fresh()


def fresh() -> Folder:
    """A new folder that only this user can read."""
    return Folder(Path(tempfile.mkdtemp(prefix="nichetrial-")), private=True)


def install(folder: Folder) -> None:
    """From here on Numba keeps its files in ``folder``, and this process reads and writes them only
    while no other one does. What cannot be written is in memory all the same."""
    from numba.core import config
    from numba.core.caching import IndexDataCacheFile

    config.CACHE_DIR = str(folder.path)  # type: ignore[attr-defined]
    for name in ("save", "load"):
        method = getattr(IndexDataCacheFile, name)
        if not hasattr(method, "__wrapped__"):
            setattr(IndexDataCacheFile, name, _guarded(method))


def candidates(environment: Mapping[str, str], given: str) -> list[Path]:
    """Parents of the folder, best first: the one that is given, and no other; otherwise the source
    tree, the user's cache (a home may be shared: Numba keeps processors apart), and the machine's
    temporary folder."""
    if given:
        return [Path(given)]
    home = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [
        ENGINE / "__pycache__",
        Path(home) / "nichetrial",
        Path(tempfile.gettempdir()) / f"nichetrial-{os.getuid()}",
    ]


def digest(folder: Path) -> str:
    """Of the names and contents of the modules in ``folder``. Numba looks only at the file of the
    function it loads, not at the files of those it calls."""
    source = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        source.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return source.hexdigest()[:16]


def safe(folder: Path) -> bool:
    """Can nobody but us and root have written what is in this folder, or replace it?

    The folder and all in it belong to us or to root, nobody else may write them, none is a link,
    and no folder above lets another user put something else in its place.
    """
    try:
        whole = folder.parent.resolve(strict=True) / folder.name
        entries = (whole, *whole.rglob("*"))
        return all(map(_safe_entry, entries)) and all(map(_safe_above, whole.parents))
    except OSError:
        return False


def _safe_entry(path: Path) -> bool:
    state = os.lstat(path)
    kind = stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode)
    return kind and state.st_uid in (os.getuid(), 0) and not state.st_mode & 0o022


def _safe_above(path: Path) -> bool:
    """A sticky folder, such as /tmp, lets nobody rename what is not his own."""
    state = os.lstat(path)
    closed = not state.st_mode & 0o022 or bool(state.st_mode & stat.S_ISVTX)
    return state.st_uid in (os.getuid(), 0) and closed


def _own(base: Path, name: str) -> Path | None:
    """The folder ``name`` in ``base``, ours and closed to others; None if it cannot be had."""
    folder = base / name
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if not safe(folder) or os.lstat(folder).st_uid != os.getuid():
            return None
        os.chmod(folder, 0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _has_locks(folder: Path) -> bool:
    """Some file systems that the nodes of a cluster share have none."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            fcntl.flock(probe, fcntl.LOCK_EX)
        return True
    except OSError:
        return False


def _fill(folder: Path, others: Sequence[Path]) -> None:
    """Copy what the first safe one of ``others`` holds; whole, or not at all."""
    for other in others:
        if not safe(other):
            continue
        part = folder.with_name(f".{folder.name}.{socket.gethostname()}.{os.getpid()}.part")
        try:
            shutil.copytree(other, part, copy_function=shutil.copyfile)
            os.chmod(part, 0o700)
            for entry in part.rglob("*"):
                os.chmod(entry, 0o700 if entry.is_dir() else 0o600)
            part.rename(folder)
            return
        except OSError:  # cannot be read, or another process was faster: then it compiles
            shutil.rmtree(part, ignore_errors=True)


def _forget(base: Path, name: str) -> None:
    """Remove the oldest folders of other versions, where they can only be this tree's own."""
    if base.name != "__pycache__":
        return
    others = [f for f in base.glob(f"{KIND}-*") if f.name != name]
    for old in sorted(others, key=lambda f: f.stat().st_mtime)[:-OLD_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


@functools.cache
def _processor() -> str:
    """A kind of processor and the versions of the compiler, as a short name."""
    kind = [platform.machine()]
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        wanted = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
        for line in text.split("\n\n", 1)[0].splitlines():
            key, _, value = line.partition(":")
            if key.strip() in wanted:
                kind.append(value.strip())
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        kind.append(os.environ.get(name, ""))
    kind += [importlib.metadata.version(name) for name in ("numba", "llvmlite")]
    return hashlib.sha256("\0".join(kind).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Held for the block, if the file can be written; a folder that can only be read needs none."""
    try:
        stream = open(path, "a", opener=_closed_to_others)  # noqa: SIM115
    except OSError:
        yield
        return
    with stream:
        with contextlib.suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def inner(self: Any, *args: Any) -> Any:
        with _lock(Path(self._index_path).with_name(".lock")):
            before = os.umask(0o077)
            try:
                return method(self, *args)
            except OSError:  # full, or it can only be read
                return None
            finally:
                os.umask(before)

    return inner
