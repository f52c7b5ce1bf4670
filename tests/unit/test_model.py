"""The equations: kernels against symbols, steady states, derivatives; the parameters' data."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from nichetrial.engine import kernels
from nichetrial.engine.codegen import source
from nichetrial.engine.rodas import host_steady_state
from nichetrial.model import equations as eq
from nichetrial.model.drugs import DRUGS
from nichetrial.model.parameters import PARAMETERS
from tests.mice import cohort, row

MICE = cohort(30)
N, U = len(kernels.STATE_NAMES), len(kernels.INPUT_NAMES)


def constants(p: np.ndarray, host: np.ndarray) -> np.ndarray:
    c = np.empty(kernels.CONSTANT_COUNT)
    kernels.constants(p, host, c)
    return c


def random_point(k: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(k)
    p, host = row(MICE, k), rng.uniform(0, 1, 3)
    y, u = rng.lognormal(0, 1, N), rng.lognormal(0, 1, U)
    return p, host, constants(p, host), y, u


@pytest.mark.parametrize("k", range(5))
def test_kernels_say_what_the_symbols_say(k):
    p, host, c, y, u = random_point(k)
    values = {eq.parameter(n): v for n, v in zip(kernels.PARAMETER_NAMES, p, strict=True)}
    values |= dict(zip(eq.HOST, host, strict=True))
    values |= {s: e.subs(values) for s, e in eq.CONSTANTS.items()}
    values |= {s.symbol: v for s, v in zip(eq.STATES, y, strict=True)}
    values |= {q.symbol: v for q, v in zip(eq.INPUTS, u, strict=True)}
    expected = [float(sp.N(e.subs(values))) for e in eq.RATES.values()]
    dy = np.empty(N)
    kernels.rates(y, u, p, host, c, dy)
    np.testing.assert_allclose(dy, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("k", range(5))
def test_jacobian_and_time_derivative_against_differences(k):
    p, host, c, y, u = random_point(k)
    symbols = [s.symbol for s in eq.STATES]
    places = [
        (i, j)
        for i, s in enumerate(symbols)
        for j, other in enumerate(symbols)
        if other in eq.RATES[s].free_symbols
    ]
    jac = np.empty(kernels.NONZERO)
    kernels.jacobian(y, u, p, host, c, jac)
    dense = np.zeros((N, N))
    dense[tuple(np.array(places).T)] = jac

    def f(y, u):
        out = np.empty(N)
        kernels.rates(y, u, p, host, c, out)
        return out

    for j in range(N):
        h = 1e-6 * y[j]
        e = np.eye(N)[j] * h
        np.testing.assert_allclose(
            dense[:, j], (f(y + e, u) - f(y - e, u)) / (2 * h), rtol=1e-5, atol=1e-5
        )
    du, ft = np.linspace(-1, 2, U), np.empty(N)
    kernels.rates_in_time(y, u, du, p, host, c, ft)
    np.testing.assert_allclose(
        ft, (f(y, u + 1e-6 * du) - f(y, u - 1e-6 * du)) / 2e-6, rtol=1e-5, atol=1e-5
    )
    lu, b = np.empty(kernels.FILL), np.arange(1.0, N + 1)
    kernels.factor(jac, 50.0, lu)
    solved = b.copy()
    kernels.solve(lu, solved)
    np.testing.assert_allclose((50.0 * np.eye(N) - dense) @ solved, b, rtol=1e-9)


def test_untreated_wild_type_is_in_a_steady_state():
    y, dy = np.empty(N), np.empty(N)
    for k in range(len(MICE)):
        p, host = row(MICE, k), np.ones(3)
        c = constants(p, host)
        host_steady_state(p, host, c, y)
        kernels.rates(y, np.zeros(U), p, host, c, dy)
        assert np.max(np.abs(dy) / (np.abs(y) + 1e-3)) < 1e-12
        assert y[kernels.STATE_NAMES.index("blood_neutrophils")] == 1.0
        assert y[kernels.STATE_NAMES.index("liver_neutrophils")] == 1.0


@pytest.mark.parametrize(
    "host", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 0, 0), (5, 1, 1), (0.3, 1, 2)]
)
def test_other_genotypes_start_in_their_own_steady_state(host):
    y, dy = np.empty(N), np.empty(N)
    for k in range(len(MICE)):
        p, h = row(MICE, k), np.array(host, dtype=float)
        c = constants(p, h)
        host_steady_state(p, h, c, y)
        kernels.rates(y, np.zeros(U), p, h, c, dy)
        assert np.max(np.abs(dy) / (np.abs(y) + 1e-6)) < 1e-9
        assert (y >= 0).all()


def test_generated_kernels_are_up_to_date(tmp_path):
    from pathlib import Path

    import nichetrial.engine as engine

    def plain(text):  # whatever formatting does to line breaks
        import ast

        return ast.dump(ast.parse(text))

    checked_in = Path(engine.__file__).with_name("kernels.py").read_text()
    assert plain(checked_in) == plain(source()), "run: nichetrial generate"


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
