"""COPASI on the exported SBML with its events: LSODA or RADAU5, through COPASI's own Python names.

BasiCO is what its authors give to users; it is not in the way here, as a run through it builds a
table each time.
"""

from __future__ import annotations

from collections.abc import Sequence

import COPASI
import numpy as np
from numpy.typing import NDArray

from nichetrial.model.equations import STATES
from tests.benchmarks.exported import Exported
from tests.benchmarks.model import Case
from tests.benchmarks.peers import Settings, Solve

NAME = "COPASI"
PACKAGES = ("python-copasi",)
CANDIDATES = (Settings("LSODA", 0.0), Settings("RADAU5", 0.0))
# of 15 mice; for RADAU5 the scan found no tolerance that is good enough
TUNED = {"LSODA": Settings("LSODA", 5.6e-8, floor=1e-2)}
MICE = 3

_METHODS = {
    "LSODA": COPASI.CTaskEnum.Method_deterministic,
    "RADAU5": COPASI.CTaskEnum.Method_RADAU5,
}


class _Arm:
    """An arm read once; a mouse is a set of values."""

    def __init__(self, exported: Exported) -> None:
        self.exported = exported
        self.data = COPASI.CRootContainer.addDatamodel()
        if not self.data.importSBMLFromString(exported.document):
            raise RuntimeError("COPASI does not read the export")
        self.model = self.data.getModel()
        values = [self.model.getModelValue(k) for k in range(self.model.getNumModelValues())]
        by_name = {value.getSBMLId(): value for value in values}
        self.own = [by_name[name] for name in exported.ids]
        for value in self.own:
            value.setInitialExpression("")  # else it would take the place of what is set
        self.model.compileIfNecessary()
        self.states = [by_name[s.name].getValueReference().getCN().getString() for s in STATES]
        self.task = self.data.getTask("Time-Course")
        self.rows = len(exported.case.grid)
        problem = self.task.getProblem()
        problem.setAutomaticStepSize(False)
        problem.setDuration(float(exported.case.grid[-1]))
        problem.setUseValues(True)
        problem.setValues(" ".join(repr(t) for t in exported.case.grid.tolist()))
        problem.setOutputEvent(False)
        problem.setTimeSeriesRequested(False)

    def set_up(self, s: Settings) -> None:
        """Once for many mice. What they leave is kept by the handler, so it is a new one."""
        self.task.setMethodType(_METHODS[s.method])
        method = self.task.getMethod()
        method.getParameter("Relative Tolerance").setDblValue(s.rtol)
        method.getParameter("Absolute Tolerance").setDblValue(s.atol)
        method.getParameter("Max Internal Steps").setUIntValue(1_000_000)
        self.handler = COPASI.CDataHandler()
        for name in self.states:
            self.handler.addDuringName(COPASI.CRegisteredCommonName(name))
        during = COPASI.CCopasiTask.OUTPUT_DURING
        if not self.task.initializeRawWithOutputHandler(during, self.handler):
            raise RuntimeError("COPASI cannot run the export")

    def run(self, p: NDArray[np.float64], out: NDArray[np.float64]) -> None:
        for value, number in zip(self.own, self.exported.values(p).tolist(), strict=True):
            value.setInitialValue(number)
        self.model.updateInitialValues(COPASI.CCore.Framework_ParticleNumbers)
        before = self.handler.getNumRowsDuring()
        ok, after = self.task.processRaw(True), self.handler.getNumRowsDuring()
        if ok and after - before == self.rows:
            out[:] = [self.handler.getNthRow(k) for k in range(before, after)]
        else:
            out[:] = np.nan


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Read every arm."""
    arms = [_Arm(Exported(c, parameters[0])) for c in cases]

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        arm = arms[number]
        arm.set_up(s)
        out = np.empty((len(mice), arm.rows, len(STATES)))
        for rows, p in zip(out, parameters[list(mice)], strict=True):
            arm.run(p, rows)
        return out

    return solve
