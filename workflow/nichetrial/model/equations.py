"""The equations, written once. Kernels, Jacobian and the formulas of the docs come from here.

Two forms differ from a plain reading of the biology, for positivity: inductions are
``(1 + I theta) / (1 + I theta_b)`` and not ``1 + I (theta - theta_b)``, which is negative in a CD63
knock-out with a strong induction; and the neutrophils' part of liver protease is a share ``p_N`` of
the basal one, so that a mouse without neutrophils keeps ``1 - p_N`` and not a negative amount.

TIMP-1 has two places. What signals through CD63 is that of the plasma; what inhibits protease in a
tissue is that of the plasma and, besides, what the tissue makes itself: a transgene that is
expressed in skin and liver raises the one and not the other (Krueger 1997, Blood 90:1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from nichetrial.model.parameters import PARAMETERS

__all__ = [
    "BASAL",
    "CONSTANTS",
    "HOST",
    "INPUTS",
    "PARTS",
    "RATES",
    "SHORT_RATES",
    "STATES",
    "Quantity",
    "full",
    "parameter",
]


@dataclass(frozen=True)
class Quantity:
    """A state or an input of the equations."""

    name: str
    symbol: sp.Symbol
    unit: str
    meaning: str


def _quantities(*rows: tuple[str, str, str, str]) -> tuple[Quantity, ...]:
    return tuple(Quantity(n, sp.Symbol(s, real=True), u, m) for n, s, u, m in rows)


STATES = _quantities(
    ("timp1", "T", "nM", "free TIMP-1 in plasma"),
    ("sdf1", "S", "nM", "free SDF-1 (CXCL12) in the liver"),
    ("transit_1", "G_1", "fold", "neutrophils in marrow transit, first stage"),
    ("transit_2", "G_2", "fold", "neutrophils in marrow transit, second stage"),
    ("transit_3", "G_3", "fold", "neutrophils in marrow transit, third stage"),
    ("reserve", "M", "fold", "mature neutrophils held in the marrow"),
    ("blood_neutrophils", "B", "fold", "neutrophils in blood"),
    ("liver_neutrophils", "N", "fold", "neutrophils in the liver"),
    ("niche", "Q", "1", "how far the niche is filled"),
    ("circulating", "C", "cells", "tumour cells in the circulation"),
    ("arrested", "A", "cells", "tumour cells arrested alive in the liver, undecided"),
    ("dormant", "D", "cells", "dormant single tumour cells in the liver"),
    ("founders", "L", "cells", "expected founders of colonies so far"),
)
INPUTS = _quantities(
    ("vector", "u_V", "nM/d", "TIMP-1 made by the vector"),
    ("anti_timp1", "u_T", "1", "anti-TIMP-1 over its IC50"),
    ("anti_sdf1", "u_S", "1", "anti-SDF-1 over its IC50"),
    ("amd3100", "u_A", "1", "AMD3100 over its IC50"),
    ("neutrophil_kill", "u_K", "1/d", "killing of neutrophils by anti-Ly6G"),
    ("mmp_inhibitor", "u_M", "1", "MMP inhibitor over its IC50"),
    ("tumour_volume", "V", "mm^3", "primary tumour"),
    ("shedding_volume", "V_s", "mm^3", "primary tumour to the power gam, as it counts in shedding"),
)
HOST = tuple(sp.Symbol(s, nonnegative=True) for s in ("h_T", "h_C", "h_M", "h_L"))
"""Expression of the host's Timp1, Cd63 and Mmp9 genes, and of Timp1 in the tissues alone; 1 in the
wild type, 0 in a knock-out."""

_SYMBOL = {p.name: sp.Symbol(p.symbol, positive=True) for p in PARAMETERS.values()}


def parameter(name: str) -> sp.Symbol:
    """The symbol of a parameter."""
    return _SYMBOL[name]


T, S, G1, G2, G3, M, B, N, Q, C, A, D, L = (s.symbol for s in STATES)
uV, uT, uS, uA, uK, uM, V, Vs = (u.symbol for u in INPUTS)
hT, hC, hM, hL = HOST
P = parameter
LN2 = sp.log(2)


def _constant(symbol: str) -> sp.Symbol:
    return sp.Symbol(symbol, positive=True)


kT, kS, kB, kN, kG, kR, kQ, kC = (_constant(f"k_{x}") for x in "TSBNGRQC")
K63, TL, eS, eG, xb, Eb, nb = (
    _constant(s) for s in ("K_63", "T_L", "e_S", "e_G", "x_b", "E_b", "q_b")
)
kF, kD, kX = (_constant(s) for s in ("k_F", "k_D", "k_X"))

CONSTANTS: dict[sp.Symbol, sp.Expr] = {
    kT: LN2 / P("timp1_half_life"),
    kS: LN2 / P("sdf1_half_life"),
    kB: LN2 / P("neutrophil_blood_half_life"),
    kN: LN2 / P("neutrophil_liver_half_life"),
    kG: 3 / P("marrow_transit"),
    kR: LN2 / (P("neutrophil_blood_half_life") * P("marrow_reserve")),
    kQ: LN2 / P("niche_half_time"),
    kC: LN2 / P("circulation_half_life"),
    K63: P("cd63_ratio") * P("timp1_basal"),
    eS: 1 / (1 + P("sdf1_induction") / (1 + P("cd63_ratio"))),
    eG: 1 / (1 + P("granulopoiesis_gain") / (1 + P("cd63_ratio"))),
    xb: P("sdf1_basal") / P("cxcr4_kd"),
    TL: P("timp1_tissue") * P("timp1_basal"),
    Eb: 1 + P("timp1_basal") * (1 + P("timp1_tissue")) / P("mmp_ki"),
    nb: 1
    / (
        1
        + P("niche_gain") / (1 + P("niche_threshold") ** P("niche_steepness"))
        + P("hgf_gain") / (1 + P("cd63_ratio"))
    ),
    kF: LN2 * P("founding_probability") / P("arrested_half_life"),
    kD: LN2 * P("dormancy_probability") / P("arrested_half_life"),
    kX: LN2 * (1 - P("founding_probability") - P("dormancy_probability")) / P("arrested_half_life"),
}
"""Constants of one mouse, computed once: rates per day and values of the basal state."""

tau, theta, x, homing, held, inhibited, protease, protease_primary, favour = (
    sp.Symbol(name, positive=True)
    for name in ("tau", "theta", "x", "h", "o", "J", "E", "E_p", "psi")
)
n, w, p_N = P("niche_steepness"), P("sdf1_proteolysis"), P("neutrophil_protease_share")

PARTS: dict[sp.Symbol, tuple[sp.Expr, str]] = {
    tau: (T / (T + K63), "saturation of a receptor with the affinity of CD63"),
    theta: (hC * tau, "CD63 signalling"),
    x: (S / P("cxcr4_kd"), "SDF-1 over its affinity"),
    homing: (
        (x / (1 + x + uA)) * ((1 + xb) / xb),
        "homing of neutrophils to the liver, relative to basal",
    ),
    held: (
        (1 + xb) / (1 + xb + uA),
        "CXCR4 occupancy in the marrow, relative to basal: what holds neutrophils back",
    ),
    inhibited: (
        1 + (T + hT * hL * TL) / P("mmp_ki") + uM,
        "inhibition of protease, by TIMP-1 of plasma and tissue and by a drug",
    ),
    protease: (
        ((1 - p_N) + p_N * hM * N) * Eb / inhibited,
        "free protease in the liver, relative to basal",
    ),
    protease_primary: (Eb / inhibited, "free protease at the primary tumour, relative to basal"),
    favour: (
        (1 + P("niche_gain") * Q + P("hgf_gain") * tau) * nb * protease ** P("protease_founding"),
        "favour of the liver for founding, relative to basal",
    ),
}
"""Parts that the rates share: symbol -> (expression, meaning); a part may use earlier ones."""

release = kR * M * (1 + P("mobilisation") * (1 - held))

SHORT_RATES: dict[sp.Symbol, sp.Expr] = {
    T: kT * P("timp1_basal") * hT + uV + kT * P("tumour_timp1") * V - kT * T * (1 + uT),
    S: kS * P("sdf1_basal") * (1 + P("sdf1_induction") * theta) * eS
    - kS * S * (1 - w + w * protease + uS),
    G1: kB * (1 + P("granulopoiesis_gain") * theta) * eG * B ** (-P("granulopoiesis_feedback"))
    - kG * G1,
    G2: kG * G1 - kG * G2,
    G3: kG * G2 - kG * G3,
    M: kG * G3 - release,
    B: release - kB * B - uK * B,
    N: kN * B * homing - kN * N - uK * N,
    Q: kQ * (N**n / (N**n + P("niche_threshold") ** n) - Q),
    C: P("tumour_shedding") * Vs * protease_primary ** P("protease_shedding") - kC * C,
    A: kC * P("arrest_probability") * C - (kX + kD + kF * favour) * A,
    D: kD * A,
    L: kF * favour * A,
}
"""State -> its rate of change (per day), with the shared parts under their symbols."""


def full(expression: sp.Expr) -> sp.Expr:
    """The expression with the shared parts written out."""
    for symbol, (part, _) in reversed(PARTS.items()):
        expression = expression.subs(symbol, part)
    return expression


RATES: dict[sp.Symbol, sp.Expr] = {s: full(e) for s, e in SHORT_RATES.items()}
"""State -> its rate of change (per day), in states, inputs, parameters and constants alone."""

BASAL: dict[sp.Symbol, sp.Expr] = {
    T: P("timp1_basal") * hT,
    S: P("sdf1_basal"),
    G1: kB / kG,
    G2: kB / kG,
    G3: kB / kG,
    M: P("marrow_reserve"),
    B: sp.Integer(1),
    N: sp.Integer(1),
    Q: 1 / (1 + P("niche_threshold") ** n),
    C: sp.Integer(0),
    A: sp.Integer(0),
    D: sp.Integer(0),
    L: sp.Integer(0),
}
"""Steady state of the untreated wild type; where a knock-out starts to look for its own."""
