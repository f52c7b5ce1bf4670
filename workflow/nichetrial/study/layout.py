"""Where the results of a study lie: the one place that knows the name of any file in them."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Chunk", "Layout"]


class Chunk(NamedTuple):
    """Some particles in a row, both ends included.

    >>> Chunk(0, 499).name, Chunk.named("000500-000999").size
    ('000000-000499', 500)
    """

    first: int
    last: int

    @property
    def name(self) -> str:
        """The part of a file's name that says which particles are in it."""
        return f"{self.first:06d}-{self.last:06d}"

    @property
    def size(self) -> int:
        return self.last + 1 - self.first

    @classmethod
    def named(cls, name: str) -> Chunk:
        """The chunk of that name. Raises ValueError."""
        found = re.fullmatch(r"(\d+)-(\d+)", name)
        if found is None:
            raise ValueError(f"not the name of a chunk: {name!r}")
        return cls(int(found[1]), int(found[2]))


class Layout:
    """The paths of a study's results, as text with slashes.

    Where a chunk, an arm or a variant is asked for, its name is given. A rule of the workflow gives
    a wildcard instead: ``layout.parameters("{chunk}")``.

    >>> Layout("results/s").simulation("amd3100", "000000-000499", "outcomes")
    'results/s/simulations/amd3100/particles-000000-000499.outcomes.parquet'
    """

    def __init__(self, results: str) -> None:
        self.results = results

    @classmethod
    def of(cls, study: str) -> Layout:
        """That of the study of this name, in the working directory."""
        return cls(f"results/{study}")

    @property
    def study(self) -> str:
        """The resolved study, which all jobs read."""
        return f"{self.results}/study.json"

    @property
    def page(self) -> str:
        """The report."""
        return f"{self.results}/report.html"

    @property
    def receipt(self) -> str:
        """Which run in MLflow is which: the last file of a run."""
        return f"{self.results}/tracking/receipt.json"

    def record(self, name: str) -> str:
        """The run record of a job, such as ``simulations/amd3100/particles-000000-000499``."""
        return f"{self.results}/records/{name}.json"

    def log(self, name: str) -> str:
        return f"{self.results}/logs/{name}.log"

    def parameters(self, chunk: str) -> str:
        """The virtual mice of a chunk."""
        return f"{self.results}/parameters/particles-{chunk}.mice.parquet"

    def particles(self, chunk: str) -> str:
        """The particles of a chunk: the typical mouse of each."""
        return f"{self.results}/parameters/particles-{chunk}.typical.parquet"

    def rejections(self, chunk: str) -> str:
        """How many draws of a chunk were implausible, and why."""
        return f"{self.results}/parameters/particles-{chunk}.rejections.csv"

    def simulation(self, arm: str, chunk: str, table: str) -> str:
        """A table (``outcomes``, ``courses``, ``colonies``) of a chunk in an arm."""
        return f"{self.results}/simulations/{arm}/particles-{chunk}.{table}.parquet"

    def dose_curve(self, chunk: str) -> str:
        return f"{self.results}/dose_curve/particles-{chunk}.parquet"

    def sweep(self, sweep: str, chunk: str) -> str:
        return f"{self.results}/sweeps/{sweep}/particles-{chunk}.parquet"

    def experiments(self, arm: str) -> str:
        """Simulated experiments of an arm."""
        return f"{self.results}/experiments/{arm}.parquet"

    def comparison(self, table: str, kind: str = "parquet") -> str:
        """A table of the comparisons, such as ``effects``."""
        return f"{self.results}/comparisons/{table}.{kind}"

    @property
    def metrics(self) -> str:
        """Flat numbers of the comparison, for the tracking."""
        return f"{self.results}/comparisons/metrics.json"

    def figure(self, name: str, kind: str) -> str:
        return f"{self.results}/figures/{name}.{kind}"

    @property
    def evidence(self) -> Evidence:
        """What a calibration leaves."""
        return Evidence(self.results)


class Evidence:
    """The paths of a study's calibration, and of what it says to the findings."""

    def __init__(self, results: str) -> None:
        self.folder = f"{results}/evidence"

    @property
    def page(self) -> str:
        return f"{self.folder}/report.html"

    @property
    def receipt(self) -> str:
        return f"{self.folder}/tracking/receipt.json"

    @property
    def metrics(self) -> str:
        return f"{self.folder}/metrics.json"

    def table(self, name: str, kind: str = "parquet") -> str:
        """A table, such as ``scoreboard``; one of a variant is ``full/posterior``."""
        return f"{self.folder}/{name}.{kind}"

    def particles(self, variant: str, generation: str, particles: str) -> str:
        """A chunk of one generation of a calibration. ``generation``: three digits."""
        return f"{self.folder}/{variant}/particles/{generation}/{particles}.parquet"

    def figure(self, name: str, kind: str) -> str:
        return f"{self.folder}/figures/{name}.{kind}"
