"""The default study: the published mouse experiment with the treatments that its paper names."""

from __future__ import annotations

from typing import Any

from nichetrial.study.patches import StudyFile

__all__ = ["NOTES", "default_study"]

NOTES: dict[tuple[str, ...], str] = {
    (): "The default study of nichetrial, and a template for your own: copy this file, change it, "
    "then\n"
    "  nichetrial check my-study.yaml      lists every problem, before anything runs\n"
    "  nichetrial explain my-study.yaml    describes and draws the schedule of each arm\n"
    "  nichetrial run my-study.yaml        runs it\n"
    "Quantities have units: 12 h, 4 d, 5 mg/kg, 2 nM, 1e6 cells. See docs/study-file.md.\n"
    "This file is written by `nichetrial generate`: in the repository, change the models instead.",
    (
        "arms",
    ): "Doses and intervals below are usual in mice. They are NOT taken from the paper, whose "
    "schedules may differ. Replace them with those of your experiment.",
}
"""What is true of this study and not of the language: path -> further comment."""


def _given(drug: str, dose: str, every: str) -> dict[str, str]:
    """Dosing from the vector's onset to the read-out."""
    return {"drug": drug, "dose": dose, "start": "0 d", "every": every, "until": "11 d"}


_AMD3100 = _given("amd3100", "5 mg/kg", "12 h")
_ANTI_LY6G = _given("anti_ly6g", "10 mg/kg", "2 d")

_DOCUMENT: dict[str, Any] = {
    "study": {
        "name": "seubert2015",
        "title": "TIMP-1, SDF-1 and neutrophils in liver metastasis",
        "question": "High systemic TIMP-1 made the liver more susceptible to metastasis (Seubert "
        "et al., Hepatology 2015;61:238-248, doi 10.1002/hep.27378). Which treatment takes that "
        "effect away: blocking SDF-1 or CXCR4, removing neutrophils, or acting on TIMP-1 itself?",
        "seed": 2015,
    },
    "cohort": {"particles": 250, "mice_per_particle": 8},
    "experiment": {
        "timp1_vector": {"fold": 10, "onset": "0 d"},
        "challenge": {"route": "intravenous", "cells": "1e6 cells", "day": "4 d"},
        "readout": {"day": "11 d", "end": "40 d"},
    },
    "arms": {
        "untreated": {"label": "Untreated host", "timp1_vector": "none"},
        "timp1_high": {"label": "TIMP-1 high"},
        "amd3100": {"label": "AMD3100", "treatments": [_AMD3100]},
        "anti_sdf1": {"label": "Anti-SDF-1", "treatments": [_given("anti_sdf1", "5 mg/kg", "3 d")]},
        "anti_ly6g": {"label": "Anti-Ly6G", "treatments": [_ANTI_LY6G]},
        "amd3100_anti_ly6g": {"label": "AMD3100 + anti-Ly6G", "treatments": [_AMD3100, _ANTI_LY6G]},
        "anti_timp1": {
            "label": "Anti-TIMP-1",
            "treatments": [_given("anti_timp1", "10 mg/kg", "3 d")],
        },
        "mmp_inhibitor": {
            "label": "MMP inhibitor",
            "treatments": [_given("mmp_inhibitor", "30 mg/kg", "12 h")],
        },
        "cd63_ko": {"label": "Cd63 -/-", "host": {"cd63": 0}},
        "timp1_extreme": {"label": "TIMP-1 extreme", "timp1_vector": {"fold": 1e5}},
    },
    "sweeps": {
        "dose": {
            "arm": "amd3100",
            "label": "AMD3100 by pump",
            "grid": {
                "treatments.amd3100.method": ["pump"],
                "treatments.amd3100.every": ["24 h"],
                "treatments.amd3100.dose": [
                    f"{d} mg/kg" for d in ("0", "0.3", "1", "3", "10", "30", "100")
                ],
            },
        },
        "schedule": {
            "arm": "amd3100",
            "label": "AMD3100, 100 mg/kg in 10 days",
            "points": [
                {
                    "treatments.amd3100.method": method,
                    "treatments.amd3100.every": every,
                    "treatments.amd3100.dose": dose,
                    "treatments.amd3100.duration": "10 d",
                }
                for method, every, dose in (
                    ("bolus", "24 h", "10 mg/kg"),
                    ("bolus", "12 h", "5 mg/kg"),
                    ("pump", "24 h", "10 mg/kg"),
                )
            ],
        },
        "surface": {
            "arm": "amd3100_anti_ly6g",
            "label": "AMD3100 by pump + anti-Ly6G",
            "grid": {
                "treatments.amd3100.method": ["pump"],
                "treatments.amd3100.every": ["24 h"],
                "treatments.amd3100.dose": ["0 mg/kg", "0.3 mg/kg", "3 mg/kg", "30 mg/kg"],
                "treatments.anti_ly6g.dose": ["0 mg/kg", "0.1 mg/kg", "1 mg/kg", "10 mg/kg"],
            },
        },
        "window": {
            "arm": "amd3100",
            "label": "AMD3100 by pump, 10 mg/kg a day",
            "grid": {
                "treatments.amd3100.method": ["pump"],
                "treatments.amd3100.every": ["24 h"],
                "treatments.amd3100.dose": ["10 mg/kg"],
                "treatments.amd3100.start": [f"{d} d" for d in (0, 1, 2, 3, 4, 5, 6, 8)],
                "treatments.amd3100.duration": [f"{d} d" for d in (1, 2, 4, 7)],
            },
        },
    },
    "comparisons": {
        "reference": "timp1_high",
        "pairs": [{"arm": "timp1_extreme", "reference": "untreated"}],
        "combinations": [{"arm": "amd3100_anti_ly6g", "of": ["amd3100", "anti_ly6g"]}],
    },
    "optimise": {
        "arm": "anti_ly6g",
        "drug": "anti_ly6g",
        "budget": "20 mg/kg",
        "dose": ["1 mg/kg", "20 mg/kg"],
        "start": ["0 d", "8 d"],
        "every": ["12 h", "4 d"],
    },
    "tracking": {"experiment": "seubert2015"},
}


def default_study() -> StudyFile:
    """The default study as a checked document, every key filled in."""
    return StudyFile.model_validate(_DOCUMENT)
