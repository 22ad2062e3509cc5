/* HTTP messages, as far as a relay must understand them. */
#include "sim/wire_message.h"

#include "sim/wire_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- bytes ---- */

void wire_bytes_add(struct wire_bytes *to, const void *from, size_t n) {
    assert(to->n + n <= WIRE_MESSAGE_MAX);
    if (to->n + n + 1 > to->cap) {
        to->cap = (to->n + n + 1) * 2;
        to->v = realloc(to->v, to->cap);
        assert(to->v != NULL);
    }
    if (n > 0)
        memcpy(to->v + to->n, from, n);
    to->n += n;
    to->v[to->n] = '\0';
}

void wire_bytes_drop(struct wire_bytes *of, size_t n) {
    memmove(of->v, of->v + n, of->n - n);
    of->n -= n;
    of->v[of->n] = '\0';
}

void wire_bytes_free(struct wire_bytes *bytes) {
    free(bytes->v);
    *bytes = (struct wire_bytes){0};
}

/* ---- HTTP messages, as far as a relay must understand them ---- */

const char *wire_message_header(const char *message, const char *end, const char *name) {
    size_t n = strlen(name);
    for (const char *line = message; line < end; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, name, n) == 0)
            return line + n + strspn(line + n, " ");
    return NULL;
}

/* Length of a body in chunks, the last one and its blank line included; 0: not whole, or wrong. */
static size_t chunked_length(const char *body, size_t n) {
    size_t at = 0;
    for (;;) {
        const char *line_end = memmem(body + at, n - at, "\r\n", 2);
        if (line_end == NULL)
            return 0;
        size_t size = strtoul(body + at, NULL, 16);
        at = (size_t)(line_end - body) + 2;
        if (size > WIRE_MESSAGE_MAX || n - at < size + 2)
            return 0;
        at += size + 2;
        if (size == 0)
            return at;
    }
}

size_t wire_message_length(const struct wire_bytes *message) {
    if (message->n == 0)
        return 0;
    const char *end = strstr(message->v, "\r\n\r\n");
    if (end == NULL)
        return 0;
    const char *length = wire_message_header(message->v, end, "Content-Length:");
    const char *coding = wire_message_header(message->v, end, "Transfer-Encoding:");
    size_t head = (size_t)(end - message->v) + 4;
    size_t body = length != NULL ? strtoul(length, NULL, 10) : 0;
    if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
        body = chunked_length(message->v + head, message->n - head);
        return body > 0 ? head + body : 0;
    }
    return message->n - head >= body ? head + body : 0;
}

int wire_message_status(const struct wire_bytes *reply) {
    return reply->n > 12 ? atoi(reply->v + 9) : 0;
}

/* The word after a prefix, up to a blank, '&' or the end; percent escapes are undone. */
static void copy_ref(char out[BROKER_CLIENT_ID_SIZE], const char *from) {
    size_t n = 0;
    while (*from != '\0' && strchr(" &?\r\n", *from) == NULL && n + 1 < BROKER_CLIENT_ID_SIZE) {
        unsigned escaped;
        if (*from == '%' && sscanf(from + 1, "%2x", &escaped) == 1) {
            out[n++] = (char)escaped;
            from += 3;
        } else {
            out[n++] = *from++;
        }
    }
    out[n] = '\0';
}

/* Which broker call a request line carries: the first prefix that fits (SITE_OP_COUNT: none). */
static const struct {
    const char *prefix;
    enum site_op op;
    enum site_object on;
    bool has_ref;
} ROUTES[] = {
    {"POST /v2/orders", SITE_BROKER_SUBMIT, ON_SUBMIT, false},
    {"GET /v2/orders:by_client_order_id?client_order_id=", SITE_BROKER_LOOKUP, ON_LOOKUP, true},
    {"GET /v2/orders/", SITE_BROKER_LOOKUP, ON_LOOKUP, true},
    {"GET /v2/orders", SITE_BROKER_ORDERS, ON_ORDERS, false},
    {"GET /v2/account/activities", SITE_BROKER_FILLS, ON_FILLS, false},
    {"GET /v2/positions/", SITE_OP_COUNT, ON_NONE, false}, /* of one symbol: nothing to damage */
    {"GET /v2/positions", SITE_BROKER_POSITIONS, ON_POSITIONS, false},
    {"GET /v2/account", SITE_BROKER_ACCOUNT, ON_ACCOUNT, false},
    {"DELETE /v2/orders/", SITE_BROKER_CANCEL, ON_CANCEL, true},
    {"DELETE /v2/orders", SITE_BROKER_CANCEL, ON_CANCEL, false},
};

bool wire_carried_by_line(const char *line, const char *body, size_t body_length,
                          struct wire_carried *out) {
    *out = (struct wire_carried){.on = ON_NONE};
    for (size_t i = 0; i < sizeof ROUTES / sizeof ROUTES[0]; i++) {
        size_t n = strlen(ROUTES[i].prefix);
        if (strncmp(line, ROUTES[i].prefix, n) != 0)
            continue;
        if (ROUTES[i].op == SITE_OP_COUNT)
            return false;
        out->on = ROUTES[i].on;
        out->call.site = (struct site){ROUTES[i].op, ON_NONE};
        if (ROUTES[i].has_ref)
            copy_ref(out->ref, line + n);
        out->call.ref = out->ref;
        if (ROUTES[i].op == SITE_BROKER_SUBMIT &&
            wire_json_request(body, body_length, &out->request, NULL, 0))
            out->call.request = &out->request;
        return true;
    }
    return false;
}

bool wire_carried_by(const struct wire_bytes *message, size_t length, struct wire_carried *out) {
    const char *end = strstr(message->v, "\r\n\r\n");
    size_t head = (size_t)(end - message->v) + 4;
    return wire_carried_by_line(message->v, message->v + head, length - head, out);
}

bool wire_flight_order(const void *bytes, size_t length, struct broker_request *request) {
    struct wire_bytes copy = {0};
    struct wire_carried carried;
    wire_bytes_add(&copy, bytes, length);
    bool whole = wire_message_length(&copy) == length;
    bool ordered =
        whole && wire_carried_by(&copy, length, &carried) && carried.call.request != NULL;
    if (ordered)
        *request = carried.request;
    wire_bytes_free(&copy);
    return ordered;
}

bool wire_flight_cancel(const void *bytes, size_t length, char order_id[BROKER_ORDER_ID_SIZE]) {
    struct wire_bytes copy = {0};
    struct wire_carried carried;
    wire_bytes_add(&copy, bytes, length);
    bool whole = wire_message_length(&copy) == length;
    bool cancels = whole && wire_carried_by(&copy, length, &carried) && carried.on == ON_CANCEL;
    if (cancels)
        snprintf(order_id, BROKER_ORDER_ID_SIZE, "%s", carried.ref);
    wire_bytes_free(&copy);
    return cancels;
}
