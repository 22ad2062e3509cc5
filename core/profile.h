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
    bool deduplicates;     /* a client order id seen before is refused (while remembered) */
    bool only_while_open;  /* ... but only while the order that has it is open */
    int64_t retention_ns;  /* how long the broker remembers a client order id; 0: for ever */
    int64_t timeout_ns;    /* the client gives up on an answer after this long */
    int64_t quiescence_ns; /* no request is delivered later than this after it was sent */
    int64_t query_lag_ns;  /* a fresh order may be missing from queries for this long */
    int64_t grace_ns;      /* a difference younger than this may be timing only */
    int64_t retention_margin_ns; /* re-send only while now - first send < retention - margin */
    size_t client_id_max;        /* longest client order id, characters of [A-Za-z0-9-] */
};

/* The profile of that name, or NULL. Valid for the life of the program. */
const struct profile *profile_find(const char *name);

/* Profiles in a fixed order, for listings and guesses: NULL once `index` is past the last. */
const struct profile *profile_at(size_t index);

#endif
