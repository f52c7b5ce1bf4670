/* Rodas5P for eight mice side by side, each at its own pace: the engine's method written by hand.

   The yardstick of the generated engine: same step control, inputs, landings and tolerances, but no
   colonies. Compiled and called by yardstick.py, which defines FLOORS, WEIGHTS, NO_CELLS
   and the limits of steps. */
#include <string.h>

#include "inputs.h"

#define GAMMA 0.21193756319429014

static const double FLOOR[STATES] = {FLOORS}; /* absolute over relative tolerance */
static const double WEIGHT[STATES] = {WEIGHTS}; /* tolerance over that of all */
static const int SLOPE_OF[STATES] = {0, 1, -1, -1, -1, 2, 3, 4, -1, 5, 6, -1, 7};

/* Length of the step, Jacobian, its factors, and the first stage. */
static __attribute__((noinline)) void begin(Lanes *restrict w)
{
    EACH_VECTOR {
        const V ahead = w->stop[i] - w->time[i];
        const Mask lands = 1.05 * w->step[i] >= ahead;
        const V even = choose(2.0 * w->step[i] < ahead, w->step[i], 0.5 * ahead);
        const V h = choose(lands, ahead, even);
        w->lands[i] = choose(lands, all(1.0), all(0.0));
        w->tried[i] = h;
        w->per_step[i] = 1.0 / h;
    }
    EACH_VECTOR {
        V f[STATES], j[32], d[INPUTS], lu[37];
        linearise(&w->y[0][i], &w->u[0][i], &w->du[0][i], &w->q[0][i], LANES / WIDTH, f, j, d);
        factor(j, w->per_step[i] * (1.0 / GAMMA), lu);
        const V h = GAMMA * w->tried[i];
        f[0] += h * d[0];
        f[1] += h * d[1];
        f[5] += h * d[2];
        f[6] += h * d[3];
        f[7] += h * d[4];
        f[9] += h * d[5];
        f[10] += h * d[6];
        f[12] += h * d[7];
        solve(lu, 1, f);
#pragma GCC unroll 40
        for (int m = 0; m < 37; m++)
            w->lu[m][i] = lu[m];
#pragma GCC unroll 8
        for (int m = 0; m < INPUTS; m++)
            w->slope[m][i] = d[m];
#pragma GCC unroll 13
        for (int m = 0; m < STATES; m++)
            w->k[0][m][i] = f[m];
    }
}

/* Rates in the current stage, and its k. */
static __attribute__((noinline)) void evaluate(Lanes *restrict w, Row *restrict k)
{
    EACH_VECTOR {
        V f[STATES];
        rates(&w->stage[0][i], &w->u[0][i], &w->q[0][i], LANES / WIDTH, f);
#pragma GCC unroll 13
        for (int m = 0; m < STATES; m++)
            f[m] += w->right[m][i];
        solve(&w->lu[0][i], LANES / WIDTH, f);
#pragma GCC unroll 13
        for (int m = 0; m < STATES; m++)
            k[m][i] = f[m];
    }
}

/* What comes from the stages before: states of the stage, and what is added to its rates. */
#define STAGE(name, time, derivative, value, drift)                                               \
    static __attribute__((noinline)) void name(Lanes *restrict w)                                 \
    {                                                                                             \
        if (time != 0.0)                                                                          \
            EACH_VECTOR w->tau[i] = w->tried[i] * time;                                           \
        for (int m = 0; m < STATES; m++) {                                                        \
            const V *restrict k0 = w->k[0][m], *restrict k1 = w->k[1][m];                         \
            const V *restrict k2 = w->k[2][m], *restrict k3 = w->k[3][m];                         \
            const V *restrict k4 = w->k[4][m], *restrict k5 = w->k[5][m];                         \
            const V *restrict k6 = w->k[6][m], *restrict y = w->y[m];                             \
            V *restrict v = w->stage[m], *restrict r = w->right[m];                               \
            (void)k1, (void)k2, (void)k3, (void)k4, (void)k5, (void)k6, (void)y;                  \
            EACH_VECTOR {                                                                         \
                v[i] = value;                                                                     \
                r[i] = w->per_step[i] * (drift);                                                  \
            }                                                                                     \
            if (derivative != 0.0 && SLOPE_OF[m] >= 0) {                                          \
                const V *restrict d = w->slope[SLOPE_OF[m]];                                      \
                EACH_VECTOR r[i] += w->tried[i] * derivative * d[i];                              \
            }                                                                                     \
        }                                                                                         \
    }

STAGE(stage_1, 0.6358126895828704, -0.42387512638858027, y[i] + 3.0 * k0[i],
      -14.155112264123755 * k0[i])
STAGE(stage_2, 0.4095798393397535, -0.3384627126235924,
      y[i] + 2.849394379747939 * k0[i] + 0.45842242204463923 * k1[i],
      -17.97296035885952 * k0[i] - 2.859693295451294 * k1[i])
STAGE(stage_3, 0.9769306725060716, 1.8046452872882734,
      y[i] - 6.954028509809101 * k0[i] + 2.489845061869568 * k1[i] - 10.358996098473584 * k2[i],
      147.12150275711716 * k0[i] - 1.41221402718213 * k1[i] + 71.68940251302358 * k2[i])
STAGE(stage_4, 0.4288403609558664, 2.325825639765069,
      y[i] + 2.8029986275628964 * k0[i] + 0.5072464736228206 * k1[i] - 0.3988312541770524 * k2[i]
          - 0.04721187230404641 * k3[i],
      165.43517024871676 * k0[i] - 0.4592823456491126 * k1[i] + 42.90938336958603 * k2[i]
          - 5.961986721573306 * k3[i])
STAGE(stage_5, 1.0, 0.0,
      y[i] - 7.502846399306121 * k0[i] + 2.561846144803919 * k1[i] - 11.627539656261098 * k2[i]
          - 0.18268767659942256 * k3[i] + 0.030198172008377946 * k4[i],
      24.854864614690072 * k0[i] - 3.0009227002832186 * k1[i] + 47.4931110020768 * k2[i]
          + 5.5814197821558125 * k3[i] - 0.6610691825249471 * k4[i])
STAGE(stage_6, 0.0, 0.0, v[i] + k5[i],
      30.91273214028599 * k0[i] - 3.1208243349937974 * k1[i] + 77.79954646070892 * k2[i]
          + 34.28646028294783 * k3[i] - 19.097331116725623 * k4[i] - 28.087943162872662 * k5[i])
STAGE(stage_7, 0.0, 0.0, v[i] + k6[i],
      37.80277123390563 * k0[i] - 3.2571969029072276 * k1[i] + 112.26918849496327 * k2[i]
          + 66.9347231244047 * k3[i] - 40.06618937091002 * k4[i] - 54.66780262877968 * k5[i]
          - 9.48861652309627 * k6[i])

/* Accept or reject, and choose the next step. */
static __attribute__((noinline)) void finish(Lanes *restrict w, double rtol)
{
    EACH_VECTOR {
        V sum = {0};
#pragma GCC unroll 4
        for (int m = 0; m < STATES; m += 4) { /* a/b + c/d = (ad + cb) / (bd): divisions are dear */
            V top = {0}, bottom = all(1.0);
#pragma GCC unroll 4
            for (int n = m; n < (m + 4 < STATES ? m + 4 : STATES); n++) {
                const V k = w->k[7][n][i], y = w->y[n][i];
                V after = w->stage[n][i] + k;
                if (n >= CIRCULATING) /* subnormal numbers are slow */
                    after = choose((V)((Mask)after & INT64_MAX) > NO_CELLS, after, all(0.0));
                const V a = (V)((Mask)y & INT64_MAX), b = (V)((Mask)after & INT64_MAX);
                const V scale = WEIGHT[n] * (choose(a > b, a, b) + FLOOR[n]);
                const V below = scale * scale;
                w->stage[n][i] = after;
                top = top * below + k * k * bottom;
                bottom *= below;
            }
            sum += top / bottom;
        }
        const V error = sum * (1.0 / (STATES * rtol * rtol)), tried = w->tried[i];
        const Mask ok = error <= 1.0; /* false for NaN */
        const Mask lands = w->lands[i] != 0.0;
        const V size = log_v(choose(error > 1e-8, error, all(1e-8)));
        V ratio = tried * w->per_before[i];
        const Mask known = ok & (ratio > 0.0);
        ratio = choose(known, ratio, all(1.0));
        const V before = choose(known, w->size_before[i], size);
        V factor = 0.9 * exp_v(-0.17 * size + (0.07 * before + 0.6 * log_v(ratio)));
        factor = choose(factor > 0.2, factor, all(0.2));
        factor = choose(factor > 5.0, all(5.0), factor);
        const V step = tried * factor, longer = choose(step > w->step[i], step, w->step[i]);
        w->step[i] = choose(ok & lands, longer, step);
        w->error[i] = error;
        w->per_before[i] = choose(lands, all(0.0), choose(ok, w->per_step[i], w->per_before[i]));
        w->size_before[i] = choose(ok, size, w->size_before[i]);
        w->accepted[i] = choose(ok, all(1.0), all(0.0));
        w->time[i] = choose(ok, choose(lands, w->stop[i], w->time[i] + tried), w->time[i]);
#pragma GCC unroll 13
        for (int m = 0; m < STATES; m++)
            w->y[m][i] = choose(ok, w->stage[m][i], w->y[m][i]);
    }
}

/* One step in all lanes, each its own. */
static void attempt(Lanes *w, const bool *on, double rtol)
{
    inputs_at_start(w, on);
    begin(w);
    stage_1(w);
    inputs_within(w, on);
    evaluate(w, w->k[1]);
    stage_2(w);
    inputs_within(w, on);
    evaluate(w, w->k[2]);
    stage_3(w);
    inputs_within(w, on);
    evaluate(w, w->k[3]);
    stage_4(w);
    inputs_within(w, on);
    evaluate(w, w->k[4]);
    stage_5(w);
    inputs_within(w, on);
    evaluate(w, w->k[5]);
    stage_6(w);
    if (on[TUMOUR_ON])
        tumour(w, w->stage);
    evaluate(w, w->k[6]);
    stage_7(w);
    if (on[TUMOUR_ON])
        tumour(w, w->stage);
    evaluate(w, w->k[7]);
    finish(w, rtol);
    inputs_at_end(w, on);
}

/* The untreated host at rest: known for the wild type, else by implicit steps of growing length,
   with the same mouse in all places of a vector. */
static void steady_state(const double *p, const double *host, const double *q, double *y)
{
    const V u[INPUTS + 1] = {0}, du[INPUTS] = {0};
    V x[STATES], c[CONSTANTS], f[STATES], j[32], d[INPUTS], lu[37];
    double h = 0.01;
    basal(p, host, y);
    if (host[0] == 1.0 && host[1] == 1.0 && host[2] == 1.0 && host[3] == 1.0)
        return;
    for (int m = 0; m < STATES; m++)
        x[m] = all(y[m]);
    for (int m = 0; m < CONSTANTS; m++)
        c[m] = all(q[m]);
    for (int n = 0; n < 20; n++) { /* the engine's number, where it stops by itself */
        linearise(x, u, du, c, 1, f, j, d);
        factor(j, all(1.0 / h), lu);
        solve(lu, 1, f);
        for (int m = 0; m < STATES; m++)
            x[m] = choose(x[m] + f[m] > 0.0, x[m] + f[m], all(0.0));
        h = fmin(4.0 * h, 1e9);
    }
    for (int m = 0; m < STATES; m++)
        y[m] = x[m][0];
}

static void enter(Lanes *w, int i, const double *p, const double *host, bool ever_timp1)
{
    double q[CONSTANTS], y[STATES];
    constants(p, host, q);
    steady_state(p, host, q, y);
    for (int m = 0; m < STATES; m++)
        AT(w->y[m], i) = y[m];
    for (int m = 0; m < CONSTANTS; m++)
        AT(w->q[m], i) = q[m];
    settle(w, i, p, host, ever_timp1);
    AT(w->time, i) = AT(w->per_before, i) = 0.0;
    AT(w->step, i) = FIRST_STEP;
}

typedef struct {
    int64_t events, rows, mice;
    const double *times, *amounts;
    const int64_t *kinds, *channels;
    const double *grid, *marks, *host, *parameters; /* marks: challenge, day of the read-out, end */
    double rtol;
    int64_t most;
    double *courses; /* (mice, rows, STATES) */
    int64_t *steps;  /* (mice,): accepted; -1 where the mouse did not finish */
    int64_t attempts; /* vector steps taken in all */
} Task;

/* What happens on the day that lane i has reached, and where it lands next. */
static void land(Lanes *w, int i, const Task *t, int64_t mouse, int64_t *event, int64_t *row)
{
    const double now = AT(w->time, i), last = t->marks[2];
    bool acted = false;
    for (; *event < t->events && t->times[*event] <= now; ++*event) {
        const int64_t e = *event;
        if (effective(w, i, t->kinds[e], t->channels[e], t->amounts[e])) {
            give(w, i, t->kinds[e], t->channels[e], t->amounts[e],
                 t->parameters + PARAMETERS * mouse);
            acted = true;
        }
    }
    if (acted) {
        const double first = first_step(w, i);
        if (AT(w->step, i) < first)
            AT(w->leader, i) = 0.0;
        AT(w->step, i) = fmin(AT(w->step, i), first);
        AT(w->per_before, i) = 0.0;
    }
    if (*row < t->rows && now >= t->grid[*row]) {
        double *course = t->courses + (mouse * t->rows + *row) * STATES;
        for (int m = 0; m < STATES; m++)
            course[m] = AT(w->y[m], i);
        ++*row;
    }
    double stop = now < last ? last : INFINITY;
    if (*row < t->rows)
        stop = fmin(stop, t->grid[*row]);
    for (int k = 0; k < 2; k++)
        if (now < t->marks[k])
            stop = fmin(stop, t->marks[k]);
    int64_t ahead = *event; /* the next event that acts on this mouse */
    while (ahead < t->events
           && !effective(w, i, t->kinds[ahead], t->channels[ahead], t->amounts[ahead]))
        ahead++;
    if (ahead < t->events)
        stop = fmin(stop, t->times[ahead]);
    AT(w->stop, i) = stop;
}

void integrate(Task *t)
{
    static __thread Lanes w;
    bool on[SWITCHES] = {false}, ever_timp1 = t->host[0] != 0.0;
    int64_t who[LANES], event[LANES], row[LANES], tries[LANES], following = 0;
    memset(&w, 0, sizeof w);
    for (int64_t e = 0; e < t->events; e++) {
        const int64_t kind = t->kinds[e];
        if (kind == BOLUS || kind == PUMP)
            on[t->channels[e]] = true;
        on[VECTOR_ON] |= kind == VECTOR;
        on[TUMOUR_ON] |= kind == IMPLANT;
        ever_timp1 |= kind == VECTOR || kind == IMPLANT;
    }
    for (int i = 0; i < LANES; i++) {
        who[i] = -1;
        AT(w.step, i) = FIRST_STEP;
        AT(w.stop, i) = INFINITY;
    }
    for (;;) {
        bool active = false;
        for (int i = 0; i < LANES; i++) {
            const double accepted = AT(w.accepted, i);
            bool landed = accepted * AT(w.lands, i) != 0.0, done = false;
            if (who[i] >= 0) {
                const int64_t k = who[i];
                tries[i]++;
                t->steps[k] += accepted != 0.0;
                if (accepted != 0.0)
                    learn(&w, i);
                if (landed && AT(w.time, i) >= t->marks[2]) {
                    land(&w, i, t, k, &event[i], &row[i]);
                    done = true;
                } else if (tries[i] >= t->most
                           || !(accepted != 0.0 || AT(w.step, i) >= SMALLEST_STEP)) {
                    t->steps[k] = -1;
                    done = true;
                }
            }
            if (done) {
                who[i] = -1;
                AT(w.step, i) = FIRST_STEP;
                AT(w.stop, i) = INFINITY;
            }
            if (who[i] < 0 && following < t->mice) {
                who[i] = following++;
                enter(&w, i, t->parameters + PARAMETERS * who[i], t->host, ever_timp1);
                event[i] = row[i] = tries[i] = 0;
                t->steps[who[i]] = 0;
                landed = true;
            }
            if (landed && who[i] >= 0)
                land(&w, i, t, who[i], &event[i], &row[i]);
            active |= who[i] >= 0;
        }
        if (!active)
            return;
        attempt(&w, on, t->rtol);
        t->attempts++;
    }
}
