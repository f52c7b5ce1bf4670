"""libRoadRunner: CVODE and LLVM on the exported SBML, with its events or restarted at each dose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import roadrunner
from numpy.typing import NDArray

from nichetrial.model.equations import STATES
from tests.benchmarks.exported import Change, Exported
from tests.benchmarks.model import Case
from tests.benchmarks.peers import Settings, Solve

NAME = "libRoadRunner CVODE"
PACKAGES = ("libroadrunner",)
CANDIDATES = (
    Settings("restarts", 0.0),
    Settings("restarts, Adams", 0.0),
    Settings("SBML events", 0.0),
    Settings("SBML events, Adams", 0.0),
)
# of 10 mice; Adams methods (not "stiff") take two to four times as long
TUNED = {
    "restarts": Settings("restarts", 6e-9, floor=1e-2),
    "SBML events": Settings("SBML events", 6e-9, floor=1e-2),
}
MICE = 2


class _Arm:
    """An arm compiled once; a mouse is a set of values."""

    def __init__(self, exported: Exported, *, events: bool) -> None:
        self.exported = exported
        self.runner = roadrunner.RoadRunner(
            exported.document if events else exported.without_events()
        )
        self.runner.timeCourseSelections = [s.name for s in STATES]
        self.model = self.runner.model
        places = {name: k for k, name in enumerate(self.model.getGlobalParameterIds())}
        self.places = [places[name] for name in exported.ids]
        self.grid = exported.case.grid
        stops = [day for day, _ in exported.changes] if not events else []
        self.stops = np.unique([*stops, self.grid[-1]])

    def tolerances(self, s: Settings) -> None:
        integrator = self.runner.integrator
        integrator.relative_tolerance = s.rtol
        # a single number would be multiplied by what each state happens to be at the time
        integrator.absolute_tolerance = [s.atol] * len(self.exported.moving)
        integrator.maximum_num_steps, integrator.stiff = 1_000_000, "Adams" not in s.method

    def begin(self, p: NDArray[np.float64]) -> None:
        """Put a mouse in."""
        self.runner.reset()
        self.model.setGlobalParameterValues(self.places, self.exported.values(p))

    def apply(self, changes: list[Change]) -> None:
        for c in changes:
            known = self.model.getGlobalParameterValues([self.places[k] for k in c.known])
            self.model.setGlobalParameterValues([self.places[c.target]], [c.value(*known)])

    def with_events(self, out: NDArray[np.float64]) -> None:
        if self.exported.changes[0][0] == 0.0:
            self.apply(
                self.exported.changes[0][1]
            )  # its event was over before the mouse was put in
        out[:] = self.runner.simulate(times=self.grid)

    def with_restarts(self, out: NDArray[np.float64]) -> None:
        pending, row, low = iter(self.exported.changes), 0, 0.0
        following = next(pending, None)
        for high in self.stops:
            if high > low:
                last = int(np.searchsorted(self.grid, high, side="right"))
                at = np.unique([low, *self.grid[row:last], high])
                states = self.runner.simulate(times=at)
                out[row:last] = states[np.searchsorted(at, self.grid[row:last])]
                row, low = last - (self.grid[last - 1] == high), high
            if following is not None and following[0] == high:
                self.apply(following[1])
                following = next(pending, None)


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Compile every arm, with events and without."""
    exported = [Exported(c, parameters[0]) for c in cases]
    arms = [[_Arm(e, events=events) for e in exported] for events in (False, True)]

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        events = s.method.startswith("SBML")
        arm = arms[events][number]
        arm.tolerances(s)
        out = np.empty((len(mice), len(arm.grid), len(STATES)))
        for rows, p in zip(out, parameters[list(mice)], strict=True):
            arm.begin(p)
            try:
                (arm.with_events if events else arm.with_restarts)(rows)
            except RuntimeError:  # too much accuracy is asked for
                rows[:] = np.nan
        return out

    return solve
