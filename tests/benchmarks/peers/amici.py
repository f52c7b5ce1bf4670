"""AMICI: CVODES and compiled C++ made from the exported SBML, restarted at each dose.

Compiling an arm takes half a minute; it is kept in results/bench/amici under a digest of the
mathematics, and arms with the same mathematics share it. Without the events of the export: AMICI
1.0.1 writes C++ that does not compile where an event uses a constant with an initial assignment,
or where a parameter is called ``vector``, as it is in arms without one.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import amici.sim.sundials as sundials
import numpy as np
from amici import import_model_module
from amici.importers.sbml import SbmlImporter
from numpy.typing import NDArray

from nichetrial.model.equations import STATES
from tests.benchmarks.exported import Change, Exported
from tests.benchmarks.model import Case
from tests.benchmarks.peers import Settings, Solve

NAME = "AMICI CVODES"
PACKAGES = ("amici",)
CANDIDATES = (Settings("dense", 0.0), Settings("KLU", 0.0), Settings("KLU, Adams", 0.0))
# tighter by hand than a scan of 5 mice (1.8e-8); KLU looked no faster than dense
TUNED = {"dense": Settings("dense", 1.1e-8)}
MICE = 2
KEPT = Path("results/bench/amici")
RENAMED = "vector_makes"


@cache
def _compiled(digest: str, text: str) -> sundials.Model:
    name = f"m{digest}"
    folder = KEPT.resolve() / name
    if not any(folder.glob(f"{name}/_{name}*")):
        shutil.rmtree(folder, ignore_errors=True)  # of a build that was interrupted
        path = os.environ.get("PATH", "")
        # its build looks for the cmake and swig that came with it
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{path}"
        try:
            SbmlImporter(text, from_file=False).sbml2amici(
                name, folder, generate_sensitivity_code=False, compute_conservation_laws=False
            )
        finally:
            os.environ["PATH"] = path
    return import_model_module(name, folder)


class _Arm:
    """An arm compiled once; a mouse is a set of values."""

    def __init__(self, exported: Exported) -> None:
        self.exported, self.grid = exported, exported.case.grid
        text = re.sub(r'(["> ])vector(["< ])', rf"\1{RENAMED}\2", exported.without_events())
        mathematics = "".join(re.findall("<math.*?</math>", text, flags=re.DOTALL))
        digest = hashlib.sha256(mathematics.encode()).hexdigest()[:12]
        self.model = _compiled(digest, text).get_model()
        where = {name: k for k, name in enumerate(exported.ids)}
        where[RENAMED] = where["vector"]
        self.parameters = [where[name] for name in self.model.get_free_parameter_ids()]
        self.moving = [where[name] for name in self.model.get_state_ids()]
        self.out = [self.moving.index(k) for k in exported.states]
        # no sensitivities: else room for those of 70 parameters is copied at each output time,
        # which takes ten times as long as the integration
        self.model.set_parameter_list([])
        self.model.set_always_check_finite(False)
        self.solver = self.model.create_solver()
        self.stops = np.unique([*(day for day, _ in exported.changes), self.grid[-1]])

    def set_up(self, s: Settings) -> None:
        """Once for many mice."""
        self.solver.set_relative_tolerance(s.rtol)
        self.solver.set_absolute_tolerance(s.atol)
        self.solver.set_max_steps(1_000_000)
        linear, method = sundials.LinearSolver, sundials.LinearMultistepMethod
        self.solver.set_linear_solver(linear.dense if s.method == "dense" else linear.KLU)
        self.solver.set_linear_multistep_method(
            method.adams if s.method.endswith("Adams") else method.BDF
        )

    def run(self, p: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        values = self.exported.values(p)
        pending, row, low = iter(self.exported.changes), 0, 0.0
        following = next(pending, None)
        for high in self.stops:
            if high > low:
                last = int(np.searchsorted(self.grid, high, side="right"))
                at = np.unique([low, *self.grid[row:last], high])
                self.model.set_free_parameters(values[self.parameters])
                self.model.set_t0(low)
                self.model.set_initial_state(values[self.moving])
                self.model.set_timepoints(at)
                result = sundials.run_simulation(self.model, self.solver)
                # without a look at each number in Python, as result.x takes
                states = sundials.stdVec2ndarray(result._swigptr.x, len(at), len(self.moving))
                out[row:last] = states[np.searchsorted(at, self.grid[row:last])][:, self.out]
                values[self.moving] = states[-1]
                row, low = last - (self.grid[last - 1] == high), high
            if following is not None and following[0] == high:
                _apply(following[1], values)
                following = next(pending, None)


def _apply(changes: list[Change], values: NDArray[np.float64]) -> None:
    for change in changes:
        values[change.target] = change.value(*values[list(change.known)])


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Compile what is not kept from before."""
    logging.disable(logging.ERROR)  # each warning of a solver would be logged, at a cost
    arms = [_Arm(Exported(c, parameters[0])) for c in cases]

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        arm = arms[number]
        arm.set_up(s)
        out = np.empty((len(mice), len(arm.grid), len(STATES)))
        for rows, p in zip(out, parameters[list(mice)], strict=True):
            arm.run(p, rows)
        return out

    return solve
