"""Study files that are wrong, each with the code and the place of every message that it must get.

An entry changes one thing in ``SOUND``; ``NT006 study.yaml:22: arms.a`` is a code and its place.
"""
# ruff: noqa: E501 (texts of study files)

from __future__ import annotations

__all__ = ["BROKEN", "SOUND", "WHOLE"]

SOUND = """\
study:
  name: small
  seed: 7
cohort:
  particles: 60
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
        "NT006 study.yaml:22: arms.ly6g.treatmnets",
    ),
    "misspelt section": ("cohort:", "cohrt:", "NT006 study.yaml:4: cohrt"),
    "unknown section": ("cohort:\n", "zzz:\n", "NT006 study.yaml:4: zzz"),
    "misspelt key of a treatment": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d, evry: 12 h}\n  ly6g:",
        "NT006 study.yaml:20: arms.amd3100.treatments[0].evry",
    ),
    "missing key": ("    route: intravenous\n", "", "NT007 study.yaml:8: experiment.challenge"),
    "missing section": (
        "comparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\n",
        "",
        "NT007 study.yaml:1",
    ),
    "duplicate arm": ("  plain:", "  amd3100:", "NT005 study.yaml:28: arms.amd3100"),
    "duplicate key": (
        "    day: 11 d",
        "    day: 11 d\n    day: 12 d",
        "NT005 study.yaml:14: experiment.readout.day",
    ),
    "section is a list": (
        "  timp1_vector: {fold: 10, onset: 0 d}\n",
        "  timp1_vector: [10, 0 d]\n",
        "NT008 study.yaml:7: experiment.timp1_vector",
    ),
    "section is empty": ("cohort:\n  particles: 60\n", "cohort:\n", "NT009 study.yaml:4: cohort"),
    "treatments not a list": (
        "    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:",
        "    treatments: {drug: anti_ly6g}\n  both:",
        "NT008 study.yaml:22: arms.ly6g.treatments",
    ),
    "vector left empty": (
        "    timp1_vector: none",
        "    timp1_vector:",
        "NT009 study.yaml:29: arms.plain.timp1_vector",
    ),
    "study name leaves the folder": (
        "name: small",
        "name: ../small",
        "NT013 study.yaml:2: study.name",
    ),
    "study name is a number": ("name: small", "name: 2015", "NT008 study.yaml:2: study.name"),
    "study name is reserved": ("name: small", "name: mlflow", "NT013 study.yaml:2: study.name"),
    "study name too long": (
        "name: small",
        "name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "NT013 study.yaml:2: study.name",
    ),
    "arm name with capitals": ("  plain:", "  Plain Arm:", "NT013 study.yaml:28: arms.Plain Arm"),
    "arm name is reserved": ("  plain:", "  dose_10:", "NT013 study.yaml:28: arms.dose_10"),
    "arm name with a slash": ("  plain:", "  ../plain:", "NT013 study.yaml:28: arms.../plain"),
    "same label twice": (
        "    timp1_vector: none",
        "    timp1_vector: none\n    label: TIMP-1 high",
        "NT022 study.yaml:30: arms.plain.label",
    ),
    "label is a number": (
        "label: TIMP-1 high",
        "label: 12",
        "NT008 study.yaml:17: arms.high.label",
    ),
    "seed is negative": ("seed: 7", "seed: -7", "NT011 study.yaml:3: study.seed"),
    "seed is too large": ("seed: 7", "seed: 9223372036854775808", "NT011 study.yaml:3: study.seed"),
    "no particles": ("particles: 60", "particles: 0", "NT011 study.yaml:5: cohort.particles"),
    "too many particles": (
        "particles: 60",
        "particles: 262145",
        "NT011 study.yaml:5: cohort.particles",
    ),
    "particles are not whole": (
        "particles: 60",
        "particles: 60.5",
        "NT008 study.yaml:5: cohort.particles",
    ),
    "particles with a unit": (
        "particles: 60",
        "particles: 60 mice",
        "NT008 study.yaml:5: cohort.particles",
    ),
    "the mice of the first edition": (
        "particles: 60",
        "mice: 1000",
        "NT006 study.yaml:5: cohort.mice",
    ),
    "no spread between mice": (
        "particles: 60",
        "particles: 60\n  parameters:\n    timp1_basal: {fixed: 2 nM, between_mice: 0}",
        "NT011 study.yaml:7: cohort.parameters.timp1_basal.between_mice",
    ),
    "a spread and no distribution": (
        "particles: 60",
        "particles: 60\n  parameters:\n    timp1_basal: {between_mice: 0.2}",
        "NT024 study.yaml:7: cohort.parameters.timp1_basal",
    ),
    "no mice of a particle": (
        "particles: 60",
        "particles: 60\n  mice_per_particle: 0",
        "NT011 study.yaml:6: cohort.mice_per_particle",
    ),
    "too many mice of a particle": (
        "particles: 60",
        "particles: 60\n  mice_per_particle: 16385",
        "NT011 study.yaml:6: cohort.mice_per_particle",
    ),
    "no mice in a chunk": (
        "particles: 60",
        "particles: 60\n  chunk: 0",
        "NT011 study.yaml:6: cohort.chunk",
    ),
    "too many chunks": (
        "particles: 60",
        "particles: 262144\n  chunk: 1",
        "NT019 study.yaml:6: cohort.chunk",
    ),
    "fold is NaN": ("fold: 10", "fold: .nan", "NT011 study.yaml:7: experiment.timp1_vector.fold"),
    "fold is infinite": (
        "fold: 10",
        "fold: .inf",
        "NT011 study.yaml:7: experiment.timp1_vector.fold",
    ),
    "fold is zero": ("fold: 10", "fold: 0", "NT011 study.yaml:7: experiment.timp1_vector.fold"),
    "fold is text": ("fold: 10", "fold: ten", "NT008 study.yaml:7: experiment.timp1_vector.fold"),
    "yes is text in YAML 1.2": ("dpi: 100", "dpi: yes", "NT008 study.yaml:35: figures.dpi"),
    "true is no number": ("dpi: 100", "dpi: true", "NT008 study.yaml:35: figures.dpi"),
    "gene expression below zero": (
        "  timp1_vector: {fold",
        "  host: {cd63: -1}\n  timp1_vector: {fold",
        "NT011 study.yaml:7: experiment.host.cd63",
    ),
    "responder share of one": (
        "  reference: high",
        "  reference: high\n  responder: 1",
        "NT011 study.yaml:32: comparisons.responder",
    ),
    "dose without a unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "time without a unit": (
        "    day: 4 d",
        "    day: 4",
        "NT012 study.yaml:11: experiment.challenge.day",
    ),
    "cells without a unit": (
        "cells: 1e6 cells",
        "cells: 1e6",
        "NT012 study.yaml:10: experiment.challenge.cells",
    ),
    "dose is a concentration": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 nM, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "dose in unknown unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mgg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "dose is a percentage": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 %, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "interval is a volume": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 mL, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].every",
    ),
    "minutes as metres": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 30 m, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].every",
    ),
    "interval in unknown unit": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 hrz, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].every",
    ),
    "cells as a dose": (
        "cells: 1e6 cells",
        "cells: 5 mg/kg",
        "NT012 study.yaml:10: experiment.challenge.cells",
    ),
    "infinite time": (
        "    end: 40 d",
        "    end: 1e999 d",
        "NT012 study.yaml:14: experiment.readout.end",
    ),
    "exponent tower": (
        "    end: 40 d",
        "    end: 9 d**9**9**9",
        "NT012 study.yaml:14: experiment.readout.end",
    ),
    "negative dose": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: -5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "dose of nothing": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 0 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT011 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "zero interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 0 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].every",
    ),
    "negative interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: -12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].every",
    ),
    "dose before the study": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: -1 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT012 study.yaml:20: arms.amd3100.treatments[0].start",
    ),
    "first dose after the end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 40 d}\n  ly6g:",
        "NT018 study.yaml:20: arms.amd3100.treatments[0].start",
    ),
    "last dose after the end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 41 d}\n  ly6g:",
        "NT018 study.yaml:20: arms.amd3100.treatments[0].until",
    ),
    "stops before it starts": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 5 d, every: 12 h, until: 4 d}\n  ly6g:",
        "NT018 study.yaml:20: arms.amd3100.treatments[0].until",
    ),
    "repeated dose after the read-out without an end": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 12 d, every: 12 h}\n  ly6g:",
        "NT018 study.yaml:20: arms.amd3100.treatments[0]",
    ),
    "until without every": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d}\n  ly6g:",
        "NT019 study.yaml:20: arms.amd3100.treatments[0].until",
    ),
    "antibody by pump": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: anti_sdf1, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d, method: pump}\n  ly6g:",
        "NT010 study.yaml:20: arms.amd3100.treatments[0].method",
    ),
    "pump without an interval": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, until: 11 d, method: pump}\n  ly6g:",
        "NT019 study.yaml:20: arms.amd3100.treatments[0]",
    ),
    "pump that stops at once": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 2 d, every: 12 h, until: 2 d, method: pump}\n  ly6g:",
        "NT019 study.yaml:20: arms.amd3100.treatments[0].until",
    ),
    "unknown drug": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3010, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT010 study.yaml:20: arms.amd3100.treatments[0].drug",
    ),
    "unknown method": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d, method: bolos}\n  ly6g:",
        "NT010 study.yaml:20: arms.amd3100.treatments[0].method",
    ),
    "too many doses": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 5 min, until: 11 d}\n  ly6g:",
        "NT016 study.yaml:19: arms.amd3100.treatments",
    ),
    "cells on the day of the read-out": (
        "    day: 4 d",
        "    day: 11 d",
        "NT018 study.yaml:11: experiment.challenge.day",
    ),
    "cells after the read-out in one arm": (
        "    timp1_vector: none",
        "    timp1_vector: none\n    challenge: {day: 12 d}",
        "NT018 study.yaml:30: arms.plain.challenge.day",
    ),
    "read-out after the end": (
        "    end: 40 d",
        "    end: 10 d",
        "NT018 study.yaml:14: experiment.readout.end\nNT018 study.yaml:20: arms.amd3100.treatments[0].until\nNT018 study.yaml:23: arms.ly6g.treatments[0].until\nNT018 study.yaml:26: arms.both.treatments[0].until\nNT018 study.yaml:27: arms.both.treatments[1].until",
    ),
    "longer than a year": (
        "    end: 40 d",
        "    end: 366 d",
        "NT012 study.yaml:14: experiment.readout.end",
    ),
    "resection without a tumour": (
        "    day: 4 d",
        "    day: 4 d\n    resection: 8 d",
        "NT018 study.yaml:12: experiment.challenge.resection",
    ),
    "resection before implantation": (
        "    route: intravenous\n    cells: 1e6 cells\n    day: 4 d",
        "    route: primary\n    cells: 1e6 cells\n    day: 4 d\n    resection: 4 d",
        "NT018 study.yaml:12: experiment.challenge.resection",
    ),
    "unknown route": (
        "route: intravenous",
        "route: intraveinous",
        "NT010 study.yaml:9: experiment.challenge.route",
    ),
    "vector after the end": (
        "onset: 0 d",
        "onset: 40 d",
        "NT018 study.yaml:7: experiment.timp1_vector.onset",
    ),
    "lethal below detectable": (
        "    end: 40 d",
        "    end: 40 d\n    lethal: 60000 cells",
        "NT018 study.yaml:15: experiment.readout.lethal",
    ),
    "detectable below visible": (
        "    end: 40 d",
        "    end: 40 d\n    detectable: 10 cells",
        "NT018 study.yaml:15: experiment.readout.detectable",
    ),
    "identical arms": (
        "    timp1_vector: none",
        "    timp1_vector: {fold: 10}",
        "NT022 study.yaml:28: arms.plain",
    ),
    "reference that is no arm": (
        "reference: high",
        "reference: hihg",
        "NT015 study.yaml:31: comparisons.reference",
    ),
    "an effect over itself": (
        "  reference: high\n",
        "  reference: high\n  interactions:\n"
        "    - effect: {arm: both, reference: ly6g}\n"
        "      against: {arm: both, reference: ly6g}\n",
        "NT020 study.yaml:33: comparisons.interactions[0]",
    ),
    "an arm against itself in an effect": (
        "  reference: high\n",
        "  reference: high\n  interactions:\n"
        "    - effect: {arm: both, reference: both}\n"
        "      against: {arm: amd3100, reference: plain}\n",
        "NT020 study.yaml:33: comparisons.interactions[0]",
    ),
    "an effect of an unknown arm": (
        "  reference: high\n",
        "  reference: high\n  interactions:\n"
        "    - effect: {arm: both, reference: lyg6}\n"
        "      against: {arm: amd3100, reference: plain}\n",
        "NT015 study.yaml:33: comparisons.interactions[0].effect.reference",
    ),
    "arm is its own reference": (
        "  combinations:",
        "  pairs:\n    - {arm: ly6g, reference: ly6g}\n  combinations:",
        "NT020 study.yaml:33: comparisons.pairs[0]",
    ),
    "pair twice": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: ly6g}\n    - {arm: both, reference: ly6g}\n  combinations:",
        "NT014 study.yaml:34: comparisons.pairs[1]",
    ),
    "pair that is made anyway": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: high}\n  combinations:",
        "NT020 study.yaml:33: comparisons.pairs[0]",
    ),
    "pair twice, the other way round": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: ly6g}\n    - {arm: ly6g, reference: both}\n  combinations:",
        "NT014 study.yaml:34: comparisons.pairs[1]",
    ),
    "reference against an arm": (
        "  combinations:",
        "  pairs:\n    - {arm: high, reference: both}\n  combinations:",
        "NT020 study.yaml:33: comparisons.pairs[0]",
    ),
    "pair of unknown arms": (
        "  combinations:",
        "  pairs:\n    - {arm: both, reference: plane}\n  combinations:",
        "NT015 study.yaml:33: comparisons.pairs[0].reference",
    ),
    "combination of one": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100]}",
        "NT017 study.yaml:33: comparisons.combinations[0].of",
    ),
    "combination of unknown arms": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100, ly6]}",
        "NT015 study.yaml:33: comparisons.combinations[0].of[1]",
    ),
    "combination with the reference": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [amd3100, high]}",
        "NT020 study.yaml:33: comparisons.combinations[0].of[1]",
    ),
    "combination of itself": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [both, ly6g]}",
        "NT020 study.yaml:33: comparisons.combinations[0].of[0]",
    ),
    "combination with a part twice": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: both, of: [ly6g, ly6g]}",
        "NT014 study.yaml:33: comparisons.combinations[0].of[1]",
    ),
    "combination that lacks a part": (
        "    - {arm: both, of: [amd3100, ly6g]}",
        "    - {arm: plain, of: [amd3100, ly6g]}",
        "NT021 study.yaml:33: comparisons.combinations[0]\nNT021 study.yaml:33: comparisons.combinations[0]",
    ),
    "combination with another dose": (
        "      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain",
        "      - {drug: anti_ly6g, dose: 12 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain",
        "NT021 study.yaml:33: comparisons.combinations[0]",
    ),
    "unknown parameter": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_halflife: {fixed: 2 h}",
        "NT010 study.yaml:7: cohort.parameters.sdf1_halflife",
    ),
    "unknown distribution": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {loguniform: [1 h, 2 h]}",
        "NT010 study.yaml:7: cohort.parameters.sdf1_half_life.loguniform",
    ),
    "parameter in a wrong dimension": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {fixed: 2 nM}",
        "NT012 study.yaml:7: cohort.parameters.sdf1_half_life.fixed",
    ),
    "parameter without a unit": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    timp1_basal: {fixed: 2}",
        "NT012 study.yaml:7: cohort.parameters.timp1_basal.fixed",
    ),
    "bounds the wrong way round": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {log_uniform: [6 h, 20 min]}",
        "NT024 study.yaml:7: cohort.parameters.sdf1_half_life.log_uniform",
    ),
    "log-uniform from zero": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {log_uniform: [0 h, 2 h]}",
        "NT011 study.yaml:7: cohort.parameters.sdf1_half_life.log_uniform[0]",
    ),
    "log-normal without CV": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {log_normal: {median: 2 h}}",
        "NT007 study.yaml:7: cohort.parameters.sdf1_half_life.log_normal",
    ),
    "beta of a time": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {beta: {mean: 0.5, size: 3}}",
        "NT024 study.yaml:7: cohort.parameters.sdf1_half_life.beta",
    ),
    "share above one": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    dormancy_probability: {uniform: [0.5, 1.5]}",
        "NT011 study.yaml:7: cohort.parameters.dormancy_probability.uniform[1]",
    ),
    "two distributions": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {fixed: 2 h, uniform: [1 h, 2 h]}",
        "NT024 study.yaml:7: cohort.parameters.sdf1_half_life",
    ),
    "one bound": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {uniform: [1 h]}",
        "NT024 study.yaml:7: cohort.parameters.sdf1_half_life.uniform",
    ),
    "parameter below its physical range": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    niche_steepness: {fixed: 1e-300}",
        "NT011 study.yaml:7: cohort.parameters.niche_steepness.fixed",
    ),
    "parameter above its physical range": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    sdf1_half_life: {log_uniform: [1 h, 1e300 h]}",
        "NT011 study.yaml:7: cohort.parameters.sdf1_half_life.log_uniform[1]",
    ),
    "median outside the physical range": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    timp1_basal: {log_normal: {median: 1 M, cv: 0.3}}",
        "NT011 study.yaml:7: cohort.parameters.timp1_basal.log_normal.median",
    ),
    "beta of next to nothing": (
        "  particles: 60",
        "  particles: 60\n  parameters:\n    arrest_probability: {beta: {mean: 0.5, size: 1e-300}}",
        "NT011 study.yaml:7: cohort.parameters.arrest_probability.beta.size",
    ),
    "foci of one cell": (
        "    day: 11 d",
        "    day: 11 d\n    visible: 1 cell",
        "NT012 study.yaml:14: experiment.readout.visible",
    ),
    "a moment that is not zero": (
        "    day: 4 d",
        "    day: day 1e-300",
        "NT012 study.yaml:11: experiment.challenge.day",
    ),
    "molar dose that no mouse survives": (
        "      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "      - {drug: amd3100, dose: 1 mol/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:",
        "NT011 study.yaml:20: arms.amd3100.treatments[0].dose",
    ),
    "unknown figure format": (
        "  dpi: 100",
        "  formats: [png, pgn]",
        "NT010 study.yaml:35: figures.formats[1]",
    ),
    "dose fold twice": (
        "  dpi: 100",
        "  dose_folds: [1, 10, 10.0]",
        "NT014 study.yaml:35: figures.dose_folds[2]",
    ),
    "no dose fold": ("  dpi: 100", "  dose_folds: []", "NT017 study.yaml:35: figures.dose_folds"),
    "store outside results": (
        "sqlite:///results/mlflow/mlflow.db",
        "sqlite:////etc/mlflow.db",
        "NT030 study.yaml:37: tracking.uri",
    ),
    "store climbs out of results": (
        "sqlite:///results/mlflow/mlflow.db",
        "sqlite:///results/../mlflow.db",
        "NT030 study.yaml:37: tracking.uri",
    ),
    "store is a file URL": (
        "sqlite:///results/mlflow/mlflow.db",
        "file:///tmp/mlruns",
        "NT030 study.yaml:37: tracking.uri",
    ),
    "store with a password": (
        "sqlite:///results/mlflow/mlflow.db",
        "https://me:secret@example.org/",
        "NT031 study.yaml:37: tracking.uri",
    ),
    "store without a host": (
        "sqlite:///results/mlflow/mlflow.db",
        "http://:5000",
        "NT030 study.yaml:37: tracking.uri",
    ),
    "tab": ("  seed: 7", "\tseed: 7", "NT003 study.yaml:3"),
    "bracket never closed": (
        "{fold: 10, onset: 0 d}",
        "{fold: 10, onset: 0 d",
        "NT003 study.yaml:7",
    ),
    "quotation mark never closed": ("name: small", 'name: "small', "NT003 study.yaml:2"),
    "two colons": ("name: small", "name: small: one", "NT003 study.yaml:2"),
    "alias": ("    label: TIMP-1 high", "    label: &x TIMP-1 high", "NT003 study.yaml:17"),
    "tag": ("name: small", "name: !!python/object/apply:os.system [ls]", "NT003 study.yaml:2"),
    "merge of two documents": ("cohort:", "---\ncohort:", "NT003 study.yaml:4"),
    "control character": ("name: small", "name: sm\x07all", "NT003 study.yaml:2"),
}
"""What is wrong -> (text in SOUND, text instead of it, message)."""

WHOLE: dict[str, tuple[str, str]] = {
    "no arms": (
        "study:\n  name: small\n  seed: 7\ncohort:\n  particles: 60\nexperiment:\n  timp1_vector: {fold: 10, onset: 0 d}\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4 d\n  readout:\n    day: 11 d\n    end: 40 d\narms: {}\ncomparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        "NT017 study.yaml:15: arms",
    ),
    "vector patch on none lacks the fold": (
        "study:\n  name: small\n  seed: 7\ncohort:\n  particles: 60\nexperiment:\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4 d\n  readout:\n    day: 11 d\n    end: 40 d\narms:\n  high:\n    label: TIMP-1 high\n  amd3100:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:\n    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain:\n    timp1_vector: {onset: 1 d}\ncomparisons:\n  reference: high\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        "NT007 study.yaml:28: arms.plain.timp1_vector",
    ),
    "three errors": (
        "study:\n  name: small\n  seed: x\ncohort:\n  mise: 20\nexperiment:\n  timp1_vector: {fold: 10, onset: 0 d}\n  challenge:\n    route: intravenous\n    cells: 1e6 cells\n    day: 4\n  readout:\n    day: 11 d\n    end: 40 d\narms:\n  high:\n    label: TIMP-1 high\n  amd3100:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n  ly6g:\n    treatments:\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  both:\n    treatments:\n      - {drug: amd3100, dose: 5 mg/kg, start: 0 d, every: 12 h, until: 11 d}\n      - {drug: anti_ly6g, dose: 10 mg/kg, start: 0 d, every: 2 d, until: 11 d}\n  plain:\n    timp1_vector: none\ncomparisons:\n  reference: hi\n  combinations:\n    - {arm: both, of: [amd3100, ly6g]}\nfigures:\n  dpi: 100\ntracking:\n  uri: sqlite:///results/mlflow/mlflow.db\n",
        "NT008 study.yaml:3: study.seed\nNT006 study.yaml:5: cohort.mise\nNT012 study.yaml:11: experiment.challenge.day\nNT015 study.yaml:31: comparisons.reference",
    ),
    "empty file": ("", "NT004 study.yaml"),
    "only comments": ("# nothing\n", "NT004 study.yaml"),
    "a list": ("- a\n- b\n", "NT004 study.yaml:1"),
    "one word": ("study\n", "NT004 study.yaml:1"),
    "brackets without end": (
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "NT003 study.yaml:1",
    ),
    "nested too deep": (
        "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
        "NT003 study.yaml:1",
    ),
    "a key that is a list": ("[a, b]: 1\n", "NT003 study.yaml:1"),
    "a long way from a study": (
        "study: 5\nexperiment: none\narms: [a, b]\ncomparisons: high\n",
        "NT008 study.yaml:1: study\nNT008 study.yaml:2: experiment\nNT017 study.yaml:3: arms\nNT008 study.yaml:4: comparisons",
    ),
}
"""What is wrong -> (whole text, codes and places)."""
