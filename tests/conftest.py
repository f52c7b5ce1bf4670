"""What all tests share: a small resolved study, and the folder of the checkout."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from nichetrial.study.resolved import CohortSpec, ComparisonSpec, ResolvedStudy
from nichetrial.study.sections import (
    CalibrationSpec,
    Combination,
    FigureSpec,
    Pair,
    PowerSpec,
    TrackingSpec,
)
from tests.support import ROOT
from tests.support.mice import arm, treatment

settings.register_profile("any_machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any_machine")

# a shell that starts the tests in the background leaves SIGINT ignored, also in what they start;
# nohup does so with SIGHUP
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

LONG = ("slurm", "workflow", "server", "browser")
"""Folders whose files take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that one core does not wait for the other at the end."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def small_study() -> ResolvedStudy:
    """Four arms, 250 mice of 125 particles in chunks of 100."""
    arms = (
        arm(name="high", label="TIMP-1-high"),
        arm(treatment("amd3100", 5, every=0.5), name="amd3100", label="AMD3100"),
        arm(treatment("anti_ly6g", 10), name="anti_ly6g", label="anti-Ly6G"),
        arm(treatment("amd3100", 5), treatment("anti_ly6g", 10), name="both", label="both"),
    )
    return ResolvedStudy(
        name="small",
        title="A small study",
        question="Does it?",
        seed=1,
        cohort=CohortSpec(particles=125, mice_per_particle=2, chunk=100, overrides={}),
        arms=arms,
        dose_curve=(arm(name="fold_1", vector=None), arm(name="fold_10")),
        comparisons=ComparisonSpec(
            reference="high",
            pairs=tuple(Pair(arm=a.name, reference="high") for a in arms[1:]),
            combinations=(Combination(arm="both", of=("amd3100", "anti_ly6g")),),
            responder=0.5,
            relevant=0.2,
            interval=0.95,
            resamples=100,
        ),
        experiment=arm(name="experiment"),
        calibration=CalibrationSpec(variants=("full",)),
        power=PowerSpec(),
        figures=FigureSpec(
            formats=("png", "svg"),
            dpi=100,
            course_particles=60,
            dose_particles=75,
            dose_folds=(1.0, 10.0),
        ),
        tracking=TrackingSpec(uri="sqlite:///mlflow.db", experiment="small"),
    )
