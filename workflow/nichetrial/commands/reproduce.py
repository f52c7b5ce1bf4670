"""nichetrial reproduce: a tracked run made again from what was kept of it, and compared."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nichetrial import codes
from nichetrial.commands.diff import add_store
from nichetrial.commands.run import cores
from nichetrial.errors import UserError
from nichetrial.provenance.past_run import Account, of_run
from nichetrial.provenance.restore import (
    install,
    lacking,
    restorable,
    restore_code,
    run_again,
    science_of,
)
from nichetrial.provenance.trust import check_difference, description
from nichetrial.records.identity import file_digest
from nichetrial.records.origin import DIFF, IN_MLFLOW, STUDY, Origin

__all__ = ["add_arguments", "run"]

FEW = 20
"""Files named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial reproduce``."""
    parser.add_argument("run", metavar="RUN", help="a study or an arm in MLflow, by its id or name")
    add_store(parser)
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="a new folder, which is kept (a temporary one)"
    )
    parser.add_argument(
        "--cores", type=cores, default="all", metavar="N", help="processor cores to use (all)"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run the code of the run without asking; what it is, is shown all the same",
    )
    parser.add_argument(
        "--install",
        action="store_true",
        help="install the packages of the run's lock into an environment of its own",
    )


def run(args: argparse.Namespace) -> int:
    """0: every file is equal; 1: some differ, and why. Raises UserError if it cannot be made."""
    if args.to is None:
        scratch = Path(tempfile.mkdtemp(prefix="nichetrial-reproduce-"))
    elif args.to.exists() and (not args.to.is_dir() or any(args.to.iterdir())):
        raise UserError(
            codes.UNFIT_TARGET, "this folder is not empty; name a new one", place=str(args.to)
        )
    else:
        args.to.mkdir(parents=True, exist_ok=True)
        scratch = args.to.resolve()
    kept = args.to is not None
    try:
        code = _again(args, scratch)
        kept |= code != 0
    finally:
        if not kept:
            shutil.rmtree(scratch, ignore_errors=True)
    if kept:
        _say(f"kept: {scratch}")
    return code


def _again(args: argparse.Namespace, scratch: Path) -> int:
    kept = scratch / "kept"
    kept.mkdir()
    run = of_run(args.run, args.tracking_uri, keep=kept)
    origin = run.origin
    if origin is None:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "of this run it was not kept where it comes from, or its jobs ran other code than "
            "was kept; it cannot be made again",
            place=run.place,
        )
    if run.status != "FINISHED":
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            f"this run is {run.status}; only one that came to its end can be made again",
            place=run.place,
        )
    _say(f"run: {run.name} ({run.place})")
    _sound(origin, kept / IN_MLFLOW)
    code, work = scratch / "code", scratch / "work"
    _trusted(origin, kept / IN_MLFLOW / DIFF, run.place, trust=args.trust)
    restore_code(origin, kept / IN_MLFLOW / DIFF, code)
    changes = " with the changes that were not committed" if origin.diff else ""
    _say(f"code: commit {str(origin.commit)[:12]}{changes}")
    lock = code / "envs" / "requirements.txt"
    if file_digest(lock) != run.lock:
        raise UserError(
            codes.NOT_WHAT_WAS_KEPT,
            "the lock of the restored code is not that of the run",
            place=str(lock),
        )
    python = Path(sys.executable)
    others: list[str] = []
    if args.install:
        _say("packages: installing those of the lock ...")
        python = install(lock, scratch / "environment")
    elif others := lacking(lock):
        _say(f"packages: {len(others)} differ from the run's lock (--install installs those of it)")
    else:
        _say("packages: those of the run's lock are installed")
    for name in origin.files:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / IN_MLFLOW / STUDY / name, work / name)
    changed = sorted(
        name
        for name, digest in science_of(code, python).items()
        if origin.science.get(name) != digest
    )
    wanted = {path: digest for job in run.jobs for path, digest in job.outputs.items()}
    if not wanted:
        raise UserError(
            codes.NOT_REPRODUCIBLE, "no job of this run came to its end", place=run.place
        )
    _say(f"running {len(run.jobs)} jobs again ...")
    log = scratch / "snakemake.log"
    failed = run_again(
        code,
        work,
        origin.study_file,
        python=python,
        cores=args.cores,
        log=log,
        targets=sorted(wanted) if run.arm else (),
    )
    if failed < 0:
        return 128 - failed
    unlike = [path for path, digest in wanted.items() if not _equal(work / path, digest)]
    if not unlike:
        _say(f"equal: all {len(wanted)} files have the bytes of the run")
        return 0
    _say(f"not equal: {len(unlike)} of {len(wanted)} files")
    for path in sorted(unlike)[:FEW]:
        print(f"  {'differs' if (work / path).is_file() else 'missing'}  {path}")
    if len(unlike) > FEW:
        print(f"  ... and {len(unlike) - FEW} more")
    print("\n".join(_why(run, changed, others, log if failed else None)))
    return 1


def _trusted(origin: Origin, diff: Path, place: str, *, trust: bool) -> None:
    """Show what would run, and ask. Raises UserError unless the user accepts it."""
    root = restorable(origin)
    if origin.diff:
        check_difference(root, diff)
    _say("this would run code that the run names, with your rights:")
    for line in description(root, origin, diff):
        print(f"  {line}", flush=True)
    if trust:
        return
    if not sys.stdin.isatty():
        raise UserError(
            codes.NOT_TRUSTED,
            "nobody is here to accept this code; read what is shown above and add --trust",
            place=place,
        )
    print("Run it? Type yes: ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise UserError(codes.NOT_TRUSTED, "not accepted, so nothing was run", place=place)


def _sound(origin: Origin, kept: Path) -> None:
    """What comes from the store is run: raise UserError if it is not what was kept."""
    wanted = {kept / STUDY / name: digest for name, digest in origin.files.items()}
    if origin.diff:
        wanted[kept / DIFF] = origin.diff
    for path, digest in wanted.items():
        if not path.resolve().is_relative_to(kept.resolve()) or not _equal(path, digest):
            raise UserError(
                codes.NOT_WHAT_WAS_KEPT,
                f"{path.name} in the store is not the one that was kept, by its digest",
                place=str(kept),
            )


def _why(
    run: Account, changed: Sequence[str], others: Sequence[str], log: Path | None
) -> list[str]:
    """What is known to be otherwise than it was."""
    from nichetrial.records.record import environment

    here = environment()
    then = [job.environment for job in run.jobs]
    lines = []
    if log:
        lines.append(f"because jobs failed: see {log}")
    if changed:
        lines.append(f"because the code differs from that of the run: {', '.join(changed)}")
    if others:
        lines.append(f"because packages differ: {'; '.join(others)}")
    for what in ("python", "platform", "processor"):
        was = {str(env.get(what)) for env in then} - {"None", str(here[what])}
        if was:
            lines.append(
                f"because the {what} differs: {' and '.join(sorted(was))} (here: {here[what]})"
            )
    return lines or ["code, packages and machine are those of the run: this should not be"]


def _equal(path: Path, digest: str) -> bool:
    return path.is_file() and file_digest(path) == digest


def _say(text: str) -> None:
    print(f"reproduce: {text}", flush=True)
