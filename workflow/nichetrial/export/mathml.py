"""SymPy expressions as content MathML, in the subset that SBML allows.

Not SymPy's own printer: that one sets names with an underscore as subscripts and knows no units.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

import sympy as sp

__all__ = ["MATHML", "TIME", "math", "reached"]

MATHML = "http://www.w3.org/1998/Math/MathML"
_TIME_URL = "http://www.sbml.org/sbml/symbols/time"
TIME = sp.Symbol("time", real=True)
"""The time of the simulation (days)."""


def math(expression: sp.Expr, ids: dict[sp.Symbol, str], sbml: str) -> Element:
    """A ``math`` element; ``ids``: symbol -> SBML id, ``sbml``: namespace of the units."""
    top = Element("math", {"xmlns": MATHML, "xmlns:sbml": sbml})
    top.append(_node(sp.sympify(expression), ids))
    return top


def reached(time: float, unit: str, sbml: str) -> Element:
    """A ``math`` element: is it ``time`` (in ``unit``) or later?"""
    top = Element("math", {"xmlns": MATHML, "xmlns:sbml": sbml})
    top.append(_apply("geq", _node(TIME, {}), _number(time, unit)))
    return top


def _number(value: float, unit: str = "dimensionless") -> Element:
    """A ``cn`` with every digit of the number."""
    node = Element("cn", {"sbml:units": unit})
    mantissa, e, exponent = repr(value).partition("e")
    node.text = mantissa
    if e:
        node.set("type", "e-notation")
        SubElement(node, "sep").tail = str(int(exponent))
    elif isinstance(value, int):
        node.set("type", "integer")
    return node


def _apply(operator: str, *arguments: Element) -> Element:
    node = Element("apply")
    SubElement(node, operator)
    node.extend(arguments)
    return node


def _node(e: sp.Expr, ids: dict[sp.Symbol, str]) -> Element:
    if e == TIME:
        node = Element("csymbol", {"encoding": "text", "definitionURL": _TIME_URL})
        node.text = "time"
        return node
    if isinstance(e, sp.Symbol):
        node = Element("ci")
        node.text = ids[e]
        return node
    if e.is_Integer:
        return _number(int(e))
    if e.is_Float:
        return _number(float(e))
    if e.is_Rational:
        return _apply("divide", _number(int(e.p)), _number(int(e.q)))
    if isinstance(e, sp.Add):
        return _sum(e, ids)
    if isinstance(e, sp.exp):
        return _apply("exp", _node(e.args[0], ids))
    if isinstance(e, sp.log):
        return _apply("ln", _node(e.args[0], ids))
    if isinstance(e, sp.Mul | sp.Pow):
        return _product(e, ids)
    raise TypeError(f"no MathML for {type(e).__name__}: {e}")


def _sum(e: sp.Add, ids: dict[sp.Symbol, str]) -> Element:
    """Positive terms first, then the others taken away."""
    terms = e.as_ordered_terms()
    plus = [_node(t, ids) for t in terms if not t.could_extract_minus_sign()]
    minus = [_node(-t, ids) for t in terms if t.could_extract_minus_sign()]
    node = plus.pop(0) if plus else _apply("minus", minus.pop(0))
    if plus:
        node = _apply("plus", node, *plus)
    for term in minus:
        node = _apply("minus", node, term)
    return node


def _product(e: sp.Mul | sp.Pow, ids: dict[sp.Symbol, str]) -> Element:
    """Negative powers go below the line; sums among the factors stay as they are."""
    if e.args[0].is_negative:
        return _apply("minus", _node(-e, ids))
    top: list[Element] = []
    bottom: list[Element] = []
    for factor in e.as_ordered_factors():
        base, exponent = factor.args if isinstance(factor, sp.Pow) else (factor, sp.Integer(1))
        below = exponent.could_extract_minus_sign()
        power = -exponent if below else exponent
        node = _node(base, ids)
        if power != 1:
            node = _apply("power", node, _node(power, ids))
        (bottom if below else top).append(node)
    node = _times(top)
    return _apply("divide", node, _times(bottom)) if bottom else node


def _times(factors: list[Element]) -> Element:
    if not factors:
        return _number(1)
    return factors[0] if len(factors) == 1 else _apply("times", *factors)
