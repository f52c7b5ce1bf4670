"""Snakemake's log as a person wants to read it: one plain line for each finished job.

    [12/43] 28 %  0:31 elapsed, about 1:20 left  simulate amd3100, particles 0-124 done

A job that fails is reported with its log and the log's last lines. Everything else of Snakemake's
own log is in ``.snakemake/log``; its errors and warnings are passed on. The process of
``live`` gets each finished job.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from logging import WARNING, LogRecord
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from nichetrial import codes, room
from nichetrial.compat import slurm_messages
from nichetrial.compat.snakemake_messages import IDLE, REDUNDANT, ended_by, gist, retried, why
from nichetrial.launch import lifeline, warm_client
from snakemake_logger_plugin_nichetrial.live import TRACKING, Live

__all__ = ["Clock", "LogHandler", "LogHandlerSettings", "duration"]

TAIL = 12
"""Lines of a failed job's log that are shown."""

UNPRICED = 3.0
"""Seconds of a job of which nothing is known."""

PROBE = 100_000
"""Bytes that a job needs at least."""

UP_TO_DATE = "nothing to do: all results are up to date"
EMPTY = "(the log is empty)"

TARGET = "all"
"""The rule that only names what is wanted; it is no job to a reader."""


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Options of this plugin on Snakemake's command line."""

    failures: Path | None = field(
        default=None,
        metadata={"help": "Write each failed job as one line of JSON to this file", "type": Path},
    )
    prices: str = field(
        default="",
        metadata={"help": "Seconds that jobs should take: RULE=SECONDS,...", "type": str},
    )


def duration(seconds: float) -> str:
    """``0:31``, ``12:05`` or ``1:02:10``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Clock:
    """How long the jobs that are left will take: their expected times, corrected by those seen.

    Args:
        prices: rule -> seconds that one of its jobs is expected to take.
    """

    def __init__(self, now: float, prices: Mapping[str, float]) -> None:
        self.start = now
        self.prices = prices
        self.left: Counter[str] = Counter()
        self.took: dict[str, list[float]] = {}
        self.running = self.most = 0

    def plan(self, counts: dict[str, int]) -> None:
        """Rule -> number of its jobs."""
        self.left = Counter(counts)

    def started(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)

    def failed(self) -> None:
        self.running -= 1

    def finished(self, rule: str, seconds: float) -> None:
        self.running -= 1
        self.left[rule] -= 1
        self.took.setdefault(rule, []).append(seconds)

    def remaining(self) -> float:
        """Seconds until all is done, with as many jobs at a time as there have been."""
        seen = sum(sum(times) for times in self.took.values())
        expected = sum(len(times) * self._price(rule) for rule, times in self.took.items())
        slower = seen / expected if expected else 1.0
        work = 0.0
        for rule, count in self.left.items():
            times = self.took.get(rule)
            each = sum(times) / len(times) if times else slower * self._price(rule)
            work += max(count, 0) * each
        return work / max(self.most, 1)

    def _price(self, rule: str) -> float:
        return self.prices.get(rule, UNPRICED)


@dataclass
class _Job:
    rule: str
    label: str
    wildcards: dict[str, str]
    start: float


class LogHandler(LogHandlerBase):
    """The handler that Snakemake loads under the name ``nichetrial``."""

    settings: LogHandlerSettings

    def __post_init__(self) -> None:
        lifeline.watch()
        self.jobs: dict[int, _Job] = {}
        self.failed: dict[int, dict[str, Any]] = {}
        pairs = self.settings.prices.split(",") if self.settings and self.settings.prices else []
        prices = {rule: float(seconds) for rule, _, seconds in (p.partition("=") for p in pairs)}
        self.clock = Clock(time.monotonic(), prices)
        self.latest = ""
        self.signal: int | None = None
        """What ended the job that is about to be reported as failed."""
        self.lack = ""
        """Why no job can write any more."""
        self.planned = False
        self.total = 0
        self.stream = sys.stderr
        self.live = Live()

    def close(self) -> None:
        """The run is over, however it ended."""
        self.live.end()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return True

    @property
    def has_formatter(self) -> bool:
        return True

    @property
    def needs_rulegraph(self) -> bool:
        return False

    def emit(self, record: LogRecord) -> None:
        """Write what the record has for a reader, if anything."""
        try:
            event: Any = getattr(record, "event", None)
            told = {
                LogEvent.RUN_INFO: self._plan,
                LogEvent.JOB_INFO: self._started,
                LogEvent.JOB_FINISHED: self._finished,
                LogEvent.PROGRESS: self._progress,
                LogEvent.JOB_ERROR: self._failed,
                LogEvent.SHELLCMD: self._command,
            }.get(event, self._other)(record)
            if told:
                self.stream.write(told + "\n")
                self.stream.flush()
        except BrokenPipeError:
            raise
        except Exception:
            traceback.print_exc()

    def _plan(self, record: Any) -> str:
        if self.planned:  # a dry run tells its statistics twice
            return ""
        self.planned = True
        counts = {rule: n for rule, n in record.stats.items() if rule not in ("total", TARGET)}
        self.clock.plan(counts)
        self.total = sum(counts.values())
        if not self.common_settings.dryrun:
            self.live.plan(counts)
            if self.total:
                warm_client.wake()
        if not self.total:
            return UP_TO_DATE
        kinds = ", ".join(f"{n} {rule}" for rule, n in counts.items())
        would = "would run" if self.common_settings.dryrun else "to run"
        return f"{self.total} {'job' if self.total == 1 else 'jobs'} {would}: {kinds}"

    def _started(self, record: Any) -> str:
        label = _plain(record.rule_msg or record.rule_name)
        wildcards = {str(k): str(v) for k, v in dict(record.wildcards).items()}
        self.jobs[record.jobid] = _Job(record.rule_name, label, wildcards, time.monotonic())
        if self.common_settings.dryrun and record.rule_name != TARGET:
            return f"  {label}  ({why(record.reason)})"
        self.clock.started()
        self.live.started(record.rule_name, [str(path) for path in record.log or ()])
        return ""

    def _finished(self, record: Any) -> str:
        job = self.jobs.get(record.job_id)
        if job:
            self.clock.finished(job.rule, time.monotonic() - job.start)
            self.latest = job.label if job.rule != TARGET else ""
            self.live.ended(job.rule)
        return ""

    def _progress(self, record: Any) -> str:
        # not record.total, which also counts what --until leaves out
        now, total = time.monotonic(), self.total
        if not self.latest or not total:
            return ""
        line = f"[{record.done}/{total}] {100 * record.done // total} %"
        line += f"  {duration(now - self.clock.start)} elapsed"
        if record.done < total:
            line += f", about {duration(self.clock.remaining())} left"
        return f"{line}  {self.latest} done"

    def _failed(self, record: Any) -> str:
        job = self.jobs.get(record.jobid)
        logs = [str(path) for path in record.log if not str(path).endswith(".json")]
        label = job.label if job else _plain(record.rule_name)
        said = _slurm_said(record, logs)
        told = str(getattr(record, "rule_msg", None) or "")
        self.clock.failed()
        killed, self.signal = _killed(self.signal), None
        reason = slurm_messages.reason(told, said, _slurm_job(record)) or killed
        first = "" if reason else self._lack_of_room(logs)
        self.failed[record.jobid] = {
            "rule": record.rule_name,
            "label": label,
            "wildcards": job.wildcards if job else {},
            "logs": logs,
            "reason": reason,
        }
        self._note_failures()
        if record.rule_name in TRACKING:
            return first + _not_tracked(logs)
        self.live.ended(record.rule_name, failed=True)
        if self.lack:
            return f"{first}FAILED  {label}"
        lines = [f"FAILED  {label}{f': {reason}' if reason else ''}"]
        for log in logs:
            last = _tail(Path(log)) if log != logs[-1] or not said else said
            if killed and last == [EMPTY]:  # what was killed could not write why
                last = []
            lines += [f"  log: {log}", *(f"    {line}" for line in last)]
        return "\n".join(lines)

    def _lack_of_room(self, logs: list[str], text: str = "") -> str:
        """The line that tells it, once, when a job failed or Snakemake itself says so."""
        if self.lack:
            return ""
        for folder in (*{Path(log).parent for log in logs}, Path(tempfile.gettempdir())):
            with suppress(OSError):
                self.lack = self.lack or room.lack(folder, PROBE)
        for number, said in room.TAKEN.items():
            if said in text:
                self.lack = self.lack or room.why(OSError(number, said), ".")
        if not self.lack:
            return ""
        return (
            f"nichetrial: {codes.NOT_WRITABLE} {self.lack}, then run the same command to continue\n"
        )

    def _again(self, number: int) -> str:
        """A job that failed has retries left: it is no failure of the run yet."""
        entry = self.failed.pop(number, None)
        self._note_failures()
        return f"retrying  {entry['label']}" if entry else ""

    def _note_failures(self) -> None:
        if self.settings and self.settings.failures:
            lines = [json.dumps(entry) + "\n" for entry in self.failed.values()]
            with suppress(OSError):  # a full disk
                self.settings.failures.write_text("".join(lines), encoding="utf-8")

    def _command(self, record: Any) -> str:
        if not self.common_settings.printshellcmds:
            return ""
        return str(getattr(record, "cmd", None) or getattr(record, "shellcmd", None) or "")

    def _other(self, record: LogRecord) -> str:
        message = record.getMessage() if record.msg else ""
        if (job := retried(message)) is not None:
            return self._again(job)
        if message.startswith(IDLE):
            return "" if self.planned else UP_TO_DATE
        if self.common_settings.verbose:
            return message
        if record.levelno < WARNING or any(text in message for text in REDUNDANT):
            return ""
        if "CalledProcessError" in message:  # a job's command failed: _failed tells it better
            self.signal = ended_by(message)
            return ""
        lack = self._lack_of_room([], message) if record.levelno > WARNING else ""
        return lack.rstrip() if self.lack else gist(message)


def _plain(label: str) -> str:
    """Mice numbered as people do: ``000000-000499`` becomes ``0-499``."""
    return re.sub(r"\b0+(?=\d)", "", label)


def _not_tracked(logs: list[str]) -> str:
    """One line, for no result depends on it. What the job has told a user, it has told here too."""
    last = _tail(Path(logs[0]))[-1] if logs else ""
    why = "" if last.startswith("nichetrial: ") else f": {last}"
    return f"not in MLflow yet (see {', '.join(logs)}); all results are there{why}"


def _killed(number: int | None) -> str:
    """Why a job on this computer was ended, as far as one can know."""
    if number is None:
        return ""
    if number == signal.SIGKILL:
        return (
            "it was killed (signal 9); most often, this computer ran out of memory: use fewer "
            "--cores, or a smaller cohort.chunk"
        )
    return f"it was ended by signal {number}"


def _slurm_job(record: Any) -> Any:
    """Slurm's number of a job; None if it ran on this computer."""
    return dict(getattr(record, "aux", None) or {}).get("external_jobid")


def _slurm_said(record: Any, logs: list[str]) -> list[str]:
    """What Slurm wrote to the log of its job, which is the last of ``logs``."""
    if not _slurm_job(record) or not logs:
        return []
    return slurm_messages.said(_lines(Path(logs[-1])) or ())[-TAIL:]


def _tail(path: Path) -> list[str]:
    if (lines := _lines(path)) is None:
        return ["(no log was written)"]
    return [line for line in lines if line.strip()][-TAIL:] or [EMPTY]


def _lines(log: Path) -> list[str] | None:
    """What a log says; None if there is none."""
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
