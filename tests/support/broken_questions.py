"""Sweeps, mice needed, best schedules and inspections that are wrong, as in ``broken_studies``."""
# ruff: noqa: E501 (texts of study files)

from __future__ import annotations

from tests.support.broken_studies import SOUND

__all__ = ["QUESTIONS"]


def _and(section: str, particles: int = 60) -> str:
    """The sound study with a section more."""
    study = SOUND.replace("  particles: 60\n", f"  particles: {particles}\n")
    return study.replace("comparisons:\n", section + "comparisons:\n")


def _sweep(*lines: str, name: str = "s", arm: str = "amd3100") -> str:
    return _and("".join(f"{x}\n" for x in ("sweeps:", f"  {name}:", f"    arm: {arm}", *lines)))


def _grid(*lines: str, name: str = "s", arm: str = "amd3100") -> str:
    return _sweep("    grid:", *(f"      {x}" for x in lines), name=name, arm=arm)


def _best(**changes: str) -> str:
    keys = {
        "arm": "ly6g",
        "budget": "20 mg/kg",
        "dose": "[1 mg/kg, 10 mg/kg]",
        "start": "[0 d, 8 d]",
        "every": "[1 d, 4 d]",
        "particles": "10",
        **changes,
    }
    return _and("optimise:\n" + "".join(f"  {k}: {v}\n" for k, v in keys.items()), particles=100)


def _compared(line: str) -> str:
    return SOUND.replace("  reference: high\n", f"  reference: high\n  {line}\n")


_DOSE = "treatments.amd3100.dose"
_MANY = ", ".join(f"{k} mg/kg" for k in range(1, 61))
_LATE = ", ".join(f"{k / 10} d" for k in range(60))

_TEXTS: dict[str, str] = {
    "sweep without values": _sweep(),
    "grid and points": _sweep(
        "    grid: {treatments.amd3100.dose: [1 mg/kg, 2 mg/kg]}",
        "    points: [{treatments.amd3100.dose: 1 mg/kg}]",
    ),
    "sweep of no arm": _grid(f"{_DOSE}: [1 mg/kg, 2 mg/kg]", arm="amd310"),
    "name of a sweep": _grid(f"{_DOSE}: [1 mg/kg, 2 mg/kg]", name="S s"),
    "sweep named like an arm": _grid(f"{_DOSE}: [1 mg/kg, 2 mg/kg]", name="high"),
    "sweep of a drug not given": _grid("treatments.amd310.dose: [1 mg/kg, 2 mg/kg]"),
    "sweep of a dose of no drug": _grid("treatments.dose: [1 mg/kg, 2 mg/kg]"),
    "sweep of no quantity": _grid("dose: [1 mg/kg, 2 mg/kg]"),
    "misspelt quantity": _grid("treatments.amd3100.dosis: [1 mg/kg, 2 mg/kg]"),
    "value in another unit": _grid(f"{_DOSE}: [1 mg/kg, 2 d]"),
    "value without a unit": _grid(f"{_DOSE}: [1 mg/kg, 2]"),
    "sweep that varies nothing": _grid(f"{_DOSE}: [1 mg/kg]"),
    "value twice": _grid(f"{_DOSE}: [1 mg/kg, 2 mg/kg, 1 mg/kg]"),
    "values that are no list": _grid(f"{_DOSE}: 1 mg/kg"),
    "start after the read-out in a sweep": _grid("treatments.amd3100.start: [0 d, 12 d]"),
    "points that differ": _sweep(
        "    points:", f"      - {{{_DOSE}: 1 mg/kg}}", "      - {treatments.amd3100.start: 1 d}"
    ),
    "too many combinations": _grid(f"{_DOSE}: [{_MANY}]", f"treatments.amd3100.start: [{_LATE}]"),
    "unknown null model of a sweep": _sweep(
        "    null: additive", f"    grid: {{{_DOSE}: [1 mg/kg, 2 mg/kg]}}"
    ),
    "one quantity under two names": _grid(
        f"{_DOSE}: [1 mg/kg]", "treatments.0.dose: [5 mg/kg, 6 mg/kg]"
    ),
    "until and duration in a sweep": _grid(
        "treatments.amd3100.until: [5 d, 6 d]", "treatments.amd3100.duration: [1 d, 2 d]"
    ),
    "one value in two units": _grid(f"{_DOSE}: [5 mg/kg, 5000 ug/kg]"),
    "more particles than the cohort has": SOUND.replace(
        "comparisons:\n",
        "optimise: {arm: ly6g, budget: 20 mg/kg, dose: [1 mg/kg, 9 mg/kg], start: [0 d, 8 d], every: [1 d, 4 d], particles: 40}\ncomparisons:\n",
    ),
    "sweeps as a list": _and("sweeps:\n  - s\n"),
    "more experiments than a particle has mice for": _and(
        "power: {experiments: 100000, sizes: [4, 200]}\n"
    ),
    "log-rank test of foci": _and("power: {test: log_rank}\n"),
    "size twice": _and("power: {sizes: [4, 4]}\n"),
    "group of one": _and("power: {sizes: [1]}\n"),
    "unknown test": _and("power: {test: t_test}\n"),
    "unknown outcome of a lab": _and("power: {outcome: metastases}\n"),
    "schedule of no arm": _best(arm="lyg6"),
    "schedule of an arm without treatment": _best(arm="high"),
    "schedule of one of two drugs": _best(arm="both"),
    "schedule of a drug not given": _best(arm="both", drug="anti_sdf1"),
    "bounds in the wrong order": _best(dose="[10 mg/kg, 1 mg/kg]"),
    "budget below one dose": _best(budget="0.5 mg/kg"),
    "start after the read-out": _best(start="[0 d, 11 d]"),
    "too few particles to judge on": _best(particles="60"),
    "one bound": _best(dose="[1 mg/kg]"),
    "inspections after the end": _compared("inspections: [50 d, 60 d]"),
    "null model of a combination": SOUND.replace(
        "of: [amd3100, ly6g]}", "of: [amd3100, ly6g], null: loewe}"
    ),
    "until and duration": SOUND.replace(
        "until: 11 d}\n  both:", "until: 11 d, duration: 3 d}\n  both:"
    ),
}

_KINDS: dict[str, str] = {
    "sweep without values": "NT019 study.yaml:31: sweeps.s",
    "grid and points": "NT019 study.yaml:31: sweeps.s",
    "sweep of no arm": "NT015 study.yaml:32: sweeps.s.arm",
    "name of a sweep": "NT013 study.yaml:31: sweeps.S s",
    "sweep named like an arm": "NT023 study.yaml:31: sweeps.high",
    "sweep of a drug not given": "NT025 study.yaml:34: sweeps.s.grid.treatments.amd310.dose",
    "sweep of a dose of no drug": "NT010 study.yaml:34: sweeps.s.grid.treatments.dose",
    "sweep of no quantity": "NT010 study.yaml:34: sweeps.s.grid.dose",
    "misspelt quantity": "NT006 study.yaml:34: sweeps.s.grid.treatments.amd3100.dosis",
    "value in another unit": "NT012 study.yaml:34: sweeps.s.grid.treatments.amd3100.dose[1]",
    "value without a unit": "NT012 study.yaml:34: sweeps.s.grid.treatments.amd3100.dose[1]",
    "sweep that varies nothing": "NT017 study.yaml:31: sweeps.s",
    "value twice": "NT014 study.yaml:31: sweeps.s",
    "values that are no list": "NT008 study.yaml:34: sweeps.s.grid.treatments.amd3100.dose",
    "start after the read-out in a sweep": "NT018 study.yaml:31: sweeps.s",
    "points that differ": "NT008 study.yaml:35: sweeps.s.points[1]",
    "too many combinations": "NT016 study.yaml:33: sweeps.s.grid",
    "unknown null model of a sweep": "NT010 study.yaml:33: sweeps.s.null",
    "one quantity under two names": "NT019 study.yaml:31: sweeps.s",
    "until and duration in a sweep": "NT019 study.yaml:31: sweeps.s",
    "one value in two units": "NT014 study.yaml:31: sweeps.s",
    "more particles than the cohort has": "NT017 study.yaml:30: optimise.particles",
    "sweeps as a list": "NT008 study.yaml:30: sweeps",
    "more experiments than a particle has mice for": "NT016 study.yaml:30: power.experiments",
    "log-rank test of foci": "NT019 study.yaml:30: power.test",
    "size twice": "NT014 study.yaml:30: power.sizes[1]",
    "group of one": "NT011 study.yaml:30: power.sizes[0]",
    "unknown test": "NT010 study.yaml:30: power.test",
    "unknown outcome of a lab": "NT010 study.yaml:30: power.outcome",
    "schedule of no arm": "NT015 study.yaml:31: optimise.arm",
    "schedule of an arm without treatment": "NT025 study.yaml:31: optimise.arm",
    "schedule of one of two drugs": "NT025 study.yaml:30: optimise.drug",
    "schedule of a drug not given": "NT025 study.yaml:37: optimise.drug",
    "bounds in the wrong order": "NT018 study.yaml:33: optimise.dose",
    "budget below one dose": "NT011 study.yaml:32: optimise.budget",
    "start after the read-out": "NT018 study.yaml:34: optimise.start",
    "too few particles to judge on": "NT017 study.yaml:36: optimise.particles",
    "one bound": "NT017 study.yaml:33: optimise.dose",
    "inspections after the end": "NT018 study.yaml:32: comparisons.inspections",
    "null model of a combination": "NT010 study.yaml:33: comparisons.combinations[0].null",
    "until and duration": "NT019 study.yaml:23: arms.ly6g.treatments[0].duration",
}

QUESTIONS = {name: (text, _KINDS[name]) for name, text in _TEXTS.items()}
"""Name -> study file, and the codes and places that it must get."""
