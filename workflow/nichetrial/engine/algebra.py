"""From symbolic expressions to straight-line statements that a processor likes.

What depends on the mouse alone is computed once a mouse (``hoist``). Sums of products become
explicit fused multiply-adds. Reciprocals are shared, but not merged as in ``1/a = b (1/ab)``: that
was measured, and the longer chains of multiplications cost more than the divisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

__all__ = ["Hoisted", "hoist", "statements"]

rcp = sp.Function("rcp")
log_ = sp.Function("log")
exp_ = sp.Function("exp")
Statement = tuple[str, str]
"""Name and right-hand side, as Python."""


def _is_call(text: str) -> bool:
    """Is it ``fma(...)`` from its first to its last character?"""
    if not text.startswith("fma("):
        return False
    depth = 0
    for k, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and character == ")":
            return k == len(text) - 1
    return False


class _Printer(PythonCodePrinter):
    """Python in which sums of products are nested calls of ``fma``."""

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"({expr.p}.0 / {expr.q}.0)"

    def _print_Integer(self, expr: sp.Integer) -> str:
        return f"{int(expr)}.0"

    def _print_Function(self, expr: sp.Function) -> str:
        if expr.func is rcp:
            return f"1.0 / {self._factor(expr.args[0])}"
        return f"{expr.func.__name__}({', '.join(map(self._print, expr.args))})"

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if not (exponent.is_Integer and 2 <= exponent <= 3):
            raise NotImplementedError(f"no code for {expr}")
        return "(" + " * ".join([self._factor(base)] * int(exponent)) + ")"

    def _factor(self, expr: sp.Expr) -> str:
        text = self._print(expr)
        simple = expr.is_Atom or _is_call(text) or (expr.is_Function and expr.func is not rcp)
        return text if simple or expr.is_Pow else f"({text})"

    def _signed(self, expr: sp.Expr) -> tuple[bool, list[sp.Expr]]:
        """Sign and factors of a product."""
        coefficient, rest = expr.as_coeff_Mul()
        factors = list(sp.Mul.make_args(rest)) if rest != 1 else []
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, abs(coefficient))
        return bool(coefficient < 0), factors

    def _print_Mul(self, expr: sp.Mul) -> str:
        negative, factors = self._signed(expr)
        return ("-" if negative else "") + self._product(factors)

    def _product(self, factors: list[sp.Expr]) -> str:
        above = [f for f in factors if f.func is not rcp]
        below = [f.args[0] for f in factors if f.func is rcp]
        text = " * ".join(map(self._factor, above)) or "1.0"
        return text + "".join(f" / {self._factor(f)}" for f in below)

    def _print_Add(self, expr: sp.Add, order: object = None) -> str:
        terms = [self._signed(term) for term in self._as_ordered_terms(expr)]
        terms.sort(key=lambda term: len(term[1]) > 1)  # what is added comes before what is fused
        terms.sort(key=lambda term: term[0] and len(term[1]) == 1)  # and begins without a minus
        negative, factors = terms[0]
        text = ("-" if negative else "") + self._product(factors)
        for negative, factors in terms[1:]:
            sign = "-" if negative else ""
            if len(factors) == 1:
                text = f"{text} {'-' if negative else '+'} {self._product(factors)}"
            else:
                text = (
                    f"fma({sign}{self._factor(factors[0])}, {self._product(factors[1:])}, {text})"
                )
        return text


_PRINT = _Printer({"fully_qualified_modules": False}).doprint


def _functions(expression: sp.Expr) -> sp.Expr:
    """Reciprocals, powers and logarithms as functions of their own."""
    if expression == sp.log(2):
        return sp.Symbol("LN2")
    if not expression.args:
        return expression
    if isinstance(expression, sp.Pow):
        base, exponent = expression.as_base_exp()
        inside = _functions(base)
        if exponent.is_Integer:
            value = inside if exponent > 0 else rcp(inside)
            return value ** abs(int(exponent))
        times, exponent = exponent.as_coeff_Mul()
        if not times.is_Integer:
            times, exponent = sp.Integer(1), times * exponent
        root = exp_(sp.Mul(sp.sign(times), _functions(exponent)) * log_(inside))
        return root ** abs(int(times))
    return expression.func(*map(_functions, expression.args))


@dataclass
class Hoisted:
    """Expressions in states, inputs and constants of the mouse, and what those constants are."""

    expressions: list[sp.Expr]
    constants: dict[sp.Symbol, sp.Expr]


def hoist(expressions: Iterable[sp.Expr], varying: set[sp.Symbol]) -> Hoisted:
    """Replace what contains none of ``varying`` by symbols ``q0``, ``q1`` ... of its own."""
    found: dict[sp.Expr, sp.Symbol] = {}

    def constant(part: sp.Expr) -> sp.Expr:
        if part.is_Number:
            return part
        if part.could_extract_minus_sign():
            return -constant(-part)
        return found.setdefault(part, sp.Symbol(f"q{len(found)}", real=True))

    def walk(expression: sp.Expr) -> sp.Expr:
        if not expression.free_symbols & varying:
            return constant(expression)
        if not expression.args:
            return expression
        if expression.is_Add or expression.is_Mul:
            fixed = [a for a in expression.args if not a.free_symbols & varying]
            moving = [walk(a) for a in expression.args if a.free_symbols & varying]
            if fixed:
                moving.insert(0, constant(expression.func(*fixed)))
            return expression.func(*moving)
        return expression.func(*map(walk, expression.args))

    hoisted = [walk(_functions(e)) for e in expressions]
    return Hoisted(hoisted, {symbol: part for part, symbol in found.items()})


def statements(targets: Sequence[tuple[str, sp.Expr]]) -> list[Statement]:
    """Statements that compute ``targets`` (name, expression), with common subexpressions shared.

    A name may be an array element as ``w[8 + i]``; symbols of the expressions are printed as they
    are, and those of other targets may be used. Calls: fma, exp, log.
    """
    shared, reduced = sp.cse(
        [_functions(e) for _, e in targets], symbols=sp.numbered_symbols("t"), optimizations="basic"
    )
    named = [(t, e) for (t, _), e in zip(targets, reduced, strict=True)]
    waiting = [*((s.name, e) for s, e in shared), *named]
    unknown = {name for name, _ in waiting}
    result: list[Statement] = []
    while waiting:
        still = []
        for name, expression in waiting:
            if {s.name for s in expression.free_symbols} & unknown:
                still.append((name, expression))
            else:
                result.append((name, str(_PRINT(expression))))
                unknown.discard(name)
        if len(still) == len(waiting):
            raise ValueError(f"these depend on each other: {[name for name, _ in still]}")
        waiting = still
    return result
