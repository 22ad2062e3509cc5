/* The seeded sweep as one more oracle of planted bugs. */
#include "scenarios/cli/known_bad_sweep.h"

#include "fuzz/campaign.h"

#include <stdio.h>
#include <string.h>

bool known_bad_sweep(const struct sut *sut, const struct known_bad_seeds *seeds,
                     struct known_bad_swept *swept, char why[SUT_WHY_SIZE]) {
    static struct campaign_result result;
    const struct campaign_options campaign = {.sut = sut,
                                              .first = seeds->first,
                                              .last = seeds->last,
                                              .shard = 1,
                                              .shards = 1,
                                              .jobs = seeds->jobs,
                                              .first_only = true};
    *swept = (struct known_bad_swept){.breaks = ""};
    if (!campaign_run(&campaign, &result)) {
        memcpy(why, result.why, SUT_WHY_SIZE);
        return false;
    }
    if (result.hit_count == 0)
        return true;
    swept->seed = result.hits[0].seed;
    if (result.hits[0].invariant == CAMPAIGN_PROGRAM_BROKE)
        snprintf(swept->breaks, sizeof swept->breaks, "stops");
    else
        snprintf(swept->breaks, sizeof swept->breaks, "I%d", result.hits[0].invariant);
    return true;
}
