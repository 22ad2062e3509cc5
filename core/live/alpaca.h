/* The broker port over Alpaca's Trading API v2: HTTP answers become the port's answers, by meaning.
 *
 * submit (POST /v2/orders)
 *   no byte left (resolve, connect or TLS failed)              NOT_SENT
 *   200, whole order, echoing client id and payload            ACCEPTED
 *   422, JSON message "client_order_id must be unique"         DUPLICATE
 *   400 or 422, JSON with a message                            REJECTED
 *   403, JSON with a message and a code                        REJECTED
 *   anything else                                              IN_DOUBT, for instance:
 *     200 that does not parse or echoes another order; other 2xx, 3xx; an answer that is not whole;
 *     401, and 403 without a code: the keys are wrong, which an operator can mend; a refusal would
 * be final, and the query that settles the doubt fails as well until he has; 404: not this API, or
 * a proxy;    408, 5xx: it may have been taken; 429: the limiter should refuse first, but the
 * answer does not prove who gave it; a refusal's status without Alpaca's JSON: something in between
 * has spoken, not the broker. lookup (GET /v2/orders:by_client_order_id) 200, whole order with the
 * id asked for                     FOUND 404, JSON code 40410000 ABSENT anything else (404 in HTML
 * or empty included)              INCONCLUSIVE cancel (DELETE /v2/orders/{id}) no byte left
 * NOT_SENT 204                                                        TAKEN 422, JSON with a
 * message                                   TOO_LATE 404, JSON code 40410000 ABSENT anything else
 * IN_DOUBT orders, fills, positions, account every page 200, whole and parsable true anything else
 * false
 *
 * Lists are paged so that rows with equal times at a page's edge are neither lost nor doubled; when
 * a page holds nothing but one time and cannot be passed, the answer is false, never a part. */
#ifndef CORE_LIVE_ALPACA_H
#define CORE_LIVE_ALPACA_H

#include "core/broker.h"
#include "core/live/transport.h"
#include "core/profile.h"

#include <stddef.h>

enum { ALPACA_ORDERS_PAGE_MAX = 500, ALPACA_FILLS_PAGE_MAX = 100 };

struct alpaca_config {
    const char *url; /* as for transport_open */
    const char *key_id, *secret;
    const char *ca_file;           /* as for transport_open */
    const struct profile *profile; /* its client time-out counts per request */
    const struct transport_io *io; /* NULL: the real world */
    int orders_page, fills_page;   /* rows per page; 0: the maximum above */
    /* So many orders may be on their way at once; at most OMS_SENDS_MAX of core/oms.h. 0 or 1: each
     * send is waited for. */
    int sends_at_once;
};

struct alpaca;

/* NULL on a bad configuration; `error` then names value and rule. */
struct alpaca *alpaca_open(const struct alpaca_config *config, char *error, size_t error_size);
void alpaca_close(struct alpaca *alpaca); /* NULL is allowed */

/* What was wrong with the newest answer, for an operator: "GET /v2/account: HTTP 401: ..."; "" when
 * it was a success. Never holds a secret. Valid until the next call of the port. */
const char *alpaca_trouble(const struct alpaca *alpaca);

/* Waits until an answer may be read, or one of these descriptors can go on, at most so long. True:
 * one of them can. For who has orders on their way (then oms_expect_answer), and waits for other
 * things as well. */
bool alpaca_wait(struct alpaca *alpaca, struct curl_waitfd *fds, unsigned count, int ms);

/* Fills the door. Valid until alpaca_close. */
void alpaca_broker(struct alpaca *alpaca, struct broker *out);

#endif
