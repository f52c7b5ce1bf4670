"""Stage compare: all arms against their references."""

from __future__ import annotations

import json

from nichetrial.cohort.sample import effective_share
from nichetrial.compare import over_particles
from nichetrial.compare.arms import ARMS, arms, metrics
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.combinations import COMBINATIONS, combinations
from nichetrial.compare.no_effect import without_effect
from nichetrial.compare.pooled import pooled_effects
from nichetrial.compare.ranking import RANKING, ranking
from nichetrial.compare.time_to_event import (
    EVENT_FREE,
    RESTRICTED_MEANS,
    event_free,
    restricted_means,
)
from nichetrial.compare.uncertainty import UNCERTAINTY, uncertainty
from nichetrial.compare.unknowns import UNKNOWNS, unknowns
from nichetrial.files import atomic
from nichetrial.stages.work import Work
from nichetrial.tables import OnDemand, read

__all__ = ["run"]


def run(work: Work) -> None:
    """Read all outcomes, compare, and write the tables and flat numbers for the tracking."""
    study, spec = work.study, work.study.comparisons
    names = [arm.name for arm in study.arms if arm.name not in work.missing]
    most = max([2, *(len(c.of) + 2 for c in spec.combinations), *(4 for _ in spec.interactions)])
    outcomes = OnDemand({name: work.reads[f"outcomes of {name}"] for name in names}, kept=most)
    courses = OnDemand({name: work.reads[f"courses of {name}"] for name in names}, kept=1)
    typical = read(*work.reads["typical"])
    effective = effective_share(typical)
    bootstrap = Bootstrap(
        seed=study.seed, n=study.cohort.particles, resamples=spec.resamples, interval=spec.interval
    )
    particles = over_particles.particles(outcomes)
    pooled = pooled_effects(outcomes, spec, study.cohort.mice, bootstrap)
    effect = over_particles.effects(outcomes, pooled, spec, effective=effective)
    combined = combinations(outcomes, spec, bootstrap, effective=effective)
    ends = {arm.name: arm.readout.end for arm in study.arms}
    curves = event_free(outcomes, ends, ends=ends, inspections=spec.inspections)
    means = restricted_means(
        outcomes,
        spec.pairs,
        ends=ends,
        bootstrap=bootstrap,
        inspections=spec.inspections,
        effective=effective,
    )
    work.write("particles", particles, over_particles.PARTICLES)
    work.write("effects", effect, over_particles.EFFECTS)
    work.write("uncertainty", uncertainty(outcomes, spec.pairs), UNCERTAINTY)
    work.write("combinations", combined, COMBINATIONS)
    interact = over_particles.interactions(outcomes, spec, effective=effective)
    work.write("interactions", interact, over_particles.INTERACTIONS)
    work.write("unknowns", unknowns(particles, typical, study), UNKNOWNS)
    work.write("arms", arms(outcomes, study), ARMS)
    work.write("event_free", curves, EVENT_FREE)
    work.write("restricted_means", means, RESTRICTED_MEANS)
    work.write("ranking", ranking(effect, courses, study), RANKING)
    numbers = metrics(outcomes, study, combined)
    with atomic(work.target("metrics")) as part:
        part.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for note in without_effect(outcomes, study):
        work.record.note(note)
    for name, value in numbers["comparison"].items():
        work.record.metric(name, value)
