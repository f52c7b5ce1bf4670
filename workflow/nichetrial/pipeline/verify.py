"""Before a run: are the results what their records say, and of this study?

Snakemake goes by the times of files and by its own memory of jobs. Times are wrong after a copy, or
where the clock of a node is wrong; the memory does not come along with a copied folder; and neither
sees a file that was cut off. Each record has the SHA-256 of what its job read and made, and the
digest of all that it depended on besides. So content decides here:

    a file is not what its record says         its job is forced to run again
    a record is lost, or cannot be believed    the same
    the record is of another study or code     the same, if Snakemake does not see it for itself
    all is right, but times are not            the time is put right, and nothing runs

A file's digest is taken once, and again only when anything has changed that a file system keeps of
it: size, times (also the one that no program can set), or place on the disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nichetrial.compat import snakemake_files
from nichetrial.files import atomic
from nichetrial.pipeline.jobs import jobs
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stage import Job
from nichetrial.records.identity import file_digest
from nichetrial.records.stored import RunRecord, inside, read_record

__all__ = ["Verdict", "verify"]

MEMORY = Path(snakemake_files.STATE, "nichetrial-results")
"""Digests of files as they were at the last look, one file a study."""

WRONG, LOST = (
    "different from the run record (cut off or replaced)",
    "without a run record that can be read",
)
"""What can be wrong with a result."""

SHOWN = 3
"""Files that are named; more are counted."""

LONGEST = 1_000_000
"""Characters of a command line that are safe on Linux and macOS."""


@dataclass
class Verdict:
    """``forced``: an output of each job that must run again -> its rule. ``wrong``: files that are
    not what they should be -> why. ``times``: how many were put right. ``no_records``: files below
    records/ that are none; the caller may remove them."""

    forced: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    times: int = 0
    no_records: list[Path] = field(default_factory=list)

    def targets(self) -> list[str]:
        """What to tell Snakemake to run again: files, or their rules if they are very many."""
        files = list(self.forced)
        if sum(len(file) + 1 for file in files) <= LONGEST:
            return files
        return sorted(set(self.forced.values()))

    def lines(self) -> list[str]:
        """For the terminal."""
        told = []
        for reason in dict.fromkeys(self.wrong.values()):
            files = [file for file, why in self.wrong.items() if why == reason]
            more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
            verb = "is" if len(files) == 1 else "are"
            told.append(f"{', '.join(files[:SHOWN])}{more} {verb} {reason}; will be made again")
        if self.times:
            what = "1 file has" if self.times == 1 else f"{self.times} files have"
            told.append(
                f"{what} the right content but an unexpected time (a copy, or another clock); "
                "time corrected"
            )
        return told


def verify(plan: Plan, *, evidence: bool, now: float, whole: bool = False) -> Verdict:
    """Judge what there is of a study's results. Times are put right; nothing else is changed.

    Args:
        evidence: those of the calibration too.
        now: seconds since the epoch; no file can be younger.
        whole: every file is read again, whatever is remembered of it.

    Raises OSError where a file cannot be read.
    """
    memory = MEMORY / f"{plan.study.name}.json"
    look = _Look(memory, int(now * 1e9), whole)
    look.at_records(Path(plan.results, "records"))
    tracked = [*plan.comparisons(), *plan.pictures(), plan.layout.page]
    was_last = _newest([plan.layout.receipt]) >= _newest(tracked)
    look.at_study(plan)
    for job in jobs(plan, evidence=evidence):
        look.at(job)
    look.at_receipt(plan.layout.receipt, "track", _newest(tracked) if was_last else 0)
    if evidence:
        look.at_receipt(plan.layout.evidence.receipt, "track_evidence")
    look.keep(memory)
    return look.verdict


class _Look:
    """One look at all results."""

    def __init__(self, memory: Path, now: int, whole: bool) -> None:
        self.now = now
        self.verdict = Verdict()
        remembered = {} if whole else _read(memory)
        files = remembered.get("files")
        known = files.items() if isinstance(files, dict) else ()
        self._before = {file: state for file, state in known if isinstance(state, list)}
        self._remembered = json.dumps(remembered, sort_keys=True)
        self._files: dict[str, list[Any]] = {}

    def at_records(self, folder: Path) -> None:
        """What is no record says nothing, and would only stop who reads all of them."""
        for path in folder.rglob("*.json"):
            if read_record(path) is None and not path.is_dir():
                self.verdict.no_records.append(path)

    def at_study(self, plan: Plan) -> None:
        """study.json is written at the start of a run that has jobs: one is made sure of."""
        record = read_record(plan.layout.record("resolve"))
        made = record["outputs"].get(plan.layout.study) if record else None
        if not os.path.lexists(plan.layout.study):
            return
        if made is None or not self._is(plan.layout.study, made):
            self._force([plan.layout.study], "resolve", WRONG if made else LOST)
            self.verdict.forced.pop(plan.layout.study)
            self.verdict.forced[plan.layout.receipt] = "track"

    def at(self, job: Job) -> None:
        """One job, after those that it reads from."""
        record = read_record(job.record)
        if record is not None and not _is_of(record, job):
            self.verdict.wrong[job.record] = "of another job"
            record = None
        if record is None:
            lost = [file for file in job.outputs if os.path.lexists(file)]
            self._force(lost, job.stage.name, LOST)
            return
        if record["status"] != "FINISHED":
            return
        made = record["outputs"]
        if not made or not all(map(os.path.lexists, made)):
            return  # Snakemake sees it
        self._not_in_future([*filter(os.path.exists, record["inputs"]), *made])
        wrong = [file for file, digest in made.items() if not self._is(file, digest)]
        if wrong:
            self._force(wrong, job.stage.name, WRONG)
        elif record.get("params_digest") != job.digest():
            # with this digest among the params that it remembers, Snakemake compares them itself
            if not snakemake_files.remembers(next(iter(made)), str(record.get("params_digest"))):
                self._force(made, job.stage.name)
        else:
            self._compare_inputs(record["inputs"], made, job)

    def at_receipt(self, path: str, rule: str, newest: int = 0) -> None:
        """What the tracking leaves has no record; it can be read or not. If it was the last of all
        files, it stays so: ``newest`` of the others."""
        self._not_in_future([path])
        if os.path.exists(path) and not _read(Path(path)):
            self.verdict.wrong[path] = "not readable"
            self.verdict.forced[path] = rule
        elif 0 < _newest([path]) < newest:
            self._set(path, newest)

    def keep(self, memory: Path) -> None:
        """Remember it, if there is news."""
        content = {"files": self._files} if self._files else {}
        if json.dumps(content, sort_keys=True) != self._remembered:
            with suppress(OSError), atomic(memory) as part:  # full disk: files are read once more
                part.write_text(json.dumps(content), encoding="utf-8")

    def _force(self, files: Iterable[str], rule: str, reason: str = "") -> None:
        for file in files:
            if reason:
                self.verdict.wrong[file] = reason
            self.verdict.forced.setdefault(file, rule)

    def _compare_inputs(self, inputs: Mapping[str, str], made: Iterable[str], job: Job) -> None:
        """The outputs are right; are they made of what there is now?"""
        there = {file: digest for file, digest in inputs.items() if inside(".", file)}
        newest = _newest(there)
        other = [file for file, digest in there.items() if not self._is(file, digest)]
        if not other:
            for file in made:
                if _time(file) < newest:
                    self._set(file, newest)
        elif not self.verdict.wrong.keys() & other and max(map(_time, other)) <= min(
            map(_time, made)
        ):
            self._force(made, job.stage.name)  # replaced by an older file

    def _not_in_future(self, files: Iterable[str]) -> None:
        """Else no job could ever be newer than its inputs."""
        for file in files:
            with suppress(FileNotFoundError):
                if _time(file) > self.now:
                    self._set(file, self.now)

    def _set(self, file: str, time: int) -> None:
        """Without rights to do so, Snakemake will do more than it must, and nothing else."""
        with suppress(PermissionError):
            before = self._files.get(file) or self._before.get(file)
            same = before and before[:-1] == _state(file)
            os.utime(file, ns=(os.stat(file).st_atime_ns, time))
            self.verdict.times += 1
            if before and same:
                self._files[file] = [*_state(file), before[-1]]

    def _is(self, file: str, digest: str) -> bool:
        """Whether there is an ordinary file, with no link on the way, with these bytes."""
        if inside(".", file) is None:
            return False
        state = _state(file)
        for known in (self._files.get(file), self._before.get(file)):
            if known and known[:-1] == state:
                self._files[file] = known
                return known[-1] == digest
        self._files[file] = [*state, file_digest(file)]
        return self._files[file][-1] == digest


def _is_of(record: RunRecord, job: Job) -> bool:
    """Whether a record is of this job: of its stage, and of files that it makes."""
    made = record["outputs"] if record["status"] == "FINISHED" else {}
    return record["stage"] == job.stage.name and set(made) <= set(job.outputs)


def _state(file: str) -> list[int]:
    state = os.stat(file)
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _time(file: str) -> int:
    return os.stat(file).st_mtime_ns


def _newest(files: Iterable[str]) -> int:
    """The latest time of those that are there; 0 if none is."""
    return max(map(_time, filter(os.path.exists, files)), default=0)


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty if there is none or it cannot be read."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
