/* How fast random timelines are played, and how much faster two processes play them than one. */
#include "scenarios/cli/bench.h"

#include "fuzz/campaign.h"
#include "scenarios/cli/figures.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* What the machine gives to two processes that have nothing to do with each other: each plays all. */
static bool play_beside(double *seconds) {
    double start = figure_wall_s(), unused = 0;
    int status = 0;
    pid_t other = fork();
    bool done = false;
    if (other == 0)
        _exit(play(1, &unused) ? 0 : 1);
    done = other > 0 && play(1, &unused);
    if (other > 0 && (waitpid(other, &status, 0) != other || status != 0))
        done = false;
    *seconds = figure_wall_s() - start;
    return done;
}

static void keep_best(double *best, double seconds) {
    if (*best <= 0 || seconds < *best)
        *best = seconds;
}

/* In turn, so that what else the machine does meets all alike; the best of each counts. */
bool bench_sweep(bench_say *say, void *ctx) {
    double best[TWO] = {0, 0}, beside = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double seconds = 0;
        for (unsigned jobs = 1; jobs <= TWO; jobs++) {
            if (!play(jobs, &seconds))
                return false;
            keep_best(&best[jobs - 1], seconds);
        }
        if (!play_beside(&seconds))
            return false;
        keep_best(&beside, seconds);
    }
    say(ctx, "sweep_timelines", SEEDS / best[0], "per second of one process, of random seeds");
    say(ctx, "sweep_scaling", best[0] / best[1], "x with two processes");
    say(ctx, "sweep_scaling_floor", 2 * best[0] / beside,
        "x of this machine with two processes that share nothing");
    return true;
}
