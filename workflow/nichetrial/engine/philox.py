"""Keyed randomness: Philox 4x32-10, so that a draw depends on its key and on nothing drawn before.

Salmon 2011, doi 10.1145/2063384.2063405. Key: the study's seed. Counter: (index, mouse, purpose,
attempt). One block gives two uniforms of 53 bits, in the open interval (0, 1).
"""

from __future__ import annotations

import zlib

import numpy as np
from numba import njit

__all__ = ["COLONY", "block", "purpose", "seed_of", "uniform_pair", "uniform_pairs", "uniforms"]

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
S32, S6, S5 = np.uint64(32), np.uint64(6), np.uint64(5)


def purpose(name: str) -> int:
    """A stable number for what a draw is for: adding a parameter leaves the other draws alone."""
    return zlib.crc32(name.encode())


COLONY = purpose("colony")


def seed_of(seed: int, name: str) -> int:
    """A seed of its own for ``name``, from the study's: draws under it are independent."""
    a, b, _, _ = block(np.uint64(seed), purpose(name), 0, purpose("seed"), 0)
    return (int(a) << 31 | int(b) >> 1) & (2**63 - 1)


@njit(inline="always", error_model="numpy")
def block(seed, c0, c1, c2, c3):
    """Four 32-bit words (as uint64) for a 64-bit seed and a counter of four 32-bit words."""
    k0, k1 = np.uint64(seed) & LOW, np.uint64(seed) >> S32
    # the masks tell the compiler that 32-bit products will do, without which it cannot vectorise
    x0, x1 = np.uint64(c0) & LOW, np.uint64(c1) & LOW
    x2, x3 = np.uint64(c2) & LOW, np.uint64(c3) & LOW
    for _ in range(10):
        a, b = M0 * x0, M1 * x2
        x0, x1, x2, x3 = (b >> S32) ^ x1 ^ k0, b & LOW, (a >> S32) ^ x3 ^ k1, a & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return x0, x1, x2, x3


@njit(inline="always", error_model="numpy")
def uniform_pair(seed, index, mouse, purpose, attempt):
    """Two uniforms in (0, 1), 53 bits each."""
    a, b, c, d = block(seed, index, mouse, purpose, attempt)
    u = (float(a >> S5) * 67108864.0 + float(b >> S6) + 0.5) / 9007199254740992.0
    v = (float(c >> S5) * 67108864.0 + float(d >> S6) + 0.5) / 9007199254740992.0
    # 1 - 2**-54 rounds to 1, the only value that would leave the open interval
    return min(u, 0.9999999999999999), min(v, 0.9999999999999999)


@njit(cache=True)
def uniform_pairs(seed, first, mouse, purpose, u, v):
    """Fills u and v (n,) with the pairs of indices ``first``, ``first`` + 1, ..., attempt 0."""
    start = np.uint64(first)
    for j in range(u.shape[0]):
        u[j], v[j] = uniform_pair(seed, start + np.uint64(j), mouse, purpose, 0)


@njit(cache=True)
def uniforms(seed, index, mice, purpose, attempts):
    """First uniform of each of ``mice`` at its attempt (int64 arrays, (n,)): float64, (n,)."""
    out = np.empty(mice.shape[0])
    for i in range(mice.shape[0]):
        out[i] = uniform_pair(seed, index, mice[i], purpose, attempts[i])[0]
    return out
