"""``nichetrial serve``: an MLflow server that a group shares."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nichetrial import codes
from nichetrial.compat.mlflow_server import UPLOAD
from nichetrial.errors import UserError
from nichetrial.tracking.server import HOST, stoppable
from nichetrial.tracking.shared import sharing

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial serve``."""
    parser.epilog = (
        "MLflow's own server on Postgres, with login. The environment has the address of the "
        "database (MLFLOW_BACKEND_STORE_URI=postgresql://user:password@host/database) and, at the "
        "first start, the password of the user admin (MLFLOW_AUTH_ADMIN_PASSWORD)."
    )
    parser.add_argument(
        "--files",
        type=Path,
        default=Path("mlflow-files"),
        metavar="FOLDER",
        help="where the files of runs are kept (mlflow-files)",
    )
    parser.add_argument("--host", default=HOST, help=f"address to listen on ({HOST})")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on (5000)")
    parser.add_argument(
        "--workers", type=_number("processes"), default=2, metavar="N", help="processes (2)"
    )
    parser.add_argument(
        "--largest-file",
        type=_number("megabytes"),
        default=UPLOAD,
        metavar="MB",
        help=f"megabytes that a file of a run may have ({UPLOAD})",
    )
    parser.add_argument(
        "--allowed-hosts",
        metavar="NAMES",
        help="names by which others ask for the server, with commas between (this machine's own)",
    )


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    if not _loopback(args.host):
        _say("other machines can reach it, and passwords are sent as they are: put TLS in front")
    with stoppable("serve"):
        _say("starting MLflow, this takes some seconds ...")
        with sharing(
            files=args.files,
            host=args.host,
            port=args.port,
            workers=args.workers,
            allowed_hosts=args.allowed_hosts,
            largest_file=args.largest_file,
        ) as process:
            host = f"[{args.host}]" if ":" in args.host else args.host
            print(f"http://{host}:{args.port}", flush=True)
            _say("Ctrl-C ends it")
            code = process.wait()
            raise UserError(
                codes.SERVER_FAILED, f"the MLflow server ended by itself (exit code {code})"
            )


def _loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _number(of: str) -> Callable[[str], int]:
    def number(text: str) -> int:
        if text.isdecimal() and int(text) > 0:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {of}")

    return number


def _say(line: str) -> None:
    print(f"serve: {line}", file=sys.stderr, flush=True)
