"""Comparisons that mean nothing: unknown arms, an arm against itself, twins, false combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nichetrial import codes
from nichetrial.study.kinds import did_you_mean
from nichetrial.study.language import ComparisonSection
from nichetrial.study.resolved import Arm, Treatment
from nichetrial.study.source import DocumentPath, Problem

__all__ = ["check_arms", "check_combinations", "check_comparisons", "check_inspections", "contents"]


def check_comparisons(comparisons: ComparisonSection, names: Sequence[str]) -> list[Problem]:
    """Arms that are not there, an arm against itself, pairs twice; ``names`` are all arms."""
    problems: list[Problem] = []

    def known(name: str, *path: str | int) -> bool:
        if name not in names:
            problems.append(
                Problem(
                    ("comparisons", *path),
                    codes.NO_SUCH_ARM,
                    f'there is no arm "{name}"{did_you_mean(name, names)}',
                )
            )
        return name in names

    known(comparisons.reference, "reference")
    seen: list[set[str]] = []
    for i, pair in enumerate(comparisons.pairs):
        known(pair.arm, "pairs", i, "arm")
        known(pair.reference, "pairs", i, "reference")
        here: DocumentPath = ("comparisons", "pairs", i)
        if pair.arm == pair.reference:
            problems.append(
                Problem(
                    here,
                    codes.POINTLESS,
                    f'arm "{pair.arm}" is its own reference; compare it with another arm',
                )
            )
        elif {pair.arm, pair.reference} in seen:  # the mirror image is the same comparison
            problems.append(
                Problem(
                    here,
                    codes.TWICE,
                    f'"{pair.arm}" and "{pair.reference}" are compared twice; delete one pair',
                )
            )
        elif comparisons.reference in (pair.arm, pair.reference):
            problems.append(
                Problem(
                    here,
                    codes.POINTLESS,
                    f'"{pair.arm}" and "{pair.reference}" are compared in any case, because one of '
                    "them is the reference; delete this pair",
                )
            )
        seen.append({pair.arm, pair.reference})
    for i, interaction in enumerate(comparisons.interactions):
        pairs = {"effect": interaction.effect, "against": interaction.against}
        for which, pair in pairs.items():
            known(pair.arm, "interactions", i, which, "arm")
            known(pair.reference, "interactions", i, which, "reference")
        if any(p.arm == p.reference for p in pairs.values()) or len(set(pairs.values())) == 1:
            problems.append(
                Problem(
                    ("comparisons", "interactions", i),
                    codes.POINTLESS,
                    "an effect of an arm against itself, or an effect against the same one, says "
                    "nothing; name two effects of two different arms each",
                )
            )
    combined: set[str] = set()
    for i, item in enumerate(comparisons.combinations):
        here = ("comparisons", "combinations", i)
        known(item.arm, *here[1:], "arm")
        if item.arm in combined:
            problems.append(
                Problem(
                    here, codes.TWICE, f'the combination "{item.arm}" is there twice; delete one'
                )
            )
        combined.add(item.arm)
        for k, part in enumerate(item.of):
            if known(part, *here[1:], "of", k):
                if part in item.of[:k]:
                    problems.append(
                        Problem(
                            (*here, "of", k), codes.TWICE, f'"{part}" is there twice; delete one'
                        )
                    )
                if part == item.arm:
                    problems.append(
                        Problem(
                            (*here, "of", k),
                            codes.POINTLESS,
                            f'"{part}" cannot be a part of itself',
                        )
                    )
                if part == comparisons.reference:
                    problems.append(
                        Problem(
                            (*here, "of", k),
                            codes.POINTLESS,
                            f'"{part}" is the reference, '
                            "so it adds nothing to a combination; delete it",
                        )
                    )
        if len(item.of) < 2:
            problems.append(
                Problem(
                    (*here, "of"),
                    codes.TOO_FEW,
                    "a combination has at least two parts; name the arms that give each part alone",
                )
            )
    return problems


def check_arms(arms: Mapping[str, Arm]) -> list[Problem]:
    """Two arms with the same content or the same label."""
    problems: list[Problem] = []
    seen: dict[object, str] = {}
    labels: dict[str, str] = {}
    for name, arm in arms.items():
        first = seen.setdefault(contents(arm), name)
        if first != name:
            problems.append(
                Problem(
                    ("arms", name),
                    codes.SAME_ARMS,
                    f'arms "{first}" and "{name}" are identical; change one, or delete it',
                )
            )
        first = labels.setdefault(arm.label, name)
        if first != name:
            problems.append(
                Problem(
                    ("arms", name, "label"),
                    codes.SAME_ARMS,
                    f'arms "{first}" and "{name}" have the same label "{arm.label}"; change one',
                )
            )
    return problems


def contents(arm: Arm) -> tuple[object, ...]:
    """All that is done in an arm, whatever it is called and however it was written."""
    given = sorted(_given(t) for t in arm.treatments)
    vector = arm.vector if arm.vector and arm.vector.fold != 1.0 else None
    return (arm.host, vector, arm.challenge, arm.readout, tuple(given))


def _given(treatment: Treatment) -> tuple[object, ...]:
    values = treatment.model_dump(exclude={"written"})
    values["every"] = treatment.every or 0.0  # None does not sort
    return tuple(values.values())


def check_combinations(comparisons: ComparisonSection, arms: Mapping[str, Arm]) -> list[Problem]:
    """A combination must do what its parts do, no less and no more. All arms are known to exist."""
    problems = []
    reference = arms[comparisons.reference]
    for i, item in enumerate(comparisons.combinations):
        arm, parts = arms[item.arm], [arms[name] for name in item.of]
        names = " + ".join(item.of)
        here: DocumentPath = ("comparisons", "combinations", i)
        wanted = {_given(t): t for part in parts for t in part.treatments}
        found = {_given(t): t for t in arm.treatments}
        lacking = [f"{t.drug} ({t.written})" for k, t in wanted.items() if k not in found]
        extra = [f"{t.drug} ({t.written})" for k, t in found.items() if k not in wanted]
        differences = [f"lacks {x}" for x in lacking] + [f"has {x} as well" for x in extra]
        if differences:
            problems.append(
                Problem(
                    here,
                    codes.NOT_A_COMBINATION,
                    f'arm "{item.arm}" is not {names} together: it '
                    f"{', '.join(differences)}; give it the treatments of its parts",
                )
            )
        for key, values in _conditions(arm).items():
            base = _conditions(reference)[key]
            wanted_values = {v for v in (_conditions(p)[key] for p in parts) if v != base} or {base}
            if len(wanted_values) > 1 or values not in wanted_values:
                problems.append(
                    Problem(
                        here,
                        codes.NOT_A_COMBINATION,
                        f'arm "{item.arm}" is not {names} together: '
                        f"{key} is another; make it equal to that of its parts",
                    )
                )
    return problems


def check_inspections(comparisons: ComparisonSection, arms: Mapping[str, Arm]) -> list[Problem]:
    """Every arm must be looked at once before its follow-up ends."""
    first = min(comparisons.inspections, key=lambda day: day.value, default=None)
    late = [a for a in arms.values() if first is not None and first.value > a.readout.end]
    if not late or first is None:
        return []
    return [
        Problem(
            ("comparisons", "inspections"),
            codes.WRONG_ORDER,
            f'the follow-up of arm "{late[0].name}" ends on day {late[0].readout.end:g}, before '
            f"the first inspection on day {first.value:g}; look earlier, or end later",
        )
    ]


def _conditions(arm: Arm) -> dict[str, object]:
    """What is set in an arm besides its treatments, in pieces that can be combined."""
    host = {f"host.{k}": v for k, v in arm.host.model_dump().items()}
    return {**host, "timp1_vector": arm.vector, "challenge": arm.challenge, "readout": arm.readout}
