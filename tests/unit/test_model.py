"""The equations: kernels against symbols, steady states, derivatives; the parameters' data."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import sympy as sp

from nichetrial import engine
from nichetrial.engine import forcing, kernels, lanes, reference, tableau
from nichetrial.engine.steady import steady_state
from nichetrial.model import equations as eq
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS
from tests.support.mice import cohort, row

MICE = cohort(30)
N, U = len(kernels.STATE_NAMES), len(kernels.INPUT_NAMES)
TIMP1, MMP = kernels.STATE_NAMES.index("timp1"), kernels.INPUT_NAMES.index("mmp_inhibitor")


def constants(p: np.ndarray, host: np.ndarray) -> np.ndarray:
    q = np.empty(kernels.CONSTANT_COUNT)
    kernels.constants(p, host, q)
    return q


def with_ease(p: np.ndarray, host: np.ndarray, y: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The inputs, and behind them ``protease_primary ** protease_shedding``."""
    of = dict(zip(kernels.PARAMETER_NAMES, p, strict=True))
    tissue = of["timp1_basal"] * of["timp1_tissue"]
    basal = 1 + (of["timp1_basal"] + tissue) / of["mmp_ki"]
    bound = 1 + (y[TIMP1] + host[0] * host[3] * tissue) / of["mmp_ki"] + u[MMP]
    return np.append(u, (basal / bound) ** of["protease_shedding"])


def rates(p: np.ndarray, host: np.ndarray, y: np.ndarray, u: np.ndarray) -> np.ndarray:
    dy = np.empty(N)
    kernels.rates(y, with_ease(p, host, y, u), constants(p, host), dy)
    return dy


def random_point(k: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(k)
    p, host = row(MICE, k), rng.uniform(0, 1, 4)
    y, u = rng.lognormal(0, 1, N), rng.lognormal(0, 1, U)
    return p, host, y, u


def jacobian(p: np.ndarray, host: np.ndarray, y: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(states, states)"""
    symbols = [s.symbol for s in eq.STATES]
    places = [
        (i, j)
        for i, s in enumerate(symbols)
        for j, other in enumerate(symbols)
        if other in eq.RATES[s].free_symbols
    ]
    jac, dense = np.empty(kernels.NONZERO), np.zeros((N, N))
    kernels.jacobian(y, with_ease(p, host, y, u), constants(p, host), jac)
    dense[tuple(np.array(places).T)] = jac
    return dense


@pytest.mark.parametrize("k", range(5))
def test_kernels_and_reference_say_what_the_symbols_say(k):
    p, host, y, u = random_point(k)
    values = {eq.parameter(n): v for n, v in zip(kernels.PARAMETER_NAMES, p, strict=True)}
    values |= dict(zip(eq.HOST, host, strict=True))
    values |= {s: e.subs(values) for s, e in eq.CONSTANTS.items()}
    values |= {s.symbol: v for s, v in zip(eq.STATES, y, strict=True)}
    values |= {q.symbol: v for q, v in zip(eq.INPUTS, u, strict=True)}
    expected = [float(sp.N(e.subs(values))) for e in eq.RATES.values()]
    np.testing.assert_allclose(rates(p, host, y, u), expected, rtol=1e-11, atol=1e-12)
    theirs = reference.rates(p[:, None], host, y[:, None], u[:, None])[:, 0]
    np.testing.assert_allclose(theirs, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("k", range(5))
def test_jacobian_against_differences_and_its_factors(k):
    p, host, y, u = random_point(k)
    dense = jacobian(p, host, y, u)
    for j in range(N):
        e = np.eye(N)[j] * 1e-6 * y[j]
        slope = (rates(p, host, y + e, u) - rates(p, host, y - e, u)) / (2e-6 * y[j])
        np.testing.assert_allclose(dense[:, j], slope, rtol=1e-5, atol=1e-5)
    jac, lu, b = np.empty(kernels.NONZERO), np.empty(kernels.FILL), np.arange(1.0, N + 1)
    kernels.jacobian(y, with_ease(p, host, y, u), constants(p, host), jac)
    kernels.factor(jac, 50.0, lu)
    solved = b.copy()
    kernels.solve(lu, solved)
    np.testing.assert_allclose((50.0 * np.eye(N) - dense) @ solved, b, rtol=1e-9)


def test_lanes_say_what_the_kernels_say():
    """The first two stages of a step in eight lanes, each lane another mouse in another state.

    ``(1/(h gamma) - J) k = f + h gamma f_t`` in the first, with f_t as a difference of rates.
    """
    w = np.zeros(8 * forcing.SLOTS)
    at, h = w.reshape(-1, 8), np.geomspace(1e-3, 0.2, 8)
    points = [random_point(k) for k in range(8)]
    du = np.linspace(-1, 2, U)
    at[lanes.STEP], at[lanes.STOP] = h, 1e9
    for i, (p, host, y, u) in enumerate(points):
        at[lanes.STATE : lanes.STATE + N, i] = y
        at[lanes.CONSTANT : lanes.CONSTANT + kernels.CONSTANT_COUNT, i] = constants(p, host)
        at[lanes.INPUT : lanes.INPUT + U, i] = u
        at[lanes.INPUT_SLOPE : lanes.INPUT_SLOPE + U, i] = du
    lanes.ease_in_state(w)
    lanes.begin(w)
    first = at[lanes.LAST : lanes.LAST + N].copy()
    lanes.stage_1(w)
    lanes.ease_in_stage(w)
    lanes.evaluate(w)
    second = at[lanes.LAST : lanes.LAST + N]
    for i, (p, host, y, u) in enumerate(points):
        ft = (rates(p, host, y, u + 1e-6 * du) - rates(p, host, y, u - 1e-6 * du)) / 2e-6
        left = np.eye(N) / (h[i] * tableau.GAMMA) - jacobian(p, host, y, u)
        f = rates(p, host, y, u)
        np.testing.assert_allclose(left @ first[:, i], f + h[i] * tableau.GAMMA * ft, rtol=1e-6)
        stage = y + tableau.VALUE[1][0] * first[:, i]
        right = rates(p, host, stage, u) + tableau.DRIFT[1][0] / h[i] * first[:, i]
        right += h[i] * tableau.TIME_DERIVATIVE[1] * ft
        np.testing.assert_allclose(left @ second[:, i], right, rtol=1e-6, atol=1e-6)


def test_untreated_wild_type_is_in_a_steady_state():
    y = np.empty(N)
    for k in range(len(MICE)):
        p, host = row(MICE, k), np.ones(4)
        steady_state(p, host, constants(p, host), y)
        dy = rates(p, host, y, np.zeros(U))
        assert np.max(np.abs(dy) / (np.abs(y) + 1e-3)) < 1e-12
        assert y[kernels.STATE_NAMES.index("blood_neutrophils")] == 1.0
        assert y[kernels.STATE_NAMES.index("liver_neutrophils")] == 1.0
        np.testing.assert_allclose(y, reference.basal(p[:, None])[:, 0], rtol=1e-14)


@pytest.mark.parametrize(
    "host",
    [
        (0, 1, 1, 1),
        (1, 0, 1, 1),
        (1, 1, 0, 1),
        (0, 0, 0, 0),
        (5, 1, 1, 1),
        (0.3, 1, 2, 1),
        (1, 1, 1, 4),
    ],
)
def test_other_genotypes_start_in_their_own_steady_state(host):
    y = np.empty(N)
    for k in range(len(MICE)):
        p, h = row(MICE, k), np.array(host, dtype=float)
        steady_state(p, h, constants(p, h), y)
        dy = rates(p, h, y, np.zeros(U))
        assert np.max(np.abs(dy) / (np.abs(y) + 1e-6)) < 1e-9
        assert (y >= 0).all()


def test_generated_files_are_up_to_date():
    """Compared without what formatting does to line breaks."""
    written = engine.generated()
    assert {p.name for p in written} == {"kernels.py", "lanes.py"}
    for path, text in written.items():
        same = ast.dump(ast.parse(path.read_text())) == ast.dump(ast.parse(text))
        assert same, f"{path.name} is not what its source says; run: nichetrial generate"


def test_parameters_are_sane_and_cited():
    assert len({p.symbol for p in PARAMETERS.values()}) == len(PARAMETERS)
    for p in PARAMETERS.values():
        assert p.meaning
        assert p.source
        if p.kind in ("uniform", "log_uniform"):
            assert 0 < p.a < p.b, p.name
    used = set().union(*(e.free_symbols for e in (*eq.RATES.values(), *eq.CONSTANTS.values())))
    model = {"TIMP-1", "protease", "SDF-1", "neutrophils", "niche"}
    for p in PARAMETERS.values():
        if p.group in model and p.name != "vector_rise_half_time":
            assert eq.parameter(p.name) in used, f"{p.name} acts on nothing"


def test_every_drug_has_kinetics():
    for drug in DRUGS.values():
        for what in ("bioavailability", "volume", "half_life", "absorption_half_life"):
            assert f"{drug.kinetics}_{what}" in PARAMETERS
