/* Telling people: what the core finds that a person should see goes to standard error, and where it
 * was asked for to syslog and to a webhook.
 *
 * What it keeps:
 *  (1) Nobody waits for a webhook: alerts queue up to a ceiling, one is under way at a time, each
 *      for a limited time, and only the end of the program waits for them, once, as long.
 *  (2) What could not be delivered is counted and said; it is on standard error in any case.
 *  (3) A webhook's URL is often a secret itself: it is never shown. */
#ifndef CORE_LIVE_ALERT_H
#define CORE_LIVE_ALERT_H

#include "core/env.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { ALERT_QUEUE_MAX = 64, ALERT_TIMEOUT_MS = 3000 };

struct alerts_config {
    FILE *err; /* borrowed */
    bool to_syslog;
    const char *webhook; /* "https://...", or "http://" to a loopback address; NULL: none */
    const char *store;   /* named in each alert; borrowed */
};

struct alerts;

/* NULL on a bad configuration; `why` then names the rule. */
struct alerts *alerts_open(const struct alerts_config *config, char *why, size_t why_size);
/* Waits for what is queued, as (1) says. NULL is allowed. */
void alerts_close(struct alerts *alerts);

/* Is this one for people: the kill switch, a held order, an alarm, a fail-stop? Then it is told. */
void alerts_hear(struct alerts *alerts, const struct oms_event *event);
/* Goes on with what is under way, as far as it goes without waiting. To be called often. */
void alerts_turn(struct alerts *alerts);

#endif
