/* The first event at which two runs of the same part. */
#include "scenarios/cli/difference.h"

#include "scenarios/lang/time_text.h"

#include <inttypes.h>

static bool record(struct suite *suite, const struct scenario *scenario,
                   const struct run_config *config, const struct plan *plan, struct chain *chain) {
    struct run_options run;
    struct run_result result;
    if (!suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run))
        return false;
    if (plan != NULL)
        run.plan = plan;
    run.chain = chain;
    run_scenario(scenario, config, &run, &result);
    run_result_free(&result);
    return true;
}

static void print_event(const char *when, const struct chain *chain, size_t i) {
    char words[CHAIN_WORDS_SIZE], clock[TIME_TEXT_SIZE];
    const struct chain_event *event = &chain->v[i];
    if (i >= chain->n)
        printf("  %s  nothing more\n", when);
    else
        printf("  %s  run %lu, event %lu, %s  %016" PRIx64 "  %s\n", when, event->run, event->event,
               time_format_clock(event->at_ns % TIME_DAY_NS, clock), event->hash,
               chain_words(event, words));
}

bool difference_print(struct suite *suite, const struct scenario *scenario,
                      const struct run_config *config, const struct plan *plan) {
    struct chain once = {0}, again = {0};
    long at = -1;
    if (record(suite, scenario, config, plan, &once) &&
        record(suite, scenario, config, plan, &again))
        at = chain_difference(&once, &again);
    if (at >= 0) {
        printf("the first event that differs, of two runs more:\n");
        if (at > 0)
            print_event("alike", &once, (size_t)at - 1);
        print_event("once ", &once, (size_t)at);
        print_event("again", &again, (size_t)at);
    } else {
        printf("two runs more were alike in all %zu events%s: it does not differ every time\n",
               once.n, once.cut ? " that were recorded" : "");
    }
    chain_free(&once);
    chain_free(&again);
    return at >= 0;
}
