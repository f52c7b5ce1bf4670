"""What a run will take, before it starts: jobs, core hours, memory, rows and bytes, rule by rule.

Jobs and rows are counted from the plan; the rest is measured prices times what there is to do
(``resources``). Nothing is written and Snakemake is not asked.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass

from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.products import COMPARISONS
from nichetrial.pipeline.resources import COLONY_CLASSES, Need, Needs, course_days
from nichetrial.pipeline.stages import STAGES
from nichetrial.study.layout import Chunk

__all__ = ["Line", "advice", "estimate", "lines", "typical", "wall_seconds"]

SHORT_SECONDS = 60.0
"""A job below it costs a cluster more to start than to do: Snakemake starts again in each."""
AIM_SECONDS, AIM_MEGABYTES = 300.0, 4000.0
"""What a job should take, and not exceed. Memory: what a core of a cluster usually comes with."""
LONGEST_SECONDS = 3600.0
"""For any single job: a sweep has all its arms in one. Work that is lost when a job is killed."""
MANY_JOBS = 100
CHUNKS = [k * 10**power for power in range(6) for k in (1, 2, 5)] + [1_000_000]
"""Chunks that are advised, the largest that a study may have at the end."""
SUBMIT_SECONDS = 0.25
"""For Snakemake to hand one job to Slurm: assumed; ``tests.benchmarks.cluster`` measures it."""
CORES = (1, 4, 16, 64)
WIDTH = 14


@dataclass(frozen=True)
class Line:
    """All jobs of one rule. ``longest`` (s) and ``megabytes`` are of its largest job, the rest
    sums; ``rows`` are of the tables of virtual mice, 0 where there are none."""

    rule: str
    jobs: int
    seconds: float
    longest: float
    megabytes: int
    rows: int
    bytes: float


def lines(plan: Plan) -> list[Line]:
    """The rules of a study's run, in order, as if nothing were there yet."""
    study, needs = plan.study, Needs(plan.study)
    mice, chunks = study.cohort.mice, len(plan.chunks)
    kept = study.figures.course_particles
    days = sum(course_days(arm) for arm in study.arms)
    sizes = _distinct(plan.chunks, kept)
    found: list[Line] = []

    def add(rule: str, jobs: list[tuple[int, dict[str, str]]], rows: int = 0) -> None:
        if not jobs:
            return
        each = [(n, _warm(needs, rule, names)) for n, names in jobs]
        ask = needs.megabytes(rule)
        found.append(
            Line(
                rule,
                sum(n for n, _ in each),
                sum(n * need.seconds for n, need in each),
                max(need.seconds for _, need in each),
                max(ask(names, 1) for _, names in jobs),
                rows,
                sum(n * need.bytes for n, need in each),
            )
        )

    if plan.population:
        parts = [chunk.name for chunk in study.calibration.chunks()]
        times = study.calibration.generations + 1
        add("particles", [(n * times, {"particles": p}) for p, n in _distinct(parts, 0).items()])
        add("population", [(1, {})])
    add("parameters", [(n, {"chunk": c}) for c, n in sizes.items()], mice)
    rows = mice * len(study.arms) + kept * days + COLONY_CLASSES * chunks * len(study.arms)
    names = [{"arm": arm.name, "chunk": c} for c in sizes for arm in study.arms]
    add("simulate", [(sizes[n["chunk"]], n) for n in names], rows)
    names = [{"sweep": sweep.name, "chunk": c} for c in sizes for sweep in study.sweeps]
    add("sweep", [(sizes[n["chunk"]], n) for n in names], mice * len(study.swept))
    if study.power:
        animals = study.power.experiments * max(study.power.sizes) * len(study.arms)
        add("experiments", [(1, {"arm": arm.name}) for arm in study.arms], animals)
    dose = _distinct(list(plan.dose_chunks), 0)
    add(
        "dose_curve",
        [(n, {"chunk": c}) for c, n in dose.items()],
        study.figures.dose_particles * study.cohort.mice_per_particle * len(study.dose_curve),
    )
    for rule in COMPARISONS:
        add(rule, [(1, {}) for _ in STAGES[rule].each(plan)])
    add("figure", [(1, {"figure": figure}) for figure in plan.figures])
    add("report", [(1, {})])
    add("track", [(1, {})])
    return found


def _distinct(spans: list[str], kept: int) -> dict[str, int]:
    """A chunk of each kind -> how many are alike: of one size, with as many below ``kept``."""
    counts: Counter[tuple[int, int]] = Counter()
    example: dict[tuple[int, int], str] = {}
    for span in spans:
        chunk = Chunk.named(span)
        kind = (chunk.size, max(0, min(kept, chunk.last + 1) - chunk.first))
        counts[kind] += 1
        example.setdefault(kind, span)
    return {example[kind]: n for kind, n in counts.items()}


def _warm(needs: Needs, rule: str, names: dict[str, str]) -> Need:
    """A job on a node that has run one like it before."""
    return needs.priced(rule, needs.loads(rule, **names), **names)


def typical(plan: Plan) -> dict[str, float]:
    """Rule -> seconds of one of its jobs, here the first, on a computer that has run it before."""
    needs, found = Needs(plan.study), {}
    for rule, stage in STAGES.items():
        for values in itertools.islice(stage.each(plan), 1):
            names = dict(zip(stage.wildcards, values, strict=True))
            found[rule] = _warm(needs, rule, names).seconds
    return found


def wall_seconds(found: list[Line], cores: int, start: float = 0.0) -> float:
    """From the first job to the last on so many cores, one rule after another. ``start``: what
    Snakemake takes in each job on a cluster."""
    total = 0.0
    for line in found:
        work = line.seconds + line.jobs * start
        total += max(work / min(cores, line.jobs), line.longest + start)
    return total


def advice(plan: Plan) -> str:
    """A better ``cohort.chunk``, in a sentence; '' where the jobs are few or long enough."""
    needs, cohort = Needs(plan.study), plan.study.cohort
    now = _simulations(plan, needs, cohort.chunk)
    if now.jobs <= MANY_JOBS or now.mean >= SHORT_SECONDS:
        return ""
    best = now
    for chunk in CHUNKS:
        tried = _simulations(plan, needs, chunk)
        if (
            tried.mean > AIM_SECONDS
            or tried.longest > LONGEST_SECONDS
            or tried.megabytes > AIM_MEGABYTES
        ):
            break
        best = tried
        if chunk >= cohort.mice:
            break
    if best.jobs >= now.jobs:
        return ""
    return (
        f"{now.jobs:,} simulations of {_duration(now.mean)} each are shorter than a cluster needs "
        f"to start them. With cohort.chunk: {best.chunk} there are {best.jobs:,} of "
        f"{_duration(best.mean)}; no result changes."
    )


@dataclass(frozen=True)
class _Cut:
    """The jobs that ``cohort.chunk`` cuts: simulations of arms and of sweeps."""

    chunk: int
    jobs: int
    mean: float
    longest: float
    megabytes: float


def _simulations(plan: Plan, needs: Needs, chunk: int) -> _Cut:
    study = plan.study
    size = {"cohort": study.cohort.model_copy(update={"chunk": chunk})}
    chunks = [part.name for part in study.model_copy(update=size).chunks()]
    some = chunks[0]
    each = [_warm(needs, "simulate", {"arm": arm.name, "chunk": some}) for arm in study.arms]
    each += [_warm(needs, "sweep", {"sweep": s.name, "chunk": some}) for s in study.sweeps]
    seconds = [need.seconds for need in each]
    return _Cut(
        chunk,
        len(chunks) * len(each),
        sum(seconds) / len(each),
        max(seconds),
        max(need.megabytes for need in each),
    )


def estimate(plan: Plan) -> list[str]:
    """The table and what follows from it, for the terminal."""
    found, needs = lines(plan), Needs(plan.study)
    head = (
        f"{'':{WIDTH}}{'jobs':>9}{'core hours':>12}{'MB per job':>12}{'rows':>16}{'MB written':>13}"
    )
    cohort, arms = plan.study.cohort, len(plan.study.arms)
    text = [f"{plan.study.title}: {cohort.mice:,} mice in {arms:,} arms"]
    text += ["", head]
    text += [_row(line) for line in found]
    total = Line(
        "total",
        sum(line.jobs for line in found),
        sum(line.seconds for line in found),
        0.0,
        max(line.megabytes for line in found),
        sum(line.rows for line in found),
        sum(line.bytes for line in found),
    )
    planned = {**needs.loads("snakemake"), "planned": float(total.jobs)}
    head_process = needs.priced("snakemake", planned)
    start = needs.of("snakemake").seconds
    text += [_row(total), ""]
    text.append(
        f"Snakemake plans it in {_duration(head_process.seconds)} "
        f"with {head_process.megabytes:,.0f} MB. Time if all cores are free:"
    )
    here = [f"{n}: {_duration(wall_seconds(found, n))}" for n in CORES]
    there = [f"{n}: {_duration(wall_seconds(found, n, start))}" for n in CORES]
    text.append(f"  on this computer, cores  {'   '.join(here)}")
    text.append(f"  on a cluster, cores      {'   '.join(there)}")
    text.append(
        f"    including {total.jobs * start / 3600:.2f} core hours for Snakemake in each job; "
        f"submitting all jobs takes {_duration(total.jobs * SUBMIT_SECONDS)}"
    )
    better = advice(plan)
    return [*text, "", better] if better else text


def _row(line: Line) -> str:
    rows = f"{line.rows:,}" if line.rows else ""
    return (
        f"{line.rule:{WIDTH}}{line.jobs:>9,}{line.seconds / 3600:>12.3f}{line.megabytes:>12,}"
        f"{rows:>16}{line.bytes / 1e6:>13,.1f}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0.1):.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
