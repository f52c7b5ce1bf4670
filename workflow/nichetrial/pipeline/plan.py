"""What a study makes: its jobs, and the names of their files.

The Snakefile asks for this; it holds every decision of the workflow that is more than a path, so
that the decisions can be tested without Snakemake. Light on purpose: each cluster job loads it.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nichetrial import codes
from nichetrial.errors import UserError
from nichetrial.figures.declared import EVIDENCE, FIGURES
from nichetrial.pipeline.products import COMPARISONS, TABLES
from nichetrial.study.layout import Layout
from nichetrial.study.resolved import ResolvedStudy

__all__ = ["Plan", "study_file"]


@dataclass(frozen=True)
class Plan:
    """A study and where its results lie. ``missing``: arms and sweeps to go on without, because
    their jobs failed. ``file``: the study file, as it was given."""

    study: ResolvedStudy
    file: str
    missing: tuple[str, ...] = ()
    folder: str = ""

    @classmethod
    def of(cls, study: ResolvedStudy, file: str, missing: str = "") -> Plan:
        """``missing``: names with commas. Raises UserError for one that the study has not."""
        return cls(study, file).without([name for name in missing.split(",") if name])

    def without(self, missing: Sequence[str]) -> Plan:
        """The same without these arms and sweeps. Raises UserError for one that is not there."""
        known = {arm.name for arm in self.study.arms} | {s.name for s in self.study.sweeps}
        for name in missing:
            if name not in known:
                raise UserError(
                    codes.NO_SUCH_ARM, f"missing_arms names {name!r}, no arm or sweep of this study"
                )
        return replace(self, missing=tuple(missing))

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the results lie: ``folder``, or the study's own under the working directory."""
        return Layout(self.folder) if self.folder else Layout.of(self.study.name)

    @property
    def results(self) -> str:
        """The folder of this study's results."""
        return self.layout.results

    def is_resolved(self) -> bool:
        """Whether study.json and its record are there and say what the study file says."""
        try:
            written = Path(self.layout.study).read_text(encoding="utf-8")
            recorded = Path(self.layout.record("resolve")).is_file()
            return recorded and written == self.study.written()
        except (OSError, ValueError):
            return False

    # --- what there is of the study ---------------------------------------------------------------

    @property
    def arms(self) -> list[str]:
        """The arms to compare: all that are not missing."""
        return [arm.name for arm in self.study.arms if arm.name not in self.missing]

    @property
    def sweeps(self) -> list[str]:
        """The sweeps to compare: all that are not missing."""
        return [sweep.name for sweep in self.study.sweeps if sweep.name not in self.missing]

    @property
    def figures(self) -> list[str]:
        """The figures of this study: those of sweeps only where a sweep asks for them."""
        return [figure for figure in FIGURES if self.study.asks_for(figure)]

    @functools.cached_property
    def chunks(self) -> list[str]:
        return [chunk.name for chunk in self.study.chunks()]

    @functools.cached_property
    def dose_chunks(self) -> dict[str, str]:
        """Chunk of the dose curve -> the chunk of parameters that holds its mice."""
        dose = self.study.chunks(self.study.figures.dose_particles)
        return {
            small.name: whole.name for small, whole in zip(dose, self.study.chunks(), strict=False)
        }

    # --- files ------------------------------------------------------------------------------------

    def mice(self) -> list[str]:
        """The files of all mice."""
        return [self.layout.parameters(chunk) for chunk in self.chunks]

    def typical(self) -> list[str]:
        """The files of all particles."""
        return [self.layout.particles(chunk) for chunk in self.chunks]

    def simulated(self, arm: str, table: str) -> list[str]:
        """The files of an arm; ``courses`` only of chunks with particles that keep them."""
        return [
            self.layout.simulation(arm, chunk.name, table)
            for chunk in self.study.chunks()
            if table != "courses" or chunk.first < self.study.figures.course_particles
        ]

    def swept(self) -> dict[str, list[str]]:
        """The files of every sweep, and of the reference; none without the reference."""
        reference = self.study.comparisons.reference
        if reference in self.missing or not self.sweeps:
            return {}
        files = {
            f"sweep {name}": [self.layout.sweep(name, chunk) for chunk in self.chunks]
            for name in self.sweeps
        }
        files["typical"] = self.typical()
        return {**files, "reference": self.simulated(reference, "outcomes")}

    def comparisons(self) -> list[str]:
        """The files of comparisons/ that the study asks for."""
        asked = {
            "optimise": self.study.optimise,
            "compare_sweeps": self.study.sweeps,
            "power": self.study.power,
        }
        tables = [
            self.layout.comparison(table, kind)
            for stage in COMPARISONS
            if asked.get(stage, True)
            for table in TABLES[stage]
            for kind in ("parquet", "csv")
        ]
        return [*tables, self.layout.metrics]

    def pictures(self, *figures: str) -> list[str]:
        """The files of figures (all)."""
        formats = self.study.figures.formats
        return [self.layout.figure(f, kind) for f in figures or self.figures for kind in formats]

    def findings(self, *keys: str) -> list[str]:
        """The user's files of findings under these keys, and the study files that they name."""
        files: dict[str, None] = {}
        for name in (n for key in keys for n in getattr(self.study.calibration, key)):
            files[name] = None
            try:
                with open(name, newline="", encoding="utf-8-sig") as stream:
                    named = {row.get("experiment") for row in csv.DictReader(stream)}
            except (OSError, UnicodeDecodeError, csv.Error):
                continue  # the stage reports what is wrong with it
            studies = [Path(name).parent / f"{e}.yaml" for e in named]
            files |= dict.fromkeys(sorted(p.as_posix() for p in studies if p.is_file()))
        return list(files)

    @property
    def population(self) -> list[str]:
        """The file that mice are drawn from, if a job of this study makes it."""
        return [self.own_population] if self.study.cohort.population == "own" else []

    @property
    def own_population(self) -> str:
        """The population that this study's own calibration makes."""
        return self.layout.evidence.table("full/population")

    def particles(self, variant: str, generation: int) -> list[str]:
        """The files of one generation of a calibration; none before the first."""
        if generation < 0:
            return []
        return [
            self.layout.evidence.particles(variant, f"{generation:03d}", chunk.name)
            for chunk in self.study.calibration.chunks()
        ]

    def evidence(self, *tables: str) -> list[str]:
        """The files behind tables of the calibration. ``generations``: of every variant;
        ``findings``: the user's own."""
        spec, files = self.study.calibration, []
        for table in dict.fromkeys(tables):
            if table == "findings":
                files += [*spec.fit, *spec.predict]
            elif table == "generations":
                files += [self.layout.evidence.table(f"{v}/generations") for v in spec.variants]
            else:
                files.append(self.layout.evidence.table(table))
        return files

    def evidence_pictures(self, *figures: str) -> list[str]:
        """The files of figures (all) of the calibration."""
        return [
            self.layout.evidence.figure(figure, kind)
            for figure in figures or EVIDENCE
            for kind in self.study.figures.formats
        ]


def study_file(files: Sequence[str | Path], default: str) -> str:
    """The one study file that Snakemake was given, relative to the working directory if below."""
    if len(files) > 1:
        raise UserError(
            codes.USAGE, "one study file at a time: --configfile was given more than once"
        )
    path = Path(files[0]) if files else Path(default)
    here = Path.cwd()
    return (
        str(path.relative_to(here))
        if path.is_absolute() and path.is_relative_to(here)
        else str(path)
    )
