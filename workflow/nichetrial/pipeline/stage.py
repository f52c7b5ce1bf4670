"""What a stage declares of itself, and the jobs that follow from it for one study.

A stage is a rule of the workflow, a module of ``nichetrial.stages`` and a command of ``nichetrial
stage``, all of one name. What it reads, writes and depends on stands in its declaration alone:
rules, run records, digests, estimates and checks of results are derived from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nichetrial.pipeline import code
from nichetrial.study.part import part
from nichetrial.study.resolved import ResolvedStudy, digest

if TYPE_CHECKING:
    from nichetrial.pipeline.plan import Plan

__all__ = ["Files", "Job", "Stage", "Wildcards"]

Files = dict[str, list[str]]
"""Name -> paths, in order."""

Wildcards = Mapping[str, str]

WHOLE = tuple(ResolvedStudy.model_fields)
"""Every key of a study."""


def _all(plan: Plan) -> Iterable[tuple[str, ...]]:
    return [()]


def _nothing(plan: Plan, wildcards: Wildcards) -> Files:
    return {}


def _as_it_is(study: ResolvedStudy, wildcards: Wildcards) -> dict[str, Any]:
    return {}


def _none_missing(plan: Plan, wildcards: Wildcards) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One kind of job.

    Args:
        name: of the rule, the module, the record, and on the command line.
        does: what it does, in a line.
        wildcards: what tells its jobs apart, such as an arm and a chunk of particles.
        each: their values for a whole run, each job after those that it reads from.
        depends: keys of the study that the stage may read (``study.part``).
        narrowed: key -> the part of its value that one job depends on.
        reads, writes: the files of a job by name. A rule gives its own wildcards, such as
            ``{chunk}``, to ``writes``.
        missing: arms whose jobs failed, if the job would have read them.
        cost: what time, memory and disk go with (``resources.AMOUNTS``).
        until: the part of a run that ends with it, for ``nichetrial run --until``.
        evidence: it belongs to the calibration, not to the trial.
        command: it is a command that people use as well, which leaves no run record.
    """

    name: str
    does: str
    wildcards: tuple[str, ...] = ()
    each: Callable[[Plan], Iterable[tuple[str, ...]]] = _all
    depends: tuple[str, ...] = WHOLE
    narrowed: Callable[[ResolvedStudy, Wildcards], dict[str, Any]] = _as_it_is
    reads: Callable[[Plan, Wildcards], Files] = _nothing
    writes: Callable[[Plan, Wildcards], Files]
    missing: Callable[[Plan, Wildcards], tuple[str, ...]] = _none_missing
    cost: tuple[str, ...] = ()
    until: str = ""
    evidence: bool = False
    command: str = ""

    @property
    def module(self) -> str:
        """Its module, without the package."""
        return f"commands.{self.command}" if self.command else f"stages.{self.name}"

    def label(self, wildcards: Wildcards) -> str:
        """What tells a job from others of its stage: ``amd3100/particles-000000-000499``."""
        parts = [
            f"particles-{wildcards[name]}" if name == "chunk" else wildcards[name]
            for name in self.wildcards
        ]
        return "/".join(parts) or self.name

    def place(self, wildcards: Wildcards) -> str:
        """Of a job's record and log, below their folders and without an ending."""
        above = ["evidence"] if self.evidence else []
        return "/".join([*above, self.name, *([self.label(wildcards)] if self.wildcards else [])])


@dataclass(frozen=True)
class Job:
    """One job of a study. It depends on what is here, on the code, and on nothing else."""

    stage: Stage
    plan: Plan
    wildcards: Wildcards

    @property
    def name(self) -> str:
        return self.stage.label(self.wildcards)

    @property
    def record(self) -> str:
        """The path of its run record."""
        return self.plan.layout.record(self.stage.place(self.wildcards))

    @property
    def log(self) -> str:
        """The path of its log."""
        return self.plan.layout.log(self.stage.place(self.wildcards))

    @functools.cached_property
    def reads(self) -> Files:
        """The files that it reads besides the study."""
        return self.stage.reads(self.plan, self.wildcards)

    @functools.cached_property
    def writes(self) -> Files:
        """The files that it makes."""
        return self.stage.writes(self.plan, self.wildcards)

    @property
    def inputs(self) -> list[str]:
        return [path for paths in self.reads.values() for path in paths]

    @property
    def outputs(self) -> list[str]:
        return [path for paths in self.writes.values() for path in paths]

    @property
    def missing(self) -> tuple[str, ...]:
        """Arms that it goes on without."""
        return self.stage.missing(self.plan, self.wildcards)

    @functools.cached_property
    def study(self) -> ResolvedStudy:
        """The part of the study that the stage has declared."""
        narrowed = self.stage.narrowed(self.plan.study, self.wildcards)
        return part(self.plan.study, self.stage.depends, narrowed)

    @property
    def parameters(self) -> dict[str, Any]:
        """All that its result depends on besides files and code, as JSON."""
        return {
            **self.wildcards,
            "study": self.study.model_dump(mode="json"),
            "missing": sorted(self.missing),
        }

    @property
    def code(self) -> str:
        """The digest of the code that it runs."""
        return code.code_digest(self.stage.module)

    def digest(self, code: str | None = None) -> str:
        """SHA-256 of everything that the job depends on besides the files that it reads.

        It is among the job's ``params``, so the job runs again when this changes. study.json, which
        changes with every word of the study, is no input of any job.

        Args:
            code: the digest of the code, if not of what is here.
        """
        return digest([self.stage.name, self.parameters, code or self.code])
