"""Want of room: which disk, quota or limit it is."""

from __future__ import annotations

import errno
import io
import os
import resource
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from nichetrial import codes, room
from nichetrial.cli import _Tee
from tests.support.broken_studies import SOUND


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """``tmp_path`` is where a disk is mounted; a job writes below it."""
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in (str(tmp_path), "/"))
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("files", "left", "word"), [(100, 7, "bytes"), (100, 0, "inodes"), (0, 0, "bytes")]
)
def test_a_full_disk_is_named(mounted, monkeypatch, files, left, word):
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=files, f_favail=left))
    clause = room.why(OSError(errno.ENOSPC, "No space left on device"), mounted / "results")
    assert str(mounted) in clause
    assert f"{mounted}/" not in clause
    assert word in clause


def test_a_quota_is_named(mounted):
    assert f"quota on the disk at {mounted} " in room.why(
        OSError(errno.EDQUOT, ""), mounted / "results"
    )


def test_other_errors_are_none(tmp_path):
    assert room.why(PermissionError(errno.EACCES, ""), tmp_path) == ""
    assert room.lack(tmp_path, 1000) == ""
    with pytest.raises(FileNotFoundError):
        room.lack(tmp_path / "none", 1000)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def limited():
    """Files of this process have at most 50,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_limit_on_files_is_named(tmp_path, limited):
    assert "50,000 bytes" in room.lack(tmp_path, 100_000)
    assert room.lack(tmp_path, 40_000) == ""


def test_a_job_without_room_says_so_on_the_terminal_and_in_its_log(tmp_path):
    (tmp_path / "small.yaml").write_text(SOUND)
    words = ["stage", "resolve", "--file", "small.yaml", "--study", "results/small/study.json"]
    words += ["--log", "job.log"]
    program = (
        "import resource, sys\n"
        "from nichetrial.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        f"sys.exit(main({words!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    for said in (done.stderr, (tmp_path / "job.log").read_text()):
        assert str(codes.NOT_WRITABLE) in said
        assert "1,000 bytes" in said
        assert "Traceback" not in said
    assert not (tmp_path / "results/small/study.json").exists()


def test_a_message_reaches_the_terminal_when_the_log_cannot_be_written():
    terminal = io.StringIO()
    with open("/dev/full", "w") as log:
        tee = _Tee(log, terminal)
        with suppress(OSError):
            log.write("x" * 100_000)
        tee.write("no room\n")
        assert terminal.getvalue() == "no room\n"
        os.dup2(os.open(os.devnull, os.O_WRONLY), log.fileno())
