"""Fused multiply-add, exp, log and power out of IEEE operations alone.

A call of the platform's mathematical library would stop vectorisation, and its last bit differs
between processors and releases. What is here has no branches, is written with an explicit fused
multiply-add (correctly rounded everywhere: where the processor lacks it, LLVM calls a slow function
with the same result) and so gives the same bits alone, in a vector of any width, on any processor.

Errors against the exact value, over the range of normal numbers: tests/unit/test_elementary.py.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.extending import intrinsic

__all__ = ["LN2", "exp", "fma", "log", "power"]

LN2 = 0.6931471805599453
_LN2_HIGH, _LN2_LOW = 0.6931467056274414, 4.7493250390316726e-07
_LOG2E = 1.4426950408889634
_ROUND = 6755399441055744.0  # 1.5 * 2**52: added and taken away again, rounds to an integer
_SMALLEST = 2.2250738585072014e-308
_ROOT_HALF = 0x3FE6A09E667F3BCD  # bits of sqrt(1/2)
_BIAS = 1024 << 52
_MANTISSA = (1 << 52) - 1
_TWO52_BITS, _TWO52_AND_BIAS = 0x4330000000000000, 4503599627370496.0 + 1024.0
_NAN = float("nan")
_EXP_LEAST, _EXP_GREATEST = 3.3075530036384083e-308, 8.218407461554972e307  # of -708 and of 709


_intrinsic: Any = intrinsic  # for a type checker, the typing context is no argument of the caller


@_intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once; for compiled code only."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@_intrinsic
def _bits(typingctx: Any, x: Any) -> Any:
    """The bits of a float64, as int64."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), codegen


@_intrinsic
def _from_bits(typingctx: Any, x: Any) -> Any:
    """The float64 of these bits (int64)."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), codegen


@_intrinsic
def _shift_right(typingctx: Any, x: Any) -> Any:
    """Logical shift by 52: AVX2 has no arithmetic shift of 64-bit numbers."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.lshr(args[0], context.get_constant(types.int64, 52))

    return types.int64(types.int64), codegen


@njit(error_model="numpy")
def exp(x):
    """e to the x, with x taken into -708 to 709, where the result is a normal number."""
    rounded = fma(x, _LOG2E, _ROUND)
    n = rounded - _ROUND
    r = fma(n, -_LN2_LOW, fma(n, -_LN2_HIGH, x))
    z = r * r  # even and odd powers apart: two short chains instead of a long one
    odd = fma(2.510038549551032e-08, z, 2.7557268459997064e-06)
    even = fma(2.7620088445409746e-07, z, 2.4801521295954376e-05)
    odd = fma(odd, z, 0.00019841269863053618)
    even = fma(even, z, 0.0013888888917213717)
    odd = fma(odd, z, 0.008333333333330062)
    even = fma(even, z, 0.04166666666662413)
    odd = fma(odd, z, 0.16666666666666669)
    even = fma(even, z, 0.5000000000000001)
    q = fma(fma(odd, r, even), z, r) + 1.0
    value = _from_bits(_bits(q) + (_bits(rounded) << 52))
    value = _EXP_LEAST if x < -708.0 else value  # at the end, where nothing waits for it
    return _EXP_GREATEST if x > 709.0 else value


@njit(error_model="numpy")
def log(x):
    """Natural logarithm of a normal number; NaN for 0, negative and subnormal numbers."""
    shifted = _bits(x) - _ROOT_HALF + _BIAS
    k = _from_bits(_shift_right(shifted) | _TWO52_BITS) - _TWO52_AND_BIAS
    f = _from_bits((shifted & _MANTISSA) + _ROOT_HALF) - 1.0  # x = (1 + f) 2**k
    s = f / (2.0 + f)
    z = s * s
    zz = z * z
    odd = fma(0.15331710618210773, zz, 0.22222211130259878)
    even = fma(0.14616585424888623, zz, 0.18182889455674947)
    odd = fma(odd, zz, 0.39999999999899444)
    even = fma(even, zz, 0.2857142862600327)
    even = fma(even, zz, 0.666666666666667)
    q = fma(odd, z, even)
    value = fma(k, _LN2_HIGH, fma(k, _LN2_LOW, fma(q * z, s, s + s)))
    return value if x >= _SMALLEST else _NAN


@njit(error_model="numpy")
def power(x, a):
    """x to the a, for x > 0; the relative error grows with |a log x|."""
    return exp(a * log(x))
