"""Writes the numerical kernels out of the symbolic equations, as straight-line Python for Numba.

What it writes, ``kernels.py``, is checked in, so that it can be read, and nothing is derived at run
time; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS

__all__ = ["source"]

HEADER = '''"""GENERATED from model/equations.py by `nichetrial generate`: do not edit.

``p``: parameters of one mouse, in the order of PARAMETER_NAMES; ``host``: expression of Timp1,
Cd63, Mmp9; ``c``: constants; ``y``: states; ``u``: inputs. Times in days.
"""

from math import log

from numba import njit

__all__ = [
    "FILL",
    "INPUT_NAMES",
    "NONZERO",
    "PARAMETER_NAMES",
    "STATE_NAMES",
    "basal",
    "constants",
    "factor",
    "jacobian",
    "rates",
    "rates_in_time",
    "solve",
]
'''


class _Printer(PythonCodePrinter):
    """Plain Python; powers with symbolic exponents stay powers."""

    def _print_log(self, expr: sp.Expr) -> str:
        return f"log({self._print(expr.args[0])})"

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"({expr.p}.0 / {expr.q}.0)"

    def _print_Integer(self, expr: sp.Integer) -> str:
        return f"{int(expr)}.0"

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer and 0 < abs(int(exponent)) <= 3:
            product = " * ".join([f"({self._print(base)})"] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1.0 / ({product}))"
        return f"({self._print(base)}) ** ({self._print(exponent)})"


_PRINT = _Printer({"fully_qualified_modules": False}).doprint


def _body(targets: Sequence[tuple[str, sp.Expr]], names: dict[sp.Symbol, str]) -> list[str]:
    """Assignments with common subexpressions taken out, every symbol under its array name."""
    shared, reduced = sp.cse(
        [e for _, e in targets], symbols=sp.numbered_symbols("t"), optimizations="basic"
    )
    code = {s: sp.Symbol(v) for s, v in names.items()}
    lines = [f"    {s} = {_PRINT(e.xreplace(code))}" for s, e in shared]
    lines += [
        f"    {t} = {_PRINT(e.xreplace(code))}" for (t, _), e in zip(targets, reduced, strict=True)
    ]
    return lines


def _function(name: str, arguments: str, doc: str, body: Iterable[str]) -> str:
    return "\n".join(
        [
            '@njit(cache=True, error_model="numpy")',
            f"def {name}({arguments}):",
            f'    """{doc}"""',
            *body,
        ]
    )


def _fill(n: int, nonzero: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places of L and U when ``gI - J`` is factorised in the given order, without pivoting."""
    places = set(nonzero) | {(i, i) for i in range(n)}
    for k in range(n):
        rows = [i for i in range(k + 1, n) if (i, k) in places]
        columns = [j for j in range(k + 1, n) if (k, j) in places]
        places |= {(i, j) for i in rows for j in columns}
    return sorted(places)


def source() -> str:
    """The text of ``kernels.py``."""
    states, inputs = [s.symbol for s in eq.STATES], [u.symbol for u in eq.INPUTS]
    f = [eq.RATES[s] for s in states]
    size = len(states)
    jacobian = sp.Matrix(f).jacobian(states)
    nonzero = [(i, j) for i in range(size) for j in range(size) if jacobian[i, j] != 0]
    by_input = sp.Matrix(f).jacobian(inputs)
    rate_in_time = [
        (i, sum((by_input[i, k] * sp.Symbol(f"du_{k}") for k in range(len(inputs))), sp.Integer(0)))
        for i in range(size)
    ]
    fill = _fill(size, nonzero)
    at = {place: k for k, place in enumerate(fill)}

    p = {eq.parameter(n): f"p[{k}]" for k, n in enumerate(PARAMETERS)}
    c = {s: f"c[{k}]" for k, s in enumerate(eq.CONSTANTS)}
    h = {s: f"host[{k}]" for k, s in enumerate(eq.HOST)}
    y = {s: f"y[{k}]" for k, s in enumerate(states)}
    u = {s: f"u[{k}]" for k, s in enumerate(inputs)}
    du = {sp.Symbol(f"du_{k}"): f"du[{k}]" for k in range(len(inputs))}
    names = {**p, **c, **h, **y, **u, **du}

    lu = [
        f"    w{k} = {'g' if i == j else '0.0'}"
        + (f" - jac[{nonzero.index((i, j))}]" if (i, j) in nonzero else "")
        for k, (i, j) in enumerate(fill)
    ]
    forward, backward = [], []
    for k in range(size):
        lu.append(f"    w{at[k, k]} = 1.0 / w{at[k, k]}")
        for i in range(k + 1, size):
            if (i, k) not in at:
                continue
            lu.append(f"    w{at[i, k]} *= w{at[k, k]}")
            forward.append(f"    b[{i}] -= lu[{at[i, k]}] * b[{k}]")
            lu += [
                f"    w{at[i, j]} -= w{at[i, k]} * w{at[k, j]}"
                for j in range(k + 1, size)
                if (k, j) in at
            ]
    lu += [f"    lu[{k}] = w{k}" for k in range(len(fill))]
    for k in reversed(range(size)):
        backward += [
            f"    b[{k}] -= lu[{at[k, j]}] * b[{j}]" for j in range(k + 1, size) if (k, j) in at
        ]
        backward.append(f"    b[{k}] *= lu[{at[k, k]}]")

    tuples = [
        ("STATE_NAMES", [s.name for s in eq.STATES]),
        ("INPUT_NAMES", [v.name for v in eq.INPUTS]),
        ("PARAMETER_NAMES", list(PARAMETERS)),
    ]
    head = "\n".join(
        f"{n} = (\n" + "".join(f'    "{v}",\n' for v in values) + ")" for n, values in tuples
    )
    sizes = f"CONSTANT_COUNT = {len(c)}\nNONZERO = {len(nonzero)}\nFILL = {len(fill)}"
    functions = [
        _function(
            "constants",
            "p, host, c",
            "Constants of one mouse in one host.",
            _body([(c[s], e) for s, e in eq.CONSTANTS.items()], names),
        ),
        _function(
            "basal",
            "p, host, c, y",
            "Steady state of the untreated wild type.",
            _body([(y[s], eq.BASAL[s]) for s in states], names),
        ),
        _function(
            "rates",
            "y, u, p, host, c, dy",
            "Rates of change, per day.",
            _body([(f"dy[{i}]", e) for i, e in enumerate(f)], names),
        ),
        _function(
            "jacobian",
            "y, u, p, host, c, jac",
            "Nonzero entries of d rates / d states.",
            _body([(f"jac[{k}]", jacobian[i, j]) for k, (i, j) in enumerate(nonzero)], names),
        ),
        _function(
            "rates_in_time",
            "y, u, du, p, host, c, ft",
            "d rates / d time through the inputs.",
            _body([(f"ft[{i}]", e) for i, e in rate_in_time], names),
        ),
        _function(
            "factor", "jac, g, lu", "Sparse L U of (g I - J); the diagonal of U is inverted.", lu
        ),
        _function("solve", "lu, b", "Solve in place.", forward + backward),
    ]
    return "\n\n\n".join([f"{HEADER}\n{head}\n{sizes}", *functions]) + "\n"
