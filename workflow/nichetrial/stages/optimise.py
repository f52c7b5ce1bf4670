"""Stage optimise: the best schedule of one treatment within a total dose."""

from __future__ import annotations

from nichetrial import codes
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.errors import UserError
from nichetrial.explore.optimum import EVALUATIONS, OPTIMUM, Search, judge
from nichetrial.stages.work import Work
from nichetrial.tables import read

__all__ = ["run"]


def run(work: Work) -> None:
    """Try schedules on the first mice, judge the best on the others, write both tables."""
    study, spec, comparisons = work.study, work.study.optimise, work.study.comparisons
    if spec is None:
        raise UserError(codes.NOT_ASKED, "this study asks for no best schedule (optimise: none)")
    arm, reference = study.arm(spec.arm), study.arm(comparisons.reference)
    cohort = read(*work.reads["mice"])
    search = Search(arm, reference, spec, cohort[: spec.mice], seed=study.seed)
    evaluations = search.run()
    others = cohort[spec.mice :].reset_index(drop=True)
    bootstrap = Bootstrap(
        seed=study.seed,
        n=len(others),
        resamples=comparisons.resamples,
        interval=comparisons.interval,
    )
    found = judge(search, search.best(evaluations), reference, others, bootstrap)
    work.write("evaluations", evaluations, EVALUATIONS)
    work.write("optimum", found, OPTIMUM)
    work.record.metric("evaluations", len(evaluations))
    work.record.metric("ratio_best", found["ratio"].iloc[1])
