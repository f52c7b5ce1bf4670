"""Standard normal distribution, without branches and out of IEEE operations alone.

A loop that calls these is vectorised, and its bits are the same on any processor. For that they
are inlined by Numba itself: LLVM finds them too large. Errors: tests/unit/test_stochastic.py.
"""

from __future__ import annotations

from math import sqrt

from numba import njit

from nichetrial.engine.elementary import exp, fma, log

__all__ = ["normal_below", "normal_quantile"]


@njit(inline="always", error_model="numpy")
def normal_quantile(u):
    """Standard normal quantile of u, from 1e-300 to below 1.

    Wichura 1988, doi 10.2307/2347330 (AS 241, PPND16): its three rational functions are all
    evaluated, and one is chosen.
    """
    q = u - 0.5
    r = 0.180625 - q * q
    a = fma(2509.0809287301226727, r, 33430.575583588128105)
    a = fma(a, r, 67265.770927008700853)
    a = fma(a, r, 45921.953931549871457)
    a = fma(a, r, 13731.693765509461125)
    a = fma(a, r, 1971.5909503065514427)
    a = fma(a, r, 133.14166789178437745)
    a = fma(a, r, 3.3871328727963666080)
    b = fma(5226.4952788528545610, r, 28729.085735721942674)
    b = fma(b, r, 39307.895800092710610)
    b = fma(b, r, 21213.794301586595867)
    b = fma(b, r, 5394.1960214247511077)
    b = fma(b, r, 687.18700749205790830)
    b = fma(b, r, 42.313330701600911252)
    b = fma(b, r, 1.0)

    r = sqrt(-log(min(u, 1.0 - u)))
    s = r - 1.6
    c = fma(7.74545014278341407640e-4, s, 2.27238449892691845833e-2)
    c = fma(c, s, 2.41780725177450611770e-1)
    c = fma(c, s, 1.27045825245236838258)
    c = fma(c, s, 3.64784832476320460504)
    c = fma(c, s, 5.76949722146069140550)
    c = fma(c, s, 4.63033784615654529590)
    c = fma(c, s, 1.42343711074968357734)
    d = fma(1.05075007164441684324e-9, s, 5.47593808499534494600e-4)
    d = fma(d, s, 1.51986665636164571966e-2)
    d = fma(d, s, 1.48103976427480074590e-1)
    d = fma(d, s, 6.89767334985100004550e-1)
    d = fma(d, s, 1.67638483018380384940)
    d = fma(d, s, 2.05319162663775882187)
    d = fma(d, s, 1.0)

    s = r - 5.0
    e = fma(2.01033439929228813265e-7, s, 2.71155556874348757815e-5)
    e = fma(e, s, 1.24266094738807843860e-3)
    e = fma(e, s, 2.65321895265761230930e-2)
    e = fma(e, s, 2.96560571828504891230e-1)
    e = fma(e, s, 1.78482653991729133580)
    e = fma(e, s, 5.46378491116411436990)
    e = fma(e, s, 6.65790464350110377720)
    f = fma(2.04426310338993978564e-15, s, 1.42151175831644588870e-7)
    f = fma(f, s, 1.84631831751005468180e-5)
    f = fma(f, s, 7.86869131145613259100e-4)
    f = fma(f, s, 1.48753612908506148525e-2)
    f = fma(f, s, 1.36929880922735805310e-1)
    f = fma(f, s, 5.99832206555887937690e-1)
    f = fma(f, s, 1.0)

    far = r > 5.0
    c = e if far else c
    d = f if far else d
    near = abs(q) <= 0.425
    a = q * a if near else (-c if q < 0.0 else c)
    b = b if near else d
    return a / b


@njit(inline="always", error_model="numpy")
def normal_below(z):
    """Share of the standard normal distribution below z: exp(-z**2 / 2) times a rational function.

    The rational function, fitted to [0, 9] for this project, has a relative error of 1.5e-15; what
    lies further out is 0 or 1 to 1e-18.
    """
    x = min(abs(z), 9.0)
    a = fma(2.4887210287115175e-05, x, 0.0005359363486146055)
    a = fma(a, x, 0.005471754683042317)
    a = fma(a, x, 0.033972620255588004)
    a = fma(a, x, 0.13813561033752858)
    a = fma(a, x, 0.36940496004547424)
    a = fma(a, x, 0.6096290559308688)
    a = fma(a, x, 0.49999999999999917)
    b = fma(6.238299139688849e-05, x, 0.0013433927225188387)
    b = fma(b, x, 0.013778055137772452)
    b = fma(b, x, 0.08649973878880457)
    b = fma(b, x, 0.35985164643046647)
    b = fma(b, x, 1.0083570618490243)
    b = fma(b, x, 1.8482569155537416)
    b = fma(b, x, 2.0171426726643373)
    b = fma(b, x, 1.0)
    beyond = exp(-0.5 * x * x) * a / b
    return 1.0 - beyond if z > 0.0 else beyond
