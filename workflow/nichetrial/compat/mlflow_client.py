"""Calls of MLflow's client to a server: each ends in time, and no answer is larger than it may be.

Why: MLflow's timeout is for the next byte, so a server that sends one now and then holds it for
ever; and it reads each answer into memory whole.

Seen to fit: MLflow 3.17.2, requests 2.34. Canary: tests/unit/test_tracking_server.py.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

__all__ = ["ask", "bounded", "lacks_run", "proxy", "raised"]

SECONDS = 30.0
"""For a whole call, with its second try."""
RATE = 100_000
"""Bytes a second at which a file has to go up at least; what it takes comes on top."""
LARGEST = 64_000_000
"""Bytes of an answer that is read into memory. A page of 1,000 runs with all tags has some MB."""
PIECE = 65_536


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Calls that begin in the block, in whatever thread, raise after ``seconds`` or when the answer
    is too large. Files that are downloaded piece by piece are not in memory, and have no bound."""
    from requests.adapters import HTTPAdapter

    plain = HTTPAdapter.send

    def send(
        self: HTTPAdapter, request: PreparedRequest, stream: bool = False, *args: Any, **rest: Any
    ) -> Response:
        def call() -> Response:
            response = plain(self, request, True, *args, **rest)
            return response if stream else _read(response)

        size = int(request.headers.get("Content-Length") or 0)
        return _within(seconds + size / RATE, call)

    HTTPAdapter.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        HTTPAdapter.send = plain  # type: ignore[method-assign]


def _within(seconds: float, call: Any) -> Response:
    """The result of a call. One that takes longer is left to end with this process."""
    from requests.exceptions import ReadTimeout

    results: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise ReadTimeout(f"the server has not answered within {seconds:.0f} s")
    return results[0]


def _read(response: Response) -> Response:
    from requests.exceptions import ContentDecodingError

    content = bytearray()
    for piece in response.iter_content(PIECE):
        content += piece
        if len(content) > LARGEST:
            response.close()
            raise ContentDecodingError(f"the server's answer has more than {LARGEST:,} bytes")
    response._content = bytes(content)
    return response


def ask(address: str, *, seconds: float, **parameters: str) -> Response:
    """The answer to a GET, with the login that MLflow would show. Raises OSError."""
    import requests

    user, token = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "TOKEN"))
    login = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", "")) if user else None
    headers = {"Authorization": f"Bearer {token}"} if token and not login else {}
    with bounded(seconds):
        return requests.get(
            address, params=parameters, auth=login, headers=headers, timeout=seconds
        )


def proxy(address: str) -> str:
    """The proxy of the environment by which an address is asked, without its login; '' if none."""
    from requests.utils import get_environ_proxies, select_proxy

    found = select_proxy(address, get_environ_proxies(address)) or ""
    return found.rpartition("@")[2] or found


def raised(error: BaseException) -> bool:
    """Whether an error comes out of MLflow's own code, which believes what a server answers."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(f.f_globals.get("__name__", "").startswith("mlflow.") for f, _ in frames)


def lacks_run(uri: str, run_id: str, *, seconds: float) -> bool:
    """Whether a server says that it has no such run, not even in its bin."""
    try:
        answer = ask(f"{uri}/api/2.0/mlflow/runs/get", seconds=seconds, run_id=run_id)
        content = answer.json()
    except (OSError, ValueError):  # it is down, or no MLflow
        return False
    return isinstance(content, dict) and content.get("error_code") == "RESOURCE_DOES_NOT_EXIST"
