"""Study files that are wrong, each with exactly what it must say: place, what is wrong, what is right.

An entry changes one thing in ``SOUND``; messages stand as a user sees them, for ``study.yaml``.
"""
# ruff: noqa: E501 (messages are told whole)

from __future__ import annotations

__all__ = ["BROKEN", "SOUND", "WHOLE"]

SOUND = """\
study:
  name: small
  seed: 7
cohort:
  mice: 20
experiment:
  timp1_vector: {fold: 10, onset: 0 d}
  challenge:
    route: intravenous
    cells: 1e6 cells
    day: 4 d
  readout:
    day: 11 d
    end: 40 d
arms:
  high:
    label: TIMP-1 high
  amd3100:
    treatments:
      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}
  ly6g:
    treatments:
      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}
  both:
    treatments:
      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}
      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}
  plain:
    timp1_vector: none
comparisons:
  reference: high
  combinations:
    - {arm: both, of: [amd3100, ly6g]}
figures:
  dpi: 100
tracking:
  uri: sqlite:///results/mlflow/mlflow.db
"""

BROKEN: dict[str, tuple[str, str, str]] = {
    "misspelt key in an arm": (
        "    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:",
        "    treatmnets:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:",
        'study.yaml:22: arms.ly6g.treatmnets: unknown key "treatmnets"; did you mean "treatments"?',
    ),
    "misspelt section": (
        "cohort:",
        "cohrt:",
        'study.yaml:4: cohrt: unknown key "cohrt"; did you mean "cohort"?',
    ),
    "unknown section": (
        "cohort:\n",
        "zzz:\n",
        'study.yaml:4: zzz: unknown key "zzz"; possible here: study, cohort, experiment, arms, sweeps, comparisons, power, optimise, figures, calibration, tracking',
    ),
    "misspelt key of a treatment": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d, evry: 12 h}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].evry: unknown key "evry"; did you mean "every"?',
    ),
    "missing key": (
        "    route: intravenous\n",
        "",
        'study.yaml:8: experiment.challenge: missing key "route": intravenous: cells injected into the blood; primary: a tumour that sheds cells',
    ),
    "missing section": (
        "comparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\n",
        "",
        'study.yaml:1: missing key "comparisons": What is compared with what',
    ),
    "duplicate arm": (
        "  plain:",
        "  amd3100:",
        'study.yaml:28: arms.amd3100: duplicate arm name "amd3100", first on line 18; keep one of them, or rename one',
    ),
    "duplicate key": (
        "    day: 11 d",
        "    day: 11 d\n    day: 12 d",
        'study.yaml:14: experiment.readout.day: duplicate key "day", first on line 13; keep one of them, or rename one',
    ),
    "section is a list": (
        "  timp1_vector: {fold: 10, onset: 0 d}\n",
        "  timp1_vector: [10, 0 d]\n",
        "study.yaml:7: experiment.timp1_vector: a list is not right here; write keys with values here (fold, onset)",
    ),
    "section is empty": (
        "cohort:\n  mice: 20\n",
        "cohort:\n",
        "study.yaml:4: cohort: is empty; write keys with values here (mice, chunk, population, parameters)",
    ),
    "treatments not a list": (
        "    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:",
        "    treatments: {drug: anti_ly6g}\n  both:",
        "study.yaml:22: arms.ly6g.treatments: a group of keys is not right here; write a list here, in brackets [ ] or with one - a line",
    ),
    "vector left empty": (
        "    timp1_vector: none",
        "    timp1_vector:",
        "study.yaml:29: arms.plain.timp1_vector: is empty; write none, or its keys",
    ),
    "study name leaves the folder": (
        "name: small",
        "name: ../small",
        'study.yaml:2: study.name: "../small" cannot be the name of a study; use small letters, digits, _ and -, at most 64, starting with a letter or a digit',
    ),
    "study name is a number": (
        "name: small",
        "name: 2015",
        "study.yaml:2: study.name: 2015 is not a name; put it in quotes",
    ),
    "study name is reserved": (
        "name: small",
        "name: mlflow",
        'study.yaml:2: study.name: the name "mlflow" is reserved; choose another',
    ),
    "study name too long": (
        "name: small",
        "name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        'study.yaml:2: study.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..." cannot be the name of a study; use small letters, digits, _ and -, at most 64, starting with a letter or a digit',
    ),
    "arm name with capitals": (
        "  plain:",
        "  Plain Arm:",
        'study.yaml:28: arms.Plain Arm: "Plain Arm" cannot be the name of an arm; use small letters, digits, _ and -, at most 64, starting with a letter or a digit',
    ),
    "arm name is reserved": (
        "  plain:",
        "  dose_10:",
        'study.yaml:28: arms.dose_10: the name "dose_10" is reserved; choose another',
    ),
    "arm name with a slash": (
        "  plain:",
        "  ../plain:",
        'study.yaml:28: arms.../plain: "../plain" cannot be the name of an arm; use small letters, digits, _ and -, at most 64, starting with a letter or a digit',
    ),
    "same label twice": (
        "    timp1_vector: none",
        "    timp1_vector: none\n    label: TIMP-1 high",
        'study.yaml:30: arms.plain.label: arms "high" and "plain" have the same label "TIMP-1 high"; change one',
    ),
    "label is a number": (
        "label: TIMP-1 high",
        "label: 12",
        "study.yaml:17: arms.high.label: text is needed, but this is 12, a number; put the text in quotes",
    ),
    "seed is negative": (
        "seed: 7",
        "seed: -7",
        "study.yaml:3: study.seed: -7 is too small; at least 0",
    ),
    "seed is too large": (
        "seed: 7",
        "seed: 9223372036854775808",
        "study.yaml:3: study.seed: 9223372036854775808 is too large; at most 9223372036854775807",
    ),
    "no mice": (
        "mice: 20",
        "mice: 0",
        "study.yaml:5: cohort.mice: 0 is too small; at least 1",
    ),
    "too many mice": (
        "mice: 20",
        "mice: 10000001",
        "study.yaml:5: cohort.mice: 10000001 is too large; at most 1e7",
    ),
    "mice are not whole": (
        "mice: 20",
        "mice: 20.5",
        "study.yaml:5: cohort.mice: 20.5 is not a whole number; write one without a unit, at least 1",
    ),
    "mice with a unit": (
        "mice: 20",
        "mice: 20 mice",
        'study.yaml:5: cohort.mice: "20 mice" is not a whole number; write one without a unit, at least 1',
    ),
    "no mice in a chunk": (
        "mice: 20",
        "mice: 20\n  chunk: 0",
        "study.yaml:6: cohort.chunk: 0 is too small; at least 1",
    ),
    "too many chunks": (
        "mice: 20",
        "mice: 1000000\n  chunk: 1",
        "study.yaml:6: cohort.chunk: 1e6 mice in chunks of 1 are 1000000 jobs an arm; at most 10000: write a larger chunk",
    ),
    "fold is NaN": (
        "fold: 10",
        "fold: .nan",
        "study.yaml:7: experiment.timp1_vector.fold: nan is not a finite number; at least 1 and at most 1e8",
    ),
    "fold is infinite": (
        "fold: 10",
        "fold: .inf",
        "study.yaml:7: experiment.timp1_vector.fold: inf is not a finite number; at least 1 and at most 1e8",
    ),
    "fold is zero": (
        "fold: 10",
        "fold: 0",
        "study.yaml:7: experiment.timp1_vector.fold: 0 is too small; at least 1 and at most 1e8 (a vector only adds TIMP-1; for less, use host.timp1)",
    ),
    "fold is text": (
        "fold: 10",
        "fold: ten",
        'study.yaml:7: experiment.timp1_vector.fold: "ten" is not a number; write for example 2',
    ),
    "yes is text in YAML 1.2": (
        "dpi: 100",
        "dpi: yes",
        'study.yaml:35: figures.dpi: "yes" is not a whole number; write one without a unit, at least 50',
    ),
    "true is no number": (
        "dpi: 100",
        "dpi: true",
        "study.yaml:35: figures.dpi: true is not a whole number; write one without a unit, at least 50",
    ),
    "gene expression below zero": (
        "  timp1_vector: {fold",
        "  host: {cd63: -1}\n  timp1_vector: {fold",
        "study.yaml:7: experiment.host.cd63: -1 is too small; at least 0 and at most 100",
    ),
    "responder share of one": (
        "  reference: high",
        "  reference: high\n  responder: 1",
        "study.yaml:32: comparisons.responder: 1 is too large; more than 0 and less than 1",
    ),
    "dose without a unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: 5 has no unit; write for example "5 mg/kg"',
    ),
    "time without a unit": (
        "    day: 4 d",
        "    day: 4",
        'study.yaml:11: experiment.challenge.day: 4 has no unit; write for example "4 d"',
    ),
    "cells without a unit": (
        "cells: 1e6 cells",
        "cells: 1e6",
        'study.yaml:10: experiment.challenge.cells: 1e6 has no unit; write for example "1e6 cells"',
    ),
    "dose is a concentration": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 nM, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: "5 nM" is not a dose per body mass; write for example "5 mg/kg"',
    ),
    "dose in unknown unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mgg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: unknown unit "mgg/kg" in "5 mgg/kg"; write for example "5 mg/kg"',
    ),
    "dose is a percentage": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 %, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: "5 %" is not a dose per body mass; write for example "5 mg/kg"',
    ),
    "interval is a volume": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 mL, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].every: "12 mL" is not a time; write for example "4 d"',
    ),
    "minutes as metres": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 30 m, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].every: "30 m" is not a time; write for example "4 d"; minutes are "min"',
    ),
    "interval in unknown unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 hrz, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].every: unknown unit "hrz" in "12 hrz"; write for example "4 d"',
    ),
    "cells as a dose": (
        "cells: 1e6 cells",
        "cells: 5 mg/kg",
        'study.yaml:10: experiment.challenge.cells: "5 mg/kg" is not a number of cells; write for example "1e6 cells"',
    ),
    "infinite time": (
        "    end: 40 d",
        "    end: 1e999 d",
        'study.yaml:14: experiment.readout.end: 1e999 d is not a finite number; write a quantity such as "4 d"',
    ),
    "exponent tower": (
        "    end: 40 d",
        "    end: 9 d**9**9**9",
        'study.yaml:14: experiment.readout.end: "9 d**9**9**9" is not a quantity; write a number with its unit, such as "4 d"',
    ),
    "negative dose": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: -5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: "-5 mg/kg" is negative; write zero or more',
    ),
    "dose of nothing": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 0 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].dose: "0 mg/kg" is too small; write more than zero',
    ),
    "zero interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 0 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].every: "0 h" is too small; write more than zero',
    ),
    "negative interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: -12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].every: "-12 h" is negative; write more than zero',
    ),
    "dose before the study": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: -1 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].start: "-1 d" is negative; time is counted from day 0',
    ),
    "first dose after the end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 40 d}\n  ly6g:",
        "study.yaml:20: arms.amd3100.treatments[0].start: the first dose is on day 40, but the study ends on day 40; start before it",
    ),
    "last dose after the end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 41 d}\n  ly6g:",
        "study.yaml:20: arms.amd3100.treatments[0].until: doses are given until day 41, but the study ends on day 40; stop by then",
    ),
    "stops before it starts": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 5 d, every: 12 h, until: 4 d}\n  ly6g:",
        "study.yaml:20: arms.amd3100.treatments[0].until: dosing stops on day 4, before its start on day 5; stop later, or start earlier",
    ),
    "repeated dose after the read-out without an end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 12 d, every: 12 h}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0]: the first dose is after the read-out on day 11; say how long with "until"',
    ),
    "until without every": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].until: "until" without "every" is a single dose; add "every", or delete "until"',
    ),
    "antibody by pump": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: anti_sdf1, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d, method: pump}\n  ly6g:",
        "study.yaml:20: arms.amd3100.treatments[0].method: anti_sdf1 cannot be given by pump; write bolus",
    ),
    "pump without an interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d, method: pump}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0]: a pump spreads its dose over an interval; add one, such as "every: 24 h"',
    ),
    "pump that stops at once": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 2 d, every: 12 h, until: 2 d, method: pump}\n  ly6g:",
        "study.yaml:20: arms.amd3100.treatments[0].until: the pump stops when it starts; stop it later",
    ),
    "unknown drug": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3010, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].drug: unknown drug "amd3010"; did you mean "amd3100"?',
    ),
    "unknown method": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d, method: bolos}\n  ly6g:",
        'study.yaml:20: arms.amd3100.treatments[0].method: unknown method "bolos"; did you mean "bolus"?',
    ),
    "too many doses": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 5 min, until: 11 d}\n  ly6g:",
        "study.yaml:19: arms.amd3100.treatments: 3169 doses are too many for one mouse; at most 2000: dose less often, or use a pump",
    ),
    "cells on the day of the read-out": (
        "    day: 4 d",
        "    day: 11 d",
        "study.yaml:11: experiment.challenge.day: the cells are given on day 11, but the read-out is on day 11; give them before it",
    ),
    "cells after the read-out in one arm": (
        "    timp1_vector: none",
        "    timp1_vector: none\n    challenge: {day: 12 d}",
        "study.yaml:30: arms.plain.challenge.day: the cells are given on day 12, but the read-out is on day 11; give them before it",
    ),
    "read-out after the end": (
        "    end: 40 d",
        "    end: 10 d",
        "study.yaml:14: experiment.readout.end: the study ends on day 10, before the read-out on day 11; end later, or read out earlier\nstudy.yaml:20: arms.amd3100.treatments[0].until: doses are given until day 11, but the study ends on day 10; stop by then\nstudy.yaml:23: arms.ly6g.treatments[0].until: doses are given until day 11, but the study ends on day 10; stop by then\nstudy.yaml:26: arms.both.treatments[0].until: doses are given until day 11, but the study ends on day 10; stop by then\nstudy.yaml:27: arms.both.treatments[1].until: doses are given until day 11, but the study ends on day 10; stop by then",
    ),
    "longer than a year": (
        "    end: 40 d",
        "    end: 366 d",
        'study.yaml:14: experiment.readout.end: "366 d" is too large; at most 365 d',
    ),
    "resection without a tumour": (
        "    day: 4 d",
        "    day: 4 d\n    resection: 8 d",
        "study.yaml:12: experiment.challenge.resection: there is no primary tumour to cut out after intravenous cells; write none, or route: primary",
    ),
    "resection before implantation": (
        "    route: intravenous\n    cells: 1e6 cells\n    day: 4 d",
        "    route: primary\n    cells: 1e6 cells\n    day: 4 d\n    resection: 4 d",
        "study.yaml:12: experiment.challenge.resection: the tumour is cut out on day 4, not after its implantation on day 4; cut later",
    ),
    "unknown route": (
        "route: intravenous",
        "route: intraveinous",
        'study.yaml:9: experiment.challenge.route: unknown route "intraveinous"; did you mean "intravenous"?',
    ),
    "vector after the end": (
        "onset: 0 d",
        "onset: 40 d",
        "study.yaml:7: experiment.timp1_vector.onset: the vector starts on day 40, but the study ends on day 40; start it earlier",
    ),
    "lethal below detectable": (
        "    end: 40 d",
        "    end: 40 d\n    lethal: 100 cells",
        "study.yaml:15: experiment.readout.lethal: a lethal burden of 100 cells is not above detectable (65000 cells); write a larger one",
    ),
    "detectable below visible": (
        "    end: 40 d",
        "    end: 40 d\n    detectable: 10 cells",
        "study.yaml:15: experiment.readout.detectable: a metastasis of 10 cells is detected in the living mouse, but one is visible only from 100 cells; detectable must not be smaller",
    ),
    "identical arms": (
        "    timp1_vector: none",
        "    timp1_vector: {fold: 10}",
        'study.yaml:28: arms.plain: arms "high" and "plain" are identical; change one, or delete it',
    ),
    "reference that is no arm": (
        "reference: high",
        "reference: hihg",
        'study.yaml:31: comparisons.reference: there is no arm "hihg"; did you mean "high"?',
    ),
    "arm is its own reference": (
        "  combinations:",
        "  pairs:\n    - {arm: ly6g, reference: ly6g}\n  combinations:",
        'study.yaml:33: comparisons.pairs[0]: arm "ly6g" is its own reference; compare it with another arm',
    ),
    "pair twice": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: ly6g}\n    - {arm: both, reference: ly6g}\n  combinations:",
        'study.yaml:34: comparisons.pairs[1]: the pair "both" against "ly6g" is there twice; delete one',
    ),
    "pair that is made anyway": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: high}\n  combinations:",
        'study.yaml:33: comparisons.pairs[0]: "both" is compared with the reference "high" in any case; delete this pair',
    ),
    "pair of unknown arms": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: plane}\n  combinations:",
        'study.yaml:33: comparisons.pairs[0].reference: there is no arm "plane"; did you mean "plain"?',
    ),
    "combination of one": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100]}",
        "study.yaml:33: comparisons.combinations[0].of: a combination has at least two parts; name the arms that give each part alone",
    ),
    "combination of unknown arms": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100, ly6]}",
        'study.yaml:33: comparisons.combinations[0].of[1]: there is no arm "ly6"; did you mean "ly6g"?',
    ),
    "combination with the reference": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100, high]}",
        'study.yaml:33: comparisons.combinations[0].of[1]: "high" is the reference, so it adds nothing to a combination; delete it',
    ),
    "combination of itself": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [both, ly6g]}",
        'study.yaml:33: comparisons.combinations[0].of[0]: "both" cannot be a part of itself',
    ),
    "combination with a part twice": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [ly6g, ly6g]}",
        'study.yaml:33: comparisons.combinations[0].of[1]: "ly6g" is there twice; delete one',
    ),
    "combination that lacks a part": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: plain, of: [amd3100, ly6g]}",
        'study.yaml:33: comparisons.combinations[0]: arm "plain" is not amd3100 + ly6g together: it lacks amd3100 (5 mg/kg every 12 h, day 0 to 11), lacks anti_ly6g (10 mg/kg every 2 d, day 0 to 11); give it the treatments of its parts\nstudy.yaml:33: comparisons.combinations[0]: arm "plain" is not amd3100 + ly6g together: timp1_vector is another; make it equal to that of its parts',
    ),
    "combination with another dose": (
        "      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain",
        "      - {drug: anti_ly6g, dose: 12 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain",
        'study.yaml:33: comparisons.combinations[0]: arm "both" is not amd3100 + ly6g together: it lacks anti_ly6g (10 mg/kg every 2 d, day 0 to 11), has anti_ly6g (12 mg/kg every 2 d, day 0 to 11) as well; give it the treatments of its parts',
    ),
    "unknown parameter": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_halflife: {fixed: 2 h}",
        'study.yaml:7: cohort.parameters.sdf1_halflife: unknown parameter "sdf1_halflife"; did you mean "sdf1_half_life"?',
    ),
    "unknown distribution": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {loguniform: [1 h, 2 h]}",
        'study.yaml:7: cohort.parameters.sdf1_half_life.loguniform: unknown distribution "loguniform"; did you mean "log_uniform"?',
    ),
    "parameter in a wrong dimension": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {fixed: 2 nM}",
        'study.yaml:7: cohort.parameters.sdf1_half_life.fixed: "2 nM" is not a time; write for example "4 d"',
    ),
    "parameter without a unit": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    timp1_basal: {fixed: 2}",
        'study.yaml:7: cohort.parameters.timp1_basal.fixed: 2 has no unit; write for example "2 nM"',
    ),
    "bounds the wrong way round": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {log_uniform: [6 h, 20 min]}",
        'study.yaml:7: cohort.parameters.sdf1_half_life.log_uniform: "6 h" is not below "20 min"; write the lowest first, or use fixed',
    ),
    "log-uniform from zero": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {log_uniform: [0 h, 2 h]}",
        "study.yaml:7: cohort.parameters.sdf1_half_life.log_uniform[0]: sdf1_half_life must be more than zero",
    ),
    "log-normal without CV": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {log_normal: {median: 2 h}}",
        'study.yaml:7: cohort.parameters.sdf1_half_life.log_normal: missing key "cv"; write for example {log_normal: {median: 2 nM, cv: 0.5}}',
    ),
    "beta of a time": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {beta: {mean: 0.5, size: 3}}",
        "study.yaml:7: cohort.parameters.sdf1_half_life.beta: beta is for shares between 0 and 1, but sdf1_half_life is in d; use log_normal or uniform",
    ),
    "share above one": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    dormancy_probability: {uniform: [0.5, 1.5]}",
        "study.yaml:7: cohort.parameters.dormancy_probability.uniform[1]: dormancy_probability is a share; it must be between 0 and 1",
    ),
    "two distributions": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {fixed: 2 h, uniform: [1 h, 2 h]}",
        "study.yaml:7: cohort.parameters.sdf1_half_life: write one distribution, such as {log_uniform: [0.3 h, 6 h]} or {fixed: 2 nM}",
    ),
    "one bound": (
        "  mice: 20",
        "  mice: 20\n  parameters:\n    sdf1_half_life: {uniform: [1 h]}",
        "study.yaml:7: cohort.parameters.sdf1_half_life.uniform: write the lowest and the highest value, such as {uniform: [1 nM, 2 nM]}",
    ),
    "unknown figure format": (
        "  dpi: 100",
        "  formats: [png, pgn]",
        'study.yaml:35: figures.formats[1]: unknown format "pgn"; did you mean "png"?',
    ),
    "dose fold twice": (
        "  dpi: 100",
        "  dose_folds: [1, 10, 10.0]",
        "study.yaml:35: figures.dose_folds[2]: 10 is there twice; delete one",
    ),
    "no dose fold": (
        "  dpi: 100",
        "  dose_folds: []",
        "study.yaml:35: figures.dose_folds: 0 entries are too few; at least 2",
    ),
    "store outside results": (
        "sqlite:///results/mlflow/mlflow.db",
        "sqlite:////etc/mlflow.db",
        'study.yaml:37: tracking.uri: the SQLite file must be under results/, without ".."; write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of a server',
    ),
    "store climbs out of results": (
        "sqlite:///results/mlflow/mlflow.db",
        "sqlite:///results/../mlflow.db",
        'study.yaml:37: tracking.uri: the SQLite file must be under results/, without ".."; write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of a server',
    ),
    "store is a file URL": (
        "sqlite:///results/mlflow/mlflow.db",
        "file:///tmp/mlruns",
        'study.yaml:37: tracking.uri: "file" is not a kind of store that is supported; write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of a server',
    ),
    "store with a password": (
        "sqlite:///results/mlflow/mlflow.db",
        "https://me:secret@example.org/",
        "study.yaml:37: tracking.uri: a study file is shared and must hold no password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment",
    ),
    "store without a host": (
        "sqlite:///results/mlflow/mlflow.db",
        "http://:5000",
        'study.yaml:37: tracking.uri: "http://:5000" names no server; write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of a server',
    ),
    "tab": (
        "  seed: 7",
        "\tseed: 7",
        "study.yaml:3: not valid YAML: indent with spaces; a tab is not allowed here",
    ),
    "bracket never closed": (
        "{fold: 10, onset: 0 d}",
        "{fold: 10, onset: 0 d",
        "study.yaml:7: not valid YAML: a bracket or brace that is never closed, or a comma that is missing",
    ),
    "quotation mark never closed": (
        "name: small",
        'name: "small',
        "study.yaml:2: not valid YAML: a quotation mark that is never closed",
    ),
    "two colons": (
        "name: small",
        "name: small: one",
        'study.yaml:2: not valid YAML: a second ": " on this line, or wrong indentation; put text with a colon in quotes',
    ),
    "alias": (
        "    label: TIMP-1 high",
        "    label: &x TIMP-1 high",
        'study.yaml:17: YAML anchors and aliases (& and *) are not used in study files; what all arms share belongs under "experiment"',
    ),
    "tag": (
        "name: small",
        "name: !!python/object/apply:os.system [ls]",
        "study.yaml:2: YAML tags (words with !) are not used in study files; delete the tag, or put the text in quotes",
    ),
    "merge of two documents": (
        "cohort:",
        "---\ncohort:",
        "study.yaml:4: not valid YAML: a second document starts here; a study file has only one, delete the ---",
    ),
    "control character": (
        "name: small",
        "name: sm\x07all",
        "study.yaml:2: the character U+0007 is not allowed in YAML; delete it",
    ),
}
"""What is wrong -> (text in SOUND, text instead of it, message)."""

WHOLE: dict[str, tuple[str, str]] = {
    "no arms": (
        "study:\n  name: small\n  seed: 7\ncohort:\n  mice: 20\nexperiment:\n  timp1_vector: {fold: 10, onset: 0 d}\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4 d\n  readout:\n    day: 11 d\n    end: 40 d\narms: {}\ncomparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        "study.yaml:15: arms: is empty; write at least one arm, such as untreated: {timp1_vector: none}",
    ),
    "vector patch on none lacks the fold": (
        "study:\n  name: small\n  seed: 7\ncohort:\n  mice: 20\nexperiment:\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4 d\n  readout:\n    day: 11 d\n    end: 40 d\narms:\n  high:\n    label: TIMP-1 high\n  amd3100:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:\n    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain:\n    timp1_vector: {onset: 1 d}\ncomparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        'study.yaml:28: arms.plain.timp1_vector: missing key "fold": Plasma TIMP-1 with the vector, as a multiple of the basal level',
    ),
    "three errors": (
        "study:\n  name: small\n  seed: x\ncohort:\n  mise: 20\nexperiment:\n  timp1_vector: {fold: 10, onset: 0 d}\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4\n  readout:\n    day: 11 d\n    end: 40 d\narms:\n  high:\n    label: TIMP-1 high\n  amd3100:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:\n    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain:\n    timp1_vector: none\ncomparisons:\n  reference: hi\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        'study.yaml:3: study.seed: "x" is not a whole number; write one without a unit, at least 0\nstudy.yaml:5: cohort.mise: unknown key "mise"; did you mean "mice"?\nstudy.yaml:11: experiment.challenge.day: 4 has no unit; write for example "4 d"\nstudy.yaml:31: comparisons.reference: there is no arm "hi"; did you mean "high"?',
    ),
    "empty file": (
        "",
        'study.yaml: the file is empty; a study needs at least "study", "experiment" and "arms"',
    ),
    "only comments": (
        "# nothing\n",
        'study.yaml: the file is empty; a study needs at least "study", "experiment" and "arms"',
    ),
    "a list": (
        "- a\n- b\n",
        'study.yaml:1: the file is a list; it must be keys with values, such as "study:" and "arms:"',
    ),
    "one word": (
        "study\n",
        'study.yaml:1: the file is one value; it must be keys with values, such as "study:" and "arms:"',
    ),
    "brackets without end": (
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "study.yaml:1: nested more than 20 deep; check the brackets",
    ),
    "nested too deep": (
        "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
        "study.yaml:1: nested more than 20 deep; check the brackets",
    ),
    "a key that is a list": (
        "[a, b]: 1\n",
        "study.yaml:1: a key must be one word",
    ),
    "a long way from a study": (
        "study: 5\nexperiment: none\narms: [a, b]\ncomparisons: high\n",
        'study.yaml:1: study: 5 is not right here; write keys with values here (name, title, question, seed)\nstudy.yaml:2: experiment: "none" is not right here; write keys with values here (host, timp1_vector, challenge, treatments, readout)\nstudy.yaml:3: arms: a list is not right here; write at least one arm, such as untreated: {timp1_vector: none}\nstudy.yaml:4: comparisons: "high" is not right here; write keys with values here (reference, pairs, combinations, responder, interval, resamples, inspections)',
    ),
}
"""What is wrong -> (whole text, message)."""
