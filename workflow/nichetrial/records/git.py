"""Git, asked so that nothing in the checkout changes and no GIT_ variable of the user is heeded."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["CODE", "GitError", "ask", "installed", "state"]

CODE = ("Snakefile", "workflow", "envs", "pyproject.toml")
"""What of a checkout shapes a run."""

PATIENCE = 60.0
"""Seconds for one question."""


class GitError(Exception):
    """There is no git, no repository, or git refused; its first line of complaint."""


def installed() -> bool:
    return shutil.which("git") is not None


def ask(root: Path, *words: str, **environment: str) -> bytes:
    """What git says to ``words`` in ``root``. Raises GitError."""
    git = shutil.which("git")
    if git is None:
        raise GitError("git is not installed")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603  (a list of words, no shell)
            [git, "--no-optional-locks", "-C", str(root), *words],
            capture_output=True,
            check=True,
            timeout=PATIENCE,
            env=clean | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | environment,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[0] if lines else f"git {words[0]} failed") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise GitError(f"git {words[0]} did not work ({type(error).__name__})") from error
    return done.stdout


def state(root: Path | None) -> tuple[str | None, bool | None]:
    """Commit of the checkout, and whether the code in it was changed since; None if unknown."""
    if root is None or not (root / ".git").exists():
        return None, None
    try:
        commit = ask(root, "rev-parse", "HEAD").decode().strip()
        return commit, bool(ask(root, "status", "--porcelain", "--", *CODE).strip())
    except GitError:
        return None, None
