"""The model page of the docs: equations and parameters written from the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import sympy as sp

from nichetrial.formatting import markdown_table
from nichetrial.model import equations as eq
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS

__all__ = ["fill", "sections"]

_NAMES = {
    eq.parameter("shedding_exponent"): r"\gamma",
    eq.parameter("colony_spread"): r"\sigma_c",
    eq.parameter("hgf_gain"): r"\gamma_H",
}


def _latex(expression: sp.Expr) -> str:
    return str(sp.latex(expression, symbol_names=_NAMES, mul_symbol=r"\,", order="none"))


def _equations() -> str:
    rates = [rf"\frac{{d {_latex(s)}}}{{dt}} &= {_latex(e)} \\" for s, e in eq.SHORT_RATES.items()]
    parts = [f"- ${_latex(s)} = {_latex(e)}$: {m}" for s, (e, m) in eq.PARTS.items()]
    constants = [f"- ${_latex(s)} = {_latex(e)}$" for s, e in eq.CONSTANTS.items()]
    return "\n".join(
        [
            "$$",
            r"\begin{aligned}",
            *rates,
            r"\end{aligned}",
            "$$",
            "",
            "with",
            "",
            *parts,
            "",
            "and the constants of one mouse",
            "",
            *constants,
        ]
    )


def _quantities(rows: tuple[eq.Quantity, ...]) -> str:
    cells = [(f"${_latex(q.symbol)}$", f"`{q.name}`", q.unit, q.meaning) for q in rows]
    return "\n".join(markdown_table(("symbol", "name", "unit", "meaning"), cells))


def _parameters() -> str:
    head = (
        "parameter",
        "symbol",
        "prior",
        "physical range",
        "CV between mice",
        "meaning",
        "trust",
        "source",
    )
    lines = []
    for group in dict.fromkeys(p.group for p in PARAMETERS.values()):
        cells = [
            (
                f"`{p.name}`",
                f"${_latex(eq.parameter(p.name))}$",
                p.written,
                p.physical,
                f"{p.cv:g}",
                p.meaning,
                "**unknown**" if p.trust == "unknown" else p.trust,
                p.source,
            )
            for p in PARAMETERS.values()
            if p.group == group
        ]
        lines += [f"### {group[0].upper()}{group[1:]}", "", *markdown_table(head, cells), ""]
    return "\n".join(lines).rstrip()


def _drugs() -> str:
    head = ("drug", "in figures", "what it does", "given as", "molar mass (g/mol)")
    cells = [
        (f"`{d.name}`", d.label, d.blocks, ", ".join(d.methods), f"{d.molar_mass:g}")
        for d in DRUGS.values()
    ]
    return "\n".join(markdown_table(head, cells))


def sections() -> dict[str, str]:
    """Name of a generated section -> its Markdown."""
    return {
        "states": _quantities(eq.STATES),
        "inputs": _quantities(eq.INPUTS),
        "equations": _equations(),
        "parameters": _parameters(),
        "drugs": _drugs(),
    }


def fill(page: Path, sections: Mapping[str, str]) -> str:
    """The text of ``page`` with each ``<!-- generated: NAME -->`` section written again."""
    text = page.read_text(encoding="utf-8")
    for name, body in sections.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise ValueError(f"{page}: no section {begin} ... {end}")
        text = f"{before}{begin}\n\n{body}\n\n{end}{after}"
    return text
