"""Names, values and descriptions that people read in MLflow without learning anything first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nichetrial import formatting
from nichetrial.compat.mlflow_pages import DESCRIPTION_LIMIT, artifact_page, image
from nichetrial.study.resolved import Arm, ResolvedStudy
from nichetrial.tracking.markdown import said

__all__ = [
    "arm_note",
    "arm_params",
    "located",
    "metric_name",
    "pictures",
    "plain",
    "schedule_note",
    "shared_params",
    "study_note",
    "study_params",
    "table",
]

RUN, EXPERIMENT = "{____________run_id____________}", "{_________experiment_id________}"
"""Stand in a description for ids that are known only in the store; as long as ids there are."""

GAP = "&emsp;"

LEADING = {"forest": 0, "foci": 1}
"""Figures that come first, in this order."""

PLAIN = {"vector": "timp1_vector", "onset": "onset_day", "resection": "resection_day"}
"""Keys of the resolved study that read better under another name."""

Row = Mapping[str, str]


def _flat(value: Any, prefix: str) -> dict[str, str]:
    if isinstance(value, Mapping):
        found: dict[str, str] = {}
        for key, inner in value.items():
            if inner is None:  # not set; the table of all arms says "none" where others have it
                continue
            found |= _flat(inner, f"{prefix}.{PLAIN.get(key, key)}" if prefix else str(key))
        return found
    if isinstance(value, list | tuple):
        return {prefix: ", ".join(plain(v) for v in value) or "none"}
    return {prefix: plain(value)}


def plain(value: Any) -> str:
    """``100000.0`` as ``100000``; None as ``none``; anything else as it is."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _described(arm: Arm) -> dict[str, str]:
    """One arm as parameters: host, vector, challenge, read-out, and a treatment per drug."""
    found: dict[str, str] = {}
    for key, value in arm.model_dump().items():
        if key in ("name", "label"):
            continue
        if key == "treatments":
            for dose in value:
                at = f"treatment.{dose['drug']}"
                found[at] = "; ".join(filter(None, (found.get(at), dose["written"])))
        elif value is not None:
            found |= _flat(value, PLAIN.get(key, key))
    return found


def _table(arms: Sequence[Arm]) -> tuple[list[dict[str, str]], list[str], list[str]]:
    """All arms over all parameters (``none`` where an arm lacks one), and the names of those that
    differ and of those that do not."""
    rows = [_described(arm) for arm in arms]
    names = list(dict.fromkeys(name for row in rows for name in row))
    full = [{name: row.get(name, "none") for name in names} for row in rows]
    differing = [n for n in names if len({row[n] for row in full}) > 1]
    return full, differing, [n for n in names if n not in differing]


def arm_params(arms: Sequence[Arm]) -> list[dict[str, str]]:
    """Parameters of each arm's run: first those in which the arms differ, under plain names; then
    the others as ``unchanged.…``, which also sorts after them in the tables of MLflow."""
    rows, differing, same = _table(arms)
    return [
        {n: row[n] for n in sorted(differing)} | {f"unchanged.{n}": row[n] for n in sorted(same)}
        for row in rows
    ]


def shared_params(arms: Sequence[Arm]) -> dict[str, str]:
    """What all arms have in common, for the run of the study."""
    rows, _, same = _table(arms)
    return {n: rows[0][n] for n in sorted(same)} if rows else {}


def study_params(study: ResolvedStudy) -> dict[str, str]:
    """Parameters of the study's run."""
    comparisons = study.comparisons
    own = {
        "study": study.name,
        "seed": plain(study.seed),
        "particles": plain(study.cohort.particles),
        "mice_per_particle": plain(study.cohort.mice_per_particle),
        "arms": plain(len(study.arms)),
        "reference": comparisons.reference,
        "responder": plain(comparisons.responder),
        "interval": plain(comparisons.interval),
        "resamples": plain(comparisons.resamples),
    }
    own |= _flat(study.cohort.model_dump()["overrides"], "cohort")
    return own | shared_params(study.arms)


def metric_name(name: str) -> str:
    """``name`` with what MLflow refuses in a metric's name replaced by ``_``."""
    return re.sub(r"[^/\w.\- :]", "_", name)[:250]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown. MLflow leaves no gap between its columns, so there is one after each
    head, which is the widest in most columns, and after each cell of the first."""
    first, *others = head
    spaced = ([said(name) + GAP, *map(said, cells)] for name, *cells in rows)
    names = [said(first), *(f"{said(other)}{GAP}" for other in others)]
    return formatting.markdown_table(names, spaced)


def located(text: str, experiment: str, run: str) -> str:
    """A description with the ids of the run that it is of, so that its links lead to that run."""
    return text.replace(EXPERIMENT, experiment).replace(RUN, run)


def _effects(rows: Sequence[Row], first: str, label: Mapping[str, str]) -> list[str]:
    return table(
        (first, "ratio (90 % of particles)", "less in", "in the arm", "in the reference"),
        [
            (
                label.get(r["arm"], r["arm"]) if first == "arm" else _measure(r),
                formatting.interval(r.get("ratio"), r.get("ratio_low"), r.get("ratio_high")),
                formatting.share(r.get("p_fewer")),
                formatting.number(r.get("mean_arm")),
                formatting.number(r.get("mean_reference")),
            )
            for r in rows
        ],
    )


def _measure(row: Row) -> str:
    """An outcome with its unit."""
    name, unit = row["outcome"].replace("_", " "), row.get("unit") or "1"
    return name if unit == "1" or name.endswith(unit) else f"{name} ({unit})"


def _cut(lines: Sequence[str]) -> str:
    """Whole lines only, so that a table never ends in the middle of a row."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > DESCRIPTION_LIMIT - 40:
            return "\n".join([*kept, "", "(shortened)"])
        kept.append(line)
    return "\n".join(kept)


def study_note(
    study: ResolvedStudy,
    effects: Sequence[Row],
    failures: Sequence[str],
    artifacts: Sequence[str] = (),
) -> str:
    """Markdown for the study's run: the question, what failed, the effects of all arms, and links
    to its report and figures among ``artifacts``, with the figures themselves at the end."""
    labels = {a.name: a.label for a in study.arms}
    reference = study.comparisons.reference
    worth = max((float(r.get("effective") or 0.0) for r in effects), default=None)
    lines = [f"**{said(study.title)}**", "", said(study.question), ""]
    lines += [
        f"{formatting.biologies(study.cohort.particles, worth)}, each with "
        f"{study.cohort.mice_per_particle} virtual mice in {len(labels)} arms, seed {study.seed}; "
        f"reference: {said(labels.get(reference, reference))}.",
        "",
    ]
    lines += _failed(failures)
    if "report.html" in artifacts:
        lines += [f"[The report]({artifact_page(EXPERIMENT, RUN, 'report.html')})", ""]
    rows = [r for r in effects if r["reference"] == reference]
    outcomes = list(dict.fromkeys(r["outcome"] for r in rows))
    if outcomes:
        main = [r for r in rows if r["outcome"] == outcomes[0]]
        lines += [
            f"**Effect on {said(_measure(main[0]))}**, arm against reference in the same mice",
            "",
        ]
        lines += [*_effects(main, "arm", labels), ""]
    lines += pictures(artifacts)
    if len(outcomes) > 1:
        cell = {(r["arm"], r["outcome"]): formatting.number(r.get("ratio")) for r in rows}
        measure = {r["outcome"]: _measure(r) for r in rows}
        arms = list(dict.fromkeys(r["arm"] for r in rows))
        lines += ["**Ratio to the reference**, every outcome", ""]
        lines += table(
            ("outcome", *(labels.get(a, a) for a in arms)),
            [(measure[o], *(cell.get((a, o), "–") for a in arms)) for o in outcomes],
        )
    return _cut(lines)


def pictures(artifacts: Sequence[str]) -> list[str]:
    """The figures among the artifacts of a run, each below a link to it; as SVG if there is one,
    because that has a size and MLflow lets none be given."""
    figures: dict[str, str] = {}
    for name in sorted(artifacts):  # .png before .svg
        folder, _, file = name.rpartition("/")
        if folder == "figures":
            figures[file.partition(".")[0]] = name
    lines = []
    for figure in sorted(figures, key=lambda f: (LEADING.get(f, len(LEADING)), f)):
        name, title = figures[figure], said(figure.replace("_", " "))
        page = artifact_page(EXPERIMENT, RUN, name)
        lines += [f"**[{title}]({page})**", "", f"![{title}]({image(RUN, name)})", ""]
    return lines


def arm_note(arm: Arm, effects: Sequence[Row], failures: Sequence[str], reference: str) -> str:
    """Markdown for an arm's run: what was given, what failed, and its effects."""
    lines = [f"**{said(arm.label)}**", ""]
    lines += [f"- {said(t.drug)}: {said(t.written)}" for t in arm.treatments] or ["No treatment."]
    lines += ["", *_failed(failures)]
    rows = [r for r in effects if r["arm"] == arm.name and r["reference"] == reference]
    if rows:
        lines += [f"Against {said(reference)}, in the same mice:", ""]
        lines += _effects(rows, "outcome", {})
    return _cut(lines)


def schedule_note(
    arm: str, drug: str, found: Mapping[str, Row], artifacts: Sequence[str] = ()
) -> str:
    """Markdown for the search for the best schedule. ``found``: rows of the table ``optimum``."""
    titles = {"own": "the arm's own", "best": "the best found"}
    lines = [f"**{said(drug)} in {said(arm)}**: schedules tried in the same mice", ""]
    lines += table(
        (
            "schedule",
            "mg/kg a dose",
            "doses",
            "mg/kg in all",
            "first day",
            "ratio of foci with its interval",
        ),
        [
            (
                titles.get(name, name),
                *(formatting.number(row[c], 3) for c in ("dose", "doses", "total", "start")),
                formatting.interval(row["ratio"], row["ratio_low"], row["ratio_high"]),
            )
            for name, row in found.items()
        ],
    )
    return _cut([*lines, "", *pictures(artifacts)])


def _failed(failures: Sequence[str]) -> list[str]:
    if not failures:
        return []
    shown = [f"- {said(f)}" for f in failures[:20]]
    more = [f"- and {len(failures) - 20} more"] if len(failures) > 20 else []
    return ["**Not complete:**", "", *shown, *more, ""]
