"""A browser on the pages of an MLflow server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import ROOT

CHROMIUM = Path("/usr/bin/chromium")

PICTURES = ROOT / "docs" / "images"

REAL = os.environ.get("NICHETRIAL_SCREENSHOTS")
"""Results of a real study: its runs are looked at instead, and pictures for the docs are made."""


@dataclass(frozen=True)
class Site:
    """MLflow's server over a store. ``made``: where the store was made, which is gone;
    ``results``: of the study, where they are now; ``runs``: name -> MLflow's run, the study's at
    ``parent``; ``link``: what ``nichetrial ui`` prints."""

    address: str
    token: str
    made: Path
    results: Path
    experiment: str
    parent: Any
    runs: dict[str, Any]
    link: str

    def of_run(self, run: Any) -> str:
        at = f"{self.address}/#/experiments/{self.experiment}/runs/{run.info.run_id}"
        return f"{at}?workflowType=machine_learning"
