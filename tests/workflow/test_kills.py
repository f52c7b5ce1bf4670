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

import numpy as np
import psutil
import pytest

from nichetrial.launch import warm
from nichetrial.launch.locks import leftovers, snakemakes
from nichetrial.launch.process import checkout
from tests.support.runs import STUDY, TINY, mlflow_runs, nichetrial, started

pytestmark = [pytest.mark.slow]

KILLS, RETRIES = 40, 20
MOMENTS, LONGEST = 8, 20.0
"""Runs are killed once in each of MOMENTS equal parts of LONGEST seconds, then in each again."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
ONCE = re.compile(r"(?:draw mice|simulate|dose of TIMP-1,) .*done$", re.M)
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
    """What was printed, but for Python's own words when it is stopped before it runs any module."""
    start = r"Fatal Python error: init_.*?^\s*KeyboardInterrupt$"
    return re.sub(start, "", said, flags=re.M | re.S)


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

    def _moment(self) -> float:
        """Seconds after which a run is killed."""
        if not self.moments:
            self.moments = list(self.rng.permutation(MOMENTS))
        return (self.moments.pop() + self.rng.random()) * LONGEST / MOMENTS

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
        victims = {"Snakemake": snakemakes(folder)[:1], "parent": _parents(run.pid)}
        victim = (*SIGNALS, *victims)[self.rng.integers(len(SIGNALS) + len(victims))]
        if isinstance(victim, str) and victims[victim]:
            with suppress(psutil.Error):
                psutil.Process(victims[victim][0]).kill()
            self.kills[victim] += 1
        else:
            number = signal.SIGKILL if isinstance(victim, str) else victim
            run.send_signal(number)
            self.kills[f"command, {number.name}"] += 1
        run.wait(timeout=120)
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
    while killer.kills.total() < KILLS:
        folder = tmp_path / f"round {rounds}"
        folder.mkdir()
        (folder / STUDY).write_text(TINY)
        done: Counter[str] = Counter()
        through = False
        while not through and killer.kills.total() < KILLS:
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
    assert {"job", "Snakemake", "parent"} < killer.kills.keys()
