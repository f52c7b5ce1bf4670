"""Sweeps, mice needed, best schedules and inspections that are wrong, as in ``broken_studies``."""
# ruff: noqa: E501 (messages are told whole)

from __future__ import annotations

from tests.unit.broken_studies import SOUND

__all__ = ["QUESTIONS"]


def _and(section: str, mice: int = 20) -> str:
    """The sound study with a section more."""
    study = SOUND.replace("  mice: 20\n", f"  mice: {mice}\n")
    return study.replace("comparisons:\n", section + "comparisons:\n")


def _sweep(*lines: str, name: str = "s", arm: str = "amd3100") -> str:
    return _and("".join(f"{x}\n" for x in ("sweeps:", f"  {name}:", f"    arm: {arm}", *lines)))


def _grid(*lines: str, name: str = "s", arm: str = "amd3100") -> str:
    return _sweep("    grid:", *(f"      {x}" for x in lines), name=name, arm=arm)


def _best(**changes: str) -> str:
    keys = {"arm": "ly6g", "budget": "20 mg/kg", "dose": "[1 mg/kg, 10 mg/kg]",
            "start": "[0 d, 8 d]", "every": "[1 d, 4 d]", "mice": "20", **changes}  # fmt: skip
    return _and("optimise:\n" + "".join(f"  {k}: {v}\n" for k, v in keys.items()), mice=100)


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
    "more mice than the cohort has": SOUND.replace(
        "comparisons:\n",
        "optimise: {arm: ly6g, budget: 20 mg/kg, dose: [1 mg/kg, 9 mg/kg], start: [0 d, 8 d], every: [1 d, 4 d], mice: 20}\ncomparisons:\n",
    ),
    "sweeps as a list": _and("sweeps:\n  - s\n"),
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
    "too few mice to judge on": _best(mice="60"),
    "one bound": _best(dose="[1 mg/kg]"),
    "inspections after the end": _compared("inspections: [50 d, 60 d]"),
    "null model of a combination": SOUND.replace(
        "of: [amd3100, ly6g]}", "of: [amd3100, ly6g], null: loewe}"
    ),
    "until and duration": SOUND.replace(
        "until: 11 d}\n  both:", "until: 11 d, duration: 3 d}\n  both:"
    ),
}

_MESSAGES: dict[str, str] = {
    "sweep without values": 'study.yaml:31: sweeps.s: write either "grid" or "points", with at least one quantity',
    "grid and points": 'study.yaml:31: sweeps.s: write either "grid" or "points", with at least one quantity',
    "sweep of no arm": 'study.yaml:32: sweeps.s.arm: there is no arm "amd310"; did you mean "amd3100"?',
    "name of a sweep": 'study.yaml:31: sweeps.S s: "S s" cannot be the name of a sweep; use small letters, digits, _ and -, at most 64, starting with a letter or a digit',
    "sweep named like an arm": 'study.yaml:31: sweeps.high: there is an arm "high"; give the sweep another name',
    "sweep of a drug not given": 'study.yaml:34: sweeps.s.grid.treatments.amd310.dose: arm "amd3100" is not given "amd310"; did you mean "amd3100"?',
    "sweep of a dose of no drug": 'study.yaml:34: sweeps.s.grid.treatments.dose: "treatments.dose": write treatments, the drug, and what of it, such as treatments.amd3100.dose',
    "sweep of no quantity": 'study.yaml:34: sweeps.s.grid.dose: "dose" is no quantity of an arm; write for example treatments.amd3100.dose, challenge.day, timp1_vector.fold',
    "misspelt quantity": 'study.yaml:34: sweeps.s.grid.treatments.amd3100.dosis: unknown key "dosis"; did you mean "dose"?',
    "value in another unit": 'study.yaml:34: sweeps.s.grid.treatments.amd3100.dose[1]: "2 d" is not a dose per body mass; write for example "5 mg/kg"',
    "value without a unit": 'study.yaml:34: sweeps.s.grid.treatments.amd3100.dose[1]: 2 has no unit; write for example "2 mg/kg"',
    "sweep that varies nothing": "study.yaml:31: sweeps.s: varies nothing; give a quantity at least two values",
    "value twice": 'study.yaml:31: sweeps.s: two of its arms are "s_1mgkg"; delete a value',
    "values that are no list": "study.yaml:34: sweeps.s.grid.treatments.amd3100.dose: write its values as a list, in brackets [ ]",
    "start after the read-out in a sweep": "study.yaml:31: sweeps.s: treatments.amd3100.start 12 d: dosing stops on day 11, before its start on day 12; stop later, or start earlier",
    "points that differ": "study.yaml:35: sweeps.s.points[1]: every point names the same quantities: treatments.amd3100.dose",
    "too many combinations": "study.yaml:33: sweeps.s.grid: 3600 combinations are too many; at most 2000",
    "unknown null model of a sweep": 'study.yaml:33: sweeps.s.null: unknown null model "additive"; possible here: loewe, musyc, bliss, hsa',
    "one quantity under two names": 'study.yaml:31: sweeps.s: "treatments.amd3100.dose" and "treatments.0.dose" set the same thing; delete one of them',
    "until and duration in a sweep": 'study.yaml:31: sweeps.s: "treatments.amd3100.until" and "treatments.amd3100.duration" set the same thing; delete one of them',
    "one value in two units": 'study.yaml:31: sweeps.s: its arms "s_5mgkg" and "s_5000ugkg" are the same; delete a value',
    "more mice than the cohort has": "study.yaml:30: optimise.mice: 20 of 20 mice leave too few to judge the best schedule on; the cohort needs at least 40 mice",
    "sweeps as a list": "study.yaml:30: sweeps: a list is not right here; write named sweeps",
    "log-rank test of foci": "study.yaml:30: power.test: log_rank compares times to an event, but the outcome is foci; write mann_whitney, or outcome: survival_days",
    "size twice": "study.yaml:30: power.sizes[1]: 4 is there twice; delete one",
    "group of one": "study.yaml:30: power.sizes[0]: 1 is too small; at least 2",
    "unknown test": 'study.yaml:30: power.test: unknown test "t_test"; possible here: mann_whitney, welch, log_rank',
    "unknown outcome of a lab": 'study.yaml:30: power.outcome: unknown outcome "metastases"; did you mean "metastasis_free_days"?',
    "schedule of no arm": 'study.yaml:31: optimise.arm: there is no arm "lyg6"; did you mean "ly6g"?',
    "schedule of an arm without treatment": 'study.yaml:31: optimise.arm: arm "high" is given nothing; name an arm with a treatment',
    "schedule of one of two drugs": 'study.yaml:30: optimise.drug: arm "both" is given amd3100, anti_ly6g; say which with "drug"',
    "schedule of a drug not given": 'study.yaml:37: optimise.drug: arm "both" is given no anti_sdf1; possible here: amd3100, anti_ly6g',
    "bounds in the wrong order": "study.yaml:33: optimise.dose: 10 mg/kg is not below 1 mg/kg; write the smaller one first",
    "budget below one dose": "study.yaml:32: optimise.budget: one dose of 1 mg/kg is above 0.5 mg/kg already",
    "start after the read-out": "study.yaml:34: optimise.start: 11 d is not before the read-out; start earlier",
    "too few mice to judge on": "study.yaml:36: optimise.mice: 60 of 100 mice leave too few to judge the best schedule on; write at most 50, or more mice in the cohort",
    "one bound": "study.yaml:33: optimise.dose: 1 entries are too few; at least 2",
    "inspections after the end": 'study.yaml:32: comparisons.inspections: the follow-up of arm "high" ends on day 40, before the first inspection on day 50; look earlier, or end later',
    "null model of a combination": 'study.yaml:33: comparisons.combinations[0].null: unknown null model "loewe"; possible here: bliss, hsa',
    "until and duration": 'study.yaml:23: arms.ly6g.treatments[0].duration: "until" and "duration" say the same thing; delete one of them',
}

QUESTIONS = {name: (text, _MESSAGES[name]) for name, text in _TEXTS.items()}
"""Name -> study file, and what it must say."""
