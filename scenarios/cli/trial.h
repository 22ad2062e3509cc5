/* Playing one scenario once, by a plan, to see what breaks: the oracle of shrinking and of the bug
 * base. */
#ifndef SCENARIOS_CLI_TRIAL_H
#define SCENARIOS_CLI_TRIAL_H

#include "scenarios/lang/run.h"

#include <stdbool.h>
#include <stddef.h>

struct trial {
    const struct sut *sut;
    unsigned claims;   /* invariants to judge */
    struct wire *wire; /* opened when first needed; trial_close closes it */
    unsigned long runs;
};

/* In the first of its profiles and kinds of crash; through the wire only if it needs one. What it
 * orders and cannot happen is left out, as in one run of many: after a mistake is mended a story may
 * go another way. The caller frees *result with run_result_free. */
void trial_run(struct trial *trial, struct scenario *scenario, const struct plan *plan,
               struct run_result *result);
/* The code of what breaks ("I1"), or "": nothing does, the text has mistakes, or only the scenario
 * is to blame. */
void trial_code(struct trial *trial, const char *text, size_t length, const struct plan *plan,
                char code[RUN_CODE_SIZE]);
/* Whether a result says that the OMS broke something. */
bool trial_broke(const struct run_result *result);
/* How trial_run runs it. */
struct run_config trial_config(const struct scenario *scenario);
void trial_close(struct trial *trial);

#endif
