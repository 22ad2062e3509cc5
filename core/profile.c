/* The table of broker profiles. */
#include "core/profile.h"

#include <string.h>

#define SECONDS(n) ((n)*PROFILE_SECOND_NS)
#define MINUTES(n) SECONDS((n)*60)
#define HOURS(n)   MINUTES((n)*60)

enum { TIMEOUT_S = 5, QUIESCENCE_S = 20, GRACE_S = 5, LAG_S = 3 };
enum { RETENTION_HOURS = 24, RETENTION_MARGIN_HOURS = 1 };
/* 17:00 in New York in winter. The margin is longer than a request can be under way. */
enum { DAY_TURNS_HOUR = 22, DAY_MARGIN_MINUTES = 5 };
enum { CLIENT_ID_LENGTH = 36 };

/* What sets a broker apart; see struct profile. */
enum {
    DEDUPLICATES = 1u << 0,
    WHILE_OPEN = 1u << 1,
    REPLAYS = 1u << 2,
    ANSWERS_RESEND = 1u << 3,
    NO_IDS = 1u << 4,
    NO_EXECUTIONS = 1u << 5,
    DROPS = 1u << 6
};

/* New rows go to the end: what a fuzzer saved knows brokers by their place here.
 * name, traits, how long an id is remembered (0: for ever), when its day turns, how long before
 * either nothing is sent again, query lag, what that lets the OMS promise */
#define PROFILES(X)                                                                               \
    X("alpaca", DEDUPLICATES, 0, PROFILE_NO_DAY, 0, 0,                                            \
      "effectively once: an order in doubt is sent again under the same id, and the broker "      \
      "refuses a second one")                                                                     \
    X("alpaca-retention", DEDUPLICATES, HOURS(RETENTION_HOURS), PROFILE_NO_DAY,                   \
      HOURS(RETENTION_MARGIN_HOURS), 0,                                                           \
      "effectively once within 24 hours: past that an order in doubt is held for a person")       \
    X("open-only", DEDUPLICATES | WHILE_OPEN, 0, PROFILE_NO_DAY, 0, 0,                            \
      "at most once: the broker refuses a second order under one id only while the first is "     \
      "open, so an order in doubt is sent again only once it is absent everywhere and nothing "   \
      "can be under way any more")                                                                \
    X("label", 0, 0, PROFILE_NO_DAY, 0, 0,                                                        \
      "at most once: the broker does not refuse a second order under one id, so an order in "     \
      "doubt is held for a person")                                                               \
    X("alpaca-lag", DEDUPLICATES, 0, PROFILE_NO_DAY, 0, SECONDS(LAG_S),                           \
      "effectively once: as alpaca, but a query may miss a fresh order, so an order in doubt "    \
      "counts as absent only once that is over, too")                                             \
    X("replay", DEDUPLICATES | REPLAYS, HOURS(RETENTION_HOURS), PROFILE_NO_DAY,                   \
      HOURS(RETENTION_MARGIN_HOURS), 0,                                                           \
      "effectively once within 24 hours: an order in doubt is sent again as it was, and the "     \
      "broker gives its first answer again; past that it is held for a person")                   \
    X("no-tag", NO_IDS, 0, PROFILE_NO_DAY, 0, 0,                                                  \
      "at most once: the broker knows no ids of ours, so an order in doubt is held for a "        \
      "person, who is told which of the broker's orders look like it")                            \
    X("fix-day", DEDUPLICATES | ANSWERS_RESEND, 0, HOURS(DAY_TURNS_HOUR),                         \
      MINUTES(DAY_MARGIN_MINUTES), 0,                                                             \
      "effectively once per trading day, which turns at 22:00 UTC: an order in doubt is sent "    \
      "again under the same id, marked as a possible re-send; past its day it is held for a "     \
      "person")                                                                                   \
    X("cum-only", DEDUPLICATES | NO_EXECUTIONS, 0, PROFILE_NO_DAY, 0, 0,                          \
      "effectively once: as alpaca; executions are booked from each order's cumulative quantity " \
      "and average price, so cost is as exact as that average")                                   \
    X("dropper", DEDUPLICATES | DROPS, 0, PROFILE_NO_DAY, 0, 0,                                   \
      "effectively once: as alpaca; the broker may drop a request without a word, which is "      \
      "then sent again")

static const struct profile profiles[] = {
#define X(word, traits, remembers, turns, margin, lag, promise) \
    {.name = word,                                              \
     .guarantee = promise,                                      \
     .deduplicates = ((traits)&DEDUPLICATES) != 0,              \
     .only_while_open = ((traits)&WHILE_OPEN) != 0,             \
     .replays = ((traits)&REPLAYS) != 0,                        \
     .answers_resend = ((traits)&ANSWERS_RESEND) != 0,          \
     .knows_ids = ((traits)&NO_IDS) == 0,                       \
     .tells_executions = ((traits)&NO_EXECUTIONS) == 0,         \
     .drops_requests = ((traits)&DROPS) != 0,                   \
     .retention_ns = remembers,                                 \
     .day_turns_ns = turns,                                     \
     .timeout_ns = SECONDS(TIMEOUT_S),                          \
     .quiescence_ns = SECONDS(QUIESCENCE_S),                    \
     .query_lag_ns = lag,                                       \
     .grace_ns = SECONDS(GRACE_S),                              \
     .forget_margin_ns = margin,                                \
     .client_id_max = CLIENT_ID_LENGTH},
    PROFILES(X)
#undef X
};

const struct profile *profile_at(size_t index) {
    return index < sizeof profiles / sizeof *profiles ? &profiles[index] : NULL;
}

const struct profile *profile_find(const char *name) {
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}

/* The end of the trading day that a moment (from 1970 on) belongs to. */
static int64_t day_ends_ns(const struct profile *profile, int64_t at_ns) {
    const int64_t day_ns = HOURS(24);
    const int64_t into_day_ns = (at_ns + day_ns - profile->day_turns_ns) % day_ns;
    return at_ns - into_day_ns + day_ns;
}

int64_t profile_forgets_ns(const struct profile *profile, int64_t seen_ns) {
    int64_t forgets_ns = INT64_MAX;

    if (profile->retention_ns > 0) {
        forgets_ns = seen_ns + profile->retention_ns;
    }
    if (profile->day_turns_ns != PROFILE_NO_DAY && day_ends_ns(profile, seen_ns) < forgets_ns) {
        forgets_ns = day_ends_ns(profile, seen_ns);
    }
    return forgets_ns;
}

bool profile_is_effectively_once(const struct profile *profile) {
    return profile->deduplicates && !profile->only_while_open;
}
