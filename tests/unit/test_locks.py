"""One run a folder; a lock of the dead is cleared, one of the living never."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nichetrial.launch import locks
from nichetrial.launch.locks import FolderBusy, folder_lock, leftovers, snakemakes


def _leave_locks(folder: Path, **owner: object) -> Path:
    """What a killed run leaves: Snakemake's lock file, and our record of the owner if given."""
    lock = folder / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("results/a\n")
    if owner:
        (folder / ".snakemake" / "nichetrial.lock").write_text(json.dumps(owner))
    return lock


@pytest.fixture
def snakemake_like(tmp_path):
    """Start a process that looks like Snakemake working in a folder."""
    script = tmp_path / "bin" / "snakemake"
    script.parent.mkdir()
    script.write_text("import time; time.sleep(60)\n")
    started = []

    def start(folder: Path, *words: str) -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, str(script), *words], cwd=folder)
        started.append(process)
        while str(script) not in psutil.Process(process.pid).cmdline():
            time.sleep(0.01)  # for a moment after its start a process has no command line
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_the_snakemake_of_a_cluster_job_is_no_head(tmp_path, snakemake_like):
    snakemake_like(tmp_path, "--cores", "1", "--mode", "remote")
    assert snakemakes(tmp_path) == []
    head = snakemake_like(tmp_path, "--profile", "remote")
    assert snakemakes(tmp_path) == [head.pid]


def test_a_fresh_folder_is_locked_and_released(tmp_path):
    with folder_lock(tmp_path) as hold:
        assert hold.recovered == ""
        owner = json.loads((tmp_path / ".snakemake" / "nichetrial.lock").read_text())
        assert owner["pid"] == os.getpid()
        assert owner["host"] == socket.gethostname()
    assert (tmp_path / ".snakemake" / "nichetrial.lock").read_text() == ""
    with folder_lock(tmp_path) as hold:
        assert hold.recovered == ""


def test_two_runs_do_not_share_a_folder(tmp_path):
    with (
        folder_lock(tmp_path),
        pytest.raises(FolderBusy, match=rf"another nichetrial run .*process {os.getpid()}"),
        folder_lock(tmp_path),
    ):
        pass


@pytest.mark.parametrize("owner", [{}, {"host": socket.gethostname(), "started": "2026-01-02"}])
def test_the_lock_of_a_dead_run_is_cleared_and_told(tmp_path, owner):
    lock = _leave_locks(tmp_path, **owner)
    with folder_lock(tmp_path) as hold:
        assert "was killed and left its lock; cleared" in hold.recovered
        assert owner.get("started", "") in hold.recovered
    assert not lock.exists()


def test_the_lock_of_a_living_snakemake_stays(tmp_path, snakemake_like):
    lock = _leave_locks(tmp_path, host=socket.gethostname())
    process = snakemake_like(tmp_path)
    with pytest.raises(FolderBusy, match=f"process {process.pid}"), folder_lock(tmp_path):
        pass
    assert lock.exists()


def test_a_snakemake_elsewhere_does_not_matter(tmp_path, snakemake_like):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    snakemake_like(elsewhere)
    lock = _leave_locks(tmp_path)
    with folder_lock(tmp_path) as hold:
        assert hold.recovered
    assert not lock.exists()


def test_the_lock_of_another_host_stays(tmp_path):
    lock = _leave_locks(tmp_path, host="another-computer", started="2026-01-02")
    with pytest.raises(FolderBusy, match="another-computer"), folder_lock(tmp_path):
        pass
    assert lock.exists()


def test_a_zombie_is_not_alive(tmp_path, snakemake_like):
    process = snakemake_like(tmp_path)
    assert snakemakes(tmp_path) == [process.pid]
    os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while snakemakes(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)  # not waited for: it stays a zombie
    assert snakemakes(tmp_path) == []


def test_a_child_that_inherits_the_lock_holds_it(tmp_path, monkeypatch):
    """The launcher is killed alone: its Snakemake still works here, so nobody else may."""
    code = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from nichetrial.launch.locks import folder_lock\n"
        "with folder_lock(Path.cwd()) as hold:\n"
        "    child = subprocess.Popen(['sleep', '60'], pass_fds=[hold.fd])\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    child = int(launcher.stdout.readline())
    launcher.wait()
    launcher.stdout.close()
    try:
        monkeypatch.setattr(locks, "PATIENCE", 0.3)
        with (
            pytest.raises(FolderBusy, match="was killed, but its Snakemake"),
            folder_lock(tmp_path),
        ):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while True:
        try:
            with folder_lock(tmp_path):
                break
        except FolderBusy:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _job(folder: Path, *, leader: bool) -> psutil.Process:
    """A process that looks like a job, in a process group of its own or of one that has died."""
    fake = folder / "nichetrial"
    fake.mkdir()
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text("import time; time.sleep(60)\n")
    code = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'nichetrial', 'stage', 'simulate'], "
        f"process_group={0 if leader else None})\n"
        "print(child.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    snakemake = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert snakemake.stdout is not None
    job = psutil.Process(int(snakemake.stdout.readline()))
    snakemake.stdout.close()
    snakemake.wait()
    while "simulate" not in job.cmdline():
        time.sleep(0.01)
    return job


@pytest.mark.parametrize("leader", [False, True], ids=["left by a killed run", "by hand"])
def test_jobs_that_a_killed_run_has_left_are_stopped_and_no_others(tmp_path, leader):
    job = _job(tmp_path, leader=leader)
    try:
        assert leftovers(tmp_path / "nichetrial") == []  # another folder
        with folder_lock(tmp_path) as hold:
            gone = not job.is_running() or job.status() == psutil.STATUS_ZOMBIE
            assert gone is not leader
            assert hold.recovered == ("" if leader else "stopped a job that a killed run had left")
    finally:
        if job.is_running():
            job.kill()
