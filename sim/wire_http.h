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

/* A daemon whose handlers serve `http`, run by MHD_run, for connections that are handed to it; NULL
 * when it cannot start. */
struct MHD_Daemon *wire_http_start(struct wire_http *http, unsigned flags);

#endif
