"""Stage parameters: one chunk of particles and their mice."""

from __future__ import annotations

import pandas as pd

from nichetrial.cohort.particle_source import particles_of
from nichetrial.cohort.sample import MICE, TYPICAL, sample
from nichetrial.stages.work import Work
from nichetrial.study.layout import Chunk
from nichetrial.tables import write_csv

__all__ = ["run"]


def run(work: Work) -> None:
    """Draw them, and write them with a count of the draws that were rejected, by reason."""
    study, chunk = work.study, Chunk.named(work.wildcards["chunk"])
    drawn = sample(
        seed=study.seed,
        first=chunk.first,
        last=chunk.last,
        mice=study.cohort.mice_per_particle,
        overrides=study.cohort.overrides,
        population=particles_of(study.cohort.population, *work.reads["population"]),
    )
    work.write("typical", drawn.typical, TYPICAL)
    work.write("mice", drawn.mice, MICE)
    counts = pd.DataFrame(drawn.rejected.most_common(), columns=["reason", "mice"])
    counts = counts.sort_values(["mice", "reason"], ascending=[False, True])
    write_csv(counts, work.target("rejections"))
    work.record.metric("mice", len(drawn.mice))
    work.record.metric("draws_rejected", sum(drawn.rejected.values()))
