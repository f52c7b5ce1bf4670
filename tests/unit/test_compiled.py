"""Where compiled code is kept: also where the source or the home can only be read."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from numba.core.caching import IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

import nichetrial
from nichetrial import engine
from nichetrial.engine import compiled
from nichetrial.engine.compiled import OLD_KEPT, candidates, digest, settle

NAME = "compiled-abc"


def unwritable(folder: Path) -> Path:
    """Not even root can make a folder in a file."""
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text("")
    return folder / "file" / "base"


def test_the_first_that_can_be_written(tmp_path):
    good = tmp_path / "good"
    assert settle(NAME, [unwritable(tmp_path), good, tmp_path / "worse"]) == good / NAME
    assert (good / NAME).stat().st_mode & 0o077 == 0
    assert not (tmp_path / "worse").exists()


def test_none_can_be_written(tmp_path):
    bad = unwritable(tmp_path)
    assert settle(NAME, [bad / "one", bad / "two"]) == bad / "two" / NAME


def test_what_can_only_be_read_is_copied_once(tmp_path, monkeypatch):
    kept, new = tmp_path / "kept", tmp_path / "new"
    (kept / NAME).mkdir(parents=True)
    (kept / NAME / "code").write_text("old")
    can = compiled._writable
    monkeypatch.setattr(compiled, "_writable", lambda f: kept not in f.parents and can(f))
    assert settle(NAME, [kept, new]) == new / NAME
    assert [f.name for f in new.iterdir()] == [NAME]
    assert (new / NAME / "code").read_text() == "old"
    (new / NAME / "code").write_text("newer")
    settle(NAME, [kept, new])
    assert (new / NAME / "code").read_text() == "newer"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_another_user_left_is_neither_used_nor_copied(tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    (theirs / NAME).mkdir(parents=True)
    (theirs / NAME / "code").write_text("bad")
    os.chown(theirs / NAME, 65534, 65534)
    assert settle(NAME, [theirs, ours]) == ours / NAME
    assert list((ours / NAME).iterdir()) == []


def test_a_shared_file_system_without_locks_is_left_alone(tmp_path, monkeypatch):
    shared, own = tmp_path / "shared", tmp_path / "own"

    def flock(stream, how):
        if str(shared) in os.readlink(f"/proc/self/fd/{stream.fileno()}"):
            raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.setattr(compiled.fcntl, "flock", flock)
    assert settle(NAME, [shared, own]) == own / NAME


def test_old_ones_are_removed_from_the_source_tree_alone(tmp_path):
    for base in (tmp_path / "__pycache__", tmp_path / "home"):
        for k in range(OLD_KEPT + 2):
            (base / f"compiled-{k}").mkdir(parents=True)
            os.utime(base / f"compiled-{k}", (k, k))
        settle(NAME, [base])
    left = sorted(f.name for f in (tmp_path / "__pycache__").iterdir())
    assert left == ["compiled-2", "compiled-3", "compiled-4", NAME]
    assert len(list((tmp_path / "home").iterdir())) == OLD_KEPT + 3


def test_the_order_of_places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree, home, machine = candidates(tmp_path, "")
    assert (tree, home) == (tmp_path / "__pycache__", tmp_path / "cache" / "nichetrial")
    assert machine.name == f"nichetrial-{os.getuid()}"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert candidates(tmp_path, "")[1] == Path.home() / ".cache" / "nichetrial"
    assert candidates(tmp_path, "/given") == [Path("/given")]


def test_the_digest_is_of_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    second = digest(tmp_path)
    (tmp_path / "b.py").write_text("x = 2\n")
    assert len({first, second, digest(tmp_path)}) == 3


@pytest.mark.slow
def test_a_source_and_a_home_that_cannot_be_written(tmp_path):
    """The second process loads what the first one compiled, from the temporary folder."""
    package = Path(engine.__file__).parents[1]
    shutil.copytree(package, tmp_path / "nichetrial", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "nichetrial" / "engine" / "__pycache__").write_text("a file")
    (tmp_path / "tmp").mkdir()
    code = (
        "import numpy as np; from nichetrial.engine.elementary import power\n"
        "from nichetrial.engine.kernels import basal\n"
        "basal(np.ones(99), np.ones(4), np.zeros(13))\n"
        "print(sum(basal.stats.cache_hits.values()), sum(basal.stats.cache_misses.values()))"
    )
    env = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    env |= {"PYTHONPATH": str(tmp_path), "HOME": "/dev/null", "TMPDIR": str(tmp_path / "tmp")}
    said = [
        subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True,
                       text=True, check=True).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    assert said == [["0", "1"], ["1", "0"]]


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
            [sys.executable, "-c", SAVE, str(tmp_path), str(who)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for who in range(3)
    ]  # fmt: skip
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


def test_a_folder_that_can_only_be_read_needs_no_lock(tmp_path):
    file = IndexDataCacheFile(str(tmp_path), "f", "stamp")
    file.save("key", "code")
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").mkdir()  # cannot be opened
    assert file.load("key") == "code"


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
