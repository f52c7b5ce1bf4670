"""Stage optimise: the best schedule of one treatment within a total dose."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.cohort.sample import effective_share
from nichetrial.errors import UserError
from nichetrial.explore.optimum import EVALUATIONS, OPTIMUM, Search, judge
from nichetrial.stages.work import Work
from nichetrial.tables import read

__all__ = ["run"]


def run(work: Work) -> None:
    """Try schedules on the first particles, judge the best on the others, write both tables."""
    study, spec = work.study, work.study.optimise
    if spec is None:
        raise UserError(codes.NOT_ASKED, "this study asks for no best schedule (optimise: none)")
    arm, reference = study.arm(spec.arm), study.arm(study.comparisons.reference)
    cohort = read(*work.reads["mice"])
    first = cohort["particle"] < spec.particles
    search = Search(arm, reference, spec, cohort[first], seed=study.seed)
    evaluations = search.run()
    effective = effective_share(read(*work.reads["typical"]))
    best, others = search.best(evaluations), cohort[~first].reset_index(drop=True)
    found = judge(search, best, reference, others, effective=effective)
    work.write("evaluations", evaluations, EVALUATIONS)
    work.write("optimum", found, OPTIMUM)
    work.record.metric("evaluations", len(evaluations))
    work.record.metric("ratio_best", found["ratio"].iloc[1])
