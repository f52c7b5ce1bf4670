"""Kills at random moments: of jobs, their parent, Snakemake, the command; by every stop signal.

Whatever dies, the same command goes on: what was finished is not done again, and in the end all is
as after a run that nothing disturbed.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from nichetrial.launch import warm
from nichetrial.launch.locks import leftovers, snakemakes
from nichetrial.launch.process import checkout
from tests.support.runs import STUDY, TINY, mlflow_runs, nichetrial, started

pytestmark = [pytest.mark.slow]

RETRIES = 20
VICTIMS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, "Snakemake", "parent")
"""Of a run: the command by a signal, or one of its processes by SIGKILL."""
LONGEST = 18.0
"""Seconds. A run is killed in each of as many equal parts of them as there are victims."""
ONCE = re.compile(r"(?:draw particles|simulate|dose of TIMP-1,) .*done$", re.M)
"""Jobs that need nothing of an arm that failed: done once, they are never done again."""


def digests(folder: Path) -> dict[str, str]:
    """All that finished records say was made: file -> SHA-256."""
    found: dict[str, str] = {}
    for path in (folder / "results" / "tiny" / "records").rglob("*.json"):
        record = json.loads(path.read_text())
        if record["stage"] != "resolve":
            assert record["status"] == "FINISHED", path
            found |= record["outputs"]
    return found


DEFAULT = checkout() / "workflow" / "profiles" / "default" / "config.yaml"


def _without_starts(said: str) -> str:
    """What was printed, but for Python's own words when it is stopped before it runs any module, or
    while it imports what minds signals."""

    def kept(trace: re.Match[str]) -> str:
        frames = [f for f in trace[0].splitlines() if "nichetrial" in f]
        return trace[0] if any("__main__.py" not in f for f in frames) else ""

    start = r"Fatal Python error: init_.*?^\s*KeyboardInterrupt$"
    trace = r"^Traceback .*\n(?: .*\n)+KeyboardInterrupt$"
    return re.sub(trace, kept, re.sub(start, "", said, flags=re.M | re.S), flags=re.M)


def _parents(run: int) -> list[int]:
    with suppress(psutil.Error):
        return [p.pid for p in psutil.Process(run).children() if warm.MODULE in p.cmdline()]
    return []


class Killer:
    """Starts the run again and again, and kills."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.kills: Counter[str] = Counter()
        self.moments: list[int] = []
        self.victims: list[Any] = list(self.rng.permutation(np.array(VICTIMS, object)))

    @property
    def wanted(self) -> bool:
        """Is anything left that was not killed yet?"""
        return bool(self.victims) or not self.kills["job"]

    def _moment(self) -> float:
        """Seconds after which a run is killed."""
        if not self.moments:
            self.moments = list(self.rng.permutation(len(VICTIMS)))
        return (self.moments.pop() + self.rng.random()) * LONGEST / len(VICTIMS)

    def disturb(self, folder: Path) -> bool:
        """One run, its jobs killed now and then, itself at a random moment; whether it got through
        before that. In every second one a killed job is tried again, so that more can be."""
        tries = RETRIES if self.rng.random() < 0.5 else 0
        (folder / "profile").mkdir(exist_ok=True)
        (folder / "profile" / "config.yaml").write_text(
            f"{DEFAULT.read_text()}\nretries: {tries}\n"
        )
        run = started(folder, "--cores", "2", "--profile", "profile")
        end = time.monotonic() + self._moment()
        while run.poll() is None and time.monotonic() < end:
            time.sleep(self.rng.uniform(0, 1.5))
            self._kill_a_job(run.pid)
        if run.poll() is not None:
            return run.returncode == 0
        there = {"Snakemake": snakemakes(folder), "parent": _parents(run.pid)}
        # a process that has not started yet is left for another round
        victim = next((v for v in self.victims if there.get(v, [run.pid])), signal.SIGKILL)
        if victim in self.victims:
            self.victims.remove(victim)
        if victim in there:
            with suppress(psutil.Error):
                psutil.Process(there[victim][0]).kill()
        else:
            run.send_signal(victim)
        self.kills[str(victim)] += 1
        run.wait(timeout=240)
        assert "Traceback" not in _without_starts((folder / "said.txt").read_text())
        return False

    def _kill_a_job(self, head: int) -> None:
        with suppress(psutil.Error):
            below = psutil.Process(head).children(recursive=True)
            jobs = [p for p in below if "stage" in p.cmdline() and p.name() != "sh"]
            # without the study's own job nothing starts: it is not to die each time
            if jobs and ("resolve" not in jobs[0].cmdline() or self.rng.random() < 0.1):
                jobs[self.rng.integers(len(jobs))].kill()
                self.kills["job"] += 1


def test_kills_lose_nothing_that_was_finished(finished, tmp_path):
    killer, rounds = Killer(2026), 0
    while killer.wanted:
        folder = tmp_path / f"round {rounds}"
        folder.mkdir()
        (folder / STUDY).write_text(TINY)
        done: Counter[str] = Counter()
        through = False
        while not through and killer.wanted:
            through = killer.disturb(folder)
            done.update(
                ONCE.findall(re.sub(r"(?m)^.*left +", "", (folder / "said.txt").read_text()))
            )
        last = nichetrial(folder, "run", STUDY, "--cores", "2")
        assert last.returncode == 0, last.stdout
        assert snakemakes(folder) == leftovers(folder) == []
        assert not list((folder / "results").rglob("*.part"))
        assert digests(folder) == digests(finished[0])
        assert mlflow_runs(folder) == mlflow_runs(finished[0])
        assert {job: n for job, n in done.items() if n > 1} == {}
        rounds += 1
    print(f"{rounds} rounds; {dict(killer.kills)}")
    assert killer.kills.keys() == {"job", *map(str, VICTIMS)}
