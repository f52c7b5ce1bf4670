"""Snakemake as a child process: the signals that stop this program stop it and its jobs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from nichetrial.compat import snakemake_files
from nichetrial.launch import lifeline

__all__ = ["checkout", "command", "run", "surroundings"]

RERUN = ("mtime", "params", "input", "software-env", "code")
"""What makes Snakemake run a job again: all that it can see."""

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def checkout() -> Path:
    """The folder that holds the Snakefile."""
    return Path(__file__).resolve().parents[3]


def command(
    study: str,
    *,
    profile: Path,
    cores: str | None = None,
    until: Sequence[str] = (),
    dry_run: bool = False,
    missing: Sequence[str] = (),
    forced: Sequence[str] = (),
    failures: Path | None = None,
    prices: Mapping[str, float] | None = None,
    target: str | None = None,
) -> list[str]:
    """The words that start Snakemake on ``study``. ``until``: rules to stop after; ``forced``:
    outputs or rules that are made again though they are there; ``target``: the rule that is wanted,
    if not all; ``prices``: rule -> seconds that one of its jobs is expected to take."""
    words = [sys.executable, "-m", "nichetrial.launch.snakemake", *([target] if target else [])]
    named = f"./{study}" if study.startswith("-") else study  # no option of Snakemake
    words += ["--snakefile", str(checkout() / "Snakefile"), "--configfile", named]
    words += ["--workflow-profile", str(profile), "--directory", "."]
    words += ["--profile", "none", "--rerun-triggers", *RERUN]
    words += ["--rerun-incomplete", "--keep-going", "--logger", "nichetrial"]
    if cores is not None:
        words += ["--cores", cores]
    if missing:
        words += ["--config", f"missing_arms={','.join(missing)}"]
    if failures is not None:
        words += ["--logger-nichetrial-failures", str(failures)]
    if prices:
        listed = ",".join(f"{rule}={seconds:.3g}" for rule, seconds in prices.items())
        words += ["--logger-nichetrial-prices", listed]
    if forced:
        words += ["--forcerun", *forced]
    if until:
        words += ["--until", *until]
    if dry_run:
        words.append("--dry-run")
    return words


def surroundings(environment: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """The environment of a child: without settings for Snakemake, which could turn off what decides
    that a job runs again; and no module of the working folder is imported in place of another.
    (An empty entry of ``PYTHONPATH`` would be the working folder.)

    Args:
        folder: where it works, if not here. Caches lie there where a home can only be read.

    >>> surroundings({"SNAKEMAKE_PROFILE": "mine", "PYTHONPATH": ":/opt/lab", "HOME": "/tmp"})
    {'PYTHONPATH': '/opt/lab', 'HOME': '/tmp', 'PYTHONSAFEPATH': '1'}
    """
    kept = {name: v for name, v in environment.items() if not name.startswith("SNAKEMAKE_")}
    if "PYTHONPATH" in kept:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, kept["PYTHONPATH"].split(os.pathsep)))
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    above = next(path for path in (cache, *cache.absolute().parents) if path.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        own = (folder or Path()).absolute() / snakemake_files.STATE / "cache"
        kept = {"MPLCONFIGDIR": str(own / "matplotlib")} | kept | {"XDG_CACHE_HOME": str(own)}
    return kept | {"PYTHONSAFEPATH": "1"}


def run(
    words: Sequence[str],
    *,
    keep_open: Sequence[int] = (),
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    said: TextIO | None = None,
) -> int:
    """Run to the end; the exit code, or minus the signal that stopped it.

    The child has a process group of its own and every stop signal is passed on to all of it as
    an interrupt, which makes Snakemake end its jobs at once and remove what is half done; a second
    signal terminates, a third kills. A child that was killed leaves no job behind, nor does this
    program when it is killed itself (``lifeline``). ``keep_open``: descriptors the child inherits;
    ``folder``, ``environment``, ``said`` (where all that it says goes): its own, if not those of
    this process.
    """
    asked = 0
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal asked
        received.append(number)
        if child is not None:
            strength = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[min(asked, 2)]
            _signal_group(child.pid, strength)
            asked += 1

    ignored = {n for n in _STOPPING if signal.getsignal(n) is signal.SIG_IGN}  # nohup
    before = {n: signal.signal(n, stop) for n in _STOPPING if n not in ignored}
    try:
        if received:
            return -received[0]
        with lifeline.held() as (watched, told):
            child = subprocess.Popen(  # noqa: S603  (a list of words, no shell)
                list(words),
                stdin=subprocess.DEVNULL,
                process_group=0,
                pass_fds=(*keep_open, watched),
                cwd=folder,
                env={**surroundings(environment or os.environ, folder), **told},
                stdout=said,
                stderr=subprocess.STDOUT if said else None,
                preexec_fn=_interruptible,
            )
            if received and not asked:  # it came while the child was being started
                stop(received.pop(), None)
            code = child.wait()
        if code < 0:
            _end_group(child.pid)
        return -received[0] if received else code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interruptible() -> None:
    """A run in the background of a script ignores interrupts; its Snakemake must not, for an
    interrupt is how it is stopped."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end_group(leader: int) -> None:
    """Stop what a killed child has left: politely, and after a few seconds for good."""
    _signal_group(leader, signal.SIGTERM)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except OSError:  # none left
            return
        time.sleep(0.05)
    _signal_group(leader, signal.SIGKILL)


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or only zombies
        os.killpg(leader, number)
