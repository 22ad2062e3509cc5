/* Deaths and faults of a timeline. */
#include "fuzz/timeline_decoder.h"
#include "fuzz/timeline_tables.h"
#include "sim/check.h"

enum { FEW_CALLS = 4 };

static struct scn_crash *crash(struct decoder *d, enum scn_where where) {
    const uint8_t *arg = decoder_args(d);
    struct scn_args *args = &decoder_line(d, SCN_CRASH)->args;
    d->crash_seen = true;
    d->story->survives[d->s->line_count - 1] = (uint16_t)(arg[1] + arg[2] * 256);
    args->has = SLOT(CRASH);
    args->crash.kind = arg[0] % 2 == 0 ? SCN_POWER : SCN_KILL;
    args->crash.where = where;
    return &args->crash;
}

void timeline_crash_at(struct decoder *d) {
    struct scn_crash *where = crash(d, SCN_CRASH_AT_SITE);
    where->site = timeline_crash_site(decoder_args(d)[3]);
    where->occurrence = decoder_args(d)[4] % TIMELINE_CALLS + 1;
}

void timeline_crash(struct decoder *d) {
    crash(d, SCN_CRASH_NOW);
}

void timeline_crash_by(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    struct scn_crash *where = crash(d, arg[4] % 2 == 0 ? SCN_CRASH_BEFORE : SCN_CRASH_AFTER);
    where->point = decoder_point(d, 3, 5);
}

static void choose_times(struct decoder *d, struct scn_strike *strike) {
    const uint8_t *arg = decoder_args(d);
    strike->times_written = true;
    switch (arg[2] % 4) {
    case 0:
        strike->times = SCN_NEXT_CALL;
        strike->times_written = false;
        return;
    case 1:
        strike->times = SCN_ON_CALLS;
        strike->first = arg[3] % TIMELINE_CALLS + 1;
        strike->last = strike->first + arg[4] % FEW_CALLS;
        return;
    case 2:
        strike->times = SCN_UNTIL;
        strike->until_ns = d->now_ns + timeline_durations[arg[4] % (TIMELINE_DURATIONS - 1) + 1];
        return;
    default:
        strike->times = SCN_ALL_CALLS;
        return;
    }
}

static int64_t choose_fault_value(const struct fault_arg *arg, uint8_t low, uint8_t high) {
    int64_t value = 0;
    switch (arg->type) {
    case FAULT_ARG_WORD:
        while (arg->words[value] != NULL)
            value++;
        CHECK(value > 0);
        return low % value;
    case FAULT_ARG_DURATION:
        return timeline_stalls[low % TIMELINE_STALLS];
    case FAULT_ARG_INT:
        value = low + (int64_t)high * 256;
        return arg->least + value % (arg->most - arg->least + 1);
    }
    return 0;
}

/* That nothing arrives later than the broker promises is a part of the fault model: an order that
 * was rightly given up by then and arrives all the same is nobody's mistake. */
static void keep_promise(const struct scenario *s, struct fault *fault) {
    if (fault->kind->act == ACT_LATE && fault->arg[0] > s->profiles[0]->quiescence_ns)
        fault->arg[0] = s->profiles[0]->quiescence_ns;
}

void timeline_strike(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    struct scn_args *args = &decoder_line(d, SCN_FAULT)->args;
    struct scn_strike *strike = &args->strike;
    args->has = SLOT(FAULT);
    strike->fault.kind = timeline_fault(arg[0]);
    strike->site = timeline_fault_site(strike->fault.kind, arg[1]);
    for (int i = 0; i < FAULT_ARGS_MAX && strike->fault.kind->args[i].name != NULL; i++) {
        const struct fault_arg *row = &strike->fault.kind->args[i];
        strike->arg_written[i] = true;
        strike->fault.arg[i] =
            i == 0 ? choose_fault_value(row, arg[5], arg[6]) : choose_fault_value(row, arg[6], 0);
    }
    keep_promise(d->s, &strike->fault);
    choose_times(d, strike);
}
