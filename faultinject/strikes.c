/* Deaths at random, from one generator. */
#include "faultinject/strikes.h"

#include "sim/check.h"
#include "sim/hash.h"

/* What one order goes through, from its decision to its end, is some sixty crash points; small
 * numbers are as likely as large ones. */
enum { POINTS_BITS = 7, DELAY_BITS = 10 };
#define SECOND_NS INT64_C(1000000000)

static uint64_t below(struct strikes *strikes, uint64_t n) {
    return random_next(&strikes->state) % n;
}

/* 1 .. 2^bits - 1, every power of two of them as likely. */
static uint64_t any_size(struct strikes *strikes, unsigned bits) {
    uint64_t power = UINT64_C(1) << below(strikes, bits);
    return power + below(strikes, power);
}

void strikes_draw(struct strikes *strikes, uint64_t seed, unsigned count, const int64_t moments[],
                  size_t moment_count) {
    CHECK(count <= STRIKES_MAX);
    *strikes = (struct strikes){.state = seed_named(seed, "strikes"),
                                .count = moment_count > 0 ? count : 0};
    for (unsigned i = 0; i < strikes->count; i++) {
        size_t from = moment_count * i / count, to = moment_count * (i + 1) / count;
        strikes->from_ns[i] = moments[from + (to > from ? below(strikes, to - from) : 0)];
    }
    strikes->points = (unsigned)any_size(strikes, POINTS_BITS);
}

bool strikes_here(struct strikes *strikes, int64_t now_ns) {
    if (strikes->struck == strikes->count || now_ns < strikes->from_ns[strikes->struck] ||
        --strikes->points > 0)
        return false;
    strikes->struck++;
    strikes->points = (unsigned)any_size(strikes, POINTS_BITS);
    return true;
}

int64_t strikes_start_after_ns(struct strikes *strikes) {
    return (int64_t)(any_size(strikes, DELAY_BITS) - 1) * SECOND_NS;
}

unsigned strikes_outcome(struct strikes *strikes, unsigned outcomes) {
    return (unsigned)below(strikes, outcomes);
}
