/* The listener of `crashgate broker`, for tests. */
#include "sim/tests/loopback.h"

#include <stdio.h>
#include <stdlib.h>

struct listener *loopback_open(const struct wire_exchange *exchange,
                               const struct listener_owner *owner, char url[LISTENER_URL_SIZE]) {
    struct listener *listener = NULL;
    char why[LISTENER_WHY_SIZE];
    if (listener_open("127.0.0.1:0", exchange, owner, &listener, why) != LISTENER_OPEN) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    listener_url(listener, url);
    return listener;
}
