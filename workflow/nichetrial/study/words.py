"""A study in words: what is done to the mice of each arm, in the order in which it happens."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS
from nichetrial.study.assemble import Assembled
from nichetrial.study.checks import on_day
from nichetrial.study.resolved import (
    GENES,
    POPULATIONS,
    Arm,
    Distribution,
    Host,
    ResolvedStudy,
    Treatment,
)
from nichetrial.study.units import pretty

__all__ = ["Happening", "explain", "happenings", "summary"]

WIDTH = 100


@dataclass(frozen=True)
class Happening:
    """One thing done to a mouse, once or over a time."""

    start: float
    """Day; below zero for what holds all the time."""
    when: str
    what: str


def happenings(arm: Arm) -> list[Happening]:
    """All that is done in an arm, in order; the doses of one treatment are one happening."""
    challenge, readout = arm.challenge, arm.readout
    found = [
        Happening(-1.0, "always", f"{name} {_expression(getattr(arm.host, gene))}")
        for gene, name in GENES.items()
        if getattr(arm.host, gene) != getattr(Host(), gene)
    ]
    if arm.vector is not None:
        found.append(
            Happening(
                arm.vector.onset,
                on_day(arm.vector.onset),
                f"TIMP-1 vector: plasma TIMP-1 rises to {pretty(arm.vector.fold)} times basal",
            )
        )
    cells = pretty(challenge.cells)
    what = {
        "intravenous": f"{cells} tumour cells into the blood",
        "primary": f"{cells} tumour cells grow a primary tumour, which sheds cells",
    }[challenge.route]
    found.append(Happening(challenge.day, on_day(challenge.day), what))
    if challenge.resection is not None:
        cut = challenge.resection
        found.append(Happening(cut, on_day(cut), "the primary tumour is cut out"))
    found += [_treated(treatment) for treatment in arm.treatments]
    found.append(
        Happening(
            readout.day,
            on_day(readout.day),
            f"read-out: foci of {pretty(readout.visible_cells)} cells or more are counted",
        )
    )
    found.append(
        Happening(
            readout.end,
            on_day(readout.end),
            f"the study ends for mice left alive (metastasis detected from "
            f"{pretty(readout.detectable_cells)} cells, death at {pretty(readout.lethal_cells)})",
        )
    )
    return sorted(found, key=lambda h: h.start)  # stable: the order above within a day


def _treated(treatment: Treatment) -> Happening:
    drug = DRUGS[treatment.drug]
    dose = treatment.written.partition(",")[0]
    doses = treatment.doses()
    if treatment.method == "pump":
        when = f"{on_day(treatment.start)} to {on_day(treatment.until).removeprefix('day ')}"
        how = f"{dose}, without a break"
    elif len(doses) == 1:
        when, how = on_day(doses[0]), f"{dose.partition(' on day ')[0]}: 1 dose"
    else:
        when = f"{on_day(doses[0])} to {on_day(doses[-1]).removeprefix('day ')}"
        how = f"{dose}: {len(doses)} doses"
    return Happening(treatment.start, when, f"{drug.label}, {how}; {drug.blocks}")


def _expression(value: float) -> str:
    return "knocked out" if value == 0 else f"expressed {pretty(value)} times the wild type"


def summary(study: ResolvedStudy) -> str:
    """One line: ``study seubert2015: 10 arms, 250 particles, 2000 mice, 101 doses``."""
    doses = sum(len(t.doses()) for arm in study.arms for t in arm.treatments)
    return (
        f"study {study.name}: {_count(len(study.arms), 'arm')}, "
        f"{_count(study.cohort.particles, 'particle')}, "
        f"{_count(study.cohort.mice, 'mouse', 'mice')}, {_count(doses, 'dose')}"
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def explain(assembled: Assembled) -> str:
    """The whole study in words.

    In an arm, ``+`` marks what only this arm has, ``-`` what the experiment has and it has not.
    """
    study, base = assembled.study, happenings(assembled.experiment)
    lines = [f"{study.name}: {study.title}"]
    if study.question:
        lines += textwrap.wrap(study.question, WIDTH, initial_indent="  ", subsequent_indent="  ")
    cohort = study.cohort
    lines += [
        "",
        f"{_count(cohort.particles, 'particle')} (possible biologies), each with "
        f"{_count(cohort.mice_per_particle, 'virtual mouse', 'virtual mice')}, seed {study.seed}, "
        f"in {_count(len(study.chunks()), 'chunk')};",
        "every mouse goes through every arm.",
        POPULATIONS[cohort.population],
    ]
    for name, prior in cohort.overrides.items():
        lines.append(
            f"  {name}: {_prior(prior, PARAMETERS[name].unit)}{_between(prior)} "
            f"(in the model: {PARAMETERS[name].written})"
        )
    lines += ["", "The experiment", *_table([("  ", h) for h in base])]
    for number, arm in enumerate(study.arms, 1):
        role = ", the reference" if arm.name == study.comparisons.reference else ""
        label = "" if arm.label == arm.name else f" ({arm.label})"
        lines += ["", f"Arm {number} of {len(study.arms)}: {arm.name}{label}{role}"]
        lines += _arm(happenings(arm), base)
    return "\n".join([*lines, "", *_compared(study)]) + "\n"


def _arm(own: list[Happening], base: list[Happening]) -> list[str]:
    if own == base:
        return ["    as the experiment"]
    rows = [("+ " if h not in base else "  ", h) for h in own]
    rows += [("- ", h) for h in base if h not in own]
    rows.sort(key=lambda row: (row[1].start, row[0] == "+ "))
    return _table(rows)


def _table(rows: list[tuple[str, Happening]]) -> list[str]:
    width = max(len(h.when) for _, h in rows) + 2
    lines = []
    for mark, happening in rows:
        start = f"  {mark}{happening.when:<{width}}"
        lines += textwrap.wrap(
            happening.what, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)
        )
    return lines


def _prior(prior: Distribution, unit: str) -> str:
    def shown(value: float) -> str:
        return f"{value:.4g}{'' if unit in {'', '1'} else f' {unit}'}"

    return {
        "fixed": f"fixed at {shown(prior.a)}",
        "uniform": f"uniform, {shown(prior.a)} to {shown(prior.b)}",
        "log_uniform": f"log-uniform, {shown(prior.a)} to {shown(prior.b)}",
        "log_normal": f"log-normal, median {shown(prior.a)}, CV {prior.b:.4g}",
        "beta": f"beta, mean {prior.a:.4g}, sample size {prior.b:.4g}",
    }[prior.kind]


def _between(prior: Distribution) -> str:
    return f", CV {prior.between_mice:.4g} between mice" if prior.between_mice else ""


def _compared(study: ResolvedStudy) -> list[str]:
    comparisons = study.comparisons
    lines = [f"Every other arm is compared with {comparisons.reference}."]
    lines += [
        f"{pair.arm} is also compared with {pair.reference}."
        for pair in comparisons.pairs
        if pair.reference != comparisons.reference
    ]
    lines += [
        f"{item.arm} is judged against {' + '.join(item.of)} (Bliss and HSA)."
        for item in comparisons.combinations
    ]
    lines += [
        f"The effect of {item.effect.arm} over {item.effect.reference} is compared with that of "
        f"{item.against.arm} over {item.against.reference}."
        for item in comparisons.interactions
    ]
    folds = study.figures.dose_folds
    lines.append(
        f"Dose curve: TIMP-1 from {pretty(folds[0])} to {pretty(folds[-1])} times basal, "
        f"{len(folds)} levels, no treatment, {_count(study.figures.dose_particles, 'particle')}."
    )
    return lines
