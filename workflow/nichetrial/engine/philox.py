"""Keyed randomness: Philox 4x32-10, so that a draw depends on its key and on nothing drawn before.

Salmon 2011, doi 10.1145/2063384.2063405. Key: the study's seed. Counter: (index, mouse, purpose,
attempt). One block gives two uniforms of 53 bits, in the open interval (0, 1).
"""

from __future__ import annotations

import zlib

import numpy as np
from numba import njit

__all__ = ["COLONY", "block", "normal_quantile", "purpose", "uniform_pair", "uniforms"]

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
S32, S6, S5 = np.uint64(32), np.uint64(6), np.uint64(5)


def purpose(name: str) -> int:
    """A stable number for what a draw is for: adding a parameter leaves the other draws alone."""
    return zlib.crc32(name.encode())


COLONY = purpose("colony")


@njit(cache=True)
def block(seed, c0, c1, c2, c3):
    """Four 32-bit words (as uint64) for a 64-bit seed and a counter of four 32-bit words."""
    k0, k1 = np.uint64(seed) & LOW, np.uint64(seed) >> S32
    x0, x1, x2, x3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    for _ in range(10):
        a, b = M0 * x0, M1 * x2
        x0, x1, x2, x3 = (b >> S32) ^ x1 ^ k0, b & LOW, (a >> S32) ^ x3 ^ k1, a & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return x0, x1, x2, x3


@njit(cache=True)
def uniform_pair(seed, index, mouse, purpose, attempt):
    """Two uniforms in (0, 1), 53 bits each."""
    a, b, c, d = block(seed, index, mouse, purpose, attempt)
    u = (float(a >> S5) * 67108864.0 + float(b >> S6) + 0.5) / 9007199254740992.0
    v = (float(c >> S5) * 67108864.0 + float(d >> S6) + 0.5) / 9007199254740992.0
    # 1 - 2**-54 rounds to 1, the only value that would leave the open interval
    return min(u, 0.9999999999999999), min(v, 0.9999999999999999)


@njit(cache=True)
def uniforms(seed, index, mice, purpose, attempts):
    """First uniform of each of ``mice`` at its attempt (int64 arrays, (n,)): float64, (n,)."""
    out = np.empty(mice.shape[0])
    for i in range(mice.shape[0]):
        out[i] = uniform_pair(seed, index, mice[i], purpose, attempts[i])[0]
    return out


@njit(cache=True)
def normal_quantile(u):
    """Standard normal quantile of u in (0, 1), to about 1e-15 (Wichura 1988, AS 241, PPND16)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = (
            (
                (
                    (
                        (
                            (2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r
                            + 6.7265770927008700853e4
                        )
                        * r
                        + 4.5921953931549871457e4
                    )
                    * r
                    + 1.3731693765509461125e4
                )
                * r
                + 1.9715909503065514427e3
            )
            * r
            + 1.3314166789178437745e2
        ) * r + 3.3871328727963666080e0
        den = (
            (
                (
                    (
                        (
                            (5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r
                            + 3.9307895800092710610e4
                        )
                        * r
                        + 2.1213794301586595867e4
                    )
                    * r
                    + 5.3941960214247511077e3
                )
                * r
                + 6.8718700749205790830e2
            )
            * r
            + 4.2313330701600911252e1
        ) * r + 1.0
        return q * num / den
    r = np.sqrt(-np.log(u if q < 0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        num = (
            (
                (
                    (
                        (
                            (7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r
                            + 2.41780725177450611770e-1
                        )
                        * r
                        + 1.27045825245236838258e0
                    )
                    * r
                    + 3.64784832476320460504e0
                )
                * r
                + 5.76949722146069140550e0
            )
            * r
            + 4.63033784615654529590e0
        ) * r + 1.42343711074968357734e0
        den = (
            (
                (
                    (
                        (
                            (1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r
                            + 1.51986665636164571966e-2
                        )
                        * r
                        + 1.48103976427480074590e-1
                    )
                    * r
                    + 6.89767334985100004550e-1
                )
                * r
                + 1.67638483018380384940e0
            )
            * r
            + 2.05319162663775882187e0
        ) * r + 1.0
    else:
        r -= 5.0
        num = (
            (
                (
                    (
                        (
                            (2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
                            + 1.24266094738807843860e-3
                        )
                        * r
                        + 2.65321895265761230930e-2
                    )
                    * r
                    + 2.96560571828504891230e-1
                )
                * r
                + 1.78482653991729133580e0
            )
            * r
            + 5.46378491116411436990e0
        ) * r + 6.65790464350110377720e0
        den = (
            (
                (
                    (
                        (
                            (2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r
                            + 1.84631831751005468180e-5
                        )
                        * r
                        + 7.86869131145613259100e-4
                    )
                    * r
                    + 1.48753612908506148525e-2
                )
                * r
                + 1.36929880922735805310e-1
            )
            * r
            + 5.99832206555887937690e-1
        ) * r + 1.0
    value = num / den
    return -value if q < 0 else value
