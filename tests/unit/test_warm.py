"""A job of a warm parent is like one that starts by itself, and dies with its command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from nichetrial.launch import warm
from nichetrial.launch.warm_client import HANDED, PYTHON
from tests.support.broken_studies import SOUND

pytestmark = [pytest.mark.slow]

RESOLVE = ["stage", "resolve", "--study", "r/study.json", "--file"]


def job(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """``python -m nichetrial`` as a rule starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "nichetrial", *words],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children() -> set[psutil.Process]:
    """The warm parent, and what it has forked."""
    below = psutil.Process().children(recursive=True)
    return {p for p in below if warm.MODULE in p.cmdline()}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def parent() -> Iterator[None]:
    with warm.parent(here=True):
        yield


@pytest.fixture
def waiting(parent: None, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A job that waits for its study file, and the process that does it."""
    os.mkfifo(tmp_path / "study.yaml")
    before = children()
    command = job(tmp_path, *RESOLVE, "study.yaml")
    until(lambda: any(p.ppid() != os.getpid() for p in children() - before))
    (worker,) = {p for p in children() - before if p.ppid() != os.getpid()}
    time.sleep(0.5)  # it has opened the file by then
    yield command, worker
    for one in (command, worker):
        if psutil.pid_exists(one.pid):
            one.kill()
    command.wait()


@pytest.mark.parametrize("handed", ["to the parent", "no", "another Python"])
def test_folder_terminal_files_and_exit_code(
    parent: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handed: str
) -> None:
    if handed == "no":
        monkeypatch.setenv(HANDED, "no")
    elif handed == "another Python":
        monkeypatch.setenv(PYTHON, "/elsewhere")
    (tmp_path / "study.yaml").write_text(SOUND)
    done = job(tmp_path, *RESOLVE, "study.yaml", "--log", "log.txt")
    assert done.communicate() == ("", "")
    assert done.returncode == 0
    assert {p.name for p in tmp_path.iterdir()} == {"log.txt", "r", "study.yaml"}
    wrong = job(tmp_path, *RESOLVE, "not there.yaml")
    assert "not there.yaml: NT001 " in wrong.communicate()[1]
    assert wrong.returncode == 2


def test_a_job_sees_its_own_environment(parent: None, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(SOUND)
    for path in ("first", "second"):
        folder = tmp_path / path
        folder.mkdir()
        done = job(folder, *RESOLVE, "../study.yaml", NUMBA_CACHE_DIR=str(folder))
        assert done.wait() == 0, done.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_job(waiting, number: signal.Signals) -> None:
    command, worker = waiting
    command.send_signal(number)
    assert command.wait(timeout=30) == 128 + number
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def test_a_job_dies_with_its_command(waiting) -> None:
    command, worker = waiting
    command.kill()
    until(lambda: not worker.is_running())


def test_a_command_dies_as_its_job_does(waiting) -> None:
    command, worker = waiting
    worker.kill()
    assert command.wait(timeout=30) == -signal.SIGKILL


@pytest.mark.parametrize("victim", ["run", "parent"])
def test_nothing_is_left_of_a_killed_run(tmp_path: Path, victim: str) -> None:
    os.mkfifo(tmp_path / "study.yaml")
    code = (
        "import subprocess, sys\nfrom nichetrial.launch import warm\n"
        "with warm.parent(here=True):\n"
        f"    subprocess.run([sys.executable, '-m', 'nichetrial', *{RESOLVE}, 'study.yaml'])\n"
    )
    run = psutil.Popen([sys.executable, "-c", code], cwd=tmp_path)

    def below() -> list[psutil.Process]:
        return [p for p in run.children(recursive=True) if warm.MODULE in p.cmdline()]

    until(lambda: len(below()) == 2)
    above, worker = sorted(below(), key=lambda p: p.ppid() != run.pid)
    (run if victim == "run" else above).kill()
    until(lambda: not worker.is_running() and not (above.is_running() and victim == "run"))
    run.wait(timeout=30)
