"""Writes the numerical kernels out of the symbolic equations, as straight-line Python for Numba.

``kernels.py`` holds the equations for one mouse. ``lanes.py`` holds a step of the integrator for
eight mice side by side: one flat array in which the number of slot ``k`` of lane ``i`` is
``w[8 k + i]``, so that the compiler turns each loop over the lanes into vector instructions.
Both are checked in, so that they can be read; a test holds them and this module together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import sympy as sp

from nichetrial.engine import tableau
from nichetrial.engine.algebra import Statement, statements
from nichetrial.engine.symbolic import EASE, INPUTS, SLOPES, STATES, Model, factorise, substitute
from nichetrial.model import equations as eq
from nichetrial.model.parameters import PARAMETERS

__all__ = ["kernels", "lanes"]

LANES = 8
NOTE = "GENERATED from model/equations.py by `nichetrial generate`: do not edit."
FLOOR = (1e-3, 4e-4, 1e-3, 1e-3, 1e-3, 1e-3, 5e-3, 0.04, 1e-4, 0.06, 0.04, 0.8, 0.02)
"""Absolute tolerance over the relative one: below it a state does not matter (nM, fold, cells)."""
WEIGHT = (5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.15, 3.0, 6.0, 3.0, 0.8)
"""Tolerance of a state over that of all. What others follow steeply or what sums up over the trial
is held closer, what decays by itself less: fewer steps for the same largest error of all states."""
NO_CELLS = 1e-100
"""So few are none. Cells decay without end: their numbers, and sooner the squares of their errors,
would become subnormal, and one operation on such a number takes as long as a hundred others."""

_N = len(STATES)
_CELLS = [m for m, s in enumerate(eq.STATES) if s.unit == "cells"]
_Place = Callable[..., str]
"""(group of slots, which of them) -> where it is in the workspace."""


def _function(name: str, arguments: str, doc: str, body: Iterable[Statement | str]) -> str:
    lines = [f"    {s}" if isinstance(s, str) else f"    {s[0]} = {s[1]}" for s in body]
    head = ['@njit(error_model="numpy", cache=True)', f"def {name}({arguments}):"]
    return "\n".join([*head, f'    """{doc}"""', *lines])


def _uses(statements: Iterable[Statement], name: str) -> bool:
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return any(pattern.search(right) for _, right in statements)


def _tuple(name: str, values: Iterable[str]) -> str:
    return f"{name} = (\n" + "".join(f'    "{v}",\n' for v in values) + ")"


def _list(name: str, values: Iterable[str]) -> str:
    return _tuple(name, values).replace("(", "[").replace(")", "]") + "\n"


def kernels() -> str:
    """The text of ``kernels.py``."""
    m = Model()
    names: dict[str, str] = {s.name: f"y[{k}]" for k, s in enumerate(STATES)}
    names |= {s.name: f"u[{k}]" for k, s in enumerate([*INPUTS, EASE])}
    names |= {s.name: f"q[{k}]" for k, s in enumerate(m.constants)}
    parameters = {eq.parameter(n).name: f"p[{k}]" for k, n in enumerate(PARAMETERS)}
    parameters |= {s.name: f"host[{k}]" for k, s in enumerate(eq.HOST)}

    def body(targets: list[tuple[str, sp.Expr]], known: dict[str, str]) -> list[Statement]:
        lines = statements(targets)
        return [(n, f"{a}") for n, a in known.items() if _uses(lines, n)] + lines

    steady = [(f"y[{k}]", eq.BASAL[s].xreplace(eq.CONSTANTS)) for k, s in enumerate(STATES)]
    functions = [
        _function(
            "constants",
            "p, host, q",
            "Constants of one mouse in one host.",
            body([(f"q[{k}]", e) for k, e in enumerate(m.constants.values())], parameters),
        ),
        _function(
            "basal",
            "p, host, y",
            "Steady state of the untreated wild type.",
            body(steady, parameters),
        ),
        _function(
            "rates",
            "y, u, q, dy",
            "Rates of change, per day.",
            body([(f"dy[{k}]", e) for k, e in enumerate(m.rates)], names),
        ),
        _function(
            "jacobian",
            "y, u, q, jac",
            "Nonzero entries of d rates / d states.",
            body([(f"jac[{k}]", e) for k, e in enumerate(m.jacobian)], names),
        ),
        _function(
            "factor",
            "jac, g, lu",
            "Sparse L U of (g I - J); the diagonal of U is inverted.",
            [
                *statements(factorise(m, "jac[{}]")),
                *((f"lu[{k}]", f"w_{i}_{j}") for k, (i, j) in enumerate(m.fill)),
            ],
        ),
        _function(
            "solve",
            "lu, b",
            "Solve in place.",
            [
                *((f"b{k}", f"b[{k}]") for k in range(_N)),
                *substitute(m, "lu[{k}]"),
                *((f"b[{k}]", f"b{k}") for k in range(_N)),
            ],
        ),
    ]
    doc = f'''"""{NOTE}

The equations for one mouse. ``p``: parameters, in the order of PARAMETER_NAMES; ``host``:
expression of its genes; ``q``: constants of the mouse; ``y``: states; ``u``: inputs, and
behind them ``protease_primary ** protease_shedding``, which matters with a primary tumour alone.
Times in days.
"""'''
    head = [
        doc,
        "from numba import njit\n",
        "from nichetrial.engine.elementary import LN2, exp, fma, log\n",
        _list(
            "__all__",
            [
                "CONSTANT_COUNT",
                "FILL",
                "HOST_COUNT",
                "INPUT_NAMES",
                "NONZERO",
                "PARAMETER_NAMES",
                "STATE_NAMES",
                "basal",
                "constants",
                "factor",
                "jacobian",
                "rates",
                "solve",
            ],
        ),
        _tuple("STATE_NAMES", [s.name for s in eq.STATES]),
        _tuple("INPUT_NAMES", [v.name for v in eq.INPUTS]),
        _tuple("PARAMETER_NAMES", PARAMETERS),
        f"HOST_COUNT = {len(eq.HOST)}\nCONSTANT_COUNT = {len(m.constants)}\n"
        f"NONZERO = {len(m.nonzero)}\nFILL = {len(m.fill)}",
    ]
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


def _layout(m: Model) -> dict[str, tuple[int, str]]:
    """Group of slots -> (how many, what they are)."""
    return {
        "STATE": (_N, "states at the start of the step"),
        "STAGE": (_N, "states of the current stage"),
        "LAST": (_N, "k of the latest stage"),
        "K": ((tableau.STAGES - 2) * _N, "k of the stages before"),
        "RIGHT": (_N, "what earlier stages give to the stage's right-hand side, times the step"),
        "SLOPE": (len(m.slopes), "derivatives of the rates in time"),
        "LU": (len(m.fill), "factors of 1/(h gamma) - J"),
        "CONSTANT": (len(m.constants), "constants of the mouse"),
        "INPUT": (len(INPUTS) + 1, "inputs, and the ease of shedding"),
        "INPUT_SLOPE": (len(INPUTS), "derivatives of the inputs in time"),
        "FOUNDING": (1, "founders per day in the current stage"),
        "TIME": (1, "days"),
        "STEP": (1, "step to take next"),
        "TRIED": (1, "step being taken"),
        "PER_STEP": (1, "1 / step being taken"),
        "PER_SLOPE": (1, "by what the SLOPE counts in the current stage"),
        "TAU": (1, "time of the current stage since the start of the step"),
        "STOP": (1, "day to land on next"),
        "LANDS": (1, "1: this step ends on STOP"),
        "ACCEPTED": (1, "1: the step was accepted"),
        "ERROR": (1, "squared error over tolerance"),
        "PER_BEFORE": (1, "1 / step accepted before this one; 0: nothing to compare with"),
        "SIZE_BEFORE": (1, "logarithm of its squared error"),
    }


def _stage(k: int, at: _Place) -> str:
    """Text of stage ``k``: what comes from the stages before, for all states and lanes alike."""
    value, drift = tableau.VALUE[k], tableau.DRIFT[k]
    lines: list[Statement] = [(f"k{j}", at("K", j * _N)) for j in range(k - 1)]
    lines.append((f"k{k - 1}", at("LAST")))
    if k < tableau.STAGES - 1:
        lines.append((at("K", (k - 1) * _N), f"k{k - 1}"))
    if value == (*tableau.VALUE[k - 1], 1.0):
        text = f"{at('STAGE')} + k{k - 1}"
    else:
        text = at("STATE")
        for j, a in enumerate(value):
            text = f"fma({a!r}, k{j}, {text})"
    lines.append((at("STAGE"), text))
    text = f"{drift[0]!r} * k0"
    for j, c in enumerate(drift[1:], 1):
        text = f"fma({c!r}, k{j}, {text})"
    lines.append((at("RIGHT"), text))
    return _function(
        f"stage_{k}",
        "w",
        f"Stage {k} of 0 to {tableau.STAGES - 1}: its states, and the part of its right-hand side "
        "that earlier stages give.",
        [
            "wide()",
            f"for i in range({LANES}):",
            f"    {at('TAU')} = {tableau.TIME[k]!r} * {at('TRIED')}",
            f"    {at('PER_SLOPE')} = {tableau.TIME_DERIVATIVE[k]!r} * {at('TRIED')}",
            f"for i in range({LANES * _N}):",
            *(f"    {name} = {right}" for name, right in lines),
        ],
    )


def _finish(at: _Place) -> list[Statement | str]:
    """Error, acceptance, next step, and the new states where accepted."""
    lines: list[Statement | str] = []
    above, below = [], []
    for m in range(_N):
        lines += [
            (f"y{m}", at("STATE", m)),
            (f"n{m}", f"{at('STAGE', m)} + {at('LAST', m)}"),
            *([(f"n{m}", f"n{m} if abs(n{m}) > {NO_CELLS!r} else 0.0")] if m in _CELLS else []),
            (f"m{m}", f"max(abs(y{m}), abs(n{m}))"),
            (f"a{m}", f"{at('LAST', m)} * {at('LAST', m)}"),
            (f"s{m}", f"fma({WEIGHT[m]!r}, m{m}, {WEIGHT[m] * FLOOR[m]!r})"),
            (f"b{m}", f"s{m} * s{m}"),
        ]
        above.append(f"a{m}")
        below.append(f"b{m}")
    # a/b + c/d = (a d + c b) / (b d): few divisions, which are dear
    terms = []
    for start in range(0, _N, 4):
        some = range(start, min(start + 4, _N))
        top, bottom = above[start], below[start]
        for m in some[1:]:
            lines.append((f"c{m}", f"fma({top}, {below[m]}, {above[m]} * {bottom})"))
            lines.append((f"e{m}", f"{bottom} * {below[m]}"))
            top, bottom = f"c{m}", f"e{m}"
        terms.append(f"{top} / {bottom}")
    lines += [
        ("error", f"({' + '.join(terms)}) / ({_N}.0 * rtol * rtol)"),
        ("ok", "error <= 1.0"),  # false for NaN
        ("lands", f"{at('LANDS')} == 1.0"),
        ("tried", at("TRIED")),
        # 0.9 error**(-1/5) with the root of the squared error, and most of the trend since the step
        # before (Gustafsson 1994, doi 10.1145/198429.198437); NaN goes to the smallest factor
        ("size", "log(1e-8 if error < 1e-8 else error)"),
        ("ratio", f"tried * {at('PER_BEFORE')}"),
        ("known", "ok and ratio > 0.0"),
        ("ratio", "ratio if known else 1.0"),
        ("before", f"{at('SIZE_BEFORE')} if known else size"),
        ("factor", "0.9 * exp(fma(-0.17, size, fma(0.07, before, 0.6 * log(ratio))))"),
        ("factor", "factor if factor > 0.2 else 0.2"),
        ("factor", "5.0 if factor > 5.0 else factor"),
        ("step", "tried * factor"),
        # a step cut short by a landing says little about the step that would have been possible
        ("longer", "max(step, " + at("STEP") + ")"),
        (at("STEP"), "longer if ok and lands else step"),
        (at("ERROR"), "error"),
        ("per_before", at("PER_BEFORE")),
        ("per_before", at("PER_STEP") + " if ok else per_before"),
        (at("PER_BEFORE"), "0.0 if lands else per_before"),
        (at("SIZE_BEFORE"), "size if ok else " + at("SIZE_BEFORE")),
        (at("ACCEPTED"), "1.0 if ok else 0.0"),
        ("before", at("TIME")),
        ("after", f"{at('STOP')} if lands else before + tried"),
        (at("TIME"), "after if ok else before"),
        *((at("STATE", m), f"n{m} if ok else y{m}") for m in range(_N)),
    ]
    return lines


def lanes() -> str:
    """The text of ``lanes.py``."""
    m = Model()
    layout = _layout(m)
    first, text = {}, []
    count = 0
    for name, (slots, meaning) in layout.items():
        first[name] = count
        text.append(f"{name} = {count}  # {slots}: {meaning}")
        count += slots
    text.append(f"SLOTS = {count}")

    def at(group: str, k: int = 0) -> str:  # of type _Place
        place = LANES * (first[group] + k)
        return f"w[{place} + i]" if place else "w[i]"

    def loop(name: str, arguments: str, doc: str, body: list[Statement | str]) -> str:
        inside = [s if isinstance(s, str) else f"{s[0]} = {s[1]}" for s in body]
        return _function(
            name,
            arguments,
            doc,
            ["wide()", f"for i in range({LANES}):", *(f"    {line}" for line in inside)],
        )

    inputs = {s.name: at("INPUT", k) for k, s in enumerate([*INPUTS, EASE])}
    inputs |= {s.name: at("INPUT_SLOPE", k) for k, s in enumerate(SLOPES)}
    inputs |= {s.name: at("CONSTANT", k) for k, s in enumerate(m.constants)}

    def loads(lines: list[Statement], group: str) -> list[Statement]:
        known = {s.name: at(group, k) for k, s in enumerate(STATES)} | inputs
        return [(n, a) for n, a in known.items() if _uses(lines, n)]

    places = [f"w[{LANES * first['LU']} + {{slot}} + i]", "w_{i}_{j}"]
    begin = statements(
        [(f"f{k}", e) for k, e in enumerate(m.rates)]
        + [(f"j{k}", e) for k, e in enumerate(m.jacobian)]
        + [(f"s{k}", e) for k, e in enumerate(m.in_time)]
        + factorise(m, "j{}")
    )
    slope = {i: f"s{k}" for k, i in enumerate(m.slopes)}
    begin_body: list[Statement | str] = [
        ("ahead", at("STOP") + " - " + at("TIME")),
        ("h", at("STEP")),
        ("lands", "1.05 * h >= ahead"),
        # where two steps are needed, equal ones: the same number, and a smaller error
        ("h", "h if 2.0 * h < ahead else 0.5 * ahead"),
        ("h", "ahead if lands else h"),
        ("per_step", "1.0 / h"),
        (at("LANDS"), "1.0 if lands else 0.0"),
        (at("TRIED"), "h"),
        (at("PER_STEP"), "per_step"),
        ("g", f"per_step * {1.0 / tableau.GAMMA!r}"),
        *loads(begin, "STATE"),
        *begin,
        *((at("LU", k), f"w_{i}_{j}") for k, (i, j) in enumerate(m.fill)),
        *((at("SLOPE", k), f"s{k}") for k in range(len(m.slopes))),
        ("h", f"h * {tableau.GAMMA!r}"),
        *((f"b{k}", f"fma(h, {slope[k]}, f{k})" if k in slope else f"f{k}") for k in range(_N)),
        *substitute(m, places[1]),
        *((at("LAST", k), f"b{k}") for k in range(_N)),
    ]
    evaluate = statements([(f"f{k}", e) for k, e in enumerate(m.rates)])
    evaluate_body: list[Statement | str] = [
        *loads(evaluate, "STAGE"),
        *evaluate,
        (at("FOUNDING"), f"f{_N - 1}"),
        ("per_step", at("PER_STEP")),
        ("per_slope", at("PER_SLOPE")),
        *((f"f{k}", f"fma(per_slope, {at('SLOPE', j)}, f{k})") for j, k in enumerate(m.slopes)),
        *((f"b{k}", f"fma(per_step, {at('RIGHT', k)}, f{k})") for k in range(_N)),
        *substitute(m, places[0]),
        *((at("LAST", k), f"b{k}") for k in range(_N)),
    ]
    power = statements([("ease", m.ease)])
    doc = f'''"""{NOTE}

A step of Rodas5P for {LANES} mice side by side: slot ``k`` of lane ``i`` is ``w[{LANES} k + i]``.
Nothing is shared between lanes, and what is done in one does not depend on the others: a mouse's
numbers are the same in any company. Order: begin, then for each further stage ``stage_n``, the
inputs at TAU, ``evaluate``; then ``finish``.
"""'''
    functions = [
        loop(
            "begin",
            "w",
            "Length of the step, Jacobian, its factors, and the first stage.",
            begin_body,
        ),
        loop("evaluate", "w", "Rates in the current stage, and its k.", evaluate_body),
        *(
            loop(
                f"ease_in_{group.lower()}",
                "w",
                "protease_primary ** protease_shedding.",
                [*loads(power, group), *power, (at("INPUT", len(INPUTS)), "ease")],
            )
            for group in ("STATE", "STAGE")
        ),
        *(_stage(k, at) for k in range(1, tableau.STAGES)),
        loop("finish", "w, rtol", "Accept or reject, and choose the next step.", _finish(at)),
    ]
    head = [
        doc,
        "from numba import njit\n",
        "from nichetrial.engine.elementary import exp, fma, log",
        "from nichetrial.engine.vector_width import wide\n",
        _list("__all__", [*layout, "SLOTS", *(re.findall(r"def (\w+)", "\n".join(functions)))]),
        *text,
    ]
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join(functions) + "\n"
