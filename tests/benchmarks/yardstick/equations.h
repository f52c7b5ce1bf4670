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
    const double r_L = p[58];
    const double gamma_H = p[60];
    const double h_T = host[0];
    const double h_C = host[1];
    const double h_M = host[2];
    const double h_L = host[3];
    const double t0 = LN2 / t_T;
    const double t1 = h_T * T_b;
    const double t2 = h_M * p_N;
    const double t3 = 1.0 / K_i;
    const double t4 = t3 * (T_b * (r_L + 1.0)) + 1.0;
    const double t5 = t4 * w;
    const double t6 = LN2 / t_S;
    const double t7 = 1.0 / (k_63 + 1.0);
    const double t8 = LN2 / t_B;
    const double t9 = t8 / (t7 * I_G + 1.0);
    const double t10 = 1.0 / K_S;
    const double t11 = t10 * S_b;
    const double t12 = t11 + 1.0;
    const double t13 = t8 / r_M;
    const double t14 = LN2 / t_N;
    const double t15 = t12 * t14 / t11;
    const double t16 = exp(n * log(K_Q));
    const double t17 = LN2 / t_C;
    const double t18 = LN2 / t_A;
    const double t19 = t18 * p_2 / (t7 * gamma_H + eta * (1.0 / (t16 + 1.0)) + 1.0);
    const double t20 = t5 * t6;
    const double t21 = g_1 * mu;
    const double t22 = t19 * g_2;
    q[0] = t0 * s_T;
    q[1] = t0;
    q[2] = t0 * t1;
    q[3] = t2;
    q[4] = p_N - 1.0;
    q[5] = t1 * h_L * r_L;
    q[6] = t3;
    q[7] = t5;
    q[8] = w - 1.0;
    q[9] = t6;
    q[10] = T_b * k_63;
    q[11] = h_C * I_S;
    q[12] = t6 * S_b / (t7 * I_S + 1.0);
    q[13] = 3.0 / t_G;
    q[14] = h_C * I_G;
    q[15] = fb;
    q[16] = t9;
    q[17] = t12;
    q[18] = m;
    q[19] = t13;
    q[20] = t8;
    q[21] = t14;
    q[22] = t10;
    q[23] = t10 * t15;
    q[24] = n;
    q[25] = t16;
    q[26] = LN2 / t_Q;
    q[27] = t17;
    q[28] = mu;
    q[29] = eta;
    q[30] = gamma_H;
    q[31] = t4;
    q[32] = g_2;
    q[33] = t19;
    q[34] = t18 * (1.0 - p_2);
    q[35] = t17 * phi;
    q[36] = t18 * p_D;
    q[37] = t20 * t3;
    q[38] = t2 * t20;
    q[39] = t9 * fb;
    q[40] = t15 * (t10 * t10);
    q[41] = t21 * t3;
    q[42] = t22 * t3;
    q[43] = t2 * t22;
    q[44] = t19 * eta;
    q[45] = t20;
    q[46] = t12 * t13 * m;
    q[47] = t21;
    q[48] = t22;
    q[49] = g_1;
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
    const V t0 = T / (T + Q(10));
    const V t1 = (N * Q(3) - Q(4)) / (Q(6) * (T + Q(5)) + u_M + 1.0);
    const V t2 = Q(18) * (Q(17) / (Q(17) + u_A) - 1.0) - 1.0;
    const V t3 = exp_v(Q(24) * log_v(N));
    const V t4 = Q(33) * (t0 * Q(30) + niche * Q(29) + 1.0) * exp_v(Q(32) * log_v(t1 * Q(31)));
    f[0] = volume * Q(0) + Q(2) + u_V - T * (Q(1) * (u_T + 1.0));
    f[1] = Q(12) * (t0 * Q(11) + 1.0) - S * Q(9) * (t1 * Q(7) + u_S - Q(8));
    f[2] = Q(16) * ((t0 * Q(14) + 1.0) * exp_v(-Q(15) * log_v(B))) - G_1 * Q(13);
    f[3] = Q(13) * (G_1 - G_2);
    f[4] = Q(13) * (G_2 - G_3);
    f[5] = t2 * (M * Q(19)) + G_3 * Q(13);
    f[6] = -t2 * (M * Q(19)) - B * u_K - B * Q(20);
    f[7] = B * S * Q(23) / (S * Q(22) + u_A + 1.0) - N * Q(21) - N * u_K;
    f[8] = -Q(26) * (niche - t3 * (1.0 / (Q(25) + t3)));
    f[9] = V_s * (ease * Q(28)) - C * Q(27);
    f[10] = C * Q(35) - A * (Q(34) + t4);
    f[11] = A * Q(36);
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
    const V t1 = 1.0 / (T + Q(10));
    const V t2 = t1 * T;
    const V t3 = N * Q(3) - Q(4);
    const V t4 = 1.0 / (Q(6) * (T + Q(5)) + u_M + 1.0);
    const V t5 = t3 * t4;
    const V t6 = Q(9) * (t5 * Q(7) + u_S - Q(8));
    const V t7 = exp_v(-Q(15) * log_v(B));
    const V t8 = t2 * Q(14) + 1.0;
    const V t9 = 1.0 / (Q(17) + u_A);
    const V t10 = Q(18) * (t9 * Q(17) - 1.0) - 1.0;
    const V t11 = t10 * Q(19);
    const V t12 = 1.0 / (S * Q(22) + u_A + 1.0);
    const V t13 = exp_v(Q(24) * log_v(N));
    const V t14 = t13 / (Q(25) + t13);
    const V t15 = t2 * Q(30) + niche * Q(29) + 1.0;
    const V t16 = exp_v(Q(32) * log_v(t5 * Q(31)));
    const V t17 = t15 * t16;
    const V t18 = t17 * Q(33);
    const V t19 = Q(34) + t18;
    const V t20 = t1 * (t2 - 1.0);
    const V t21 = t3 * (t4 * t4);
    const V t22 = -Q(13);
    const V t23 = t12 * S;
    const V t24 = t16 * A;
    const V t25 = t24 * (t15 * (t4 * Q(42)) + t20 * Q(30) * Q(33));
    const V t26 = t17 * A;
    const V t27 = t26 * Q(43) / t3;
    const V t28 = t24 * Q(44);
    const V t29 = -M * d_u_A * Q(46) * (t9 * t9);
    const V t30 = t4 * d_u_M;
    const V t31 = t26 * t30 * Q(48);
    f[0] = volume * Q(0) + Q(2) + u_V - t0 * T;
    f[1] = Q(12) * (t2 * Q(11) + 1.0) - t6 * S;
    f[2] = t7 * (t8 * Q(16)) - G_1 * Q(13);
    f[3] = Q(13) * (G_1 - G_2);
    f[4] = Q(13) * (G_2 - G_3);
    f[5] = t11 * M + G_3 * Q(13);
    f[6] = -t10 * (M * Q(19)) - B * u_K - B * Q(20);
    f[7] = t12 * B * S * Q(23) - N * Q(21) - N * u_K;
    f[8] = -Q(26) * (niche - t14);
    f[9] = V_s * (ease * Q(28)) - C * Q(27);
    f[10] = C * Q(35) - t19 * A;
    f[11] = A * Q(36);
    f[12] = t18 * A;
    j[0] = -t0;
    j[1] = t21 * S * Q(37) - t20 * (Q(11) * Q(12));
    j[2] = -t6;
    j[3] = -t4 * S * Q(38);
    j[4] = -t20 * t7 * Q(14) * Q(16);
    j[5] = t22;
    j[6] = -t7 * t8 * Q(39) / B;
    j[7] = Q(13);
    j[8] = t22;
    j[9] = Q(13);
    j[10] = t22;
    j[11] = Q(13);
    j[12] = t11;
    j[13] = -t11;
    j[14] = -Q(20) - u_K;
    j[15] = t12 * B * (Q(23) - t23 * Q(40));
    j[16] = t23 * Q(23);
    j[17] = -Q(21) - u_K;
    j[18] = -t14 * Q(24) * Q(26) * (t14 - 1.0) / N;
    j[19] = -Q(26);
    j[20] = -t4 * V_s * ease * Q(41);
    j[21] = -Q(27);
    j[22] = t25;
    j[23] = -t27;
    j[24] = -t28;
    j[25] = Q(35);
    j[26] = -t19;
    j[27] = Q(36);
    j[28] = -t25;
    j[29] = t27;
    j[30] = t28;
    j[31] = t18;
    d[0] = d_V * Q(0) + d_u_V - T * (d_u_T * Q(1));
    d[1] = S * (t21 * d_u_M * Q(45) - d_u_S * Q(9));
    d[2] = t29;
    d[3] = -B * d_u_K - t29;
    d[4] = -N * d_u_K - B * S * d_u_A * Q(23) * (t12 * t12);
    d[5] = ease * (d_V_s * Q(28) - t30 * V_s * Q(47));
    d[6] = t31;
    d[7] = -t31;
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
