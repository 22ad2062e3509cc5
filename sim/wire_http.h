/* The simulated broker's HTTP surface: Alpaca's Trading API v2 on top of struct wire_exchange. */
#ifndef SIM_WIRE_HTTP_H
#define SIM_WIRE_HTTP_H

#include "sim/wire.h"

#include <microhttpd.h>

/* Who answers at a daemon: shared by its connections, `exchange` may change between requests. */
struct wire_http {
    const struct wire_exchange *exchange;
    uint64_t served;
};

/* A daemon whose handlers serve `http`, run by MHD_run; NULL when it cannot start. It accepts from
 * `listening` (and closes it), or has no listening socket at all (-1). */
struct MHD_Daemon *wire_http_start(struct wire_http *http, unsigned flags, int listening);

/* Reads an order request's JSON body. False: a field is missing or wrong; `why` names it. */
bool wire_http_order(const char *body, size_t length, struct broker_request *request, char *why,
                     size_t why_size);

#endif
