"""GENERATED from model/equations.py by `nichetrial generate`: do not edit.

The equations for one mouse. ``p``: parameters, in the order of PARAMETER_NAMES; ``host``:
expression of its genes; ``q``: constants of the mouse; ``y``: states; ``u``: inputs, and
behind them ``protease_primary ** protease_shedding``, which matters with a primary tumour alone.
Times in days.
"""

from numba import njit

from nichetrial.engine.elementary import LN2, exp, fma, log

__all__ = [
    "CONSTANT_COUNT",
    "FILL",
    "HOST_COUNT",
    "INPUT_NAMES",
    "NONZERO",
    "PARAMETER_NAMES",
    "STATE_NAMES",
    "basal",
    "constants",
    "factor",
    "jacobian",
    "rates",
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
    "timp1_tissue",
    "protease_growth",
    "hgf_gain",
)
HOST_COUNT = 4
CONSTANT_COUNT = 50
NONZERO = 32
FILL = 37


@njit(error_model="numpy", cache=True)
def constants(p, host, q):
    """Constants of one mouse in one host."""
    t_T = p[0]
    T_b = p[1]
    k_63 = p[3]
    K_i = p[4]
    p_N = p[5]
    g_2 = p[6]
    g_1 = p[7]
    S_b = p[8]
    I_S = p[9]
    t_S = p[10]
    w = p[11]
    K_S = p[12]
    t_B = p[13]
    t_N = p[14]
    I_G = p[15]
    f = p[16]
    t_G = p[17]
    r_M = p[18]
    m = p[19]
    t_Q = p[20]
    K_Q = p[21]
    n = p[22]
    eta = p[23]
    t_C = p[24]
    phi = p[25]
    p_2 = p[26]
    p_D = p[27]
    t_A = p[29]
    mu = p[32]
    s_T = p[34]
    r_L = p[58]
    gamma_H = p[60]
    h_T = host[0]
    h_C = host[1]
    h_M = host[2]
    h_L = host[3]
    t0 = LN2 / t_T
    t1 = h_T * T_b
    t2 = h_M * p_N
    t3 = 1.0 / K_i
    t4 = fma(t3, T_b * (r_L + 1.0), 1.0)
    t5 = t4 * w
    t6 = LN2 / t_S
    t7 = 1.0 / (k_63 + 1.0)
    t8 = LN2 / t_B
    t9 = t8 / fma(t7, I_G, 1.0)
    t10 = 1.0 / K_S
    t11 = t10 * S_b
    t12 = t11 + 1.0
    t13 = t8 / r_M
    t14 = LN2 / t_N
    t15 = t12 * t14 / t11
    t16 = exp(n * log(K_Q))
    t17 = LN2 / t_C
    t18 = LN2 / t_A
    t19 = t18 * p_2 / fma(t7, gamma_H, fma(eta, 1.0 / (t16 + 1.0), 1.0))
    t20 = t5 * t6
    t21 = g_1 * mu
    t22 = t19 * g_2
    q[0] = t0 * s_T
    q[1] = t0
    q[2] = t0 * t1
    q[3] = t2
    q[4] = p_N - 1.0
    q[5] = t1 * h_L * r_L
    q[6] = t3
    q[7] = t5
    q[8] = w - 1.0
    q[9] = t6
    q[10] = T_b * k_63
    q[11] = h_C * I_S
    q[12] = t6 * S_b / fma(t7, I_S, 1.0)
    q[13] = 3.0 / t_G
    q[14] = h_C * I_G
    q[15] = f
    q[16] = t9
    q[17] = t12
    q[18] = m
    q[19] = t13
    q[20] = t8
    q[21] = t14
    q[22] = t10
    q[23] = t10 * t15
    q[24] = n
    q[25] = t16
    q[26] = LN2 / t_Q
    q[27] = t17
    q[28] = mu
    q[29] = eta
    q[30] = gamma_H
    q[31] = t4
    q[32] = g_2
    q[33] = t19
    q[34] = t18 * (1.0 - p_2)
    q[35] = t17 * phi
    q[36] = t18 * p_D
    q[37] = t20 * t3
    q[38] = t2 * t20
    q[39] = t9 * f
    q[40] = t15 * (t10 * t10)
    q[41] = t21 * t3
    q[42] = t22 * t3
    q[43] = t2 * t22
    q[44] = t19 * eta
    q[45] = t20
    q[46] = t12 * t13 * m
    q[47] = t21
    q[48] = t22
    q[49] = g_1


@njit(error_model="numpy", cache=True)
def basal(p, host, y):
    """Steady state of the untreated wild type."""
    T_b = p[1]
    S_b = p[8]
    t_B = p[13]
    t_G = p[17]
    r_M = p[18]
    K_Q = p[21]
    n = p[22]
    h_T = host[0]
    t0 = (1.0 / 3.0) * LN2 * t_G / t_B
    y[0] = h_T * T_b
    y[1] = S_b
    y[2] = t0
    y[3] = t0
    y[4] = t0
    y[5] = r_M
    y[6] = 1.0
    y[7] = 1.0
    y[8] = 1.0 / (exp(n * log(K_Q)) + 1.0)
    y[9] = 0.0
    y[10] = 0.0
    y[11] = 0.0
    y[12] = 0.0


@njit(error_model="numpy", cache=True)
def rates(y, u, q, dy):
    """Rates of change, per day."""
    T = y[0]
    S = y[1]
    G_1 = y[2]
    G_2 = y[3]
    G_3 = y[4]
    M = y[5]
    B = y[6]
    N = y[7]
    Q = y[8]
    C = y[9]
    A = y[10]
    u_V = u[0]
    u_T = u[1]
    u_S = u[2]
    u_A = u[3]
    u_K = u[4]
    u_M = u[5]
    V = u[6]
    V_s = u[7]
    ease = u[8]
    q0 = q[0]
    q1 = q[1]
    q2 = q[2]
    q3 = q[3]
    q4 = q[4]
    q5 = q[5]
    q6 = q[6]
    q7 = q[7]
    q8 = q[8]
    q9 = q[9]
    q10 = q[10]
    q11 = q[11]
    q12 = q[12]
    q13 = q[13]
    q14 = q[14]
    q15 = q[15]
    q16 = q[16]
    q17 = q[17]
    q18 = q[18]
    q19 = q[19]
    q20 = q[20]
    q21 = q[21]
    q22 = q[22]
    q23 = q[23]
    q24 = q[24]
    q25 = q[25]
    q26 = q[26]
    q27 = q[27]
    q28 = q[28]
    q29 = q[29]
    q30 = q[30]
    q31 = q[31]
    q32 = q[32]
    q33 = q[33]
    q34 = q[34]
    q35 = q[35]
    q36 = q[36]
    t0 = T / (T + q10)
    t1 = (N * q3 - q4) / fma(q6, (T + q5), u_M + 1.0)
    t2 = q18 * (q17 / (q17 + u_A) - 1.0) - 1.0
    t3 = exp(q24 * log(N))
    t4 = q33 * fma(t0, q30, fma(Q, q29, 1.0)) * exp(q32 * log(t1 * q31))
    dy[0] = fma(V, q0, fma(-T, q1 * (u_T + 1.0), q2 + u_V))
    dy[1] = fma(q12, fma(t0, q11, 1.0), -S * q9 * (fma(t1, q7, u_S) - q8))
    dy[2] = fma(q16, fma(t0, q14, 1.0) * exp(-q15 * log(B)), -G_1 * q13)
    dy[3] = q13 * (G_1 - G_2)
    dy[4] = q13 * (G_2 - G_3)
    dy[5] = fma(t2, M * q19, G_3 * q13)
    dy[6] = fma(-t2, M * q19, fma(-B, u_K, -B * q20))
    dy[7] = fma(-N, u_K, fma(-N, q21, B * S * q23 / fma(S, q22, u_A + 1.0)))
    dy[8] = -q26 * fma(-t3, 1.0 / (q25 + t3), Q)
    dy[9] = fma(V_s, ease * q28, -C * q27)
    dy[10] = fma(C, q35, -A * (q34 + t4))
    dy[11] = A * q36
    dy[12] = t4 * A


@njit(error_model="numpy", cache=True)
def jacobian(y, u, q, jac):
    """Nonzero entries of d rates / d states."""
    T = y[0]
    S = y[1]
    B = y[6]
    N = y[7]
    Q = y[8]
    A = y[10]
    u_T = u[1]
    u_S = u[2]
    u_A = u[3]
    u_K = u[4]
    u_M = u[5]
    V_s = u[7]
    ease = u[8]
    q1 = q[1]
    q3 = q[3]
    q4 = q[4]
    q5 = q[5]
    q6 = q[6]
    q7 = q[7]
    q8 = q[8]
    q9 = q[9]
    q10 = q[10]
    q11 = q[11]
    q12 = q[12]
    q13 = q[13]
    q14 = q[14]
    q15 = q[15]
    q16 = q[16]
    q17 = q[17]
    q18 = q[18]
    q19 = q[19]
    q20 = q[20]
    q21 = q[21]
    q22 = q[22]
    q23 = q[23]
    q24 = q[24]
    q25 = q[25]
    q26 = q[26]
    q27 = q[27]
    q29 = q[29]
    q30 = q[30]
    q31 = q[31]
    q32 = q[32]
    q33 = q[33]
    q34 = q[34]
    q35 = q[35]
    q36 = q[36]
    q37 = q[37]
    q38 = q[38]
    q39 = q[39]
    q40 = q[40]
    q41 = q[41]
    q42 = q[42]
    q43 = q[43]
    q44 = q[44]
    t0 = 1.0 / (T + q10)
    t1 = t0 * T
    t2 = t0 * (t1 - 1.0)
    t3 = N * q3 - q4
    t4 = 1.0 / fma(q6, (T + q5), u_M + 1.0)
    t5 = t3 * t4
    t6 = exp(-q15 * log(B))
    t7 = -q13
    t8 = q19 * (q18 * (q17 / (q17 + u_A) - 1.0) - 1.0)
    t9 = 1.0 / fma(S, q22, u_A + 1.0)
    t10 = t9 * S
    t11 = exp(q24 * log(N))
    t12 = t11 / (q25 + t11)
    t13 = fma(t1, q30, fma(Q, q29, 1.0))
    t14 = exp(q32 * log(t5 * q31))
    t15 = t14 * A
    t16 = t15 * fma(t13, t4 * q42, t2 * q30 * q33)
    t17 = t13 * t15 * q43 / t3
    t18 = t15 * q44
    t19 = t13 * t14 * q33
    jac[0] = -q1 * (u_T + 1.0)
    jac[1] = fma(-t2, q11 * q12, t3 * S * q37 * (t4 * t4))
    jac[2] = -q9 * (fma(t5, q7, u_S) - q8)
    jac[3] = -t4 * S * q38
    jac[4] = -t2 * t6 * q14 * q16
    jac[5] = t7
    jac[6] = -t6 * q39 * fma(t1, q14, 1.0) / B
    jac[7] = q13
    jac[8] = t7
    jac[9] = q13
    jac[10] = t7
    jac[11] = q13
    jac[12] = t8
    jac[13] = -t8
    jac[14] = -q20 - u_K
    jac[15] = t9 * B * fma(-t10, q40, q23)
    jac[16] = t10 * q23
    jac[17] = -q21 - u_K
    jac[18] = -t12 * q24 * q26 * (t12 - 1.0) / N
    jac[19] = -q26
    jac[20] = -t4 * V_s * ease * q41
    jac[21] = -q27
    jac[22] = t16
    jac[23] = -t17
    jac[24] = -t18
    jac[25] = q35
    jac[26] = -q34 - t19
    jac[27] = q36
    jac[28] = -t16
    jac[29] = t17
    jac[30] = t18
    jac[31] = t19


@njit(error_model="numpy", cache=True)
def factor(jac, g, lu):
    """Sparse L U of (g I - J); the diagonal of U is inverted."""
    t0 = -g
    t1 = 1.0 / g
    w_0_0 = 1.0 / (g - jac[0])
    w_1_0 = -jac[1] * w_0_0
    w_2_0 = -jac[4] * w_0_0
    w_9_0 = -jac[20] * w_0_0
    w_10_0 = -jac[22] * w_0_0
    w_12_0 = -jac[28] * w_0_0
    w_1_1 = 1.0 / (g - jac[2])
    w_1_7 = -jac[3]
    w_7_1 = -jac[15] * w_1_1
    w_2_2 = 1.0 / (g - jac[5])
    w_2_6 = -jac[6]
    w_3_2 = -jac[7] * w_2_2
    w_3_3 = 1.0 / (g - jac[8])
    w_3_6 = -w_2_6 * w_3_2
    w_4_3 = -jac[9] * w_3_3
    w_4_4 = 1.0 / (g - jac[10])
    w_4_6 = -w_3_6 * w_4_3
    w_5_4 = -jac[11] * w_4_4
    w_5_5 = 1.0 / (g - jac[12])
    w_5_6 = -w_4_6 * w_5_4
    w_6_5 = -jac[13] * w_5_5
    w_6_6 = 1.0 / (-w_5_6 * w_6_5 - jac[14] - t0)
    w_7_6 = -jac[16] * w_6_6
    w_7_7 = 1.0 / (-w_1_7 * w_7_1 - jac[17] - t0)
    w_8_7 = -jac[18] * w_7_7
    w_10_7 = -jac[23] * w_7_7
    w_12_7 = -jac[29] * w_7_7
    w_8_8 = 1.0 / (g - jac[19])
    w_10_8 = -jac[24] * w_8_8
    w_12_8 = -jac[30] * w_8_8
    w_9_9 = 1.0 / (g - jac[21])
    w_10_9 = -jac[25] * w_9_9
    w_10_10 = 1.0 / (g - jac[26])
    w_11_10 = -jac[27] * w_10_10
    w_12_10 = -jac[31] * w_10_10
    w_11_11 = t1
    w_12_12 = t1
    lu[0] = w_0_0
    lu[1] = w_1_0
    lu[2] = w_1_1
    lu[3] = w_1_7
    lu[4] = w_2_0
    lu[5] = w_2_2
    lu[6] = w_2_6
    lu[7] = w_3_2
    lu[8] = w_3_3
    lu[9] = w_3_6
    lu[10] = w_4_3
    lu[11] = w_4_4
    lu[12] = w_4_6
    lu[13] = w_5_4
    lu[14] = w_5_5
    lu[15] = w_5_6
    lu[16] = w_6_5
    lu[17] = w_6_6
    lu[18] = w_7_1
    lu[19] = w_7_6
    lu[20] = w_7_7
    lu[21] = w_8_7
    lu[22] = w_8_8
    lu[23] = w_9_0
    lu[24] = w_9_9
    lu[25] = w_10_0
    lu[26] = w_10_7
    lu[27] = w_10_8
    lu[28] = w_10_9
    lu[29] = w_10_10
    lu[30] = w_11_10
    lu[31] = w_11_11
    lu[32] = w_12_0
    lu[33] = w_12_7
    lu[34] = w_12_8
    lu[35] = w_12_10
    lu[36] = w_12_12


@njit(error_model="numpy", cache=True)
def solve(lu, b):
    """Solve in place."""
    b0 = b[0]
    b1 = b[1]
    b2 = b[2]
    b3 = b[3]
    b4 = b[4]
    b5 = b[5]
    b6 = b[6]
    b7 = b[7]
    b8 = b[8]
    b9 = b[9]
    b10 = b[10]
    b11 = b[11]
    b12 = b[12]
    b1 = fma(-lu[1], b0, b1)
    b2 = fma(-lu[4], b0, b2)
    b9 = fma(-lu[23], b0, b9)
    b10 = fma(-lu[25], b0, b10)
    b12 = fma(-lu[32], b0, b12)
    b7 = fma(-lu[18], b1, b7)
    b3 = fma(-lu[7], b2, b3)
    b4 = fma(-lu[10], b3, b4)
    b5 = fma(-lu[13], b4, b5)
    b6 = fma(-lu[16], b5, b6)
    b7 = fma(-lu[19], b6, b7)
    b8 = fma(-lu[21], b7, b8)
    b10 = fma(-lu[26], b7, b10)
    b12 = fma(-lu[33], b7, b12)
    b10 = fma(-lu[27], b8, b10)
    b12 = fma(-lu[34], b8, b12)
    b10 = fma(-lu[28], b9, b10)
    b11 = fma(-lu[30], b10, b11)
    b12 = fma(-lu[35], b10, b12)
    b12 = b12 * lu[36]
    b11 = b11 * lu[31]
    b10 = b10 * lu[29]
    b9 = b9 * lu[24]
    b8 = b8 * lu[22]
    b7 = b7 * lu[20]
    b6 = b6 * lu[17]
    b5 = fma(-lu[15], b6, b5)
    b5 = b5 * lu[14]
    b4 = fma(-lu[12], b6, b4)
    b4 = b4 * lu[11]
    b3 = fma(-lu[9], b6, b3)
    b3 = b3 * lu[8]
    b2 = fma(-lu[6], b6, b2)
    b2 = b2 * lu[5]
    b1 = fma(-lu[3], b7, b1)
    b1 = b1 * lu[2]
    b0 = b0 * lu[0]
    b[0] = b0
    b[1] = b1
    b[2] = b2
    b[3] = b3
    b[4] = b4
    b[5] = b5
    b[6] = b6
    b[7] = b7
    b[8] = b8
    b[9] = b9
    b[10] = b10
    b[11] = b11
    b[12] = b12
