/* The table of broker profiles. */
#include "core/profile.h"

#include <string.h>

#define SECONDS(n) ((n)*PROFILE_SECOND_NS)
#define HOURS(n)   SECONDS((n)*3600)

enum { TIMEOUT_S = 5, QUIESCENCE_S = 20, GRACE_S = 5, RETENTION_HOURS = 24, MARGIN_HOURS = 1 };
enum { CLIENT_ID_LENGTH = 36 };

/* name, refuses a client order id it has seen, only while that order is open, remembers it for, what
 * that lets the OMS promise */
#define PROFILES(X)                                                                             \
    X("alpaca", true, false, 0,                                                                 \
      "effectively once: an order in doubt is sent again under the same id, and the broker "    \
      "refuses a second one")                                                                   \
    X("alpaca-retention", true, false, HOURS(RETENTION_HOURS),                                  \
      "effectively once within 24 hours: past that an order in doubt is held for a person")     \
    X("open-only", true, true, 0,                                                               \
      "at most once: the broker refuses a second order under one id only while the first is "   \
      "open, so an order in doubt is sent again only once it is absent everywhere and nothing " \
      "can be under way any more")                                                              \
    X("label", false, false, 0,                                                                 \
      "at most once: the broker does not refuse a second order under one id, so an order in "   \
      "doubt is held for a person")

static const struct profile profiles[] = {
#define X(word, refuses_seen, while_open, remembers, promise) \
    {.name = word,                                            \
     .guarantee = promise,                                    \
     .deduplicates = refuses_seen,                            \
     .only_while_open = while_open,                           \
     .retention_ns = remembers,                               \
     .timeout_ns = SECONDS(TIMEOUT_S),                        \
     .quiescence_ns = SECONDS(QUIESCENCE_S),                  \
     .query_lag_ns = 0,                                       \
     .grace_ns = SECONDS(GRACE_S),                            \
     .retention_margin_ns = HOURS(MARGIN_HOURS),              \
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
