"""A run made again: its code in a checkout of its own, its packages, its jobs."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.launch import process
from nichetrial.records import git
from nichetrial.records.identity import checkout
from nichetrial.records.origin import Origin

__all__ = ["install", "lacking", "restorable", "restore_code", "run_again", "science_of"]

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


SCIENCE = """\
import json
try:
    from nichetrial.records import identity
except ImportError:  # code from before the package `records`
    from nichetrial.tracking import identity
print(json.dumps(identity.science()))
"""
"""What restored code is asked, whatever its age."""


def restorable(origin: Origin) -> Path:
    """The checkout that has the commit of a run.

    Raises: UserError if the code was not kept, or git or the commit is not here.
    """
    root = checkout()
    if origin.commit is None:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "the code of this run was in no git repository, so it was not kept",
        )
    if origin.left_out:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "uncommitted changes of this run were not kept, because they were large or had a "
            f"secret in them: {', '.join(origin.left_out)}; it cannot be made again",
        )
    if root is None or not (root / ".git").exists():
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            "nichetrial does not run from a git checkout here; clone it, and run the command there",
        )
    if not git.installed():
        raise UserError(codes.NOT_INSTALLED, "git is not installed, and gets the code of the run")
    try:
        git.ask(root, "cat-file", "-e", f"{origin.commit}^{{commit}}")
    except git.GitError:
        raise UserError(
            codes.NOT_REPRODUCIBLE,
            f"this checkout does not have the commit {origin.commit[:12]} of the run; fetch it "
            "(git fetch --all), and run the same command again",
            place=str(root),
        ) from None
    return root


def restore_code(origin: Origin, diff: Path, to: Path) -> None:
    """The commit of the run with its uncommitted changes, in the new folder ``to``.

    Raises: UserError if the code was not kept, the commit is not here, or git refuses.
    """
    root = restorable(origin)
    try:
        git.ask(root, "clone", "--quiet", "--no-checkout", "--shared", "--", str(root), str(to))
        git.ask(to, *NO_HOOKS, "checkout", "--quiet", "--detach", str(origin.commit))
        if origin.diff:
            git.ask(to, "apply", "--whitespace=nowarn", "--", str(diff.resolve()))
    except git.GitError as error:
        raise UserError(
            codes.NOT_REPRODUCIBLE, f"the code could not be restored ({error})", place=str(to)
        ) from None


def lacking(lock: Path) -> list[str]:
    """What is installed otherwise than a lock file says, each in words; in its order."""
    found = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        text = line.split(" \\")[0].strip()
        if not text or text.startswith(("#", "--")):
            continue
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            here = importlib.metadata.version(wanted.name)
            same = wanted.specifier.contains(here, prereleases=True)
        except importlib.metadata.PackageNotFoundError:
            here, same = "not installed", False
        if not same:
            found.append(f"{wanted.name} {str(wanted.specifier).lstrip('=')} (here: {here})")
    return found


def install(lock: Path, folder: Path) -> Path:
    """An environment in the new ``folder`` with what the lock says; its Python.

    Raises: UserError with pip's last line if it cannot be made.
    """
    python = folder / "bin" / "python"
    for words in (
        [sys.executable, "-m", "venv", str(folder)],
        [
            str(python),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
            "--require-hashes",
            "--requirement",
            str(lock),
        ],
    ):
        done = subprocess.run(words, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            why = said[-1] if said else "pip failed"
            raise UserError(
                codes.NOT_INSTALLED,
                f"the run's packages could not be installed ({why})",
                place=str(lock),
            )
    return python


def science_of(code: Path, python: Path) -> dict[str, str]:
    """Package -> digest of the code in a checkout, as it says itself."""
    done = subprocess.run(  # noqa: S603
        [str(python), "-P", "-c", SCIENCE],
        env=_environment(code),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def run_again(
    code: Path,
    work: Path,
    study: str,
    *,
    python: Path,
    cores: str,
    targets: Sequence[str],
    log: Path,
) -> int:
    """Run the jobs with that code in the folder ``work``, all but those of the tracking.

    Args:
        study: the study file, from ``work``.
        targets: files; none: all.
        log: what Snakemake says goes there.

    Returns: Snakemake's exit code, or minus the signal that stopped it.
    """
    words = [str(python), "-m", "snakemake", *targets, "--snakefile", str(code / "Snakefile")]
    words += ["--configfile", study, "--directory", ".", "--cores", cores, "--keep-going"]
    words += ["--workflow-profile", "none", "--profile", "none"]
    words += [] if targets else ["--omit-from", "track"]
    with open(log, "w", encoding="utf-8") as said:
        return process.run(words, folder=work, environment=_environment(code), said=said)


def _environment(code: Path) -> dict[str, str]:
    """That of this process, with the restored code before the installed one."""
    paths = [str(code / "workflow"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
