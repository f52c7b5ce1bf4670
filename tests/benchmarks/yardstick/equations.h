/* The model's equations for as many mice as a vector register holds. Number k of what y, u, du and
   q point to is s vectors away. Transcribed from engine/kernels.py and lanes.py; times in days. */
#ifndef EQUATIONS_H
#define EQUATIONS_H
#include "elementary.h"

#define Q(k) q[s * (k)]
#define LU(k) lu[s * (k)]

/* Constants of one mouse. */
static void constants(const double *p, const double *host, double *q)
{
    const double t_T = p[0];
    const double T_b = p[1];
    const double k_63 = p[3];
    const double K_i = p[4];
    const double p_N = p[5];
    const double g_2 = p[6];
    const double g_1 = p[7];
    const double S_b = p[8];
    const double I_S = p[9];
    const double t_S = p[10];
    const double w = p[11];
    const double K_S = p[12];
    const double t_B = p[13];
    const double t_N = p[14];
    const double I_G = p[15];
    const double fb = p[16];
    const double t_G = p[17];
    const double r_M = p[18];
    const double m = p[19];
    const double t_Q = p[20];
    const double K_Q = p[21];
    const double n = p[22];
    const double eta = p[23];
    const double t_C = p[24];
    const double phi = p[25];
    const double p_2 = p[26];
    const double p_D = p[27];
    const double t_A = p[29];
    const double mu = p[32];
    const double s_T = p[34];
    const double h_T = host[0];
    const double h_C = host[1];
    const double h_M = host[2];
    const double t0 = LN2 / t_T;
    const double t1 = h_M * p_N;
    const double t2 = 1.0 / K_i;
    const double t3 = t2 * T_b + 1.0;
    const double t4 = t3 * w;
    const double t5 = LN2 / t_S;
    const double t6 = 1.0 / (k_63 + 1.0);
    const double t7 = LN2 / t_B;
    const double t8 = t7 / (t6 * I_G + 1.0);
    const double t9 = 1.0 / K_S;
    const double t10 = t9 * S_b;
    const double t11 = t10 + 1.0;
    const double t12 = t7 / r_M;
    const double t13 = LN2 / t_N;
    const double t14 = t11 * t13 / t10;
    const double t15 = exp(n * log(K_Q));
    const double t16 = LN2 / t_C;
    const double t17 = LN2 / t_A;
    const double t18 = t17 * p_2 / (eta * (1.0 / (t15 + 1.0)) + 1.0);
    const double t19 = t4 * t5;
    const double t20 = g_1 * mu;
    const double t21 = t18 * g_2;
    q[0] = t0 * s_T;
    q[1] = t0;
    q[2] = t0 * h_T * T_b;
    q[3] = t1;
    q[4] = p_N - 1.0;
    q[5] = t2;
    q[6] = t4;
    q[7] = w - 1.0;
    q[8] = t5;
    q[9] = T_b * k_63;
    q[10] = h_C * I_S;
    q[11] = t5 * S_b / (t6 * I_S + 1.0);
    q[12] = 3.0 / t_G;
    q[13] = h_C * I_G;
    q[14] = fb;
    q[15] = t8;
    q[16] = t11;
    q[17] = m;
    q[18] = t12;
    q[19] = t7;
    q[20] = t13;
    q[21] = t9;
    q[22] = t14 * t9;
    q[23] = n;
    q[24] = t15;
    q[25] = LN2 / t_Q;
    q[26] = t16;
    q[27] = mu;
    q[28] = eta;
    q[29] = t3;
    q[30] = g_2;
    q[31] = t18;
    q[32] = t17 * (1.0 - p_2);
    q[33] = t16 * phi;
    q[34] = t17 * p_D;
    q[35] = t19 * t2;
    q[36] = t1 * t19;
    q[37] = t8 * fb;
    q[38] = t14 * (t9 * t9);
    q[39] = t2 * t20;
    q[40] = t2 * t21;
    q[41] = t1 * t21;
    q[42] = t18 * eta;
    q[43] = t19;
    q[44] = t11 * t12 * m;
    q[45] = t20;
    q[46] = t21;
    q[47] = g_1;
}

/* Steady state of the untreated wild type. */
static void basal(const double *p, const double *host, double *y)
{
    const double T_b = p[1];
    const double S_b = p[8];
    const double t_B = p[13];
    const double t_G = p[17];
    const double r_M = p[18];
    const double K_Q = p[21];
    const double n = p[22];
    const double h_T = host[0];
    const double t0 = 1.0 / 3.0 * LN2 * t_G / t_B;
    y[0] = h_T * T_b;
    y[1] = S_b;
    y[2] = t0;
    y[3] = t0;
    y[4] = t0;
    y[5] = r_M;
    y[6] = 1.0;
    y[7] = 1.0;
    y[8] = 1.0 / (exp(n * log(K_Q)) + 1.0);
    y[9] = 0.0;
    y[10] = 0.0;
    y[11] = 0.0;
    y[12] = 0.0;
}

INLINE void rates(const V *y, const V *u, const V *q, const int s, V *f)
{
    const V T = y[s * 0], S = y[s * 1], G_1 = y[s * 2], G_2 = y[s * 3],
        G_3 = y[s * 4], M = y[s * 5], B = y[s * 6], N = y[s * 7],
        niche = y[s * 8], C = y[s * 9], A = y[s * 10];
    const V u_V = u[s * 0], u_T = u[s * 1], u_S = u[s * 2], u_A = u[s * 3],
        u_K = u[s * 4], u_M = u[s * 5], volume = u[s * 6], V_s = u[s * 7],
        ease = u[s * 8];
    const V t0 = T / (T + Q(9));
    const V t1 = (N * Q(3) - Q(4)) / (T * Q(5) + u_M + 1.0);
    const V t2 = Q(17) * (Q(16) / (Q(16) + u_A) - 1.0) - 1.0;
    const V t3 = exp_v(Q(23) * log_v(N));
    const V t4 = Q(31) * (niche * Q(28) + 1.0) * exp_v(Q(30) * log_v(t1 * Q(29)));
    f[0] = volume * Q(0) - T * (Q(1) * (u_T + 1.0)) + Q(2) + u_V;
    f[1] = Q(11) * (t0 * Q(10) + 1.0) - S * Q(8) * (t1 * Q(6) + u_S - Q(7));
    f[2] = Q(15) * ((t0 * Q(13) + 1.0) * exp_v(-Q(14) * log_v(B))) - G_1 * Q(12);
    f[3] = Q(12) * (G_1 - G_2);
    f[4] = Q(12) * (G_2 - G_3);
    f[5] = t2 * (M * Q(18)) + G_3 * Q(12);
    f[6] = -t2 * (M * Q(18)) - B * u_K - B * Q(19);
    f[7] = -N * u_K - N * Q(20) + B * S * Q(22) / (S * Q(21) + u_A + 1.0);
    f[8] = -Q(25) * (-t3 * (1.0 / (Q(24) + t3)) + niche);
    f[9] = V_s * (ease * Q(27)) - C * Q(26);
    f[10] = C * Q(33) - A * (Q(32) + t4);
    f[11] = A * Q(34);
    f[12] = t4 * A;
}

/* Rates f, the nonzero entries j of their Jacobian, and their derivatives in time d. */
INLINE void linearise(const V *y, const V *u, const V *du, const V *q,
                      const int s, V *f, V *j, V *d)
{
    const V T = y[s * 0], S = y[s * 1], G_1 = y[s * 2], G_2 = y[s * 3],
        G_3 = y[s * 4], M = y[s * 5], B = y[s * 6], N = y[s * 7],
        niche = y[s * 8], C = y[s * 9], A = y[s * 10];
    const V u_V = u[s * 0], u_T = u[s * 1], u_S = u[s * 2], u_A = u[s * 3],
        u_K = u[s * 4], u_M = u[s * 5], volume = u[s * 6], V_s = u[s * 7],
        ease = u[s * 8];
    const V d_u_V = du[s * 0], d_u_T = du[s * 1], d_u_S = du[s * 2],
        d_u_A = du[s * 3], d_u_K = du[s * 4], d_u_M = du[s * 5], d_V = du[s * 6],
        d_V_s = du[s * 7];
    const V t0 = Q(1) * (u_T + 1.0);
    const V t1 = 1.0 / (T + Q(9));
    const V t2 = t1 * T;
    const V t3 = N * Q(3) - Q(4);
    const V t4 = 1.0 / (T * Q(5) + u_M + 1.0);
    const V t5 = t3 * t4;
    const V t6 = Q(8) * (t5 * Q(6) + u_S - Q(7));
    const V t7 = exp_v(-Q(14) * log_v(B));
    const V t8 = t2 * Q(13) + 1.0;
    const V t9 = 1.0 / (Q(16) + u_A);
    const V t10 = Q(17) * (t9 * Q(16) - 1.0) - 1.0;
    const V t11 = t10 * Q(18);
    const V t12 = 1.0 / (S * Q(21) + u_A + 1.0);
    const V t13 = exp_v(Q(23) * log_v(N));
    const V t14 = t13 / (Q(24) + t13);
    const V t15 = exp_v(Q(30) * log_v(t5 * Q(29)));
    const V t16 = t15 * (niche * Q(28) + 1.0);
    const V t17 = t16 * Q(31);
    const V t18 = Q(32) + t17;
    const V t19 = t1 * (t2 - 1.0);
    const V t20 = t3 * (t4 * t4);
    const V t21 = -Q(12);
    const V t22 = t12 * S;
    const V t23 = t16 * A;
    const V t24 = t23 * t4 * Q(40);
    const V t25 = t23 * Q(41) / t3;
    const V t26 = t15 * A * Q(42);
    const V t27 = -M * d_u_A * Q(44) * (t9 * t9);
    const V t28 = t4 * d_u_M;
    const V t29 = t23 * t28 * Q(46);
    f[0] = volume * Q(0) - t0 * T + Q(2) + u_V;
    f[1] = Q(11) * (t2 * Q(10) + 1.0) - t6 * S;
    f[2] = t7 * (t8 * Q(15)) - G_1 * Q(12);
    f[3] = Q(12) * (G_1 - G_2);
    f[4] = Q(12) * (G_2 - G_3);
    f[5] = t11 * M + G_3 * Q(12);
    f[6] = -t10 * (M * Q(18)) - B * u_K - B * Q(19);
    f[7] = -N * u_K - N * Q(20) + t12 * B * S * Q(22);
    f[8] = -Q(25) * (niche - t14);
    f[9] = V_s * (ease * Q(27)) - C * Q(26);
    f[10] = C * Q(33) - t18 * A;
    f[11] = A * Q(34);
    f[12] = t17 * A;
    j[0] = -t0;
    j[1] = -t19 * (Q(10) * Q(11)) + t20 * S * Q(35);
    j[2] = -t6;
    j[3] = -t4 * S * Q(36);
    j[4] = -t19 * t7 * Q(13) * Q(15);
    j[5] = t21;
    j[6] = -t7 * t8 * Q(37) / B;
    j[7] = Q(12);
    j[8] = t21;
    j[9] = Q(12);
    j[10] = t21;
    j[11] = Q(12);
    j[12] = t11;
    j[13] = -t11;
    j[14] = -Q(19) - u_K;
    j[15] = t12 * B * (-t22 * Q(38) + Q(22));
    j[16] = t22 * Q(22);
    j[17] = -Q(20) - u_K;
    j[18] = -t14 * Q(23) * Q(25) * (t14 - 1.0) / N;
    j[19] = -Q(25);
    j[20] = -t4 * V_s * ease * Q(39);
    j[21] = -Q(26);
    j[22] = t24;
    j[23] = -t25;
    j[24] = -t26;
    j[25] = Q(33);
    j[26] = -t18;
    j[27] = Q(34);
    j[28] = -t24;
    j[29] = t25;
    j[30] = t26;
    j[31] = t17;
    d[0] = d_V * Q(0) - T * (d_u_T * Q(1)) + d_u_V;
    d[1] = S * (-d_u_S * Q(8) + t20 * d_u_M * Q(43));
    d[2] = t27;
    d[3] = -B * d_u_K - t27;
    d[4] = -N * d_u_K - B * S * d_u_A * Q(22) * (t12 * t12);
    d[5] = ease * (d_V_s * Q(27) - t28 * V_s * Q(45));
    d[6] = t29;
    d[7] = -t29;
}

/* Sparse L U of (g I - J); the diagonal of U is inverted. */
INLINE void factor(const V *j, const V g, V *lu)
{
    lu[0] = 1.0 / (g - j[0]);
    lu[1] = -j[1] * lu[0];
    lu[4] = -j[4] * lu[0];
    lu[23] = -j[20] * lu[0];
    lu[25] = -j[22] * lu[0];
    lu[32] = -j[28] * lu[0];
    lu[2] = 1.0 / (g - j[2]);
    lu[3] = -j[3];
    lu[18] = -j[15] * lu[2];
    lu[5] = 1.0 / (g - j[5]);
    lu[6] = -j[6];
    lu[7] = -j[7] * lu[5];
    lu[8] = 1.0 / (g - j[8]);
    lu[9] = -lu[6] * lu[7];
    lu[10] = -j[9] * lu[8];
    lu[11] = 1.0 / (g - j[10]);
    lu[12] = -lu[9] * lu[10];
    lu[13] = -j[11] * lu[11];
    lu[14] = 1.0 / (g - j[12]);
    lu[15] = -lu[12] * lu[13];
    lu[16] = -j[13] * lu[14];
    lu[17] = 1.0 / (-lu[15] * lu[16] - j[14] + g);
    lu[19] = -j[16] * lu[17];
    lu[20] = 1.0 / (-lu[3] * lu[18] - j[17] + g);
    lu[21] = -j[18] * lu[20];
    lu[26] = -j[23] * lu[20];
    lu[33] = -j[29] * lu[20];
    lu[22] = 1.0 / (g - j[19]);
    lu[27] = -j[24] * lu[22];
    lu[34] = -j[30] * lu[22];
    lu[24] = 1.0 / (g - j[21]);
    lu[28] = -j[25] * lu[24];
    lu[29] = 1.0 / (g - j[26]);
    lu[30] = -j[27] * lu[29];
    lu[35] = -j[31] * lu[29];
    lu[31] = 1.0 / g;
    lu[36] = 1.0 / g;
}

INLINE void solve(const V *lu, const int s, V *b)
{
    b[1] -= LU(1) * b[0];
    b[2] -= LU(4) * b[0];
    b[9] -= LU(23) * b[0];
    b[10] -= LU(25) * b[0];
    b[12] -= LU(32) * b[0];
    b[7] -= LU(18) * b[1];
    b[3] -= LU(7) * b[2];
    b[4] -= LU(10) * b[3];
    b[5] -= LU(13) * b[4];
    b[6] -= LU(16) * b[5];
    b[7] -= LU(19) * b[6];
    b[8] -= LU(21) * b[7];
    b[10] -= LU(26) * b[7];
    b[12] -= LU(33) * b[7];
    b[10] -= LU(27) * b[8];
    b[12] -= LU(34) * b[8];
    b[10] -= LU(28) * b[9];
    b[11] -= LU(30) * b[10];
    b[12] -= LU(35) * b[10];
    b[12] *= LU(36);
    b[11] *= LU(31);
    b[10] *= LU(29);
    b[9] *= LU(24);
    b[8] *= LU(22);
    b[7] *= LU(20);
    b[6] *= LU(17);
    b[5] -= LU(15) * b[6];
    b[5] *= LU(14);
    b[4] -= LU(12) * b[6];
    b[4] *= LU(11);
    b[3] -= LU(9) * b[6];
    b[3] *= LU(8);
    b[2] -= LU(6) * b[6];
    b[2] *= LU(5);
    b[1] -= LU(3) * b[7];
    b[1] *= LU(2);
    b[0] *= LU(0);
}
#endif
