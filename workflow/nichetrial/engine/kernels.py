"""GENERATED from model/equations.py by `nichetrial generate`: do not edit.

``p``: parameters of one mouse, in the order of PARAMETER_NAMES; ``host``: expression of Timp1,
Cd63, Mmp9; ``c``: constants; ``y``: states; ``u``: inputs. Times in days.
"""

from math import log

from numba import njit

__all__ = [
    "FILL",
    "INPUT_NAMES",
    "NONZERO",
    "PARAMETER_NAMES",
    "STATE_NAMES",
    "basal",
    "constants",
    "factor",
    "jacobian",
    "rates",
    "rates_in_time",
    "solve",
]

STATE_NAMES = (
    "timp1",
    "sdf1",
    "transit_1",
    "transit_2",
    "transit_3",
    "reserve",
    "blood_neutrophils",
    "liver_neutrophils",
    "niche",
    "circulating",
    "arrested",
    "dormant",
    "founders",
)
INPUT_NAMES = (
    "vector",
    "anti_timp1",
    "anti_sdf1",
    "amd3100",
    "neutrophil_kill",
    "mmp_inhibitor",
    "tumour_volume",
    "shedding_volume",
)
PARAMETER_NAMES = (
    "timp1_half_life",
    "timp1_basal",
    "vector_rise_half_time",
    "cd63_ratio",
    "mmp_ki",
    "neutrophil_protease_share",
    "protease_founding",
    "protease_shedding",
    "sdf1_basal",
    "sdf1_induction",
    "sdf1_half_life",
    "sdf1_proteolysis",
    "cxcr4_kd",
    "neutrophil_blood_half_life",
    "neutrophil_liver_half_life",
    "granulopoiesis_gain",
    "granulopoiesis_feedback",
    "marrow_transit",
    "marrow_reserve",
    "mobilisation",
    "niche_half_time",
    "niche_threshold",
    "niche_steepness",
    "niche_gain",
    "circulation_half_life",
    "arrest_probability",
    "founding_probability",
    "dormancy_probability",
    "outgrowth_probability",
    "arrested_half_life",
    "tumour_growth",
    "tumour_capacity",
    "tumour_shedding",
    "shedding_exponent",
    "tumour_timp1",
    "colony_doubling",
    "colony_plateau",
    "colony_spread",
    "amd3100_bioavailability",
    "amd3100_volume",
    "amd3100_half_life",
    "amd3100_absorption_half_life",
    "amd3100_ic50",
    "antibody_bioavailability",
    "antibody_volume",
    "antibody_half_life",
    "antibody_absorption_half_life",
    "anti_sdf1_ic50",
    "anti_timp1_ic50",
    "anti_ly6g_ec50",
    "anti_ly6g_depth",
    "anti_ly6g_rebound",
    "anti_ly6g_murinised_depth",
    "mmp_inhibitor_bioavailability",
    "mmp_inhibitor_volume",
    "mmp_inhibitor_half_life",
    "mmp_inhibitor_absorption_half_life",
    "mmp_inhibitor_ic50",
)
CONSTANT_COUNT = 17
NONZERO = 32
FILL = 37


@njit(cache=True, error_model="numpy")
def constants(p, host, c):
    """Constants of one mouse in one host."""
    t0 = log(2.0)
    t1 = t0 / p[13]
    t2 = 1.0 / (p[3] + 1.0)
    t3 = t0 / p[29]
    c[0] = t0 / p[0]
    c[1] = t0 / p[10]
    c[2] = t1
    c[3] = t0 / p[14]
    c[4] = 3.0 / p[17]
    c[5] = t1 / p[18]
    c[6] = t0 / p[20]
    c[7] = t0 / p[24]
    c[8] = p[1] * p[3]
    c[9] = 1.0 / (p[9] * t2 + 1.0)
    c[10] = 1.0 / (p[15] * t2 + 1.0)
    c[11] = p[8] / p[12]
    c[12] = p[1] / p[4] + 1.0
    c[13] = 1.0 / (p[23] / ((p[21]) ** (p[22]) + 1.0) + 1.0)
    c[14] = p[26] * t3
    c[15] = p[27] * t3
    c[16] = -t3 * (p[26] + p[27] - 1.0)


@njit(cache=True, error_model="numpy")
def basal(p, host, c, y):
    """Steady state of the untreated wild type."""
    t0 = c[2] / c[4]
    y[0] = host[0] * p[1]
    y[1] = p[8]
    y[2] = t0
    y[3] = t0
    y[4] = t0
    y[5] = p[18]
    y[6] = 1.0
    y[7] = 1.0
    y[8] = 1.0 / ((p[21]) ** (p[22]) + 1.0)
    y[9] = 0.0
    y[10] = 0.0
    y[11] = 0.0
    y[12] = 0.0


@njit(cache=True, error_model="numpy")
def rates(y, u, p, host, c, dy):
    """Rates of change, per day."""
    t0 = host[1] * y[0] / (c[8] + y[0])
    t1 = c[12] / (u[5] + 1.0 + y[0] / p[4])
    t2 = t1 * (host[2] * p[5] * y[7] - p[5] + 1.0)
    t3 = c[11] + 1.0
    t4 = p[19] * (t3 / (t3 + u[3]) - 1.0) - 1.0
    t5 = 1.0 / (p[12])
    t6 = (y[7]) ** (p[22])
    t7 = c[13] * c[14] * (t2) ** (p[6]) * (p[23] * y[8] + 1.0)
    dy[0] = c[0] * host[0] * p[1] + c[0] * p[34] * u[6] - c[0] * y[0] * (u[1] + 1.0) + u[0]
    dy[1] = c[1] * (c[9] * p[8] * (p[9] * t0 + 1.0) - y[1] * (p[11] * t2 - p[11] + u[2] + 1.0))
    dy[2] = c[10] * c[2] * (y[6]) ** (-p[16]) * (p[15] * t0 + 1.0) - c[4] * y[2]
    dy[3] = c[4] * (y[2] - y[3])
    dy[4] = c[4] * (y[3] - y[4])
    dy[5] = c[4] * y[4] + c[5] * t4 * y[5]
    dy[6] = -c[2] * y[6] - c[5] * t4 * y[5] - u[4] * y[6]
    dy[7] = (
        -c[3] * y[7]
        - u[4] * y[7]
        + c[3] * t3 * t5 * y[1] * y[6] / (c[11] * (t5 * y[1] + u[3] + 1.0))
    )
    dy[8] = c[6] * (t6 / ((p[21]) ** (p[22]) + t6) - y[8])
    dy[9] = -c[7] * y[9] + p[32] * (t1) ** (p[7]) * u[7]
    dy[10] = c[7] * p[25] * y[9] - y[10] * (c[15] + c[16] + t7)
    dy[11] = c[15] * y[10]
    dy[12] = t7 * y[10]


@njit(cache=True, error_model="numpy")
def jacobian(y, u, p, host, c, jac):
    """Nonzero entries of d rates / d states."""
    t0 = 1.0 / (c[8] + y[0])
    t1 = t0 * y[0]
    t2 = t0 * (t1 - 1.0)
    t3 = 1.0 / (p[4])
    t4 = host[2] * p[5]
    t5 = -p[5] + t4 * y[7] + 1.0
    t6 = t3 * y[0] + u[5] + 1.0
    t7 = p[11] * y[1]
    t8 = 1.0 / (t6)
    t9 = c[12] * t8
    t10 = t5 * t9
    t11 = host[1] * p[15]
    t12 = c[10] * c[2] * (y[6]) ** (-p[16])
    t13 = -c[4]
    t14 = c[11] + 1.0
    t15 = c[5] * (p[19] * (t14 / (t14 + u[3]) - 1.0) - 1.0)
    t16 = 1.0 / (p[12])
    t17 = t16 * y[1]
    t18 = 1.0 / (t17 + u[3] + 1.0)
    t19 = t17 * t18
    t20 = c[3] * t14 / c[11]
    t21 = (y[7]) ** (p[22])
    t22 = t21 / ((p[21]) ** (p[22]) + t21)
    t23 = t3 * t8
    t24 = c[13] * c[14] * (t10) ** (p[6])
    t25 = t24 * (p[23] * y[8] + 1.0)
    t26 = p[6] * t25 * y[10]
    t27 = t23 * t26
    t28 = t26 * t4 / t5
    t29 = p[23] * t24 * y[10]
    jac[0] = -c[0] * (u[1] + 1.0)
    jac[1] = c[1] * (c[12] * t3 * t5 * t7 / ((t6) * (t6)) - c[9] * host[1] * p[8] * p[9] * t2)
    jac[2] = -c[1] * (p[11] * t10 - p[11] + u[2] + 1.0)
    jac[3] = -c[1] * t4 * t7 * t9
    jac[4] = -t11 * t12 * t2
    jac[5] = t13
    jac[6] = -p[16] * t12 * (t1 * t11 + 1.0) / y[6]
    jac[7] = c[4]
    jac[8] = t13
    jac[9] = c[4]
    jac[10] = t13
    jac[11] = c[4]
    jac[12] = t15
    jac[13] = -t15
    jac[14] = -c[2] - u[4]
    jac[15] = t16 * t18 * t20 * y[6] * (1.0 - t19)
    jac[16] = t19 * t20
    jac[17] = -c[3] - u[4]
    jac[18] = -c[6] * p[22] * t22 * (t22 - 1.0) / y[7]
    jac[19] = -c[6]
    jac[20] = -p[32] * p[7] * t23 * (t9) ** (p[7]) * u[7]
    jac[21] = -c[7]
    jac[22] = t27
    jac[23] = -t28
    jac[24] = -t29
    jac[25] = c[7] * p[25]
    jac[26] = -c[15] - c[16] - t25
    jac[27] = c[15]
    jac[28] = -t27
    jac[29] = t28
    jac[30] = t29
    jac[31] = t25


@njit(cache=True, error_model="numpy")
def rates_in_time(y, u, du, p, host, c, ft):
    """d rates / d time through the inputs."""
    t0 = host[2] * p[5] * y[7] - p[5] + 1.0
    t1 = u[5] + 1.0 + y[0] / p[4]
    t2 = c[11] + 1.0
    t3 = du[3] * t2
    t4 = -c[5] * p[19] * t3 * y[5] / ((t2 + u[3]) * (t2 + u[3]))
    t5 = y[1] / p[12]
    t6 = 1.0 / (t1)
    t7 = c[12] * t6
    t8 = du[5] * t6
    t9 = c[13] * c[14] * p[6] * t8 * y[10] * (t0 * t7) ** (p[6]) * (p[23] * y[8] + 1.0)
    ft[0] = -c[0] * du[1] * y[0] + c[0] * du[6] * p[34] + du[0]
    ft[1] = c[1] * y[1] * (c[12] * du[5] * p[11] * t0 / ((t1) * (t1)) - du[2])
    ft[2] = 0.0
    ft[3] = 0.0
    ft[4] = 0.0
    ft[5] = t4
    ft[6] = -du[4] * y[6] - t4
    ft[7] = -du[4] * y[7] - c[3] * t3 * t5 * y[6] / (
        c[11] * ((t5 + u[3] + 1.0) * (t5 + u[3] + 1.0))
    )
    ft[8] = 0.0
    ft[9] = p[32] * (t7) ** (p[7]) * (du[7] - p[7] * t8 * u[7])
    ft[10] = t9
    ft[11] = 0.0
    ft[12] = -t9


@njit(cache=True, error_model="numpy")
def factor(jac, g, lu):
    """Sparse L U of (g I - J); the diagonal of U is inverted."""
    w0 = g - jac[0]
    w1 = 0.0 - jac[1]
    w2 = g - jac[2]
    w3 = 0.0 - jac[3]
    w4 = 0.0 - jac[4]
    w5 = g - jac[5]
    w6 = 0.0 - jac[6]
    w7 = 0.0 - jac[7]
    w8 = g - jac[8]
    w9 = 0.0
    w10 = 0.0 - jac[9]
    w11 = g - jac[10]
    w12 = 0.0
    w13 = 0.0 - jac[11]
    w14 = g - jac[12]
    w15 = 0.0
    w16 = 0.0 - jac[13]
    w17 = g - jac[14]
    w18 = 0.0 - jac[15]
    w19 = 0.0 - jac[16]
    w20 = g - jac[17]
    w21 = 0.0 - jac[18]
    w22 = g - jac[19]
    w23 = 0.0 - jac[20]
    w24 = g - jac[21]
    w25 = 0.0 - jac[22]
    w26 = 0.0 - jac[23]
    w27 = 0.0 - jac[24]
    w28 = 0.0 - jac[25]
    w29 = g - jac[26]
    w30 = 0.0 - jac[27]
    w31 = g
    w32 = 0.0 - jac[28]
    w33 = 0.0 - jac[29]
    w34 = 0.0 - jac[30]
    w35 = 0.0 - jac[31]
    w36 = g
    w0 = 1.0 / w0
    w1 *= w0
    w4 *= w0
    w23 *= w0
    w25 *= w0
    w32 *= w0
    w2 = 1.0 / w2
    w18 *= w2
    w20 -= w18 * w3
    w5 = 1.0 / w5
    w7 *= w5
    w9 -= w7 * w6
    w8 = 1.0 / w8
    w10 *= w8
    w12 -= w10 * w9
    w11 = 1.0 / w11
    w13 *= w11
    w15 -= w13 * w12
    w14 = 1.0 / w14
    w16 *= w14
    w17 -= w16 * w15
    w17 = 1.0 / w17
    w19 *= w17
    w20 = 1.0 / w20
    w21 *= w20
    w26 *= w20
    w33 *= w20
    w22 = 1.0 / w22
    w27 *= w22
    w34 *= w22
    w24 = 1.0 / w24
    w28 *= w24
    w29 = 1.0 / w29
    w30 *= w29
    w35 *= w29
    w31 = 1.0 / w31
    w36 = 1.0 / w36
    lu[0] = w0
    lu[1] = w1
    lu[2] = w2
    lu[3] = w3
    lu[4] = w4
    lu[5] = w5
    lu[6] = w6
    lu[7] = w7
    lu[8] = w8
    lu[9] = w9
    lu[10] = w10
    lu[11] = w11
    lu[12] = w12
    lu[13] = w13
    lu[14] = w14
    lu[15] = w15
    lu[16] = w16
    lu[17] = w17
    lu[18] = w18
    lu[19] = w19
    lu[20] = w20
    lu[21] = w21
    lu[22] = w22
    lu[23] = w23
    lu[24] = w24
    lu[25] = w25
    lu[26] = w26
    lu[27] = w27
    lu[28] = w28
    lu[29] = w29
    lu[30] = w30
    lu[31] = w31
    lu[32] = w32
    lu[33] = w33
    lu[34] = w34
    lu[35] = w35
    lu[36] = w36


@njit(cache=True, error_model="numpy")
def solve(lu, b):
    """Solve in place."""
    b[1] -= lu[1] * b[0]
    b[2] -= lu[4] * b[0]
    b[9] -= lu[23] * b[0]
    b[10] -= lu[25] * b[0]
    b[12] -= lu[32] * b[0]
    b[7] -= lu[18] * b[1]
    b[3] -= lu[7] * b[2]
    b[4] -= lu[10] * b[3]
    b[5] -= lu[13] * b[4]
    b[6] -= lu[16] * b[5]
    b[7] -= lu[19] * b[6]
    b[8] -= lu[21] * b[7]
    b[10] -= lu[26] * b[7]
    b[12] -= lu[33] * b[7]
    b[10] -= lu[27] * b[8]
    b[12] -= lu[34] * b[8]
    b[10] -= lu[28] * b[9]
    b[11] -= lu[30] * b[10]
    b[12] -= lu[35] * b[10]
    b[12] *= lu[36]
    b[11] *= lu[31]
    b[10] *= lu[29]
    b[9] *= lu[24]
    b[8] *= lu[22]
    b[7] *= lu[20]
    b[6] *= lu[17]
    b[5] -= lu[15] * b[6]
    b[5] *= lu[14]
    b[4] -= lu[12] * b[6]
    b[4] *= lu[11]
    b[3] -= lu[9] * b[6]
    b[3] *= lu[8]
    b[2] -= lu[6] * b[6]
    b[2] *= lu[5]
    b[1] -= lu[3] * b[7]
    b[1] *= lu[2]
    b[0] *= lu[0]
