"""``nichetrial ui``: look at the tracked runs in the browser."""

from __future__ import annotations

import argparse
import html
import json
import os
import secrets
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nichetrial import codes
from nichetrial.compat import mlflow_database
from nichetrial.compat.mlflow_pages import runs_page, view_tag
from nichetrial.errors import UserError
from nichetrial.study.sections import USUAL_STORE
from nichetrial.tracking.server import HOST, serving, stoppable
from nichetrial.tracking.store import Store, locate

__all__ = ["add_arguments", "run"]

DEFAULT_STUDY = Path("config.yaml")
RESULTS = Path("results")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``nichetrial ui``."""
    parser.add_argument(
        "study",
        nargs="?",
        help=f"the study file ({DEFAULT_STUDY}; without one, all studies of this folder)",
    )
    parser.add_argument("--port", type=int, default=5000, help="on this machine (5000)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C; with a server of one's own, only show the way there."""
    store, place = _shown(args.study)
    if store.database is None:
        address = f"{store.uri}/{place}"
        print(address, flush=True)
        if not args.no_browser and _display():
            webbrowser.open(address)
        return
    token = secrets.token_urlsafe(32)
    link = f"http://{HOST}:{args.port}/?token={token}{place}"
    with stoppable("ui"):
        print("ui: starting MLflow, this takes some seconds ...", file=sys.stderr, flush=True)
        with (
            serving(store, port=args.port, token=token) as process,
            _handed_over(link, store.database.with_name("open-ui.html")) as page,
        ):
            print(link, flush=True)
            if not args.no_browser and _display():
                webbrowser.open(page.as_uri())
            print("ui: Ctrl-C ends it", file=sys.stderr, flush=True)
            code = process.wait()
            raise UserError(
                codes.SERVER_FAILED, f"the MLflow server ended by itself (exit code {code})"
            )


def _shown(study: str | None) -> tuple[Store, str]:
    """The store, and where in it to begin. Raises UserError."""
    if study is None and not DEFAULT_STUDY.exists():
        return _sound(USUAL_STORE), runs_page(None, None)
    from nichetrial.study.load import load

    resolved = load(study or DEFAULT_STUDY)
    store = _sound(resolved.tracking.uri)
    receipt = RESULTS / resolved.name / "tracking" / "receipt.json"
    return store, _place(receipt, store, resolved.tracking.experiment)


def _sound(uri: str) -> Store:
    store = locate(uri)
    store.require_sound()
    return store


def _place(receipt: Path, store: Store, experiment: str) -> str:
    """Where in the UI the study's runs are; MLflow would open with a page for something else.

    A file on this machine is asked itself, for it may have been moved; for a server the receipt
    says.
    """
    study = receipt.parents[1].name
    if store.database is not None:
        found = mlflow_database.experiment_id(store.database, experiment)
        seen = found is not None and mlflow_database.has_tag(store.database, found, view_tag(study))
        return runs_page(found, study if seen else None)
    with suppress(OSError, ValueError):
        content = json.loads(receipt.read_text(encoding="utf-8"))
        if content.get("uri") == store.uri:
            return runs_page(content["experiment_id"], content.get("view"))
    return runs_page(None, None)


def _display() -> bool:
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


@contextmanager
def _handed_over(link: str, path: Path) -> Iterator[Path]:
    """A page that leads to the link, for this user, while the block runs: everybody on the machine
    sees the words with which a browser is started."""
    page = f'<meta charset="utf-8"><meta http-equiv="refresh" content="0;url={html.escape(link)}">'
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        stream.write(page)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
