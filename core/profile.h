/* Broker profiles: what a broker declares it does, as data, and the guarantee that allows.
 *
 * The OMS reads a profile to know what it may promise; the simulated exchange reads the same row to
 * know how to behave. Nobody guesses past it. */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_SECOND_NS INT64_C(1000000000)

struct profile {
    const char *name;      /* as written in scenario files and configuration */
    const char *guarantee; /* one sentence for people: what the OMS promises with this broker */
    bool deduplicates;     /* a client order id seen before makes no second order (if remembered) */
    bool only_while_open;  /* ... but only while the order that has it is open */
    bool replays;          /* ... and the same order again gets the first answer again, not a
                            * refusal; 409 while the first request is under way */
    bool answers_resend;   /* ... and the same order again, marked as a possible re-send, gets the
                            * order as it stands now */
    bool knows_ids;        /* orders carry the client order id, and can be asked for by it */
    bool tells_executions; /* executions are listed, each with an id; if not, an order tells its
                            * cumulative quantity and average price, and nothing else is known */
    bool drops_requests;   /* an order that arrived may be neither accepted nor ever answered */
    int64_t retention_ns;  /* how long the broker remembers a client order id; 0: for ever */
    int64_t day_turns_ns;  /* ids begin anew at this time of the UTC day; PROFILE_NO_DAY: never */
    int64_t timeout_ns;    /* the client gives up on an answer after this long */
    int64_t quiescence_ns; /* no request is delivered later than this after it was sent */
    int64_t query_lag_ns;  /* a fresh order may be missing from queries for this long */
    int64_t grace_ns;      /* a difference younger than this may be timing only */
    int64_t forget_margin_ns; /* re-send only that long before the broker may forget the id */
    size_t client_id_max;     /* longest client order id, characters of [A-Za-z0-9-] */
};
#define PROFILE_NO_DAY INT64_C(-1)

/* The profile of that name, or NULL. Valid for the life of the program. */
const struct profile *profile_find(const char *name);

/* Profiles in a fixed order, for listings and guesses: NULL once `index` is past the last. */
const struct profile *profile_at(size_t index);

/* When the broker forgets a client order id that it first saw at `seen_ns` (since 1970, UTC); from
 * then on an order under it is a new one. INT64_MAX: never. */
int64_t profile_forgets_ns(const struct profile *profile, int64_t seen_ns);

/* Is the guarantee "effectively once": every order in doubt can be settled without a person, as
 * long as the broker has not forgotten its id? */
bool profile_is_effectively_once(const struct profile *profile);

#endif
