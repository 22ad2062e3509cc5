/* Faults of an exploration besides deaths: every one that a call of a life can meet. */
#include "scenarios/lang/explore_parts.h"

#include <string.h>

/* Values of a fault's first argument that are tried. Returns how many. */
static size_t argument_values(const struct fault_kind *kind, const struct profile *profile,
                              int64_t values[FAULT_WORDS_MAX]) {
    const struct fault_arg *arg = &kind->args[0];
    size_t count = 0;
    if (arg->name == NULL || arg->type == FAULT_ARG_INT) {
        values[count++] = arg->otherwise;
        return count;
    }
    if (arg->type == FAULT_ARG_DURATION) {
        values[count++] = arg->least;
        values[count++] = profile->quiescence_ns;
        return count;
    }
    while (count < FAULT_WORDS_MAX && arg->words[count] != NULL) {
        values[count] = (int64_t)count;
        count++;
    }
    return count;
}

/* Faults that are no fault of the OMS's to survive are left to scenarios that say so. */
static bool is_tried(const struct explorer *x, const struct fault *fault) {
    return (fault_suspends(fault) & x->options->claims) == 0 &&
           (!fault->kind->wire_only || x->config->door == STAGE_WIRE);
}

/* The same life again with one more fault. */
static void add_fault(struct explorer *x, const struct work *work, const struct life *life,
                      size_t call, const struct fault *fault, unsigned cost) {
    struct work *more = explore_work(work->start == NULL ? NULL : moment_share(work->start),
                                     work->trail, work->class);
    memcpy(more->faults, work->faults, sizeof more->faults);
    more->fault_count = work->fault_count;
    more->faults[more->fault_count++] =
        (struct plan_item){.life = life->calls[call].life,
                           .place = PLAN_AT_CALL,
                           .site = life->calls[call].site,
                           .occurrence = life->calls[call].occurrence,
                           .what = PLAN_FAULT,
                           .fault = *fault};
    more->first_call = call + 1;
    explore_push(x, cost + 1, more);
}

/* Every fault that a call can meet. */
static void add_faults_at(struct explorer *x, const struct work *work, const struct life *life,
                          size_t call, unsigned cost) {
    for (size_t row = 0; row < catalogue_count(); row++) {
        struct fault fault = {.kind = catalogue_at(row)};
        int64_t values[FAULT_WORDS_MAX];
        size_t count = 0;
        if (!catalogue_fits(fault.kind, life->calls[call].site) ||
            (x->options->faults == 0 && fault.kind->act != ACT_DROPPED))
            continue;
        count = argument_values(fault.kind, x->config->profile, values);
        for (int a = 0; a < FAULT_ARGS_MAX; a++)
            fault.arg[a] = fault.kind->args[a].otherwise;
        for (size_t v = 0; v < count; v++) {
            fault.arg[0] = values[v];
            if (is_tried(x, &fault))
                add_fault(x, work, life, call, &fault, cost);
        }
    }
}

void explore_faults(struct explorer *x, const struct work *work, const struct life *life,
                    unsigned cost) {
    size_t most = x->options->faults;
    if (most == 0 && x->config->profile->drops_requests)
        most = 1;
    for (size_t call = work->first_call; work->fault_count < most && call < life->call_count;
         call++)
        add_faults_at(x, work, life, call, cost);
}
