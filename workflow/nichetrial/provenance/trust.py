"""Before code from a store is run: is it what it claims to be, and what would it do?

A store, or a folder that somebody handed over, can name any commit and hold any difference. Nothing
of it runs until a person has seen what it is.
"""

from __future__ import annotations

from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.records import git
from nichetrial.records.origin import Origin

__all__ = ["check_difference", "description"]

SHOWN = 60
"""Lines of a difference that are shown; the rest is in a file that is named."""
PLAIN = ("100644", "100755")
"""Modes of ordinary files."""


def check_difference(root: Path, diff: Path) -> None:
    """Raise UserError unless a difference changes ordinary files of the code alone: no links, no
    modes, no renames, nothing outside what of a checkout shapes a run.

    Git reads it, and applies nothing.
    """
    try:
        counts = git.ask(root, "apply", "--numstat", "-z", "--", str(diff.resolve()))
        summary = git.ask(root, "apply", "--summary", "--", str(diff.resolve())).decode()
    except (git.GitError, UnicodeDecodeError) as error:
        raise _refused(diff, f"git does not read it: {error}") from None
    for entry in filter(None, counts.split(b"\0")):
        name = entry.split(b"\t", 2)[-1].decode(errors="replace")
        parts = name.split("/")
        if parts[0] not in git.CODE or {"", ".", "..", ".git"} & set(parts):
            raise _refused(diff, f"it changes {name!r}, which is not code of a run")
    for line in summary.splitlines():
        words = line.split()
        if words[:2] not in (["create", "mode"], ["delete", "mode"]) or words[2] not in PLAIN:
            raise _refused(diff, f"it changes more than the text of files: {line.strip()!r}")


def _refused(diff: Path, why: str) -> UserError:
    return UserError(
        codes.UNFIT_DIFFERENCE,
        f"the uncommitted code of this run is not run again, because {why}",
        place=diff.name,
    )


def description(root: Path, origin: Origin, diff: Path) -> list[str]:
    """What would run, line by line: the commit, where it is known, and the difference."""
    lines = [f"commit {origin.commit}: {_known(root, str(origin.commit))}"]
    lines.append(f"study file {origin.study_file}, with {len(origin.files)} files from the store")
    if not origin.diff:
        return [*lines, "no uncommitted changes"]
    text = diff.read_text(encoding="utf-8", errors="replace").splitlines()
    lines.append(f"uncommitted changes, {len(text)} lines, from the store:")
    lines += [f"  {_printable(line)}" for line in text[:SHOWN]]
    if len(text) > SHOWN:
        lines.append(f"  ... and {len(text) - SHOWN} more lines: read {diff}")
    return lines


def _known(root: Path, commit: str) -> str:
    """Which branch or tag of the user's own repository has it."""
    asked = ("for-each-ref", "--contains", commit, "--format=%(refname:short)", "--count=3")
    try:
        names = git.ask(root, *asked).decode(errors="replace").split()
    except git.GitError:
        names = []
    return (
        f"on {', '.join(names)} of your repository"
        if names
        else ("in your repository, but on none of its branches and tags")
    )


def _printable(line: str) -> str:
    """Without characters that move the cursor or hide what follows."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)
