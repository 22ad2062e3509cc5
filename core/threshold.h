/* Every stored time that the core acts on, as the moment at which it begins to act otherwise.
 *
 * The core may keep counters, log rows and times of what happened, but it must never act on them
 * except through these moments: who explores what a crash can leave tells stores apart by them and
 * by nothing else that has time in it. */
#ifndef CORE_THRESHOLD_H
#define CORE_THRESHOLD_H

#include "core/profile.h"

#include <stdint.h>

/* A look at the broker's lists goes back this far behind the oldest thing it is about, because the
 * broker's clock may differ from ours. */
#define THRESHOLD_LOOK_BACK_NS (60 * PROFILE_SECOND_NS)

/* From when on "absent" means that a request which may have left until `send_by_ns` never arrived
 * and never will. */
static inline int64_t threshold_absent_ns(const struct profile *profile, int64_t send_by_ns) {
    return send_by_ns + profile->quiescence_ns + profile->query_lag_ns;
}

/* From when on the broker may have forgotten the id first sent at `first_send_ns`; INT64_MAX:
 * never. */
static inline int64_t threshold_forgotten_ns(const struct profile *profile, int64_t first_send_ns) {
    const int64_t forgets_ns = profile_forgets_ns(profile, first_send_ns);
    return forgets_ns == INT64_MAX ? INT64_MAX : forgets_ns - profile->forget_margin_ns;
}

#endif
