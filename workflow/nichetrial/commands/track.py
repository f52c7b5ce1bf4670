"""Stage tracking: replay the run records of results folders into MLflow."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.pipeline.stages import SIMULATE, SWEEP
from nichetrial.pipeline.stored_study import read_study
from nichetrial.records.origin import FOLDER, PICTURE, RULES
from nichetrial.records.stored import read_records, require_sound, stages_of
from nichetrial.study.resolved import ResolvedStudy
from nichetrial.tracking.calibration_runs import plan_evidence
from nichetrial.tracking.live import close_left_open, follow
from nichetrial.tracking.optimum_runs import plan_optimum
from nichetrial.tracking.runs import Run
from nichetrial.tracking.store import Store, locate
from nichetrial.tracking.study_runs import plan
from nichetrial.tracking.writer import sync, write_receipt

__all__ = ["add_arguments", "run"]

RESULTS = Path("results")
KINDS = ("trial", "evidence")
OF_ANY_RUN = {"particles", "population"}
"""Stages of the calibration that a trial needs as well, if it asks for a population of its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial track``."""
    parser.add_argument("--expect", metavar="DIGEST", help=argparse.SUPPRESS)
    parser.add_argument("--log", metavar="FILE", help="keep all that the command prints")
    parser.add_argument(
        "what",
        choices=("sync", "live"),
        help="sync: bring MLflow to what the records say; live: the same again and again while "
        "lines come in, as Snakemake's logger starts it",
    )
    parser.add_argument(
        "results", nargs="*", type=Path, metavar="RESULTS_FOLDER", help="all in results/"
    )
    parser.add_argument("--to", metavar="URI", help="another store than the study's tracking.uri")
    parser.add_argument(
        "--only", choices=KINDS, help="the runs of the trial, or those of the calibration (both)"
    )


def run(args: argparse.Namespace) -> None:
    """Sync, and say in one line for each study what there is now."""
    named = [path.parent if path.name == "study.json" else path for path in args.results]
    folders = named or _folders()
    if args.what == "live":
        if len(folders) != 1:
            raise UserError(codes.USAGE, "one results folder at a time", place="track live")
        _live(folders[0], args.to, args.only)
        return
    for folder in folders:
        study = read_study(folder / "study.json")
        for evidence in (False, True):
            require_sound(folder, read_records(folder, evidence=evidence))
        for kind in _kinds(folder, study, args.only):
            _sync(kind, study, folder, args.to)
            if kind == "trial" and study.optimise and _plan("optimum", study, folder):
                _sync("optimum", study, folder, args.to)


def _folders() -> list[Path]:
    found = sorted(p.parent for p in RESULTS.glob("*/study.json"))
    if not found:
        raise UserError(
            codes.NO_RESULTS, "there are no results here; name their folder", place=str(RESULTS)
        )
    return found


def _kinds(folder: Path, study: ResolvedStudy, only: str | None) -> Sequence[str]:
    """What there is to sync. The trial, if there are no records at all: it tells what is wrong."""
    if only:
        return [only]
    own = study.cohort.population == "own"
    calibrated = stages_of(folder, evidence=True) - (OF_ANY_RUN if own else set())
    tried = stages_of(folder) - {"resolve"}
    return [k for k, there in zip(KINDS, (tried, calibrated), strict=True) if there] or KINDS[:1]


def _plan(kind: str, study: ResolvedStudy, folder: Path) -> list[Run]:
    if kind == "evidence":
        return plan_evidence(study, folder)
    if kind == "optimum":
        return plan_optimum(study, folder)
    chunks = [chunk.name for chunk in study.chunks()]
    jobs = {
        arm.name: [SIMULATE.label({"arm": arm.name, "chunk": chunk}) for chunk in chunks]
        for arm in study.arms
    }
    jobs |= {
        arm.name: [SWEEP.label({"sweep": sweep.name, "chunk": chunk}) for chunk in chunks]
        for sweep in study.sweeps
        for arm in sweep.arms
    }
    return plan(study, jobs, folder)


def _place(kind: str, folder: Path) -> Path:
    """Where it is kept what was written where."""
    within = {"trial": "", "evidence": "evidence", "optimum": "optimum"}[kind]
    return folder / within / "tracking"


def _store(study: ResolvedStudy, to: str | None) -> Store:
    """The study's own store, or the one that ``--to`` names."""
    return locate(to, place="--to") if to else locate(study.tracking.uri)


def _sync(kind: str, study: ResolvedStudy, folder: Path, to: str | None) -> None:
    store = _store(study, to)
    store.require_sound()
    place, experiment = _place(kind, folder), study.tracking.experiment
    _draw_rules(place.parent / FOLDER / RULES, place / PICTURE)
    runs = _plan(kind, study, folder)
    synced = sync(runs, store=store, experiment=experiment, folder=place)
    close_left_open(place, runs[0].key, store, experiment)
    if store == _store(study, None):
        write_receipt(place / "receipt.json", synced)
    trouble = ""
    for status, word in (("FAILED", "failed"), ("KILLED", "stopped before their end")):
        count = sum(run.status == status for run in runs[1:])
        trouble += f", {count} of them {word}" if count else ""
    print(
        f"track: {len(runs) - 1} runs under {runs[0].name!r}{trouble}, in {store.uri}",
        file=sys.stderr,
    )


def _draw_rules(graph: Path, picture: Path) -> None:
    """The graph of the rules, unless there is none, or the picture is of it already."""
    if not graph.is_file():
        return
    if picture.is_file() and picture.stat().st_mtime_ns > graph.stat().st_mtime_ns:
        return
    from nichetrial.figures.rule_graph import draw  # matplotlib takes a moment
    from nichetrial.figures.style import save

    picture.parent.mkdir(parents=True, exist_ok=True)
    rules = json.loads(graph.read_text(encoding="utf-8"))
    save(draw(rules), picture.with_suffix(""), ("png",), 150)


def _live(folder: Path, to: str | None, only: str | None) -> None:
    study = read_study(folder / "study.json")
    kind = only or "trial"

    def now() -> list[Run]:
        try:
            return _plan(kind, study, folder)
        except UserError:  # no record yet
            return []

    follow(
        sys.stdin.fileno(),
        now,
        store=_store(study, to),
        experiment=study.tracking.experiment,
        folder=_place(kind, folder),
    )
