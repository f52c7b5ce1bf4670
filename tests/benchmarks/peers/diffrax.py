"""Diffrax (JAX) on the processor: all mice of an arm side by side, drugs in closed form, compiled.

The right-hand side is made from the symbolic equations. Doses are jumps of the drug levels, where
the step control lands; only an injection of cells ends one solution and begins the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nichetrial.engine.forcing import CHANNELS, EVENT
from nichetrial.engine.kernels import PARAMETER_NAMES
from nichetrial.model.equations import CONSTANTS, HOST, INPUTS, RATES, STATES, parameter
from tests.benchmarks.forcing import FIRST, KINETICS, LENGTH
from tests.benchmarks.model import Case, levels
from tests.benchmarks.peers import Settings, Solve

jax.config.update("jax_enable_x64", True)

NAME = "diffrax"
PACKAGES = ("diffrax", "jax")
CANDIDATES = tuple(Settings(name, 0.0) for name in ("Tsit5", "Dopri8", "Dopri5"))
# of 200 mice; Dopri8 takes twice as long. More than 64 side by side no longer helps
TUNED = {"Tsit5": Settings("Tsit5", 2.4e-8)}
MICE = 64

CELLS = next(i for i, s in enumerate(STATES) if s.name == "circulating")
INPUT_OF = {0: "amd3100", 1: "anti_sdf1", 4: "anti_timp1", 5: "mmp_inhibitor"}
"""Channel -> the input that is its level over its IC50; anti-Ly6G kills instead."""
RAT = 2
"""The channel of the anti-Ly6G that wears off."""
STEPS = 1_000_000


@cache
def _equations() -> tuple[Callable, Callable]:
    """Constants from parameters; rates from states, inputs, parameters, host and constants."""
    p, c = [parameter(name) for name in PARAMETER_NAMES], list(CONSTANTS)
    y, u = [s.symbol for s in STATES], [q.symbol for q in INPUTS]
    constants = sp.lambdify([p], list(CONSTANTS.values()), modules="jax", cse=True)
    return constants, sp.lambdify([y, u, p, HOST, c], list(RATES.values()), modules="jax", cse=True)


class _Arm:
    """An arm's mice in JAX."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.since = np.unique([0.0, *case.times])
        doses = case.kinds <= EVENT["pump"]
        self.channels = sorted(set(case.channels[doses].tolist()))
        injected = case.kinds == EVENT["cells"]
        self.cells = dict(zip(case.times[injected].tolist(), case.amounts[injected], strict=True))

    def inputs(self, t: Any, mouse: dict[str, Any]) -> list[Any]:
        """Inputs of the equations; what the arm has not got is the number 0 and costs nothing."""
        u: dict[str, Any] = {q.name: 0.0 for q in INPUTS}
        k = jnp.searchsorted(self.since, t, side="right") - 1
        dt, p = t - jnp.asarray(self.since)[k], mouse["p"]
        for j, level_at in zip(self.channels, mouse["levels"], strict=True):
            ke, ka, _, ic50, most = mouse["kinetics"][:, j]
            steady, slow, fast = level_at[k]
            level = (steady + slow * jnp.exp(-ke * dt) - fast * jnp.exp(-ka * dt)) / ic50
            if j in INPUT_OF:
                u[INPUT_OF[j]] = level
                continue
            kill = most * level / (1.0 + level)
            if j == RAT:
                z = (t - mouse["first"]) / p[PARAMETER_NAMES.index("anti_ly6g_rebound")]
                kill = kill / (1.0 + (z * z) * (z * z))
            u["neutrophil_kill"] = u["neutrophil_kill"] + kill
        if self.case.arm.vector is not None:
            age = jnp.maximum(t - self.case.arm.vector.onset, 0.0)
            rise, decay, basal = (
                p[PARAMETER_NAMES.index(name)]
                for name in ("vector_rise_half_time", "timp1_half_life", "timp1_basal")
            )
            plateau = jnp.log(2.0) / decay * basal * (self.case.arm.vector.fold - 1.0)
            u["vector"] = plateau * -jnp.expm1(-jnp.log(2.0) / rise * age)
        return list(u.values())

    def solver(self, method: str) -> Callable:
        """A compiled function of the mice, their initial states and the tolerances."""
        constants, rates = _equations()
        grid, host = self.case.grid, self.case.host
        ends = sorted({0.0, *self.cells, grid[-1]})

        def rhs(t, y, mouse):
            u = self.inputs(t, mouse)
            return jnp.stack(rates(y, u, mouse["p"], host, mouse["c"]))

        def one(mouse, y, rtol, atol):
            mouse = mouse | {"c": constants(mouse["p"])}
            states = []
            for low, high in pairwise(ends):
                if low in self.cells:
                    y = y.at[CELLS].add(self.cells[low])
                at = grid[(grid >= low) & (grid < high)]
                jumps = self.since[(self.since > low) & (self.since < high)]
                control = diffrax.PIDController(rtol=rtol, atol=atol)
                if len(jumps):
                    control = diffrax.ClipStepSizeController(control, jump_ts=jumps)
                solved = diffrax.diffeqsolve(
                    diffrax.ODETerm(rhs),
                    getattr(diffrax, method)(),
                    low,
                    high,
                    None,
                    y,
                    mouse,
                    saveat=diffrax.SaveAt(ts=np.append(at, high)),
                    stepsize_controller=control,
                    adjoint=diffrax.ForwardMode(),
                    max_steps=STEPS,
                    throw=False,
                )
                states.append(solved.ys[:-1])
                y = solved.ys[-1]
            return jnp.concatenate([*states, y[None]])

        return jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)))

    def known(self, parameters: NDArray[np.float64]) -> tuple[dict[str, Any], NDArray[np.float64]]:
        """What is known of each mouse before anything is solved, and its initial state."""
        n, c = len(parameters), self.case
        kin, y = np.empty((n, KINETICS)), np.empty((n, len(STATES)))
        rows = np.empty((n, len(self.since), LENGTH))
        for i, p in enumerate(parameters):
            levels(
                p,
                c.host,
                c.times,
                c.kinds,
                c.channels,
                c.amounts,
                self.since,
                kin[i],
                y[i],
                rows[i],
            )
        return {
            "p": parameters,
            "kinetics": kin.reshape(n, 5, len(CHANNELS)),
            "levels": [rows[:, :, j : 3 * len(CHANNELS) : len(CHANNELS)] for j in self.channels],
            "first": rows[:, -1, FIRST],
        }, y


def prepare(cases: Sequence[Case], parameters: NDArray[np.float64]) -> Solve:
    """Functions of the arms, each compiled at its first call."""
    arms = [_Arm(c) for c in cases]

    @cache
    def solver(number: int, method: str) -> Callable:
        return arms[number].solver(method)

    def solve(number: int, mice: Sequence[int], s: Settings) -> NDArray[np.float64]:
        known = arms[number].known(parameters[list(mice)])
        return np.asarray(solver(number, s.method)(*known, s.rtol, s.atol))

    return solve
