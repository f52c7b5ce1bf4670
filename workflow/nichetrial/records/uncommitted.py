"""The uncommitted code of a checkout as one diff, so that a run from it can be made again.

Tracked files that shape a run, and untracked ones among them that are code or its data; never what
git ignores, what a link points to, anything outside the checkout, or a file with a secret.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nichetrial.records import git
from nichetrial.records.identity import CODE_SUFFIXES

__all__ = ["LARGEST", "Uncommitted", "uncommitted"]

LARGEST = 1_000_000
"""Bytes of a diff; of a larger one the largest files are left out."""

SUFFIXES = CODE_SUFFIXES | {".smk", ".rst", ".toml", ".txt"}
"""Endings of untracked files that belong to the code. Others may be anything: notes, keys."""

NAMES = frozenset({"Snakefile"})

SECRET = re.compile("PASSWORD|PASSPHRASE|TOKEN|SECRET|API_?KEY|ACCESS_KEY", re.IGNORECASE)
"""Names of variables whose values are never kept, if they have at least SHORTEST characters."""

SHORTEST = 6
LOGIN = re.compile(rb"://[^/\s:@'\"{}]+:[^/\s@'\"{}]+@")

PLAIN = (
    "--cached",
    "--binary",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
"""A diff that ``git apply`` takes, whatever the user's settings are."""


@dataclass(frozen=True)
class Uncommitted:
    """``diff`` as ``git apply`` takes it (empty: nothing is uncommitted), against ``commit``;
    ``left_out``: files whose changes are not in it: it would be too large, or tell a secret."""

    commit: str
    diff: bytes
    left_out: tuple[str, ...] = ()


def uncommitted(root: Path, largest: int = LARGEST) -> Uncommitted:
    """The changes of the code since the commit. Neither the index nor the repository is touched:
    all is staged in an index of its own, in a temporary folder. Raises git.GitError, OSError."""
    commit = git.ask(root, "rev-parse", "HEAD").decode().strip()
    with tempfile.TemporaryDirectory() as scratch:
        staged = {
            "GIT_INDEX_FILE": str(Path(scratch, "index")),
            "GIT_OBJECT_DIRECTORY": str(Path(scratch, "objects")),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _inside(root, "objects"),
        }
        Path(scratch, "objects").mkdir()
        index = Path(_inside(root, "index"))
        if index.is_file():  # git need not read all files again; by its time it knows which it must
            shutil.copy2(index, staged["GIT_INDEX_FILE"])
        git.ask(root, "add", "--update", "--", *_there(root), **staged)
        if new := _untracked(root):
            git.ask(root, "add", "--", *new, **staged)
        diff = git.ask(root, "diff", *PLAIN, commit, "--", *git.CODE, **staged)
        if len(diff) <= largest and not _tells(diff):
            return Uncommitted(commit, diff)
        asked = ("diff", *PLAIN, "--name-only", "-z", commit, "--", *git.CODE)
        files = [name for name in git.ask(root, *asked, **staged).decode().split("\0") if name]
        parts = {
            name: git.ask(root, "diff", *PLAIN, commit, "--", f":(literal){name}", **staged)
            for name in files
        }
    kept, size = set(), 0
    for name in sorted(parts, key=lambda n: (len(parts[n]), n)):
        if _tells(parts[name]):
            continue
        size += len(parts[name])
        if size > largest:
            break
        kept.add(name)
    return Uncommitted(
        commit,
        b"".join(parts[name] for name in files if name in kept),
        tuple(name for name in files if name not in kept),
    )


def _tells(diff: bytes) -> bool:
    """Whether a secret is in it: one of this environment, or a login in an address."""
    secrets = (
        value.encode()
        for name, value in os.environ.items()
        if SECRET.search(name) and len(value) >= SHORTEST
    )
    return bool(LOGIN.search(diff)) or any(secret in diff for secret in secrets)


def _inside(root: Path, what: str) -> str:
    """A path of the repository, which in a worktree is not below ``.git``."""
    asked = ("rev-parse", "--path-format=absolute", "--git-path", what)
    return git.ask(root, *asked).decode().rstrip("\n")


def _there(root: Path) -> list[str]:
    """git refuses a path that it knows nothing of."""
    tracked = git.ask(root, "ls-files", "-z", "--", *git.CODE).decode().split("\0")
    tops = {name.split("/")[0] for name in tracked if name}
    return [name for name in git.CODE if name in tops]


def _untracked(root: Path) -> list[str]:
    """New files of the code that are not ignored."""
    asked = ("ls-files", "--others", "--exclude-standard", "-z", "--", *git.CODE)
    found = []
    for name in git.ask(root, *asked).decode().split("\0"):
        path = root / name
        ours = path.suffix in SUFFIXES or path.name in NAMES
        if name and ours and path.is_file() and not path.is_symlink():
            found.append(f":(literal){name}")
    return found
