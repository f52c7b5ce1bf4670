"""The jobs of a study, and what the workflow asks of its stages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stage import Job
from nichetrial.pipeline.stages import STAGES

__all__ = ["Rules", "job", "jobs", "lost"]


def jobs(plan: Plan, *, evidence: bool) -> Iterator[Job]:
    """All jobs that leave a record, each after those that it reads from.

    Args:
        evidence: those of the calibration too.
    """
    for stage in STAGES.values():
        if stage.command or (stage.evidence and not evidence):
            continue
        for values in stage.each(plan):
            yield Job(stage, plan, dict(zip(stage.wildcards, values, strict=True)))


def job(plan: Plan, stage: str, **wildcards: str) -> Job:
    """One job. Raises KeyError for a stage or a wildcard that is not known."""
    found = STAGES[stage]
    return Job(found, plan, {name: wildcards[name] for name in found.wildcards})


def lost(plan: Plan) -> list[str]:
    """Files that are gone though something was made of them; a run makes them again.

    Of what was not made yet, the jobs to come ask for their inputs themselves: were all files named
    as targets, a run of ten thousand jobs would take twice the memory to plan.
    """
    gone: dict[str, None] = {}
    for stage in STAGES.values():
        if stage.evidence or "chunk" in stage.wildcards:
            continue
        for values in stage.each(plan):
            one = Job(stage, plan, dict(zip(stage.wildcards, values, strict=True)))
            if os.path.exists(one.outputs[-1]):
                gone |= dict.fromkeys(path for path in one.inputs if not os.path.exists(path))
    return list(gone)


class Rules:
    """What the rules of the workflow ask: answers for the job with a rule's wildcards."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def reads(self, stage: str) -> Callable[[Any], list[str]]:
        """``input:`` of the rule."""
        return lambda wildcards: job(self._plan, stage, **wildcards).inputs

    def writes(self, stage: str) -> list[str]:
        """``output:`` of the rule."""
        return self._pattern(stage).outputs

    def log(self, stage: str) -> str:
        """The log of the rule."""
        return self._pattern(stage).log

    def record(self, stage: str) -> str:
        """The run record. It stands under ``log:`` because Snakemake deletes the outputs of a job
        that failed, and the record of a failure is what the tracking needs."""
        return self._pattern(stage).record

    def digest(self, stage: str) -> Callable[[Any], str]:
        """For ``params:``; the job runs again when it changes."""
        return lambda wildcards: job(self._plan, stage, **wildcards).digest()

    def missing(self, stage: str) -> Callable[[Any], list[str]]:
        """For ``params:``: the words for the command line; none if the job misses no arm."""

        def words(wildcards: Any) -> list[str]:
            missing = job(self._plan, stage, **wildcards).missing
            return ["--missing", *missing] if missing else []

        return words

    def _pattern(self, stage: str) -> Job:
        names = STAGES[stage].wildcards
        return job(self._plan, stage, **{name: f"{{{name}}}" for name in names})
