"""The ``nichetrial`` command: finds the module of the chosen command and imports no other.

Exit codes: 0 done; 1 failed; 2 something for the user to put right, reported in one message;
130 and 143 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

from nichetrial import __version__, codes, room
from nichetrial.errors import Fault, UserError

__all__ = ["COMMANDS", "main"]

GROUPS: dict[str, dict[str, str]] = {
    "Plan and run a study": {
        "check": "check a study file and list every problem",
        "explain": "describe and draw the schedule of each arm",
        "run": "run a study, from its file to the report",
        "calibrate": "calibrate the model on published findings",
        "list": "list drugs, outcomes, parameters or variants",
    },
    "Look at results": {
        "show": "show the results in a folder, or describe a drug, parameter or variant",
        "ui": "open the runs in the browser (MLflow)",
        "replay": "simulate one mouse of a study again",
        "diff": "compare two runs",
        "export": "write a mouse for other simulators, or a run for an archive",
    },
    "Share and reproduce": {
        "reproduce": "run a recorded run again and compare the bytes",
        "track": "send results to MLflow, also to another store",
        "serve": "start a shared MLflow server",
    },
    "For the workflow and maintainers": {
        "stage": "run one job of the workflow",
        "generate": "write the generated files again",
    },
}
"""Title -> commands with their help in a line; each is the module of its name in ``commands``."""

COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

LOGGED = ("stage", "track")
"""Commands that the workflow calls, one job each: with ``--log``, all that they print is kept."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the return value is the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"nichetrial {__version__}")
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        message = f"there is no command {name!r}.{meant} See 'nichetrial --help'."
        return _complain(str(Fault(codes.USAGE, message)))
    if name in LOGGED:
        log = _option(rest, "--log")
        try:
            with _stopped_as_interrupt(), _logged(log):
                return _dispatch(name, rest)
        except OSError as error:  # of the log
            if wrong := _of_the_disk(error):
                return _complain(wrong)
            raise
    return _dispatch(name, rest)


def _open_streams() -> None:
    """A stream that was closed (``>&-``) swallows what it is given. Otherwise the next file that is
    opened would take its number, and what children print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def _dispatch(name: str, words: list[str]) -> int:
    """Import the command's module, parse, run. Errors become messages and exit codes here."""
    try:
        module = importlib.import_module(f"nichetrial.commands.{name}")
        args = _parser(name, module).parse_args(words)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = module.run(args)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except UserError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has gone, as in 'nichetrial explain | head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if wrong := _of_the_disk(error):
            return _complain(wrong)
        if not isinstance(sys.stderr, _Tee):
            raise
        sys.stderr.log.write(traceback.format_exc())  # the log has it; the workflow shows its end
        return 1


class _Parser(argparse.ArgumentParser):
    """Its complaints are messages like all others."""

    def error(self, message: str) -> NoReturn:
        raise UserError(codes.USAGE, f"{message}; see '{self.prog} --help'")


def _parser(name: str, module: Any) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"nichetrial {name}", description=f"{COMMANDS[name].capitalize()}.", allow_abbrev=False
    )
    module.add_arguments(parser)
    return parser


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [
        "usage: nichetrial COMMAND [...]      ('nichetrial COMMAND --help' lists its options)",
        "",
        "In-silico trials of treatments against liver metastasis, in virtual mice.",
    ]
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:", *(f"  {name:<{width}}{does}" for name, does in commands.items())]
    return "\n".join(lines)


def _of_the_disk(error: Exception) -> str:
    """What is wrong if there is no room, or if a file is closed to this user or is none; '' for
    other errors."""
    if not isinstance(error, OSError):
        return ""
    if lack := room.why(error, "."):
        return f"{codes.NOT_WRITABLE} {lack}, then run the same command to continue"
    path = error.filename2 or error.filename
    if path is None or isinstance(path, int):
        return ""
    if isinstance(error, PermissionError):
        return f"{path}: {codes.CLOSED} you may not read or write this"
    odd = isinstance(error, IsADirectoryError | NotADirectoryError | FileExistsError)
    if odd or os.path.islink(path):
        return f"{path}: {codes.IN_THE_WAY} this is not what belongs there ({error.strerror})"
    return ""


def _complain(message: str) -> int:
    print(f"nichetrial: {message}", file=sys.stderr)
    return 2


def _option(words: Sequence[str], option: str) -> str | None:
    """The value of ``option``, looked up before the parser: what importing says is logged too."""
    for i, word in enumerate(words):
        if word == option and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


class _Tee:
    """Standard error of a job: every line goes to the log, and on to the terminal as well."""

    def __init__(self, log: TextIO, terminal: TextIO) -> None:
        self.log, self.terminal = log, terminal

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):  # a full disk must not keep it from the terminal
            self.log.write(text)
        with contextlib.suppress(OSError):  # a closed terminal must not end a job
            self.terminal.write(text)
        return len(text)

    def flush(self) -> None:
        self.log.flush()
        with contextlib.suppress(OSError):
            self.terminal.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self.log.fileno()


@contextlib.contextmanager
def _logged(path: str | None) -> Iterator[None]:
    """Keep everything the job says in ``path``; its own lines on standard error stay visible.

    Both descriptors go to the file, so that it also has what compiled code says. Warnings go
    there only.
    """
    if path is None:
        yield
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    before = (sys.stdout, sys.stderr, warnings.showwarning)
    with (
        open(path, "w", encoding="utf-8", buffering=1) as log,
        open(os.dup(2), "w", encoding="utf-8", buffering=1) as terminal,
    ):

        def to_log(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            log.write(warnings.formatwarning(message, category, filename, lineno, line))

        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdout, sys.stderr = log, _Tee(log, terminal)
        warnings.showwarning = to_log
        try:
            yield
        finally:
            sys.stdout, sys.stderr, warnings.showwarning = before
            log.flush()
            for number, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, number)
                os.close(saved)


@contextlib.contextmanager
def _stopped_as_interrupt() -> Iterator[None]:
    """SIGTERM ends a job like an exception does, so that its record tells the truth."""

    def stop(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread (tests)
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
