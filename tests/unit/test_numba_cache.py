"""Where compiled code is kept: also where the source or the home can only be read."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import pkgutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

import nichetrial
from nichetrial import codes
from nichetrial.compat import numba_cache
from nichetrial.compat.numba_cache import (
    BUILDING,
    ENGINE,
    HANDED,
    KIND,
    OLD_KEPT,
    Folder,
    candidates,
    digest,
    settle,
)
from nichetrial.engine import self_test
from nichetrial.engine.forcing import EVENT
from nichetrial.errors import UserError

NAME = f"{KIND}-{digest(ENGINE)}"


@pytest.fixture
def bases(monkeypatch):
    """Lets a test say which folders there are, best first."""

    def among(*folders: Path) -> Folder:
        monkeypatch.setattr(numba_cache, "candidates", lambda environment, given: list(folders))
        return settle({})

    return among


def unwritable(folder: Path) -> Path:
    """Not even root can make a folder in a file."""
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text("")
    return folder / "file" / "base"


def test_the_first_that_can_be_written(tmp_path, bases):
    good = tmp_path / "good"
    assert bases(unwritable(tmp_path), good, tmp_path / "worse") == Folder(good / NAME)
    assert (good / NAME).stat().st_mode & 0o077 == 0
    assert not (tmp_path / "worse").exists()


def test_where_none_can_be_written_it_is_a_private_one_with_a_note(tmp_path, bases):
    folder = bases(unwritable(tmp_path) / "one")
    assert folder.private
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.note.code is codes.NO_SAFE_CACHE
    folder.path.rmdir()


def test_the_jobs_of_a_run_share_its_private_folder(tmp_path):
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    assert settle({HANDED: str(own)}) == Folder(own, private=True)
    assert settle({BUILDING: str(own)}) == Folder(own)


def test_what_can_only_be_read_is_copied_once(tmp_path, bases, monkeypatch):
    kept, new = tmp_path / "kept", tmp_path / "new"
    (kept / NAME / "sub").mkdir(parents=True)
    (kept / NAME / "sub" / "code").write_text("old")
    own = numba_cache._own
    monkeypatch.setattr(numba_cache, "_own", lambda b, name: None if b == kept else own(b, name))
    assert bases(kept, new) == Folder(new / NAME)
    assert [f.name for f in new.iterdir()] == [NAME]
    assert (new / NAME / "sub" / "code").read_text() == "old"
    (new / NAME / "sub" / "code").write_text("newer")
    bases(kept, new)
    assert (new / NAME / "sub" / "code").read_text() == "newer"


def test_a_shared_file_system_without_locks_is_left_alone(tmp_path, bases, monkeypatch):
    shared, own = tmp_path / "shared", tmp_path / "own"

    def flock(stream, how):
        if str(shared) in os.readlink(f"/proc/self/fd/{stream.fileno()}"):
            raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.setattr(numba_cache.fcntl, "flock", flock)
    assert bases(shared, own) == Folder(own / NAME)


def test_old_ones_are_removed_from_the_source_tree_alone(tmp_path, bases):
    for base in (tmp_path / "__pycache__", tmp_path / "home"):
        for k in range(OLD_KEPT + 2):
            (base / f"{KIND}-{k}").mkdir(parents=True)
            os.utime(base / f"{KIND}-{k}", (k, k))
        bases(base)
    left = sorted(f.name for f in (tmp_path / "__pycache__").iterdir())
    assert left == sorted([f"{KIND}-2", f"{KIND}-3", f"{KIND}-4", NAME])
    assert len(list((tmp_path / "home").iterdir())) == OLD_KEPT + 3


def test_the_order_of_places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree, home, machine = candidates(os.environ, "")
    assert (tree, home) == (ENGINE / "__pycache__", tmp_path / "cache" / "nichetrial")
    assert machine.name == f"nichetrial-{os.getuid()}"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert candidates(os.environ, "")[1] == Path.home() / ".cache" / "nichetrial"
    assert candidates(os.environ, "/given") == [Path("/given")]


def test_the_digest_is_of_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    second = digest(tmp_path)
    (tmp_path / "b.py").write_text("x = 2\n")
    assert len({first, second, digest(tmp_path)}) == 3


SAVE = """\
import sys
from nichetrial import engine
from numba.core.caching import IndexDataCacheFile
folder, who = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for k in range(30):
    IndexDataCacheFile(folder, "f", "stamp").save((who, k), f"code {who} {k}")
"""


def test_processes_that_compile_at_once_do_not_mix_up_their_code(tmp_path):
    """Numba alone: a key then has another one's code, or none, in nearly every try."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE, str(tmp_path), str(who)],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for who in range(3)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    file = IndexDataCacheFile(str(tmp_path), "f", "stamp")
    for who in range(3):
        for k in range(30):
            assert file.load((who, k)) == f"code {who} {k}"


def test_what_cannot_be_written_does_not_stop_the_science(tmp_path, monkeypatch):
    """A full disk: the code is in memory."""
    file = IndexDataCacheFile(str(tmp_path), "f", "stamp")

    def full(*_):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(file, "_save_data", full)
    file.save("key", "code")


def test_no_two_compiled_functions_share_a_name():
    """Under one name, two processes that fill a cache can give one symbol to two functions."""
    for module in pkgutil.walk_packages(nichetrial.__path__, "nichetrial."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {id(o): o.py_func for o in gc.get_objects() if isinstance(o, Dispatcher)}.values()
    names = Counter(f"{f.__module__}.{f.__qualname__}" for f in found)
    ours = {n: k for n, k in names.items() if n.startswith("nichetrial.")}
    assert len(ours) > 50
    assert [n for n, k in ours.items() if k > 1 or "<locals>" in n] == []


# One process compiles, and what it compiles is tested


def test_the_engine_agrees_with_the_reference():
    assert self_test.disagreement() < self_test.TOLERANCE


@pytest.mark.parametrize("other", range(1, 6))
def test_a_channel_that_runs_the_code_of_another_is_found(other, monkeypatch):
    """Drugs given to the engine under other channels stand for code under other names."""
    run = self_test.run

    def mixed(p, host, events, *args, **options):
        swapped = np.where(events.channels == 0, other, events.channels)
        swapped = np.where(events.channels == other, 0, swapped)
        drug = events.kinds == EVENT["bolus"]
        channels = np.where(drug, swapped, events.channels)
        return run(p, host, replace(events, channels=channels), *args, **options)

    monkeypatch.setattr(self_test, "run", mixed)
    assert self_test.disagreement() > 100 * self_test.TOLERANCE


class Compilers:
    """Stand in for the process that compiles: count them, and give them an exit code."""

    def __init__(self, code: int) -> None:
        self.code, self.count = code, 0

    def __call__(self, *words, env, **_):
        self.count += 1
        (Path(env[BUILDING]) / "f.nbi").write_text("code")
        return subprocess.CompletedProcess(words, self.code, "", "states differ")


def test_one_process_compiles_and_the_mark_says_so(tmp_path, monkeypatch):
    compilers = Compilers(0)
    monkeypatch.setattr(numba_cache.subprocess, "run", compilers)
    folder = Folder(tmp_path)
    assert not folder.usable
    folder.build()
    assert folder.usable
    folder.build()
    assert compilers.count == 1


def test_another_kind_of_processor_compiles_for_itself(tmp_path, monkeypatch):
    compilers = Compilers(0)
    monkeypatch.setattr(numba_cache.subprocess, "run", compilers)
    Folder(tmp_path).build()
    monkeypatch.setattr(numba_cache, "_processor", lambda: "another")
    assert not Folder(tmp_path).usable


def test_code_that_does_not_pass_is_removed_and_never_used(tmp_path, monkeypatch):
    monkeypatch.setattr(numba_cache.subprocess, "run", Compilers(1))
    with pytest.raises(UserError) as caught:
        Folder(tmp_path).build()
    assert caught.value.code is codes.SELF_TEST
    assert not Folder(tmp_path).usable
    assert not list(tmp_path.rglob("*.nbi"))


WAIT = """\
import sys
from pathlib import Path
from nichetrial.compat import numba_cache
from nichetrial.compat.numba_cache import Folder
folder = Path(sys.argv[1])
def compile_(*words, env, **_):
    import subprocess, time
    with open(folder / "compiled", "a") as log:
        log.write("x")
    time.sleep(0.5)
    return subprocess.CompletedProcess(words, 0, "", "")
numba_cache.subprocess.run = compile_
Folder(folder).build()
assert Folder(folder).usable
"""


def test_processes_that_start_at_once_wait_for_the_one_that_compiles(tmp_path):
    words = [sys.executable, "-c", WAIT, str(tmp_path)]
    started = [subprocess.Popen(words) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert (tmp_path / "compiled").read_text() == "x"


LEVELS = """\
import json, sys
import numpy as np
from nichetrial.engine import forcing, lanes, self_test
from nichetrial.engine.kernels import INPUT_NAMES, PARAMETER_NAMES
from nichetrial.model.parameters import PARAMETERS

p = np.array([self_test._middle(PARAMETERS[name], 0) for name in PARAMETER_NAMES])
w = np.zeros(8 * forcing.SLOTS)
for name in sys.argv[1:]:
    getattr(forcing, name)(w, 8)
if not sys.argv[1:]:
    events, on, host = self_test._everything(p), np.empty(8, np.bool_), np.ones(4)
    forcing.acting(events.kinds, events.channels, on)
    forcing.settle(w, 0, p, host, True)
    for k in range(len(events.times)):
        forcing.give(w, 0, events.kinds[k], events.channels[k], events.amounts[k], p)
    found = []
    for fill in (forcing.start, forcing.within):
        fill(w, on, 8)
        found += list(w.reshape(-1, 8)[lanes.INPUT : lanes.INPUT + len(INPUT_NAMES), 0])
        w.reshape(-1, 8)[lanes.TAU] = 0.3
    print(json.dumps(found))
"""


@pytest.mark.slow
def test_functions_that_two_processes_compiled_are_linked_to_the_right_callers(tmp_path):
    """Each process counts its functions from the same number; the names keep them apart."""
    folder = tmp_path / "filled"
    folder.mkdir(mode=0o700)

    def levels(*names: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", LEVELS, *names],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    for name in ("_amd3100", "_anti_timp1"):
        levels(name, **{BUILDING: str(folder)})
    assert levels(**{BUILDING: str(folder)}) == levels()
