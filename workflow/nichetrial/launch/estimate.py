"""What a run will take, before it starts: jobs, core hours, memory, rows and bytes, rule by rule.

Jobs and rows are counted from the plan; the rest is measured prices times what there is to do
(``resources``). Nothing is written and Snakemake is not asked.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from nichetrial.launch.plan import FIGURES, Plan
from nichetrial.launch.resources import COLONY_CLASSES, Need, Needs, course_days
from nichetrial.study.resolved import Arm

__all__ = ["Line", "advice", "estimate", "lines", "wall_seconds"]

SHORT_SECONDS = 60.0
"""A job below it costs a cluster more to start than to do: Snakemake starts anew in each."""
AIM_SECONDS, AIM_MEGABYTES = 300.0, 2000.0
"""What a job should take, and not exceed."""
MANY_JOBS = 100
LARGEST_CHUNK = 1_000_000
SUBMIT_SECONDS = 0.25
"""For Snakemake to hand one job to Slurm; measured by ``python -m tests.benchmarks.cluster``."""
CORES = (1, 4, 16, 64)


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
    kept = study.figures.course_mice
    days = sum(course_days(arm) for arm in study.arms)
    sizes = _distinct(plan.chunks, kept)
    found: list[Line] = []

    def add(rule: str, jobs: list[tuple[int, dict[str, str]]], rows: int = 0) -> None:
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
        parts = [f"{a}-{b}" for a, b in study.calibration.chunks()]
        times = study.calibration.generations + 1
        add("particles", [(n * times, {"particles": p}) for p, n in _distinct(parts, 0).items()])
        add("population", [(1, {})])
    add("parameters", [(n, {"mice": m}) for m, n in sizes.items()], mice)
    rows = mice * len(study.arms) + kept * days + COLONY_CLASSES * chunks * len(study.arms)
    names = [{"arm": arm.name, "mice": m} for m in sizes for arm in study.arms]
    add("simulate", [(sizes[n["mice"]], n) for n in names], rows)
    dose = _distinct(list(plan.dose_chunks), 0)
    add("dose_curve", [(n, {"mice": m}) for m, n in dose.items()],
        study.figures.dose_mice * len(study.dose_curve))  # fmt: skip
    add("compare", [(1, {})])
    add("figure", [(1, {"figure": figure}) for figure in FIGURES])
    add("report", [(1, {})])
    add("track", [(1, {})])
    return found


def _distinct(spans: list[str], kept: int) -> dict[str, int]:
    """A chunk of each kind -> how many are alike: of one size, with as many mice below ``kept``."""
    counts: Counter[tuple[int, int]] = Counter()
    example: dict[tuple[int, int], str] = {}
    for span in spans:
        first, last = map(int, span.split("-"))
        kind = (last - first, max(0, min(kept, last + 1) - first))
        counts[kind] += 1
        example.setdefault(kind, span)
    return {example[kind]: n for kind, n in counts.items()}


def _warm(needs: Needs, rule: str, names: dict[str, str]) -> Need:
    """A job on a node that has run one like it before."""
    return needs.priced(rule, needs.loads(rule, **names), **names)


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
    study, needs = plan.study, Needs(plan.study)
    jobs = len(plan.chunks) * len(study.arms)
    slowest = max(study.arms, key=lambda arm: _seconds(needs, arm, plan.chunks[0]))
    if jobs <= MANY_JOBS or _seconds(needs, slowest, plan.chunks[0]) >= SHORT_SECONDS:
        return ""
    best = _chunk(needs, slowest.name, study.cohort.mice)
    if best <= study.cohort.chunk:
        return ""
    then = -(-study.cohort.mice // best) * len(study.arms)
    took = _seconds(needs, slowest, f"0-{min(best, study.cohort.mice) - 1}")
    return (
        f"{jobs:,} simulations of {_duration(_seconds(needs, slowest, plan.chunks[0]))} each are "
        f"shorter than a cluster needs to start them. With cohort.chunk: {best} there are {then:,} "
        f"of {_duration(took)}; no result changes."
    )


def _seconds(needs: Needs, arm: Arm, mice: str) -> float:
    return _warm(needs, "simulate", {"arm": arm.name, "mice": mice}).seconds


def _chunk(needs: Needs, arm: str, mice: int) -> int:
    """The largest of 1, 2, 5, 10 ... mice whose job is not longer and larger than it should be."""
    sizes = [k * 10**power for power in range(7) for k in (1, 2, 5)]
    best = 1
    for size in (s for s in sizes if s <= LARGEST_CHUNK):
        names = {"arm": arm, "mice": f"0-{size - 1}"}
        need = _warm(needs, "simulate", names)
        if need.seconds > AIM_SECONDS or need.megabytes > AIM_MEGABYTES:
            break
        best = size
        if size >= mice:
            break
    return best


def estimate(plan: Plan) -> list[str]:
    """The table and what follows from it, for the terminal."""
    found, needs = lines(plan), Needs(plan.study)
    head = f"{'':12}{'jobs':>9}{'core hours':>12}{'MB a job':>10}{'rows':>16}{'MB written':>13}"
    text = [f"{plan.study.title}: {plan.study.cohort.mice:,} mice in {len(plan.study.arms):,} arms"]
    text += ["", head]
    text += [_row(line) for line in found]
    total = Line(
        "together",
        sum(line.jobs for line in found),
        sum(line.seconds for line in found),
        0.0,
        max(line.megabytes for line in found),
        sum(line.rows for line in found),
        sum(line.bytes for line in found),
    )
    planned = {"arms": float(len(plan.study.arms)), "planned": float(total.jobs)}
    head_process = needs.priced("snakemake", planned)
    start = needs.of("snakemake").seconds
    text += [_row(total), ""]
    text.append(
        f"Snakemake plans it in {_duration(head_process.seconds)} "
        f"with {head_process.megabytes:,.0f} MB. Without waiting for a core:"
    )
    here = [f"{n}: {_duration(wall_seconds(found, n))}" for n in CORES]
    there = [f"{n}: {_duration(wall_seconds(found, n, start))}" for n in CORES]
    text.append(f"  on this computer, cores  {'   '.join(here)}")
    text.append(f"  on a cluster, cores      {'   '.join(there)}")
    text.append(
        f"    of it {total.jobs * start / 3600:.2f} core hours for Snakemake in each job; "
        f"to submit all takes {_duration(total.jobs * SUBMIT_SECONDS)}"
    )
    better = advice(plan)
    return [*text, "", better] if better else text


def _row(line: Line) -> str:
    rows = f"{line.rows:,}" if line.rows else ""
    return (
        f"{line.rule:12}{line.jobs:>9,}{line.seconds / 3600:>12.3f}{line.megabytes:>10,}"
        f"{rows:>16}{line.bytes / 1e6:>13,.1f}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 0.1):.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
