"""Stage simulate: one chunk of mice in one arm."""

from __future__ import annotations

from nichetrial.stages.work import Work, progress
from nichetrial.tables import read
from nichetrial.trial.simulate import COLONIES, COURSES, OUTCOMES, simulate

__all__ = ["run"]


def run(work: Work) -> None:
    """Simulate the mice, and write a row for each, time courses of the first, colony sizes."""
    study, (arm,) = work.study, work.study.arms
    cohort = read(*work.reads["mice"])
    result = simulate(
        arm,
        cohort,
        seed=study.seed,
        course_particles=study.figures.course_particles,
        progress=progress(f"simulate {arm.name}, particles {work.wildcards['chunk']}", len(cohort)),
    )
    work.write("outcomes", result.outcomes, OUTCOMES)
    work.write("courses", result.courses, COURSES)
    work.write("colonies", result.colonies, COLONIES)
    done = result.outcomes[result.outcomes["status"] == "finished"]
    work.record.metric("mice_finished", len(done))
    work.record.metric("mice_failed", len(result.outcomes) - len(done))
    work.record.metric("foci_mean", done["foci"].mean())
