"""Compiled code that another user has planted is never read: Numba's index is a pickle."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from nichetrial.compat.numba_cache import ENGINE, KIND, digest, safe

NAME = f"{KIND}-{digest(ENGINE)}"
VICTIM, ATTACKER = 65533, 65534

two_users = pytest.mark.skipif(os.getuid() != 0, reason="only root can act as two users")


class Payload:
    """Leaves a file where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


def plant(folder: Path, trace: Path) -> None:
    """All indexes that Numba could look for in ``folder``, with a payload."""
    theirs = ENGINE / "__pycache__" / NAME
    for index in theirs.rglob("*.nbi"):
        copy = folder / index.relative_to(theirs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        head = pickle.dumps("0.0")
        copy.write_bytes(head + pickle.dumps(Payload(trace)))
    (folder / "usable").touch()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, ATTACKER, ATTACKER)
        path.chmod(0o777)


def settled(**environment: str) -> str:
    """The folder that Python takes as a user who owns nothing here. It starts as root, because the
    interpreter may lie where only root can read."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", SETTLE],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        cwd="/",
        check=True,
    )
    return done.stdout.strip()


SETTLE = f"""\
import os, tempfile
from nichetrial.compat import numba_cache
os.setgroups([])
os.setgid({VICTIM})
os.setuid({VICTIM})
print(numba_cache.settle().path)
"""


@two_users
@pytest.mark.parametrize("place", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "TMPDIR"])
@pytest.mark.parametrize("owned", ["planted", "ours, but open to all", "a link"])
def test_a_folder_that_others_could_fill_is_not_used(place, owned, reachable):
    base = reachable / "base"
    inside = {"XDG_CACHE_HOME": "nichetrial", "TMPDIR": f"nichetrial-{VICTIM}"}.get(place, "")
    folder = base / inside / NAME
    folder.mkdir(parents=True)
    trace = reachable / "ran"
    plant(folder, trace)
    base.chmod(0o777)
    if owned == "ours, but open to all":
        for path in (folder, *folder.rglob("*")):
            os.chown(path, VICTIM, VICTIM)
    if owned == "a link":
        folder.rename(reachable / "elsewhere")
        folder.symlink_to(reachable / "elsewhere")
    assert not settled(**{place: str(base)}).startswith(str(folder))
    assert not trace.exists()


@two_users
@pytest.mark.parametrize("handed", ["NICHETRIAL_MACHINE_CODE", "NICHETRIAL_MACHINE_CODE_BUILDING"])
def test_a_folder_of_another_user_is_not_taken_over_from_the_environment(handed, reachable):
    trace, folder = reachable / "ran", reachable / "given"
    plant(folder, trace)
    assert settled(**{handed: str(folder)}) != str(folder)
    assert not trace.exists()


@pytest.fixture
def reachable(tmp_path):
    """A folder that other users can enter."""
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    return tmp_path


def test_what_is_safe(tmp_path):
    folder = tmp_path / "ours"
    (folder / "sub").mkdir(parents=True, mode=0o700)
    file = folder / "sub" / "f.nbi"
    file.touch(mode=0o600)
    assert safe(folder)
    for change, back in (
        (lambda: file.chmod(0o662), lambda: file.chmod(0o600)),
        (lambda: (folder / "sub").chmod(0o777), lambda: (folder / "sub").chmod(0o700)),
        (lambda: folder.chmod(0o770), lambda: folder.chmod(0o700)),
        (lambda: tmp_path.chmod(0o777), lambda: tmp_path.chmod(0o700)),
        (lambda: (folder / "l").symlink_to(file), lambda: (folder / "l").unlink()),
        (lambda: os.mkfifo(folder / "p"), lambda: (folder / "p").unlink()),
    ):
        change()
        assert not safe(folder)
        back()
        assert safe(folder)
    tmp_path.chmod(0o1777)  # sticky, as /tmp is
    assert safe(folder)
    assert not safe(tmp_path / "none")
    (tmp_path / "link").symlink_to(folder)
    assert not safe(tmp_path / "link")
