"""Asking a server by hand, as an attacker does."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECRET = "a private key"  # noqa: S105

ELSEWHERE = [
    "file://{home}/.ssh",
    "file:{home}/.ssh",
    "{home}/.ssh",
    "file://localhost{home}/.ssh",
    "file://{root}/../../home/.ssh",
    "file://{root}/%2e%2e/%2e%2e/home/.ssh",
    "file://{root}/%252e%252e/home/.ssh",
    "FILE://{home}/.ssh",
    "s3://bucket/x",
    "http://127.0.0.1:1/x",
    "ftp://127.0.0.1/x",
    "runs:/0/x",
    "models:/m/1",
    "dbfs:/x",
    "mlflow-artifacts:/../../home/.ssh",
    "mlflow-artifacts:/1",
    "mlflow-artifacts://127.0.0.1:1/x",
    "../../home/.ssh",
]
"""Places for files that a client may not choose."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Asked:
    """A server at a port of this machine, and the headers that are sent along."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = self.headers | {k.replace("_", "-"): v for k, v in headers.items()}
        if isinstance(body, dict):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        if query:
            path += "?" + urllib.parse.urlencode(query)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(
                answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
            )
        finally:
            connection.close()

    def chunked(self, method: str, path: str, chunks: int, size: int) -> bytes:
        """Send ``chunks`` of ``size`` bytes whose number is not said before; the status line."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw:
            headers = {
                "Host": f"127.0.0.1:{self.port}",
                "Content-Type": "application/json",
                "Transfer-Encoding": "chunked",
                **self.headers,
            }
            lines = [
                f"{method} {path} HTTP/1.1",
                *(f"{k}: {v}" for k, v in headers.items()),
                "",
                "",
            ]
            raw.sendall("\r\n".join(lines).encode())
            chunk = f"{size:x}\r\n".encode() + b"x" * size + b"\r\n"
            try:
                for _ in range(chunks):
                    raw.sendall(chunk)
                raw.sendall(b"0\r\n\r\n")
            except OSError:
                pass  # it does not listen any longer
            return raw.makefile("rb").readline()

    def made_run(self, name: str) -> tuple[str, str]:
        """The ids of an experiment of that name and of a run in it."""
        made = self("POST", "/api/2.0/mlflow/experiments/create", {"name": name})
        assert made.status == 200, made.body
        experiment = made.json["experiment_id"]
        run = self("POST", "/api/2.0/mlflow/runs/create", {"experiment_id": experiment})
        assert run.status == 200, run.body
        return experiment, run.json["run"]["info"]["run_id"]


def home(folder: Path) -> Path:
    """A home with a private key in it."""
    ssh = folder / "home" / ".ssh"
    ssh.mkdir(parents=True)
    (ssh / "id_rsa").write_text(SECRET)
    return ssh.parent


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
