/* The environment port in the real world: system clock, halt file, events as JSON lines. */
#ifndef CORE_LIVE_CLOCK_H
#define CORE_LIVE_CLOCK_H

#include "core/env.h"
#include "core/live/alert.h"

#include <stdio.h>

struct clock_env {
    const char *halt_path; /* while a file is there, nothing is sent; never NULL */
    const bool *hold;      /* while it is true, it is as if that file were there; may be NULL */
    struct alerts *alerts; /* hears every event; may be NULL */
    FILE *events;          /* one JSON object a line; NULL: told to nobody. Borrowed. */
};

/* Fills the door; `clock` must outlive it. */
void clock_env(struct clock_env *clock, struct oms_env *out);

/* Present, absent, or neither can be told (no right to look, an I/O error): unreadable. */
enum oms_halt_file clock_halt_file(const char *path);

/* Wall clock, UTC, nanoseconds since 1970. */
int64_t clock_now_ns(void);

/* Sleeps until then, or until a signal comes. */
void clock_sleep_until(int64_t at_ns);

#endif
