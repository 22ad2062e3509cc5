/* How long it takes to shrink a finding of sixty events to its minimum. */
#include "scenarios/cli/bench.h"

#include "fuzz/finding.h"
#include "fuzz/generate.h"
#include "scenarios/cli/figures.h"
#include "sim/check.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS = 60, FINDINGS = 5, SEEDS_MAX = 10000 };

/* The records of one seed after the other, as if a desk had all those days. */
static void long_timeline(uint64_t seed, struct timeline *timeline) {
    generate_timeline(seed, timeline);
    while (timeline->count < EVENTS) {
        struct timeline more;
        size_t room = EVENTS - timeline->count;
        generate_timeline(seed += SEEDS_MAX, &more);
        if (more.count < room)
            room = more.count;
        memcpy(timeline->records + timeline->count, more.records, room * sizeof *more.records);
        timeline->count += room;
    }
}

static bool is_minimal(const struct finding *finding) {
    bool minimal = finding->replays && !finding->shrunk.bound;
    for (size_t i = 0; i < finding->timeline.count; i++)
        minimal = minimal && finding->shrunk.necessary[i];
    return minimal;
}

/* The worst of several, all of an OMS whose mistakes are known. */
bool bench_shrink(bench_say *say, void *ctx) {
    double worst = 0;
    size_t left = 0;
    int found = 0;
    for (uint64_t seed = 1; found < FINDINGS && seed < SEEDS_MAX; seed++) {
        struct timeline timeline;
        struct finding finding;
        double start = figure_wall_s();
        long_timeline(seed, &timeline);
        CHECK(timeline.count == EVENTS);
        if (!finding_make(&timeline, &sut_seed_protocol, true, &finding))
            continue;
        found++;
        double seconds = figure_wall_s() - start;
        bool minimal = is_minimal(&finding);
        worst = seconds > worst ? seconds : worst;
        left = finding.timeline.count > left ? finding.timeline.count : left;
        finding_free(&finding);
        if (!minimal) {
            fprintf(stderr, "crashgate: bench: seed %d is not shrunk to its minimum\n", (int)seed);
            return false;
        }
    }
    say(ctx, "shrink_60_events_s", worst, "s for the slowest of five findings of 60 events");
    say(ctx, "shrink_60_events_left", (double)left, "events that are left of it, at most");
    return found == FINDINGS;
}
