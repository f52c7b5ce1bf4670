"""Starts the process that shows runs in MLflow while their jobs run, and tells it of each job.

It has a session of its own, so that what ends Snakemake leaves it alone: it sees the end of the
lines, whatever ended them, and then writes how the run ended. Nothing that it does or cannot do
disturbs the run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nichetrial.pipeline.stages import STAGES

__all__ = ["TRACKING", "Live"]

TRACKING = {
    name: "evidence" if stage.evidence else "trial"
    for name, stage in STAGES.items()
    if stage.command == "track"
}
"""The rules that bring all runs to MLflow -> whose runs."""

PATIENCE = 15.0
"""Seconds to wait at the end of a run that did not come to its tracking, for the last words."""


class Live:
    """The writers that follow this run; none until a job starts, and none if nothing is tracked."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.writers: dict[str, subprocess.Popen[bytes]] = {}
        self.tracked: set[str] = set()

    def plan(self, counts: Mapping[str, int]) -> None:
        """Rule -> number of its jobs: what will be tracked is shown before as well."""
        self.asked = {rule: kind for rule, kind in TRACKING.items() if rule in counts}

    def started(self, rule: str, logs: Sequence[str]) -> None:
        """The first job that is not the tracking itself tells where the results are; when that one
        starts, its kind is no longer followed."""
        if rule in TRACKING:
            self._tell(TRACKING[rule], b"tracking\n")
            return
        if not self.asked:
            return
        folders = [match[1] for log in logs if (match := re.match(r"(.+?/[^/]+)/logs/", log))]
        if not folders or not Path(folders[0], "study.json").is_file():
            return
        for kind in self.asked.values():
            self._start(folders[0], kind)
        self.asked = {}

    def _start(self, results: str, kind: str) -> None:
        log = f"{results}/logs/tracking/live-{kind}.log"
        words = ["track", "live", results, "--only", kind, "--log", log]
        with suppress(OSError):
            self.writers[kind] = subprocess.Popen(  # noqa: S603  (a list of words, no shell)
                [sys.executable, "-m", "nichetrial", *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def ended(self, rule: str, *, failed: bool = False) -> None:
        """A job has ended."""
        if rule in TRACKING and not failed:
            self.tracked.add(TRACKING[rule])
        for kind in self.writers:
            self._tell(kind, b"job\n")

    def _tell(self, kind: str, line: bytes) -> None:
        if (writer := self.writers.get(kind)) is None:
            return
        with suppress(OSError):
            assert writer.stdin is not None  # noqa: S101  (it is a pipe)
            writer.stdin.write(line)
            writer.stdin.flush()

    def end(self) -> None:
        """Nothing more comes. Waits for the last words, unless the tracking has said all."""
        for kind, writer in self.writers.items():
            if kind in self.tracked:
                writer.kill()
            with suppress(OSError):
                assert writer.stdin is not None  # noqa: S101  (it is a pipe)
                writer.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                writer.wait(PATIENCE)
        self.writers = {}
