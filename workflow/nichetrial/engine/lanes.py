"""GENERATED from model/equations.py by `nichetrial generate`: do not edit.

A step of Rodas5P for 8 mice side by side: slot ``k`` of lane ``i`` is ``w[8 k + i]``.
Nothing is shared between lanes, and what is done in one does not depend on the others: a mouse's
numbers are the same in any company. Order: begin, then for each further stage ``stage_n``, the
inputs at TAU, ``evaluate``; then ``finish``.
"""

from numba import njit

from nichetrial.engine.elementary import exp, fma, log
from nichetrial.engine.vector_width import wide

__all__ = [
    "STATE",
    "STAGE",
    "LAST",
    "K",
    "RIGHT",
    "SLOPE",
    "LU",
    "CONSTANT",
    "INPUT",
    "INPUT_SLOPE",
    "FOUNDING",
    "TIME",
    "STEP",
    "TRIED",
    "PER_STEP",
    "PER_SLOPE",
    "TAU",
    "STOP",
    "LANDS",
    "ACCEPTED",
    "ERROR",
    "PER_BEFORE",
    "SIZE_BEFORE",
    "SLOTS",
    "begin",
    "evaluate",
    "ease_in_state",
    "ease_in_stage",
    "stage_1",
    "stage_2",
    "stage_3",
    "stage_4",
    "stage_5",
    "stage_6",
    "stage_7",
    "finish",
]

STATE = 0  # 13: states at the start of the step
STAGE = 13  # 13: states of the current stage
LAST = 26  # 13: k of the latest stage
K = 39  # 78: k of the stages before
RIGHT = 117  # 13: what earlier stages give to the stage's right-hand side, times the step
SLOPE = 130  # 8: derivatives of the rates in time
LU = 138  # 37: factors of 1/(h gamma) - J
CONSTANT = 175  # 50: constants of the mouse
INPUT = 225  # 9: inputs, and the ease of shedding
INPUT_SLOPE = 234  # 8: derivatives of the inputs in time
FOUNDING = 242  # 1: founders per day in the current stage
TIME = 243  # 1: days
STEP = 244  # 1: step to take next
TRIED = 245  # 1: step being taken
PER_STEP = 246  # 1: 1 / step being taken
PER_SLOPE = 247  # 1: by what the SLOPE counts in the current stage
TAU = 248  # 1: time of the current stage since the start of the step
STOP = 249  # 1: day to land on next
LANDS = 250  # 1: 1: this step ends on STOP
ACCEPTED = 251  # 1: 1: the step was accepted
ERROR = 252  # 1: squared error over tolerance
PER_BEFORE = 253  # 1: 1 / step accepted before this one; 0: nothing to compare with
SIZE_BEFORE = 254  # 1: logarithm of its squared error
SLOTS = 255


@njit(error_model="numpy", cache=True)
def begin(w):
    """Length of the step, Jacobian, its factors, and the first stage."""
    wide()
    for i in range(8):
        ahead = w[1992 + i] - w[1944 + i]
        h = w[1952 + i]
        lands = 1.05 * h >= ahead
        h = h if 2.0 * h < ahead else 0.5 * ahead
        h = ahead if lands else h
        per_step = 1.0 / h
        w[2000 + i] = 1.0 if lands else 0.0
        w[1960 + i] = h
        w[1968 + i] = per_step
        g = per_step * 4.718370754707919
        T = w[i]
        S = w[8 + i]
        G_1 = w[16 + i]
        G_2 = w[24 + i]
        G_3 = w[32 + i]
        M = w[40 + i]
        B = w[48 + i]
        N = w[56 + i]
        Q = w[64 + i]
        C = w[72 + i]
        A = w[80 + i]
        u_V = w[1800 + i]
        u_T = w[1808 + i]
        u_S = w[1816 + i]
        u_A = w[1824 + i]
        u_K = w[1832 + i]
        u_M = w[1840 + i]
        V = w[1848 + i]
        V_s = w[1856 + i]
        ease = w[1864 + i]
        d_u_V = w[1872 + i]
        d_u_T = w[1880 + i]
        d_u_S = w[1888 + i]
        d_u_A = w[1896 + i]
        d_u_K = w[1904 + i]
        d_u_M = w[1912 + i]
        d_V = w[1920 + i]
        d_V_s = w[1928 + i]
        q0 = w[1400 + i]
        q1 = w[1408 + i]
        q2 = w[1416 + i]
        q3 = w[1424 + i]
        q4 = w[1432 + i]
        q5 = w[1440 + i]
        q6 = w[1448 + i]
        q7 = w[1456 + i]
        q8 = w[1464 + i]
        q9 = w[1472 + i]
        q10 = w[1480 + i]
        q11 = w[1488 + i]
        q12 = w[1496 + i]
        q13 = w[1504 + i]
        q14 = w[1512 + i]
        q15 = w[1520 + i]
        q16 = w[1528 + i]
        q17 = w[1536 + i]
        q18 = w[1544 + i]
        q19 = w[1552 + i]
        q20 = w[1560 + i]
        q21 = w[1568 + i]
        q22 = w[1576 + i]
        q23 = w[1584 + i]
        q24 = w[1592 + i]
        q25 = w[1600 + i]
        q26 = w[1608 + i]
        q27 = w[1616 + i]
        q28 = w[1624 + i]
        q29 = w[1632 + i]
        q30 = w[1640 + i]
        q31 = w[1648 + i]
        q32 = w[1656 + i]
        q33 = w[1664 + i]
        q34 = w[1672 + i]
        q35 = w[1680 + i]
        q36 = w[1688 + i]
        q37 = w[1696 + i]
        q38 = w[1704 + i]
        q39 = w[1712 + i]
        q40 = w[1720 + i]
        q41 = w[1728 + i]
        q42 = w[1736 + i]
        q43 = w[1744 + i]
        q44 = w[1752 + i]
        q45 = w[1760 + i]
        q46 = w[1768 + i]
        q47 = w[1776 + i]
        q48 = w[1784 + i]
        t0 = q1 * (u_T + 1.0)
        t1 = 1.0 / (T + q10)
        t2 = t1 * T
        t3 = N * q3 - q4
        t4 = 1.0 / fma(q6, (T + q5), u_M + 1.0)
        t5 = t3 * t4
        t6 = q9 * (fma(t5, q7, u_S) - q8)
        t7 = exp(-q15 * log(B))
        t8 = fma(t2, q14, 1.0)
        t9 = 1.0 / (q17 + u_A)
        t10 = q18 * (t9 * q17 - 1.0) - 1.0
        t11 = t10 * q19
        t12 = 1.0 / fma(S, q22, u_A + 1.0)
        t13 = exp(q24 * log(N))
        t14 = t13 / (q25 + t13)
        t15 = fma(t2, q30, fma(Q, q29, 1.0))
        t16 = exp(q32 * log(t5 * q31))
        t17 = t15 * t16
        t18 = t17 * q33
        t19 = q34 + t18
        t20 = t1 * (t2 - 1.0)
        t21 = t3 * (t4 * t4)
        t22 = -q13
        t23 = t12 * S
        t24 = t16 * A
        t25 = t24 * fma(t15, t4 * q42, t20 * q30 * q33)
        t26 = t17 * A
        t27 = t26 * q43 / t3
        t28 = t24 * q44
        t29 = -M * d_u_A * q46 * (t9 * t9)
        t30 = t4 * d_u_M
        t31 = t26 * t30 * q48
        t32 = -g
        t33 = 1.0 / g
        f0 = fma(V, q0, fma(-t0, T, q2 + u_V))
        f1 = fma(q12, fma(t2, q11, 1.0), -t6 * S)
        f2 = fma(t7, t8 * q16, -G_1 * q13)
        f3 = q13 * (G_1 - G_2)
        f4 = q13 * (G_2 - G_3)
        f5 = fma(t11, M, G_3 * q13)
        f6 = fma(-t10, M * q19, fma(-B, u_K, -B * q20))
        f7 = fma(-N, u_K, fma(-N, q21, t12 * B * S * q23))
        f8 = -q26 * (Q - t14)
        f9 = fma(V_s, ease * q28, -C * q27)
        f10 = fma(C, q35, -t19 * A)
        f11 = A * q36
        f12 = t18 * A
        j0 = -t0
        j1 = fma(-t20, q11 * q12, t21 * S * q37)
        j2 = -t6
        j3 = -t4 * S * q38
        j4 = -t20 * t7 * q14 * q16
        j5 = t22
        j6 = -t7 * t8 * q39 / B
        j7 = q13
        j8 = t22
        j9 = q13
        j10 = t22
        j11 = q13
        j12 = t11
        j13 = -t11
        j14 = -q20 - u_K
        j15 = t12 * B * fma(-t23, q40, q23)
        j16 = t23 * q23
        j17 = -q21 - u_K
        j18 = -t14 * q24 * q26 * (t14 - 1.0) / N
        j19 = -q26
        j20 = -t4 * V_s * ease * q41
        j21 = -q27
        j22 = t25
        j23 = -t27
        j24 = -t28
        j25 = q35
        j26 = -t19
        j27 = q36
        j28 = -t25
        j29 = t27
        j30 = t28
        j31 = t18
        s0 = fma(d_V, q0, fma(-T, d_u_T * q1, d_u_V))
        s1 = S * fma(-d_u_S, q9, t21 * d_u_M * q45)
        s2 = t29
        s3 = -B * d_u_K - t29
        s4 = fma(-N, d_u_K, -B * S * d_u_A * q23 * (t12 * t12))
        s5 = ease * fma(d_V_s, q28, -t30 * V_s * q47)
        s6 = t31
        s7 = -t31
        w_0_0 = 1.0 / (g - j0)
        w_1_0 = -j1 * w_0_0
        w_2_0 = -j4 * w_0_0
        w_9_0 = -j20 * w_0_0
        w_10_0 = -j22 * w_0_0
        w_12_0 = -j28 * w_0_0
        w_1_1 = 1.0 / (g - j2)
        w_1_7 = -j3
        w_7_1 = -j15 * w_1_1
        w_2_2 = 1.0 / (g - j5)
        w_2_6 = -j6
        w_3_2 = -j7 * w_2_2
        w_3_3 = 1.0 / (g - j8)
        w_3_6 = -w_2_6 * w_3_2
        w_4_3 = -j9 * w_3_3
        w_4_4 = 1.0 / (g - j10)
        w_4_6 = -w_3_6 * w_4_3
        w_5_4 = -j11 * w_4_4
        w_5_5 = 1.0 / (g - j12)
        w_5_6 = -w_4_6 * w_5_4
        w_6_5 = -j13 * w_5_5
        w_6_6 = 1.0 / (-w_5_6 * w_6_5 - j14 - t32)
        w_7_6 = -j16 * w_6_6
        w_7_7 = 1.0 / (-w_1_7 * w_7_1 - j17 - t32)
        w_8_7 = -j18 * w_7_7
        w_10_7 = -j23 * w_7_7
        w_12_7 = -j29 * w_7_7
        w_8_8 = 1.0 / (g - j19)
        w_10_8 = -j24 * w_8_8
        w_12_8 = -j30 * w_8_8
        w_9_9 = 1.0 / (g - j21)
        w_10_9 = -j25 * w_9_9
        w_10_10 = 1.0 / (g - j26)
        w_11_10 = -j27 * w_10_10
        w_12_10 = -j31 * w_10_10
        w_11_11 = t33
        w_12_12 = t33
        w[1104 + i] = w_0_0
        w[1112 + i] = w_1_0
        w[1120 + i] = w_1_1
        w[1128 + i] = w_1_7
        w[1136 + i] = w_2_0
        w[1144 + i] = w_2_2
        w[1152 + i] = w_2_6
        w[1160 + i] = w_3_2
        w[1168 + i] = w_3_3
        w[1176 + i] = w_3_6
        w[1184 + i] = w_4_3
        w[1192 + i] = w_4_4
        w[1200 + i] = w_4_6
        w[1208 + i] = w_5_4
        w[1216 + i] = w_5_5
        w[1224 + i] = w_5_6
        w[1232 + i] = w_6_5
        w[1240 + i] = w_6_6
        w[1248 + i] = w_7_1
        w[1256 + i] = w_7_6
        w[1264 + i] = w_7_7
        w[1272 + i] = w_8_7
        w[1280 + i] = w_8_8
        w[1288 + i] = w_9_0
        w[1296 + i] = w_9_9
        w[1304 + i] = w_10_0
        w[1312 + i] = w_10_7
        w[1320 + i] = w_10_8
        w[1328 + i] = w_10_9
        w[1336 + i] = w_10_10
        w[1344 + i] = w_11_10
        w[1352 + i] = w_11_11
        w[1360 + i] = w_12_0
        w[1368 + i] = w_12_7
        w[1376 + i] = w_12_8
        w[1384 + i] = w_12_10
        w[1392 + i] = w_12_12
        w[1040 + i] = s0
        w[1048 + i] = s1
        w[1056 + i] = s2
        w[1064 + i] = s3
        w[1072 + i] = s4
        w[1080 + i] = s5
        w[1088 + i] = s6
        w[1096 + i] = s7
        h = h * 0.21193756319429014
        b0 = fma(h, s0, f0)
        b1 = fma(h, s1, f1)
        b2 = f2
        b3 = f3
        b4 = f4
        b5 = fma(h, s2, f5)
        b6 = fma(h, s3, f6)
        b7 = fma(h, s4, f7)
        b8 = f8
        b9 = fma(h, s5, f9)
        b10 = fma(h, s6, f10)
        b11 = f11
        b12 = fma(h, s7, f12)
        b1 = fma(-w_1_0, b0, b1)
        b2 = fma(-w_2_0, b0, b2)
        b9 = fma(-w_9_0, b0, b9)
        b10 = fma(-w_10_0, b0, b10)
        b12 = fma(-w_12_0, b0, b12)
        b7 = fma(-w_7_1, b1, b7)
        b3 = fma(-w_3_2, b2, b3)
        b4 = fma(-w_4_3, b3, b4)
        b5 = fma(-w_5_4, b4, b5)
        b6 = fma(-w_6_5, b5, b6)
        b7 = fma(-w_7_6, b6, b7)
        b8 = fma(-w_8_7, b7, b8)
        b10 = fma(-w_10_7, b7, b10)
        b12 = fma(-w_12_7, b7, b12)
        b10 = fma(-w_10_8, b8, b10)
        b12 = fma(-w_12_8, b8, b12)
        b10 = fma(-w_10_9, b9, b10)
        b11 = fma(-w_11_10, b10, b11)
        b12 = fma(-w_12_10, b10, b12)
        b12 = b12 * w_12_12
        b11 = b11 * w_11_11
        b10 = b10 * w_10_10
        b9 = b9 * w_9_9
        b8 = b8 * w_8_8
        b7 = b7 * w_7_7
        b6 = b6 * w_6_6
        b5 = fma(-w_5_6, b6, b5)
        b5 = b5 * w_5_5
        b4 = fma(-w_4_6, b6, b4)
        b4 = b4 * w_4_4
        b3 = fma(-w_3_6, b6, b3)
        b3 = b3 * w_3_3
        b2 = fma(-w_2_6, b6, b2)
        b2 = b2 * w_2_2
        b1 = fma(-w_1_7, b7, b1)
        b1 = b1 * w_1_1
        b0 = b0 * w_0_0
        w[208 + i] = b0
        w[216 + i] = b1
        w[224 + i] = b2
        w[232 + i] = b3
        w[240 + i] = b4
        w[248 + i] = b5
        w[256 + i] = b6
        w[264 + i] = b7
        w[272 + i] = b8
        w[280 + i] = b9
        w[288 + i] = b10
        w[296 + i] = b11
        w[304 + i] = b12


@njit(error_model="numpy", cache=True)
def evaluate(w):
    """Rates in the current stage, and its k."""
    wide()
    for i in range(8):
        T = w[104 + i]
        S = w[112 + i]
        G_1 = w[120 + i]
        G_2 = w[128 + i]
        G_3 = w[136 + i]
        M = w[144 + i]
        B = w[152 + i]
        N = w[160 + i]
        Q = w[168 + i]
        C = w[176 + i]
        A = w[184 + i]
        u_V = w[1800 + i]
        u_T = w[1808 + i]
        u_S = w[1816 + i]
        u_A = w[1824 + i]
        u_K = w[1832 + i]
        u_M = w[1840 + i]
        V = w[1848 + i]
        V_s = w[1856 + i]
        ease = w[1864 + i]
        q0 = w[1400 + i]
        q1 = w[1408 + i]
        q2 = w[1416 + i]
        q3 = w[1424 + i]
        q4 = w[1432 + i]
        q5 = w[1440 + i]
        q6 = w[1448 + i]
        q7 = w[1456 + i]
        q8 = w[1464 + i]
        q9 = w[1472 + i]
        q10 = w[1480 + i]
        q11 = w[1488 + i]
        q12 = w[1496 + i]
        q13 = w[1504 + i]
        q14 = w[1512 + i]
        q15 = w[1520 + i]
        q16 = w[1528 + i]
        q17 = w[1536 + i]
        q18 = w[1544 + i]
        q19 = w[1552 + i]
        q20 = w[1560 + i]
        q21 = w[1568 + i]
        q22 = w[1576 + i]
        q23 = w[1584 + i]
        q24 = w[1592 + i]
        q25 = w[1600 + i]
        q26 = w[1608 + i]
        q27 = w[1616 + i]
        q28 = w[1624 + i]
        q29 = w[1632 + i]
        q30 = w[1640 + i]
        q31 = w[1648 + i]
        q32 = w[1656 + i]
        q33 = w[1664 + i]
        q34 = w[1672 + i]
        q35 = w[1680 + i]
        q36 = w[1688 + i]
        t0 = T / (T + q10)
        t1 = (N * q3 - q4) / fma(q6, (T + q5), u_M + 1.0)
        t2 = q18 * (q17 / (q17 + u_A) - 1.0) - 1.0
        t3 = exp(q24 * log(N))
        t4 = q33 * fma(t0, q30, fma(Q, q29, 1.0)) * exp(q32 * log(t1 * q31))
        f0 = fma(V, q0, fma(-T, q1 * (u_T + 1.0), q2 + u_V))
        f1 = fma(q12, fma(t0, q11, 1.0), -S * q9 * (fma(t1, q7, u_S) - q8))
        f2 = fma(q16, fma(t0, q14, 1.0) * exp(-q15 * log(B)), -G_1 * q13)
        f3 = q13 * (G_1 - G_2)
        f4 = q13 * (G_2 - G_3)
        f5 = fma(t2, M * q19, G_3 * q13)
        f6 = fma(-t2, M * q19, fma(-B, u_K, -B * q20))
        f7 = fma(-N, u_K, fma(-N, q21, B * S * q23 / fma(S, q22, u_A + 1.0)))
        f8 = -q26 * fma(-t3, 1.0 / (q25 + t3), Q)
        f9 = fma(V_s, ease * q28, -C * q27)
        f10 = fma(C, q35, -A * (q34 + t4))
        f11 = A * q36
        f12 = t4 * A
        w[1936 + i] = f12
        per_step = w[1968 + i]
        per_slope = w[1976 + i]
        f0 = fma(per_slope, w[1040 + i], f0)
        f1 = fma(per_slope, w[1048 + i], f1)
        f5 = fma(per_slope, w[1056 + i], f5)
        f6 = fma(per_slope, w[1064 + i], f6)
        f7 = fma(per_slope, w[1072 + i], f7)
        f9 = fma(per_slope, w[1080 + i], f9)
        f10 = fma(per_slope, w[1088 + i], f10)
        f12 = fma(per_slope, w[1096 + i], f12)
        b0 = fma(per_step, w[936 + i], f0)
        b1 = fma(per_step, w[944 + i], f1)
        b2 = fma(per_step, w[952 + i], f2)
        b3 = fma(per_step, w[960 + i], f3)
        b4 = fma(per_step, w[968 + i], f4)
        b5 = fma(per_step, w[976 + i], f5)
        b6 = fma(per_step, w[984 + i], f6)
        b7 = fma(per_step, w[992 + i], f7)
        b8 = fma(per_step, w[1000 + i], f8)
        b9 = fma(per_step, w[1008 + i], f9)
        b10 = fma(per_step, w[1016 + i], f10)
        b11 = fma(per_step, w[1024 + i], f11)
        b12 = fma(per_step, w[1032 + i], f12)
        b1 = fma(-w[1104 + 8 + i], b0, b1)
        b2 = fma(-w[1104 + 32 + i], b0, b2)
        b9 = fma(-w[1104 + 184 + i], b0, b9)
        b10 = fma(-w[1104 + 200 + i], b0, b10)
        b12 = fma(-w[1104 + 256 + i], b0, b12)
        b7 = fma(-w[1104 + 144 + i], b1, b7)
        b3 = fma(-w[1104 + 56 + i], b2, b3)
        b4 = fma(-w[1104 + 80 + i], b3, b4)
        b5 = fma(-w[1104 + 104 + i], b4, b5)
        b6 = fma(-w[1104 + 128 + i], b5, b6)
        b7 = fma(-w[1104 + 152 + i], b6, b7)
        b8 = fma(-w[1104 + 168 + i], b7, b8)
        b10 = fma(-w[1104 + 208 + i], b7, b10)
        b12 = fma(-w[1104 + 264 + i], b7, b12)
        b10 = fma(-w[1104 + 216 + i], b8, b10)
        b12 = fma(-w[1104 + 272 + i], b8, b12)
        b10 = fma(-w[1104 + 224 + i], b9, b10)
        b11 = fma(-w[1104 + 240 + i], b10, b11)
        b12 = fma(-w[1104 + 280 + i], b10, b12)
        b12 = b12 * w[1104 + 288 + i]
        b11 = b11 * w[1104 + 248 + i]
        b10 = b10 * w[1104 + 232 + i]
        b9 = b9 * w[1104 + 192 + i]
        b8 = b8 * w[1104 + 176 + i]
        b7 = b7 * w[1104 + 160 + i]
        b6 = b6 * w[1104 + 136 + i]
        b5 = fma(-w[1104 + 120 + i], b6, b5)
        b5 = b5 * w[1104 + 112 + i]
        b4 = fma(-w[1104 + 96 + i], b6, b4)
        b4 = b4 * w[1104 + 88 + i]
        b3 = fma(-w[1104 + 72 + i], b6, b3)
        b3 = b3 * w[1104 + 64 + i]
        b2 = fma(-w[1104 + 48 + i], b6, b2)
        b2 = b2 * w[1104 + 40 + i]
        b1 = fma(-w[1104 + 24 + i], b7, b1)
        b1 = b1 * w[1104 + 16 + i]
        b0 = b0 * w[1104 + 0 + i]
        w[208 + i] = b0
        w[216 + i] = b1
        w[224 + i] = b2
        w[232 + i] = b3
        w[240 + i] = b4
        w[248 + i] = b5
        w[256 + i] = b6
        w[264 + i] = b7
        w[272 + i] = b8
        w[280 + i] = b9
        w[288 + i] = b10
        w[296 + i] = b11
        w[304 + i] = b12


@njit(error_model="numpy", cache=True)
def ease_in_state(w):
    """protease_primary ** protease_shedding."""
    wide()
    for i in range(8):
        T = w[i]
        u_M = w[1840 + i]
        q5 = w[1440 + i]
        q6 = w[1448 + i]
        q31 = w[1648 + i]
        q49 = w[1792 + i]
        ease = exp(q49 * log(q31 / fma(q6, (T + q5), u_M + 1.0)))
        w[1864 + i] = ease


@njit(error_model="numpy", cache=True)
def ease_in_stage(w):
    """protease_primary ** protease_shedding."""
    wide()
    for i in range(8):
        T = w[104 + i]
        u_M = w[1840 + i]
        q5 = w[1440 + i]
        q6 = w[1448 + i]
        q31 = w[1648 + i]
        q49 = w[1792 + i]
        ease = exp(q49 * log(q31 / fma(q6, (T + q5), u_M + 1.0)))
        w[1864 + i] = ease


@njit(error_model="numpy", cache=True)
def stage_1(w):
    """Stage 1 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 0.6358126895828704 * w[1960 + i]
        w[1976 + i] = -0.42387512638858027 * w[1960 + i]
    for i in range(104):
        k0 = w[208 + i]
        w[312 + i] = k0
        w[104 + i] = fma(3.0, k0, w[i])
        w[936 + i] = -14.155112264123755 * k0


@njit(error_model="numpy", cache=True)
def stage_2(w):
    """Stage 2 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 0.4095798393397535 * w[1960 + i]
        w[1976 + i] = -0.3384627126235924 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[208 + i]
        w[416 + i] = k1
        w[104 + i] = fma(0.45842242204463923, k1, fma(2.849394379747939, k0, w[i]))
        w[936 + i] = fma(-2.859693295451294, k1, -17.97296035885952 * k0)


@njit(error_model="numpy", cache=True)
def stage_3(w):
    """Stage 3 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 0.9769306725060716 * w[1960 + i]
        w[1976 + i] = 1.8046452872882734 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[416 + i]
        k2 = w[208 + i]
        w[520 + i] = k2
        w[104 + i] = fma(
            -10.358996098473584, k2, fma(2.489845061869568, k1, fma(-6.954028509809101, k0, w[i]))
        )
        w[936 + i] = fma(71.68940251302358, k2, fma(-1.41221402718213, k1, 147.12150275711716 * k0))


@njit(error_model="numpy", cache=True)
def stage_4(w):
    """Stage 4 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 0.4288403609558664 * w[1960 + i]
        w[1976 + i] = 2.325825639765069 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[416 + i]
        k2 = w[520 + i]
        k3 = w[208 + i]
        w[624 + i] = k3
        w[104 + i] = fma(
            -0.04721187230404641,
            k3,
            fma(
                -0.3988312541770524,
                k2,
                fma(0.5072464736228206, k1, fma(2.8029986275628964, k0, w[i])),
            ),
        )
        w[936 + i] = fma(
            -5.961986721573306,
            k3,
            fma(42.90938336958603, k2, fma(-0.4592823456491126, k1, 165.43517024871676 * k0)),
        )


@njit(error_model="numpy", cache=True)
def stage_5(w):
    """Stage 5 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 1.0 * w[1960 + i]
        w[1976 + i] = 0.0 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[416 + i]
        k2 = w[520 + i]
        k3 = w[624 + i]
        k4 = w[208 + i]
        w[728 + i] = k4
        w[104 + i] = fma(
            0.030198172008377946,
            k4,
            fma(
                -0.18268767659942256,
                k3,
                fma(
                    -11.627539656261098,
                    k2,
                    fma(2.561846144803919, k1, fma(-7.502846399306121, k0, w[i])),
                ),
            ),
        )
        w[936 + i] = fma(
            -0.6610691825249471,
            k4,
            fma(
                5.5814197821558125,
                k3,
                fma(47.4931110020768, k2, fma(-3.0009227002832186, k1, 24.854864614690072 * k0)),
            ),
        )


@njit(error_model="numpy", cache=True)
def stage_6(w):
    """Stage 6 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 1.0 * w[1960 + i]
        w[1976 + i] = 0.0 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[416 + i]
        k2 = w[520 + i]
        k3 = w[624 + i]
        k4 = w[728 + i]
        k5 = w[208 + i]
        w[832 + i] = k5
        w[104 + i] = w[104 + i] + k5
        w[936 + i] = fma(
            -28.087943162872662,
            k5,
            fma(
                -19.097331116725623,
                k4,
                fma(
                    34.28646028294783,
                    k3,
                    fma(
                        77.79954646070892, k2, fma(-3.1208243349937974, k1, 30.91273214028599 * k0)
                    ),
                ),
            ),
        )


@njit(error_model="numpy", cache=True)
def stage_7(w):
    """Stage 7 of 0 to 7: its states, and the part of its right-hand side that earlier stages give."""
    wide()
    for i in range(8):
        w[1984 + i] = 1.0 * w[1960 + i]
        w[1976 + i] = 0.0 * w[1960 + i]
    for i in range(104):
        k0 = w[312 + i]
        k1 = w[416 + i]
        k2 = w[520 + i]
        k3 = w[624 + i]
        k4 = w[728 + i]
        k5 = w[832 + i]
        k6 = w[208 + i]
        w[104 + i] = w[104 + i] + k6
        w[936 + i] = fma(
            -9.48861652309627,
            k6,
            fma(
                -54.66780262877968,
                k5,
                fma(
                    -40.06618937091002,
                    k4,
                    fma(
                        66.9347231244047,
                        k3,
                        fma(
                            112.26918849496327,
                            k2,
                            fma(-3.2571969029072276, k1, 37.80277123390563 * k0),
                        ),
                    ),
                ),
            ),
        )


@njit(error_model="numpy", cache=True)
def finish(w, rtol):
    """Accept or reject, and choose the next step."""
    wide()
    for i in range(8):
        y0 = w[i]
        n0 = w[104 + i] + w[208 + i]
        m0 = max(abs(y0), abs(n0))
        a0 = w[208 + i] * w[208 + i]
        s0 = fma(5.0, m0, 0.005)
        b0 = s0 * s0
        y1 = w[8 + i]
        n1 = w[112 + i] + w[216 + i]
        m1 = max(abs(y1), abs(n1))
        a1 = w[216 + i] * w[216 + i]
        s1 = fma(1.0, m1, 0.0004)
        b1 = s1 * s1
        y2 = w[16 + i]
        n2 = w[120 + i] + w[224 + i]
        m2 = max(abs(y2), abs(n2))
        a2 = w[224 + i] * w[224 + i]
        s2 = fma(1.0, m2, 0.001)
        b2 = s2 * s2
        y3 = w[24 + i]
        n3 = w[128 + i] + w[232 + i]
        m3 = max(abs(y3), abs(n3))
        a3 = w[232 + i] * w[232 + i]
        s3 = fma(1.0, m3, 0.001)
        b3 = s3 * s3
        y4 = w[32 + i]
        n4 = w[136 + i] + w[240 + i]
        m4 = max(abs(y4), abs(n4))
        a4 = w[240 + i] * w[240 + i]
        s4 = fma(1.0, m4, 0.001)
        b4 = s4 * s4
        y5 = w[40 + i]
        n5 = w[144 + i] + w[248 + i]
        m5 = max(abs(y5), abs(n5))
        a5 = w[248 + i] * w[248 + i]
        s5 = fma(1.0, m5, 0.001)
        b5 = s5 * s5
        y6 = w[48 + i]
        n6 = w[152 + i] + w[256 + i]
        m6 = max(abs(y6), abs(n6))
        a6 = w[256 + i] * w[256 + i]
        s6 = fma(1.0, m6, 0.005)
        b6 = s6 * s6
        y7 = w[56 + i]
        n7 = w[160 + i] + w[264 + i]
        m7 = max(abs(y7), abs(n7))
        a7 = w[264 + i] * w[264 + i]
        s7 = fma(0.5, m7, 0.02)
        b7 = s7 * s7
        y8 = w[64 + i]
        n8 = w[168 + i] + w[272 + i]
        m8 = max(abs(y8), abs(n8))
        a8 = w[272 + i] * w[272 + i]
        s8 = fma(0.15, m8, 1.5e-05)
        b8 = s8 * s8
        y9 = w[72 + i]
        n9 = w[176 + i] + w[280 + i]
        n9 = n9 if abs(n9) > 1e-100 else 0.0
        m9 = max(abs(y9), abs(n9))
        a9 = w[280 + i] * w[280 + i]
        s9 = fma(3.0, m9, 0.18)
        b9 = s9 * s9
        y10 = w[80 + i]
        n10 = w[184 + i] + w[288 + i]
        n10 = n10 if abs(n10) > 1e-100 else 0.0
        m10 = max(abs(y10), abs(n10))
        a10 = w[288 + i] * w[288 + i]
        s10 = fma(6.0, m10, 0.24)
        b10 = s10 * s10
        y11 = w[88 + i]
        n11 = w[192 + i] + w[296 + i]
        n11 = n11 if abs(n11) > 1e-100 else 0.0
        m11 = max(abs(y11), abs(n11))
        a11 = w[296 + i] * w[296 + i]
        s11 = fma(3.0, m11, 2.4000000000000004)
        b11 = s11 * s11
        y12 = w[96 + i]
        n12 = w[200 + i] + w[304 + i]
        n12 = n12 if abs(n12) > 1e-100 else 0.0
        m12 = max(abs(y12), abs(n12))
        a12 = w[304 + i] * w[304 + i]
        s12 = fma(0.8, m12, 0.016)
        b12 = s12 * s12
        c1 = fma(a0, b1, a1 * b0)
        e1 = b0 * b1
        c2 = fma(c1, b2, a2 * e1)
        e2 = e1 * b2
        c3 = fma(c2, b3, a3 * e2)
        e3 = e2 * b3
        c5 = fma(a4, b5, a5 * b4)
        e5 = b4 * b5
        c6 = fma(c5, b6, a6 * e5)
        e6 = e5 * b6
        c7 = fma(c6, b7, a7 * e6)
        e7 = e6 * b7
        c9 = fma(a8, b9, a9 * b8)
        e9 = b8 * b9
        c10 = fma(c9, b10, a10 * e9)
        e10 = e9 * b10
        c11 = fma(c10, b11, a11 * e10)
        e11 = e10 * b11
        error = (c3 / e3 + c7 / e7 + c11 / e11 + a12 / b12) / (13.0 * rtol * rtol)
        ok = error <= 1.0
        lands = w[2000 + i] == 1.0
        tried = w[1960 + i]
        size = log(1e-8 if error < 1e-8 else error)
        ratio = tried * w[2024 + i]
        known = ok and ratio > 0.0
        ratio = ratio if known else 1.0
        before = w[2032 + i] if known else size
        factor = 0.9 * exp(fma(-0.17, size, fma(0.07, before, 0.6 * log(ratio))))
        factor = factor if factor > 0.2 else 0.2
        factor = 5.0 if factor > 5.0 else factor
        step = tried * factor
        longer = max(step, w[1952 + i])
        w[1952 + i] = longer if ok and lands else step
        w[2016 + i] = error
        per_before = w[2024 + i]
        per_before = w[1968 + i] if ok else per_before
        w[2024 + i] = 0.0 if lands else per_before
        w[2032 + i] = size if ok else w[2032 + i]
        w[2008 + i] = 1.0 if ok else 0.0
        before = w[1944 + i]
        after = w[1992 + i] if lands else before + tried
        w[1944 + i] = after if ok else before
        w[i] = n0 if ok else y0
        w[8 + i] = n1 if ok else y1
        w[16 + i] = n2 if ok else y2
        w[24 + i] = n3 if ok else y3
        w[32 + i] = n4 if ok else y4
        w[40 + i] = n5 if ok else y5
        w[48 + i] = n6 if ok else y6
        w[56 + i] = n7 if ok else y7
        w[64 + i] = n8 if ok else y8
        w[72 + i] = n9 if ok else y9
        w[80 + i] = n10 if ok else y10
        w[88 + i] = n11 if ok else y11
        w[96 + i] = n12 if ok else y12
