/* A register full of mice, and exp and log for it without branches or calls. */
#ifndef ELEMENTARY_H
#define ELEMENTARY_H
#include <math.h>
#include <stdint.h>

#ifdef __AVX512F__
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef double V __attribute__((vector_size(8 * WIDTH)));
typedef int64_t Mask __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t Bits __attribute__((vector_size(8 * WIDTH)));

#define INLINE static inline __attribute__((always_inline))
#define LN2 0.6931471805599453

INLINE V all(double x)
{
    return x - (V){0};
}

INLINE V choose(Mask m, V yes, V no)
{
    return (V)((m & (Mask)yes) | (~m & (Mask)no));
}

/* The compiler fuses multiplications and additions (-ffp-contract=fast, gcc's default). */
INLINE V exp_v(V x)
{
    const double shift = 6755399441055744.0;
    const V rounded = x * 1.4426950408889634 + shift;
    V whole = rounded;
    __asm__("" : "+x"(whole)); /* or -Ofast takes the addition and the subtraction away */
    const V n = whole - shift;
    const V r = n * -4.7493250390316726e-07 + (n * -0.6931467056274414 + x), z = r * r;
    V odd = 2.510038549551032e-08 * z + 2.7557268459997064e-06;
    V even = 2.7620088445409746e-07 * z + 2.4801521295954376e-05;
    odd = odd * z + 0.00019841269863053618;
    even = even * z + 0.0013888888917213717;
    odd = odd * z + 0.008333333333330062;
    even = even * z + 0.04166666666662413;
    odd = odd * z + 0.16666666666666669;
    even = even * z + 0.5000000000000001;
    const V q = (odd * r + even) * z + r + 1.0;
    const V value = choose(x < -708.0, all(3.3075530036384083e-308),
                           (V)((Bits)q + ((Bits)whole << 52)));
    return choose(x > 709.0, all(8.218407461554972e+307), value);
}

INLINE V log_v(V x)
{
    const uint64_t root_half = 0x3FE6A09E667F3BCD, mantissa = ((uint64_t)1 << 52) - 1;
    const Bits shifted = (Bits)x + (((uint64_t)1024 << 52) - root_half);
    V exponent = (V)((shifted >> 52) | 0x4330000000000000);
    const V k = exponent - (4503599627370496.0 + 1024.0);
    const V f = (V)((shifted & mantissa) + root_half) - 1.0;
    const V s = f / (2.0 + f), z = s * s, zz = z * z;
    V odd = 0.15331710618210773 * zz + 0.22222211130259878;
    V even = 0.14616585424888623 * zz + 0.18182889455674947;
    odd = odd * zz + 0.39999999999899444;
    even = even * zz + 0.2857142862600327;
    even = even * zz + 0.666666666666667;
    const V q = odd * z + even;
    const V value = k * 0.6931467056274414 + (k * 4.7493250390316726e-07 + (q * z * s + (s + s)));
    return choose(x >= 2.2250738585072014e-308, value, all(NAN));
}
#endif
