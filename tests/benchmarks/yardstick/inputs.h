/* Drug levels, the vector and the primary tumour in closed form, as in engine/forcing.py. */
#ifndef INPUTS_H
#define INPUTS_H
#include <stdbool.h>
#include "equations.h"

enum { LANES = 8, STATES = 13, CHANNELS = 6, CONSTANTS = 50, PARAMETERS = 61, INPUTS = 8 };
enum { AMD3100, ANTI_SDF1, RAT, MURINISED, ANTI_TIMP1, MMP, VECTOR_ON, TUMOUR_ON, SWITCHES };
enum { BOLUS, PUMP, VECTOR, CELLS, IMPLANT, RESECT };
enum {
    U_VECTOR, U_ANTI_TIMP1, U_ANTI_SDF1, U_AMD3100, U_KILL, U_MMP, U_VOLUME, U_SHEDDING, U_EASE
};
enum { CIRCULATING = 9 };

typedef V Row[LANES / WIDTH];

/* The level of a drug is constant + e - a, and what the equations want is per_half times it. */
typedef struct {
    Row e, a, constant, ke, ka, per_half, e_end, a_end, fraction, saturation;
    Row rise_allowed;
} Drug;

typedef struct {
    Row y[STATES], stage[STATES], k[8][STATES], right[STATES], slope[INPUTS];
    Row lu[37], q[CONSTANTS], u[INPUTS + 1], du[INPUTS];
    Row time, step, tried, per_step, tau, stop, lands, accepted, error, per_before, size_before;
    Drug drug[CHANNELS];
    Row first_rat, per_rebound, kill_rat, kill_rat_slope, plateau, rise, rise_plateau, tail;
    Row tail_end, capacity, capacity_power, ratio, growth, exponent, shrink, shrink_end, timp1;
    Row leader, opening;
} Lanes;

#define EACH_VECTOR for (int i = 0; i < LANES / WIDTH; i++)
#define AT(row, lane) (row)[(lane) / WIDTH][(lane) % WIDTH]

INLINE void level_at_start(const Drug *d, V *u, V *du)
{
    EACH_VECTOR {
        u[i] = (d->constant[i] + d->e[i] - d->a[i]) * d->per_half[i];
        du[i] = (d->ka[i] * d->a[i] - d->ke[i] * d->e[i]) * d->per_half[i];
    }
}

INLINE void level_within(Drug *d, const V *tau, V *u)
{
    EACH_VECTOR {
        const V e = d->e[i] * exp_v(-d->ke[i] * tau[i]);
        const V a = d->a[i] * exp_v(-d->ka[i] * tau[i]);
        d->e_end[i] = e;
        d->a_end[i] = a;
        u[i] = (d->constant[i] + e - a) * d->per_half[i];
    }
}

/* Killing by an antibody saturates; that of the rat wears off, the murinised one's is added. */
INLINE void kill_at_start(Lanes *w, int channel)
{
    const Drug *d = &w->drug[channel];
    level_at_start(d, w->u[U_KILL], w->du[U_KILL]);
    EACH_VECTOR {
        const V level = w->u[U_KILL][i], slope = w->du[U_KILL][i];
        const V per = 1.0 / (1.0 + level);
        V kill = d->saturation[i] * level * per;
        V kill_slope = d->saturation[i] * slope * per * per;
        if (channel == RAT) {
            const V z = (w->time[i] - w->first_rat[i]) * w->per_rebound[i];
            const V left = 1.0 / (1.0 + z * z * z * z);
            kill *= left;
            kill_slope = (kill_slope - kill * (4.0 * z * z * z * w->per_rebound[i])) * left;
            w->kill_rat[i] = kill;
            w->kill_rat_slope[i] = kill_slope;
        } else {
            kill += w->kill_rat[i];
            kill_slope += w->kill_rat_slope[i];
        }
        w->u[U_KILL][i] = kill;
        w->du[U_KILL][i] = kill_slope;
    }
}

INLINE void kill_within(Lanes *w, int channel)
{
    Drug *d = &w->drug[channel];
    level_within(d, w->tau, w->u[U_KILL]);
    EACH_VECTOR {
        const V level = w->u[U_KILL][i];
        V kill;
        if (channel == RAT) {
            const V z = (w->time[i] + w->tau[i] - w->first_rat[i]) * w->per_rebound[i];
            kill = d->saturation[i] * level / ((1.0 + level) * (1.0 + z * z * z * z));
            w->kill_rat[i] = kill;
        } else {
            kill = d->saturation[i] * level / (1.0 + level) + w->kill_rat[i];
        }
        w->u[U_KILL][i] = kill;
    }
}

/* Gompertz growth: log(V / K) shrinks exponentially; K is 0 where there is no tumour. */
INLINE void tumour(Lanes *w, const Row *y)
{
    EACH_VECTOR {
        const V shrink = w->shrink[i] * exp_v(-w->growth[i] * w->tau[i]);
        const V logarithm = w->ratio[i] * shrink, slope = -logarithm * w->growth[i];
        w->shrink_end[i] = shrink;
        w->u[U_VOLUME][i] = w->capacity[i] * exp_v(logarithm);
        w->u[U_SHEDDING][i] = w->capacity_power[i] * exp_v(w->exponent[i] * logarithm);
        w->du[U_VOLUME][i] = w->u[U_VOLUME][i] * slope;
        w->du[U_SHEDDING][i] = w->u[U_SHEDDING][i] * w->exponent[i] * slope;
    }
    EACH_VECTOR w->u[U_EASE][i] = exp_v(w->q[49][i] * log_v(
        w->q[31][i] / (w->q[6][i] * (y[0][i] + w->q[5][i]) + w->u[U_MMP][i] + 1.0)));
}

INLINE void inputs_at_start(Lanes *w, const bool *on)
{
    static const int plain[][2] = {{AMD3100, U_AMD3100}, {ANTI_SDF1, U_ANTI_SDF1},
                                   {ANTI_TIMP1, U_ANTI_TIMP1}, {MMP, U_MMP}};
    EACH_VECTOR w->tau[i] = all(0.0);
    for (int k = 0; k < 4; k++)
        if (on[plain[k][0]])
            level_at_start(&w->drug[plain[k][0]], w->u[plain[k][1]], w->du[plain[k][1]]);
    if (on[RAT])
        kill_at_start(w, RAT);
    if (on[MURINISED])
        kill_at_start(w, MURINISED);
    if (on[VECTOR_ON])
        EACH_VECTOR {
            w->u[U_VECTOR][i] = w->plateau[i] * (1.0 - w->tail[i]);
            w->du[U_VECTOR][i] = w->rise_plateau[i] * w->tail[i];
        }
    if (on[TUMOUR_ON])
        tumour(w, w->y);
}

/* Not inlined: six copies of it would be more than the instruction cache is good for. */
static __attribute__((noinline)) void inputs_within(Lanes *w, const bool *on)
{
    static const int plain[][2] = {{AMD3100, U_AMD3100}, {ANTI_SDF1, U_ANTI_SDF1},
                                   {ANTI_TIMP1, U_ANTI_TIMP1}, {MMP, U_MMP}};
    for (int k = 0; k < 4; k++)
        if (on[plain[k][0]])
            level_within(&w->drug[plain[k][0]], w->tau, w->u[plain[k][1]]);
    if (on[RAT])
        kill_within(w, RAT);
    if (on[MURINISED])
        kill_within(w, MURINISED);
    if (on[VECTOR_ON])
        EACH_VECTOR {
            const V tail = w->tail[i] * exp_v(-w->rise[i] * w->tau[i]);
            w->tail_end[i] = tail;
            w->u[U_VECTOR][i] = w->plateau[i] * (1.0 - tail);
        }
    if (on[TUMOUR_ON])
        tumour(w, w->stage);
}

/* Amplitudes at the end of the step, in the lanes that accepted it. */
INLINE void inputs_at_end(Lanes *w, const bool *on)
{
    for (int k = 0; k < CHANNELS; k++) {
        Drug *d = &w->drug[k];
        if (on[k])
            EACH_VECTOR {
                d->e[i] = choose(w->accepted[i] != 0.0, d->e_end[i], d->e[i]);
                d->a[i] = choose(w->accepted[i] != 0.0, d->a_end[i], d->a[i]);
            }
    }
    EACH_VECTOR {
        w->tail[i] = choose(w->accepted[i] != 0.0, w->tail_end[i], w->tail[i]);
        w->shrink[i] = choose(w->accepted[i] != 0.0, w->shrink_end[i], w->shrink[i]);
    }
}

/* Growth rate of a primary tumour in this host over that in the wild type. */
static double ease_of_growth(const double *p, const double *host)
{
    const double plasma = p[1], tissue = p[1] * p[58];
    const double here = 1.0 + host[0] * (plasma + host[3] * tissue) / p[4];
    return pow((1.0 + (plasma + tissue) / p[4]) / here, p[59]);
}

/* Put a mouse into lane i with nothing done to it. */
static void settle(Lanes *w, int i, const double *p, const double *host, bool ever_timp1)
{
    static const int half_effect[CHANNELS] = {42, 47, 49, 49, 48, 57};
    for (int k = 0; k <= INPUTS; k++)
        AT(w->u[k], i) = 0.0;
    for (int k = 0; k < INPUTS; k++)
        AT(w->du[k], i) = 0.0;
    for (int k = 0; k < CHANNELS; k++) {
        Drug *d = &w->drug[k];
        const int base = k == AMD3100 ? 38 : k == MMP ? 53 : 43;
        AT(d->e, i) = AT(d->a, i) = AT(d->constant, i) = AT(d->e_end, i) = AT(d->a_end, i) = 0.0;
        AT(d->fraction, i) = p[base] / p[base + 1];
        AT(d->ke, i) = LN2 / p[base + 2];
        AT(d->ka, i) = LN2 / p[base + 3];
        AT(d->per_half, i) = 1.0 / p[half_effect[k]];
        AT(d->saturation, i) = 1.0;
        AT(d->rise_allowed, i) = RISE_IN_FIRST_STEP;
    }
    AT(w->drug[RAT].saturation, i) = LN2 / p[13] * p[50] / (1.0 - p[50]);
    AT(w->drug[MURINISED].saturation, i) = LN2 / p[13] * p[52] / (1.0 - p[52]);
    if (!ever_timp1)
        AT(w->drug[ANTI_TIMP1].saturation, i) = 0.0;
    AT(w->kill_rat, i) = AT(w->kill_rat_slope, i) = 0.0;
    AT(w->plateau, i) = AT(w->rise_plateau, i) = AT(w->tail, i) = AT(w->tail_end, i) = 0.0;
    AT(w->capacity, i) = AT(w->capacity_power, i) = AT(w->ratio, i) = 0.0;
    AT(w->shrink, i) = AT(w->shrink_end, i) = 0.0;
    AT(w->first_rat, i) = -1.0;
    AT(w->per_rebound, i) = 1.0 / p[51];
    AT(w->rise, i) = LN2 / p[2];
    AT(w->growth, i) = p[30] * ease_of_growth(p, host);
    AT(w->exponent, i) = p[33];
    AT(w->timp1, i) = LN2 / p[0] * p[1];
}

static bool effective(const Lanes *w, int i, int64_t kind, int64_t channel, double amount)
{
    if (kind == BOLUS || kind == PUMP)
        return amount * AT(w->drug[channel].fraction, i) * AT(w->drug[channel].saturation, i)
               != 0.0;
    return kind == RESECT || amount != 0.0;
}

/* Days after which the effect of a drug just given begins to show. */
static double first_step(Lanes *w, int i)
{
    double step = LONGEST_FIRST_STEP;
    AT(w->leader, i) = 0.0;
    for (int k = 0; k < CHANNELS; k++) {
        const Drug *d = &w->drug[k];
        const double slope = (AT(d->ka, i) * AT(d->a, i) - AT(d->ke, i) * AT(d->e, i))
                             * AT(d->per_half, i);
        if (slope * step > AT(d->rise_allowed, i)) {
            step = AT(d->rise_allowed, i) / slope;
            AT(w->leader, i) = k + 1.0;
        }
    }
    AT(w->opening, i) = step;
    return step;
}

/* After an accepted step: what the next dose of the drug that began it begins with. */
static void learn(Lanes *w, int i)
{
    if (AT(w->leader, i) != 0.0) {
        Drug *d = &w->drug[(int)AT(w->leader, i) - 1];
        AT(d->rise_allowed, i) *= AT(w->step, i) / AT(w->opening, i);
        AT(w->leader, i) = 0.0;
    }
}

static void give(Lanes *w, int i, int64_t kind, int64_t channel, double amount, const double *p)
{
    Drug *d = &w->drug[channel];
    const double ke = AT(d->ke, i), ka = AT(d->ka, i), level = amount * AT(d->fraction, i);
    switch (kind) {
    case BOLUS:
        AT(d->e, i) += level * ka / (ka - ke);
        AT(d->a, i) += level * ka / (ka - ke);
        break;
    case PUMP: /* a change of a constant rate into the depot */
        AT(d->constant, i) += level / ke;
        AT(d->e, i) -= level * ka / ((ka - ke) * ke);
        AT(d->a, i) -= level / (ka - ke);
        break;
    case VECTOR:
        AT(w->plateau, i) = AT(w->timp1, i) * amount;
        AT(w->rise_plateau, i) = AT(w->plateau, i) * AT(w->rise, i);
        AT(w->tail, i) = 1.0;
        break;
    case CELLS:
        AT(w->y[CIRCULATING], i) += amount;
        break;
    case IMPLANT:
        AT(w->capacity, i) = p[31];
        AT(w->capacity_power, i) = pow(p[31], p[33]);
        AT(w->ratio, i) = log(amount / 1e6 / p[31]);
        AT(w->shrink, i) = 1.0;
        break;
    default:
        AT(w->capacity, i) = AT(w->capacity_power, i) = 0.0;
    }
    if (kind <= PUMP && channel == RAT && AT(w->first_rat, i) < 0.0)
        AT(w->first_rat, i) = AT(w->time, i);
}
#endif
