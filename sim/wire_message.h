/* HTTP messages, as far as a relay must understand them: where one ends, and which call of the
 * broker it carries. */
#ifndef SIM_WIRE_MESSAGE_H
#define SIM_WIRE_MESSAGE_H

#include "core/broker.h"
#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_MESSAGE_MAX = 16 * 1024 * 1024 };

/* Bytes with a 0 behind them. Start from all zero; release with wire_bytes_free. */
struct wire_bytes {
    char *v;
    size_t n, cap;
};
/* At most WIRE_MESSAGE_MAX in all. */
void wire_bytes_add(struct wire_bytes *to, const void *from, size_t n);
void wire_bytes_drop(struct wire_bytes *of, size_t n); /* from the front */
void wire_bytes_free(struct wire_bytes *bytes);

/* Length of the message at the front, or 0 while it is not whole. */
size_t wire_message_length(const struct wire_bytes *message);
/* Of an answer; 0: it has none. */
int wire_message_status(const struct wire_bytes *reply);
/* The value of a header of the message whose head ends at `end`, or NULL. `name` ends with a colon. */
const char *wire_message_header(const char *message, const char *end, const char *name);

/* What a request carries, as the port is shown it: call.ref and call.request point into it. */
struct wire_carried {
    struct port_call call;
    enum site_object on; /* ON_NONE: no broker call; the port is neither asked nor told */
    struct broker_request request;
    char ref[BROKER_CLIENT_ID_SIZE];
};
/* By its first line and its body. False: the request is nothing of the broker's. */
bool wire_carried_by_line(const char *line, const char *body, size_t body_length,
                          struct wire_carried *out);
/* The same of a whole message of that length. */
bool wire_carried_by(const struct wire_bytes *message, size_t length, struct wire_carried *out);

/* What is inside the bytes of a flight, for looking. False: no order; no cancel. */
bool wire_flight_order(const void *bytes, size_t length, struct broker_request *request);
bool wire_flight_cancel(const void *bytes, size_t length, char order_id[BROKER_ORDER_ID_SIZE]);

#endif
