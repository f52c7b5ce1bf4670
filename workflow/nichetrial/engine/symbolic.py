"""The model's rates, Jacobian and time derivatives as the integrator wants them, still symbolic."""

from __future__ import annotations

import sympy as sp

from nichetrial.engine.algebra import Statement, hoist
from nichetrial.model import equations as eq

__all__ = ["EASE", "INPUTS", "SLOPES", "STATES", "Model", "factorise", "substitute"]

STATES = [s.symbol for s in eq.STATES]
INPUTS = [u.symbol for u in eq.INPUTS]
EASE = sp.Symbol("ease", real=True)
"""A power that only a primary tumour needs: it comes in from outside, as if it were an input."""
SLOPES = [sp.Symbol(f"d_{s.name}", real=True) for s in INPUTS]
_N = len(STATES)


class Model:
    """The expressions, in states, inputs and constants of the mouse."""

    def __init__(self) -> None:
        shedding = eq.full(eq.protease_primary) ** eq.parameter("protease_shedding")
        f = [eq.RATES[s] for s in STATES]
        jacobian = sp.Matrix(f).jacobian(STATES)
        self.nonzero = [(i, j) for i in range(_N) for j in range(_N) if jacobian[i, j] != 0]
        by_input = sp.Matrix(f).jacobian(INPUTS)
        in_time = [
            sum((by_input[i, k] * d for k, d in enumerate(SLOPES)), sp.Integer(0))
            for i in range(_N)
        ]
        self.slopes = [i for i in range(_N) if in_time[i] != 0]
        wanted = [
            *f,
            *(jacobian[i, j] for i, j in self.nonzero),
            *(in_time[i] for i in self.slopes),
        ]
        plain = [*(e.subs(shedding, EASE) for e in wanted), shedding]
        found = hoist(plain, {*STATES, *INPUTS, *SLOPES, EASE})
        parts = iter(found.expressions)
        self.rates = [next(parts) for _ in f]
        self.jacobian = [next(parts) for _ in self.nonzero]
        self.in_time = [next(parts) for _ in self.slopes]
        self.ease = next(parts)
        meaning = dict(eq.CONSTANTS)
        self.constants = {q: e.xreplace(meaning) for q, e in found.constants.items()}
        self.fill = _fill(self.nonzero)


def _fill(nonzero: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places of L and U when ``gI - J`` is factorised in the given order, without pivoting."""
    places = set(nonzero) | {(i, i) for i in range(_N)}
    for k in range(_N):
        rows = [i for i in range(k + 1, _N) if (i, k) in places]
        columns = [j for j in range(k + 1, _N) if (k, j) in places]
        places |= {(i, j) for i in rows for j in columns}
    return sorted(places)


def factorise(model: Model, jacobian: str) -> list[tuple[str, sp.Expr]]:
    """``w_i_j``: sparse L and U of ``g I - J``, the diagonal of U inverted."""
    targets: list[tuple[str, sp.Expr]] = []
    value: dict[tuple[int, int], sp.Expr] = {(i, i): sp.Symbol("g") for i in range(_N)}
    for k, place in enumerate(model.nonzero):
        value[place] = value.get(place, sp.Integer(0)) - sp.Symbol(jacobian.format(k))
    for k in range(_N):
        targets.append((f"w_{k}_{k}", sp.Pow(value[k, k], -1)))
        across = [j for j in range(k + 1, _N) if (k, j) in model.fill]
        targets += [(f"w_{k}_{j}", value[k, j]) for j in across]
        for i in range(k + 1, _N):
            if (i, k) not in model.fill:
                continue
            targets.append((f"w_{i}_{k}", value[i, k] * sp.Symbol(f"w_{k}_{k}")))
            for j in across:
                product = sp.Symbol(f"w_{i}_{k}") * sp.Symbol(f"w_{k}_{j}")
                value[i, j] = value.get((i, j), sp.Integer(0)) - product
    return targets


def substitute(model: Model, entry: str) -> list[Statement]:
    """Solve for ``b0`` ... in place; ``entry`` names a factor, with {i} and {j} or {k}."""
    lines: list[Statement] = []
    places = set(model.fill)
    at = {place: k for k, place in enumerate(model.fill)}

    def factor(i: int, j: int) -> str:
        return entry.format(i=i, j=j, k=at[i, j], slot=8 * at[i, j])

    for k in range(_N):
        lines += [
            (f"b{i}", f"fma(-{factor(i, k)}, b{k}, b{i})")
            for i in range(k + 1, _N)
            if (i, k) in places
        ]
    for k in reversed(range(_N)):
        lines += [
            (f"b{k}", f"fma(-{factor(k, j)}, b{j}, b{k})")
            for j in range(k + 1, _N)
            if (k, j) in places
        ]
        lines.append((f"b{k}", f"b{k} * {factor(k, k)}"))
    return lines
