/* Telling what a campaign of seeds came to. */
#ifndef SCENARIOS_CLI_FUZZ_H
#define SCENARIOS_CLI_FUZZ_H

#include "fuzz/campaign.h"

#include <stdbool.h>

/* From so many timelines on every kind, and every pair of kinds, must have struck: with fewer it is
 * no wonder that some did not, and their number is told only. */
enum { FUZZ_KINDS_FROM = 20000, FUZZ_PAIRS_FROM = 1000000 };

/* What a campaign proves. Each says why it is not a pass. */
struct fuzz_verdict {
    int exit_code;
    bool left;      /* the time was spent */
    bool nothing;   /* no seed was played */
    bool few_kinds; /* some kind never struck in a campaign that is large enough */
    bool few_pairs;
    bool no_canary; /* the known mistake was not noticed */
};
struct fuzz_verdict fuzz_judge(const struct campaign_result *result);

/* For people, the verdict first; and for programs, a JSON object a line (no times, no number of
 * processes: the same seeds give the same bytes). False: `path` cannot be written; said. */
void fuzz_print(const struct campaign_options *options, const struct campaign_result *result,
                const struct fuzz_verdict *verdict);
bool fuzz_write_json(const char *path, const struct campaign_options *options,
                     const struct campaign_result *result, const struct fuzz_verdict *verdict);

#endif
