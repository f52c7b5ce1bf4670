"""Looking up runs in MLflow by a user's text.

Why: MLflow's query language cannot write every text. A string ends at its quote, and there is no
escape. So the query asks for all texts of the same shape, and the answers are compared here.

Seen to fit: MLflow 3.17.2. Canary: tests/unit/test_tracking_queries.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["named", "pattern"]

AT_A_TIME = 1000


def pattern(text: str) -> str:
    """For LIKE: ASCII letters and digits as they are, any one character in place of all others.

    >>> pattern("it's 50 % more")
    'it_s_50___more'
    """
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)


def named(client: MlflowClient, name: str) -> list[Any]:
    """The active runs of all experiments with exactly this name."""
    experiments = [e.experiment_id for e in client.search_experiments()]
    asked = f"attributes.run_name LIKE '{pattern(name)}'"
    found: list[Any] = []
    token: str | None = None
    while experiments:
        page = client.search_runs(
            experiments, filter_string=asked, max_results=AT_A_TIME, page_token=token
        )
        found += [run for run in page if run.info.run_name == name]
        token = page.token
        if not token:
            break
    return found
