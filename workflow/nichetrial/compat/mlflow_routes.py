"""Which of MLflow's addresses our servers answer: runs, their files, and who may see them.

Why: MLflow's server also calls other hosts (webhooks, gateways), starts an assistant and jobs, and
takes addresses of files from clients (traces, model versions). Nothing of ours needs that, so what
is not listed here is refused; so is what a later MLflow adds.

Seen to fit: MLflow 3.17.2. Canary: tests/security/test_servers.py.
"""

from __future__ import annotations

import re

__all__ = ["allowed", "takes_files"]

_GET, _POST, _BOTH, _ANY = "GET HEAD", "POST", "GET HEAD POST", "GET HEAD POST PUT PATCH DELETE"
_API = r"/(?:ajax-)?api/[23]\.0/mlflow"
_FILES = r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts"

_EXPERIMENTS = (
    "create|delete|restore|update|search|get|get-by-name|set-experiment-tag"
    "|delete-experiment-tag|search-datasets"
)
_RUNS = (
    "create|delete|restore|update|search|get|log-metric|log-parameter|log-batch|log-inputs"
    "|set-tag|delete-tag"
)
_ALLOWED = [
    (_GET, r"/|/health|/version|/favicon\.ico|/static-files/.+|/get-artifact"),
    (_BOTH, r"/graphql"),
    (_BOTH, rf"{_API}/experiments/(?:{_EXPERIMENTS})"),
    (_BOTH, rf"{_API}/runs/(?:{_RUNS})"),
    (_GET, rf"{_API}/metrics/get-history(?:-bulk|-bulk-interval)?"),
    (_GET, rf"{_API}/artifacts/list"),
    (_POST, rf"{_API}/upload-artifact"),
    ("GET HEAD PUT DELETE", rf"{_FILES}(?:/.+)?"),
    (_GET, rf"{_API}/server-info"),
    # looked at by MLflow's pages of experiments and runs; nothing can be put there
    (_GET, rf"{_API}/(?:registered-models|model-versions)/(?:search|get)"),
    (_POST, rf"{_API}/(?:logged-models|traces)/search"),
    # the login's own
    (_ANY, rf"/signup|{_API}/(?:users|roles)/[a-z/-]+"),
]
_COMPILED = [(frozenset(methods.split()), re.compile(path)) for methods, path in _ALLOWED]
_FILES_OF_RUNS = re.compile(rf"{_FILES}/.+")


def allowed(method: str, path: str) -> bool:
    """Whether a request is answered. ``path``: decoded, as the server routes it."""
    return any(
        pattern.fullmatch(path) is not None and (method in methods or method == "OPTIONS")
        for methods, pattern in _COMPILED
    )


def takes_files(method: str, path: str) -> bool:
    """Whether the body of a request goes to the disk as it comes; all others are kept in memory."""
    return method == "PUT" and _FILES_OF_RUNS.fullmatch(path) is not None
