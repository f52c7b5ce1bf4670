"""Servers that drip, freeze, flood, lie or have forgotten all: told in one line, within seconds."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from nichetrial import codes
from nichetrial.compat import mlflow_client
from nichetrial.errors import Code, UserError
from nichetrial.tracking import store
from nichetrial.tracking.writer import sync
from tests.support.stores import planned
from tests.support.tracked import build

pytestmark = [pytest.mark.slow]

Answer = Callable[[socket.socket, str], None]
"""Gets a connection and the path that was asked for."""


def say(body: str | bytes, status: str = "200 OK") -> Answer:
    content = body.encode() if isinstance(body, str) else body

    def answer(connection: socket.socket, _: str) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + content)

    return answer


WELL = say("OK")


def drip(begin: bytes) -> Answer:
    """A byte now and then, for ever."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(begin)
        with suppress(OSError):
            while True:
                time.sleep(0.05)
                connection.sendall(b"x")

    return answer


def freeze(_: socket.socket, __: str) -> None:
    time.sleep(60)


def flood(connection: socket.socket, _: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" " * 65536)


def lie(connection: socket.socket, path: str) -> None:
    """In the form of MLflow's answers, without what was asked for."""
    known = {
        "experiments/get-by-name": {
            "experiment": {"experiment_id": "1", "name": "small", "lifecycle_stage": "active"}
        },
        "runs/create": {"run": {"info": {"run_id": "a" * 32, "experiment_id": "1"}}},
        "runs/search": {},
    }
    body = next((content for end, content in known.items() if end in path), {})
    say(json.dumps(body))(connection, path)


@contextmanager
def server(answer: Answer, health: Answer = WELL) -> Iterator[str]:
    """The address of one that is well, and answers like this."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = self.request.recv(65536)
            path = head.split(b" ")[1].decode() if b" " in head else ""
            with suppress(OSError):
                (health if path == "/health" else answer)(self.request, path)

    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tracked"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PATIENCE", 1.0)
    monkeypatch.setattr(mlflow_client, "LARGEST", 1_000_000)
    monkeypatch.setattr(
        mlflow_client.bounded.__wrapped__,
        "__defaults__",
        (1.0,),  # type: ignore[attr-defined]
    )


def refused(results: Path, uri: str) -> UserError:
    with pytest.raises(UserError) as caught:
        sync(
            planned(results),
            store=store.locate(uri),
            experiment="small",
            folder=results / "tracking",
        )
    assert caught.value.place == uri
    assert "\n" not in str(caught.value)
    return caught.value


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "health",
    [freeze, drip(b""), drip(HEAD), drip(HEAD + b"\r\n"), flood],
    ids=["freezes", "drips", "drips its headers", "drips its answer", "floods"],
)
def test_a_server_that_does_not_say_that_it_is_well(results: Path, health: Answer) -> None:
    with server(freeze, health) as uri:
        assert refused(results, uri).code is codes.SERVER_SILENT


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (drip(b""), codes.STORE_REFUSED),
        (drip(HEAD), codes.STORE_REFUSED),
        (drip(HEAD + b"\r\n"), codes.STORE_REFUSED),
        (flood, codes.STORE_REFUSED),
        (say("{}"), codes.NOT_A_STORE),
        (say("[]"), codes.STORE_REFUSED),
        (say("3"), codes.STORE_REFUSED),
        (say("<html>"), codes.STORE_REFUSED),
        (say(b"\xff"), codes.STORE_REFUSED),
        (say(""), codes.NOT_A_STORE),
        (say('{"experiment": 3}'), codes.STORE_REFUSED),
        (say('{"experiment": {"name": "other"}}'), codes.NOT_A_STORE),
        (say('{"experiment": {"name": "small", "experiment_id": "1"}}'), codes.NOT_A_STORE),
        (lie, codes.NOT_A_STORE),
    ],
)
def test_a_server_that_is_well_and_answers_wrongly(
    results: Path, answer: Answer, code: Code
) -> None:
    start = time.monotonic()
    with server(answer) as uri:
        assert refused(results, uri).code is code
    assert time.monotonic() - start < 30  # several calls of a second each; without an end, for ever


def test_what_says_that_it_is_well_and_is_not_mlflow(results: Path) -> None:
    with server(freeze, say("<html>")) as uri:
        assert refused(results, uri).code is codes.NOT_A_STORE


@pytest.mark.parametrize("status", ["502 Bad Gateway", "200 OK"])
def test_a_proxy_that_cannot_reach_this_machine_is_named(
    results: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    page = say("<html>", status)
    with server(page, page) as proxy:
        monkeypatch.setenv("http_proxy", proxy.replace("//", "//user:secret@"))
        monkeypatch.delenv("no_proxy", raising=False)
        message = refused(results, "http://127.0.0.1:9").message
    assert proxy.removeprefix("http://") in message
    assert "NO_PROXY" in message
    assert "secret" not in message


def test_a_large_file_has_the_time_that_it_takes() -> None:
    """Bytes up to the server are no delay of its own."""
    with server(say("{}")) as uri, mlflow_client.bounded(0.0001):
        import requests

        size = int(30 * mlflow_client.RATE)
        assert requests.put(f"{uri}/x", data=bytes(size), timeout=30).text == "{}"


MISSING = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Run not found"}


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (say(json.dumps(MISSING), "404 Not Found"), True),
        (say(json.dumps({"run": {}})), False),
        (say("", "401 Unauthorized"), False),
        (say("[]"), False),
        (say("<html>"), False),
        (drip(HEAD), False),
    ],
)
def test_a_server_that_has_forgotten_the_runs_of_a_receipt(
    tmp_path: Path, answer: Answer, lost: bool
) -> None:
    receipt = tmp_path / "receipt.json"
    with server(answer) as uri:
        at = store.locate(uri)
        assert not store.forgotten(at, receipt)
        for content in ([], {}, {"parent_run_id": "a", "uri": "http://127.0.0.1:1"}):
            receipt.write_text(json.dumps(content))
            assert not store.forgotten(at, receipt)
        receipt.write_text(json.dumps({"parent_run_id": "a" * 32, "uri": uri}))
        assert store.forgotten(at, receipt) == lost


def test_a_server_that_freezes_costs_seconds_with_the_command_itself(tmp_path: Path) -> None:
    """For what MLflow waits is set where it is imported first."""
    build(tmp_path)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    with server(freeze) as uri:
        done = subprocess.run(
            [sys.executable, "-m", "nichetrial", "track", "sync", "--to", uri],
            cwd=tmp_path,
            env=clean | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"nichetrial: {uri}: {codes.STORE_REFUSED} ")
