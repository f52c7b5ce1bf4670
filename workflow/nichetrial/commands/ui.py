"""``nichetrial ui``: look at the tracked runs in the browser."""

from __future__ import annotations

import argparse
import json
import os
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path

from nichetrial.errors import UserError
from nichetrial.tracking import sqlite, views
from nichetrial.tracking.server import HOST, serving, stoppable
from nichetrial.tracking.store import Store, locate

__all__ = ["add_arguments", "run"]

DEFAULT_STUDY = "config.yaml"
RESULTS = Path("results")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial ui``."""
    parser.add_argument(
        "study", nargs="?", default=DEFAULT_STUDY, help=f"the study file ({DEFAULT_STUDY})"
    )
    parser.add_argument("--port", type=int, default=5000, help="on this machine (5000)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C; with a server of one's own, only show the way there."""
    from nichetrial.study.load import load

    study = load(args.study)
    store = locate(study.tracking.uri)
    receipt = RESULTS / study.name / "tracking" / "receipt.json"
    place = _place(receipt, store, study.tracking.experiment)
    if store.database is None:
        _show(f"{store.uri}/{place}", browser=not args.no_browser)
        return
    with stoppable("ui"):
        print("ui: starting MLflow, this takes some seconds ...", file=sys.stderr, flush=True)
        with serving(store, port=args.port) as process:
            _show(f"http://{HOST}:{args.port}/{place}", browser=not args.no_browser)
            print("ui: Ctrl-C ends it", file=sys.stderr, flush=True)
            code = process.wait()
            raise UserError(f"the MLflow server ended by itself (exit code {code})")


def _place(receipt: Path, store: Store, experiment: str) -> str:
    """Where in the UI the study's runs are; MLflow would open with a page for something else.

    A file on this machine is asked itself, for it may have been moved; for a server the receipt
    says.
    """
    study = receipt.parents[1].name
    if store.database is not None:
        found = sqlite.experiment_id(store.database, experiment)
        seen = found is not None and sqlite.has_tag(store.database, found, views.key(study))
        return views.address(found, study if seen else None)
    with suppress(OSError, ValueError):
        content = json.loads(receipt.read_text(encoding="utf-8"))
        if content.get("uri") == store.uri:
            return views.address(content["experiment_id"], content.get("view"))
    return views.address(None, None)


def _show(address: str, *, browser: bool) -> None:
    print(address, flush=True)
    display = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if browser and display:
        webbrowser.open(address)
