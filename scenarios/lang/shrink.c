/* The shrinker: greedy, in a fixed order, until a whole round changes nothing. */
#include "scenarios/lang/shrink.h"

#include <stdio.h>
#include <string.h>

struct shrinking {
    const struct scenario *scenario;
    const struct run_config *config;
    struct run_options options;
    struct shrunk *shrunk;
};

/* Runs by `plan`; what broke, or "" (also when the plan does not fit the run it makes). */
static void broken_by(struct shrinking *s, const struct plan *plan, char code[RUN_CODE_SIZE]) {
    struct run_result result;
    s->options.plan = plan;
    s->shrunk->runs++;
    run_scenario(s->scenario, s->config, &s->options, &result);
    snprintf(code, RUN_CODE_SIZE, "%s", result.verdict == RUN_FAIL ? result.finding.code : "");
    if (result.why[0] != '\0')
        memcpy(s->shrunk->why, result.why, sizeof s->shrunk->why);
    run_result_free(&result);
}

/* True: `plan` breaks the same, and is kept. */
static bool keeps(struct shrinking *s, const struct plan *plan) {
    char code[RUN_CODE_SIZE];
    s->shrunk->bound = s->shrunk->bound || s->shrunk->runs >= SHRINK_RUNS_MAX;
    if (s->shrunk->bound)
        return false;
    broken_by(s, plan, code);
    if (strcmp(code, s->shrunk->code) != 0)
        return false;
    s->shrunk->plan = *plan;
    return true;
}

static void leave_out(struct plan *plan, size_t index) {
    plan->count--;
    memmove(&plan->items[index], &plan->items[index + 1],
            (plan->count - index) * sizeof plan->items[0]);
}

static bool without_one(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < s->shrunk->plan.count;) {
        struct plan plan = s->shrunk->plan;
        leave_out(&plan, i);
        if (keeps(s, &plan))
            changed = true;
        else
            i++;
    }
    return changed;
}

static bool without_two(struct shrinking *s) {
    for (size_t i = 0; i < s->shrunk->plan.count; i++) {
        for (size_t k = i + 1; k < s->shrunk->plan.count; k++) {
            struct plan plan = s->shrunk->plan;
            leave_out(&plan, k);
            leave_out(&plan, i);
            if (keeps(s, &plan))
                return true;
        }
    }
    return false;
}

/* "none", then one surviving write fewer. */
static bool fewer_survivors(struct shrinking *s, size_t index) {
    struct plan plan = s->shrunk->plan;
    char *keep = plan.items[index].keep;
    bool changed = false;
    if (strcmp(keep, "none") == 0 || keep[0] == '\0')
        return false;
    snprintf(keep, PLAN_KEEP_SIZE, "none");
    if (keeps(s, &plan))
        return true;
    if (strncmp(s->shrunk->plan.items[index].keep, "0b", 2) != 0)
        return false;
    for (size_t i = 2; s->shrunk->plan.items[index].keep[i] != '\0'; i++) {
        plan = s->shrunk->plan;
        if (keep[i] != '1')
            continue;
        keep[i] = '0';
        changed = keeps(s, &plan) || changed;
    }
    return changed;
}

/* The least value, then ever smaller steps down from the one that is known to break it. */
static bool smaller_argument(struct shrinking *s, size_t index, int arg) {
    const struct fault_arg *row = &s->shrunk->plan.items[index].fault.kind->args[arg];
    struct plan plan = s->shrunk->plan;
    int64_t *value = &plan.items[index].fault.arg[arg];
    int64_t least = row->type == FAULT_ARG_WORD ? 0 : row->least, known = *value;
    bool changed = false;
    if (known == least)
        return false;
    *value = least;
    if (keeps(s, &plan))
        return true;
    for (int64_t step = (known - least) / 2; step > 0; step /= 2) {
        plan = s->shrunk->plan;
        *value = known - step;
        if (*value > least && keeps(s, &plan)) {
            known -= step;
            changed = true;
        }
    }
    return changed;
}

static bool smaller_values(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < s->shrunk->plan.count; i++) {
        const struct plan_item *item = &s->shrunk->plan.items[i];
        if (item->what == PLAN_POWER || item->what == PLAN_POWER_AFTER)
            changed = fewer_survivors(s, i) || changed;
        for (int a = 0; item->what == PLAN_FAULT && a < FAULT_ARGS_MAX; a++) {
            if (item->fault.kind->args[a].name != NULL)
                changed = smaller_argument(s, i, a) || changed;
        }
    }
    return changed;
}

void shrink(const struct scenario *scenario, const struct run_config *config,
            const struct run_options *options, const struct plan *plan, struct shrunk *shrunk) {
    struct shrinking s = {
        .scenario = scenario, .config = config, .options = *options, .shrunk = shrunk};
    *shrunk = (struct shrunk){.plan = *plan};
    s.options.trace = false;
    s.options.progress = NULL;
    broken_by(&s, plan, shrunk->code);
    if (shrunk->code[0] == '\0')
        return;
    shrunk->why[0] = '\0';
    while (without_one(&s) || without_two(&s) || smaller_values(&s))
        continue;
    shrunk->why[0] = '\0';
}
