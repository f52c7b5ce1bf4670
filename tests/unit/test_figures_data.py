"""A small results folder made of invented numbers, for the tests of figures and report."""

from __future__ import annotations

from pathlib import Path

from nichetrial.study.resolved import ResolvedStudy
from tests.support.trial_results import build


def test_an_invented_folder_has_the_layout_of_a_real_one(tmp_path: Path) -> None:
    study, results = build(tmp_path, missing=["cd63_ko"])
    names = {p.relative_to(results).as_posix() for p in results.rglob("*") if p.is_file()}
    assert "simulations/amd3100/particles-000006-000009.outcomes.parquet" in names
    assert "dose_curve/particles-000006-000006.parquet" in names
    assert not any("cd63_ko" in n for n in names)
    assert ResolvedStudy.model_validate_json((results / "study.json").read_text()) == study
