"""Stage comparisons: all arms against their references."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nichetrial.compare.arms import ARMS, arms, metrics
from nichetrial.compare.bootstrap import Bootstrap
from nichetrial.compare.combinations import COMBINATIONS, combinations
from nichetrial.compare.effects import EFFECTS, effects
from nichetrial.compare.no_effect import without_effect
from nichetrial.compare.ranking import RANKING, ranking
from nichetrial.compare.time_to_event import (
    EVENT_FREE,
    RESTRICTED_MEANS,
    event_free,
    restricted_means,
)
from nichetrial.compare.unknowns import UNKNOWNS, unknowns
from nichetrial.pipeline.code import CODE
from nichetrial.records.record import recording
from nichetrial.stages.options import add_record_options, read_study, record_options, write_tables
from nichetrial.study.layout import Layout
from nichetrial.tables import atomic, read

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial compare``."""
    parser.add_argument("--study", required=True, help="resolved study (study.json)")
    parser.add_argument("--results", required=True, help="folder: results/<study>")
    parser.add_argument("--missing", nargs="*", default=[], help="arms whose jobs failed")
    add_record_options(parser)


def run(args: argparse.Namespace) -> None:
    """Read all outcomes, compare, and write the tables with their CSV twins."""
    study = read_study(args.study)
    spec, layout, chunks = study.comparisons, Layout(args.results), study.chunks()
    files = {
        arm.name: [layout.simulation(arm.name, c.name, "outcomes") for c in chunks]
        for arm in study.arms
        if arm.name not in args.missing
    }
    courses = {
        name: [
            layout.simulation(name, c.name, "courses")
            for c in chunks
            if c.first < study.figures.course_mice
        ]
        for name in files
    }
    mice = [layout.parameters(c.name) for c in chunks]
    with recording(
        args.record,
        stage="compare",
        name="comparisons",
        parameters={"comparisons": spec.model_dump(mode="json"), "missing": sorted(args.missing)},
        seed=study.seed,
        inputs=[*mice, *(f for fs in (*files.values(), *courses.values()) for f in fs)],
        code=CODE["compare"],
        **record_options(args),
    ) as record:
        outcomes = {name: read(*paths) for name, paths in files.items()}
        bootstrap = Bootstrap(
            seed=study.seed, n=study.cohort.mice, resamples=spec.resamples, interval=spec.interval
        )
        effect = effects(outcomes, spec, study.cohort.mice, bootstrap)
        combined = combinations(outcomes, spec, bootstrap)
        ends = {arm.name: arm.readout.end for arm in study.arms}
        curves = event_free(
            outcomes, ends, ends=ends, interval=spec.interval, inspections=spec.inspections
        )
        means = restricted_means(
            outcomes, spec.pairs, ends=ends, bootstrap=bootstrap, inspections=spec.inspections
        )
        ranked = ranking(outcomes, {n: read(*fs) for n, fs in courses.items()}, study)
        write_tables(
            record,
            Path(layout.comparison("effects")).parent,
            {
                "effects": (effect, EFFECTS),
                "combinations": (combined, COMBINATIONS),
                "unknowns": (unknowns(outcomes, read(*mice), study), UNKNOWNS),
                "arms": (arms(outcomes, study), ARMS),
                "event_free": (curves, EVENT_FREE),
                "restricted_means": (means, RESTRICTED_MEANS),
                "ranking": (ranked, RANKING),
            },
        )
        numbers = metrics(outcomes, study, effect, combined)
        with atomic(layout.metrics) as part:
            part.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        record.output(layout.metrics)
        for note in without_effect(outcomes, study):
            record.note(note)
        for name, value in numbers["comparison"].items():
            record.metric(name, value)
