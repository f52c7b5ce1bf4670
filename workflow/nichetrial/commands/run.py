"""Command run: a study from its file to the report, on this computer or on a cluster."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nichetrial import codes, room
from nichetrial.commands.study_file import add_study, checked, give
from nichetrial.compat import snakemake_files
from nichetrial.errors import UserError
from nichetrial.evidence.finding_studies import arms_of
from nichetrial.evidence.findings import all_findings, check_held_out
from nichetrial.launch import machine_code, process, slurm, warm
from nichetrial.launch.in_the_way import require_free
from nichetrial.launch.keep_origin import below
from nichetrial.launch.locks import FolderBusy, folder_lock, remove_abandoned
from nichetrial.launch.summary import notes_of, summary, void_arms, way_to_runs
from nichetrial.pipeline.current import is_current
from nichetrial.pipeline.estimate import advice, estimate, typical
from nichetrial.pipeline.plan import Plan
from nichetrial.pipeline.stages import STAGES, UNTIL
from nichetrial.pipeline.stored_study import is_of_other_edition
from nichetrial.pipeline.verify import Verdict, verify
from nichetrial.records.origin import FOLDER, ORIGIN, read_origin
from nichetrial.study.load import load
from nichetrial.tracking.store import forgotten, locate

__all__ = ["add_arguments", "add_running", "carry_out", "cores", "run", "say"]

TRACKING = {name for name, stage in STAGES.items() if stage.command == "track"}
"""Rules on which no result depends: a server that is down does not make a run a failure."""

ROOM = 4_000_000
"""Bytes that must fit on the disk for a run to have any use."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial run``."""
    add_running(parser)
    parts = (*UNTIL, "tracking")
    parser.add_argument(
        "--until", choices=parts, metavar="PART", help=f"stop after: {', '.join(parts)}"
    )
    parser.add_argument(
        "--estimate", action="store_true", help="print the estimated cost, and run nothing"
    )


def add_running(parser: argparse.ArgumentParser) -> None:
    """The study file, and how and where to run it."""
    add_study(parser)
    parser.add_argument("--cores", type=cores, metavar="N", help="processor cores to use (all)")
    parser.add_argument(
        "--profile", default="default", metavar="NAME", help=f"how to run: {', '.join(_profiles())}"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would run; run nothing")
    parser.add_argument(
        "--verify", action="store_true", help="compare every result with its record, byte by byte"
    )


def run(args: argparse.Namespace) -> int:
    """Validate, run Snakemake, tell how it went. 0 done, 1 failed, 130 or 143 stopped.

    Raises UserError, before anything is written, for a study or an option that cannot be right.
    """
    study = checked(args).study
    plan = Plan.of(study, args.study)
    if plan.population:  # it will be calibrated first
        check_held_out()
        arms_of(all_findings(study.calibration.fit, study.calibration.predict))
    if args.estimate:
        print(*estimate(plan), sep="\n")
        return 0
    say(f"{study.title}: {study.cohort.mice} mice in {len(study.arms)} arms -> {plan.results}/")
    if better := advice(plan):
        say(better)
    until = [rule for rule in UNTIL.get(args.until, ()) if [*STAGES[rule].each(plan)]]
    goes_on = args.until not in ("parameters", "simulations")
    return carry_out(plan, args, until=until, goes_on=goes_on, tell=summary)


def carry_out(
    plan: Plan,
    args: argparse.Namespace,
    *,
    tell: Callable[[Plan, Sequence[str]], list[str]],
    target: str | None = None,
    until: Sequence[str] = (),
    goes_on: bool = False,
) -> int:
    """Run Snakemake on ``target`` (all) under the folder's lock, then ``tell`` what there is.

    ``goes_on``: once more without the arms whose jobs failed.
    """
    study = plan.study
    if not Path(plan.file).is_file():
        raise UserError(
            codes.UNREADABLE,
            "the study comes from a pipe, and a run reads it several times; write it to a file",
            place=plan.file,
        )
    require_free(plan)
    _require_own_name(plan)
    options: dict[str, Any] = {
        "profile": _profile(args.profile),
        "cores": args.cores,
        "until": until,
        "target": target,
        "prices": typical(plan),
    }
    if args.dry_run:
        options["forced"] = _judged(plan, target, whole=args.verify).targets()
        return _exit_code(process.run(process.command(args.study, **options, dry_run=True)))
    if is_of_other_edition(plan.layout.study):
        say(f"{plan.results}/ was made by another version of nichetrial; all of it is made again")
    on_slurm = slurm.used_by(options["profile"])
    if on_slurm:
        slurm.check()
    if error := _unwritable(Path(plan.results)):
        raise error
    try:
        with (
            folder_lock(Path.cwd()) as hold,
            slurm.jobs_ended(on_slurm, Path.cwd(), say),
            machine_code.ready(say, here=not on_slurm) as note,
            warm.parent(here=not on_slurm),
            tempfile.TemporaryDirectory() as scratch,
        ):
            if hold.recovered:
                say(hold.recovered)
            give([note] if note else [], strict=args.strict)
            remove_abandoned(plan.results)
            if damaged := snakemake_files.forget_damaged():
                say(f"{damaged} damaged entries of Snakemake's memory removed")
            failures = Path(scratch, "failures.jsonl")
            verdict = _judged(plan, target, whole=args.verify)
            for path in verdict.no_records:
                path.unlink()
            options |= {"failures": failures, "forced": verdict.targets()}
            code = process.run(process.command(args.study, **options), keep_open=[hold.fd])
            failed = _failed(failures)
            missing = _missing(plan, failed)
            some = 0 < len(missing) < len(study.arms)
            if code > 0 and some and goes_on and not _unwritable(Path(plan.results)):
                say(f"continuing without {_named(missing)}")
                rest = dataclasses.replace(plan, missing=tuple(missing))
                options |= {"forced": _judged(rest, target).targets(), "missing": missing}
                words = process.command(args.study, **options)
                failures.unlink()
                again = process.run(words, keep_open=[hold.fd])
                failed += [entry for entry in _failed(failures) if entry not in failed]
                code = again if again < 0 else 1
            if code > 0 and failed and {entry["rule"] for entry in failed} <= TRACKING:
                code = 0  # every result is there, and the logger has said why MLflow has not got it
    except FolderBusy as busy:
        say(f"nichetrial: {codes.BUSY} {busy}")
        return 1
    if code < 0:
        say("stopped. Run the same command to continue.")
        return _exit_code(code)
    plan = dataclasses.replace(plan, missing=tuple(missing))
    if void := is_current(plan, "compare") and void_arms(plan.layout):
        say(f"nichetrial: {codes.NO_RESULT} every mouse failed in {_named(void)}")
    for line in (*tell(plan, missing), *way_to_runs(plan)):
        print(line)
    sys.stdout.flush()
    give(notes_of(plan, evidence=target is not None), strict=args.strict)
    if code:
        _tell(plan, failed, missing)
        if error := _unwritable(Path(plan.results)):
            say(f"  {error}")
    return _exit_code(code or int(bool(void)))


def _require_own_name(plan: Plan) -> None:
    """Raises UserError if the results are of another study file that has the same name."""
    try:
        other = read_origin(Path(plan.results, FOLDER, ORIGIN)).study_file
        if other == below(plan.file):
            return
        owner = load(other)
    except UserError:  # nothing was run yet, or that study file is gone
        return
    if owner.name == plan.study.name and owner != plan.study:
        raise UserError(
            codes.NAME_TAKEN,
            f'the results of "{plan.study.name}" in this folder are those of {other}; give one of '
            "the two studies another name, or run them in different folders",
            place=plan.file,
        )


def _judged(plan: Plan, target: str | None, *, whole: bool = False) -> Verdict:
    """What must run again whatever Snakemake thinks; what is wrong is printed."""
    evidence = target is not None or bool(plan.population)
    verdict = verify(plan, evidence=evidence, now=time.time(), whole=whole)
    receipts = {"track": plan.layout.receipt, "track_evidence": plan.layout.evidence.receipt}
    store = locate(plan.study.tracking.uri)
    for rule, receipt in receipts.items():
        if Path(receipt).is_file() and forgotten(store, Path(receipt)):
            say(f"{store.uri} no longer has the runs of these results; they are sent again")
            verdict.forced[receipt] = rule
    for line in verdict.lines():
        say(line)
    return verdict


def _unwritable(results: Path) -> UserError | None:
    """Why nothing can be written, if so."""
    for folder in (results, Path(snakemake_files.STATE), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lack = room.lack(folder, ROOM)
        except OSError as error:
            lack = room.why(error, ".")
            if not lack:
                message = f"this cannot be written ({error.strerror}); run from a folder of your "
                message += "own, or fix its rights"
                return UserError(codes.NOT_WRITABLE, message, place=str(folder))
        if lack:
            message = f"{lack}, then run the same command to continue"
            return UserError(codes.NOT_WRITABLE, message, place=str(folder))
    return None


def _failed(path: Path) -> list[dict[str, Any]]:
    """The jobs that failed, as the logger plugin noted them."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _missing(plan: Plan, failed: Sequence[dict[str, Any]]) -> list[str]:
    """Arms without a full set of simulations, in the order of the study."""
    names = {
        entry["wildcards"].get("arm")
        for entry in failed
        if entry["rule"] in ("simulate", "experiments")
    }
    names |= {entry["wildcards"].get("sweep") for entry in failed if entry["rule"] == "sweep"}
    return [name for name in (*plan.arms, *plan.sweeps) if name in names]


def _tell(plan: Plan, failed: Sequence[dict[str, Any]], missing: Sequence[str]) -> None:
    """The last words of a run that failed: which jobs, and where to read why."""
    jobs = "1 job" if len(failed) == 1 else f"{len(failed)} jobs"
    if failed:
        say(f"\nnichetrial: {jobs} failed.")
    elif plan.is_resolved():
        say("\nnichetrial: Snakemake failed; the lines above say why.")
    else:
        say("\nnichetrial: no job was started; the lines above say why.")
    for entry in failed:
        reason = f" ({entry['reason']})" if entry["reason"] else ""
        say(f"  {entry['label']}{reason}: see {', '.join(entry['logs'])}")
    if missing:
        say(f"  The results do not include {_named(missing)}. Fix the cause and run again.")


def _named(arms: Sequence[str]) -> str:
    return f"{'arm' if len(arms) == 1 else 'arms'} {', '.join(arms)}"


def _exit_code(code: int) -> int:
    return 128 - code if code < 0 else min(code, 1)


def _profile(name: str) -> Path:
    """The folder of a workflow profile: one of ours by name, or any by path."""
    ours = process.checkout() / "workflow" / "profiles" / name
    for folder in (ours, Path(name)):
        if (folder / "config.yaml").is_file():
            return folder
    raise UserError(
        codes.NO_SUCH_PROFILE, f"there is no profile {name!r}; there are: {', '.join(_profiles())}"
    )


def _profiles() -> list[str]:
    folder = process.checkout() / "workflow" / "profiles"
    return sorted(p.parent.name for p in folder.glob("*/config.yaml"))


def cores(text: str) -> str:
    """A number of processor cores as an option gives it, or ``all``."""
    if text == "all" or (text.isdecimal() and int(text) > 0):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither a number of cores nor 'all'")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
