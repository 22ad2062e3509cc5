/* How fast random timelines are played, and how much faster two processes play them than one. */
#include "scenarios/cli/bench.h"

#include "fuzz/campaign.h"
#include "scenarios/cli/figures.h"

#include <stdio.h>

enum { SEEDS = 2000, ROUNDS = 3, TWO = 2 };

static bool play(unsigned jobs, double *seconds) {
    static struct campaign_result result;
    struct campaign_options options = {
        .sut = &sut_core, .first = 1, .last = SEEDS, .shard = 1, .shards = 1, .jobs = jobs};
    double start = figure_wall_s();
    bool done = campaign_run(&options, &result) && result.hit_count == 0;
    *seconds = figure_wall_s() - start;
    if (!done)
        fprintf(stderr, "crashgate: bench: the seeds 1..%d did not pass: %s\n", SEEDS, result.why);
    return done;
}

/* In turn, so that what else the machine does meets both alike; the best of each counts. */
bool bench_sweep(bench_say *say, void *ctx) {
    double best[TWO] = {0, 0};
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned jobs = 1; jobs <= TWO; jobs++) {
            double seconds = 0;
            if (!play(jobs, &seconds))
                return false;
            if (best[jobs - 1] <= 0 || seconds < best[jobs - 1])
                best[jobs - 1] = seconds;
        }
    }
    say(ctx, "sweep_timelines", SEEDS / best[0], "per second of one process, of random seeds");
    say(ctx, "sweep_scaling", best[0] / best[1], "x with two processes");
    return true;
}
