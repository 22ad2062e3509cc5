/* The wire: libcurl at one end, libmicrohttpd at the other, and the virtual time they run in. */
#include "sim/wire_parts.h"

#include "sim/shortage.h"
#include "sim/wire_link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_TURNS = 3, /* turns libcurl gets with nothing to move before time may pass */
    MS_NS = 1000000
};

/* ---- the client's side ---- */

void wire_new_call(struct wire *w) {
    w->posts = 0;
    w->asked = false;
    w->idle_turns = 0;
}

static const char *method_name(enum transport_method method) {
    switch (method) {
    case TRANSPORT_GET:
        return "GET";
    case TRANSPORT_POST:
        return "POST";
    case TRANSPORT_DELETE:
        return "DELETE";
    }
    return "";
}

static bool io_begin(void *ctx, const struct transport_request *request) {
    struct wire *w = ctx;
    char line[TRANSPORT_PATH_SIZE + 16];
    struct wire_carried carried;
    struct port_reply nothing = {.call = &carried.call};
    if (!port_alive(w->port))
        return false;
    wire_new_call(w);
    snprintf(line, sizeof line, "%s %s", method_name(request->method), request->path);
    if (!wire_carried_by_line(line, request->body,
                              request->body != NULL ? strlen(request->body) : 0, &carried))
        return true;
    w->answer = wire_ask(w, &carried.call);
    w->asked = true;
    if (wire_is_dead(w) || w->answer.act != ACT_REFUSED)
        return !wire_is_dead(w);
    for (size_t i = 0; i < w->used; i++) /* whoever refuses has dropped the old ones too */
        wire_disconnect(&w->connections[i]);
    w->port->replied(w->port->ctx, &nothing);
    return !wire_is_dead(w);
}

static struct wire_connection *free_slot(struct wire *w) {
    for (size_t i = 0; i < w->used; i++)
        if (!w->connections[i].open)
            return &w->connections[i];
    return w->used < WIRE_CONNECTIONS ? &w->connections[w->used++] : NULL;
}

int wire_client_open(struct wire *w) {
    struct wire_connection *c = free_slot(w);
    if (!port_alive(w->port) || c == NULL)
        return -1;
    c->client = wire_link_open(w->asked && w->answer.act == ACT_REFUSED);
    if (c->client < 0)
        return -1;
    c->open = true;
    c->is_told = false;
    c->server = -1;
    return c->client;
}

static curl_socket_t io_opensocket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose, (void)address;
    int link = wire_client_open(ctx);
    return link < 0 ? CURL_SOCKET_BAD : link;
}

/* The client hangs up, perhaps on an answer that is still on its way. */
static void give_up(struct wire *w, struct wire_connection *c) {
    if (!wire_is_dead(w) && (c->stage == WIRE_IN_FLIGHT || c->stage == WIRE_HANGING ||
                             c->stage == WIRE_ARRIVED || c->stage == WIRE_ANSWERING))
        wire_tell_replied(w, c, false);
    wire_disconnect(c);
}

void wire_client_close(struct wire *w, int link) {
    for (size_t i = 0; i < w->used; i++)
        if (w->connections[i].open && w->connections[i].client == link)
            give_up(w, &w->connections[i]);
    close(link);
}

static int io_closesocket(void *ctx, curl_socket_t fd) {
    wire_client_close(ctx, fd);
    return 0;
}

static int64_t io_now_ns(void *ctx) {
    struct wire *w = ctx;
    return w->port->now(w->port->ctx);
}

/* When something may come to the client by itself; INT64_MAX: it will not. */
static int64_t moves_again_ns(const struct wire_connection *c) {
    if (c->open && (c->stage == WIRE_IN_FLIGHT || c->stage == WIRE_HANGING))
        return c->flight_due_ns;
    return c->open && c->stage == WIRE_ANSWERING ? c->go_on_ns : INT64_MAX;
}

/* No later than then the client listens again. */
static int64_t next_move_ns(const struct wire *w, int64_t now_ns, int64_t until_ns) {
    for (size_t i = 0; i < w->used; i++) {
        int64_t at_ns = moves_again_ns(&w->connections[i]);
        if (at_ns > now_ns && at_ns < until_ns)
            until_ns = at_ns;
    }
    return until_ns;
}

bool wire_client_move(struct wire *w) {
    return wire_pump(w);
}

int64_t wire_client_next_ns(const struct wire *w, int64_t now_ns) {
    return next_move_ns(w, now_ns, INT64_MAX);
}

/* Moves bytes; only when libcurl has had its turns and nothing moves does time pass. */
static bool io_wait(void *ctx, CURLM *multi, int64_t until_ns) {
    struct wire *w = ctx;
    if (!port_alive(w->port))
        return false;
    if (wire_pump(w)) {
        w->idle_turns = 0;
        return !wire_is_dead(w);
    }
    if (++w->idle_turns < IDLE_TURNS)
        return true;
    w->idle_turns = 0;
    long ms = -1;
    curl_multi_timeout(multi, &ms);
    int64_t now_ns = io_now_ns(w), wish_ns = now_ns + (ms > 0 ? ms : 1) * MS_NS;
    int64_t wait_ns = ms < 0 || wish_ns > until_ns ? until_ns : wish_ns;
    w->port->wait(w->port->ctx, next_move_ns(w, now_ns, wait_ns));
    return !wire_is_dead(w);
}

void wire_io(struct wire *w, struct transport_io *io) {
    *io = (struct transport_io){.ctx = w,
                                .begin = io_begin,
                                .opensocket = io_opensocket,
                                .closesocket = io_closesocket,
                                .wait = io_wait,
                                .now_ns = io_now_ns};
}

/* ---- flights, lives ---- */

/* The connection of this life that waits for what these bytes ask for. */
static struct wire_connection *waiting_for(struct wire *w, int64_t due_ns, const void *bytes,
                                           size_t n) {
    for (size_t i = 0; w->port != NULL && !wire_is_dead(w) && i < w->used; i++) {
        struct wire_connection *c = &w->connections[i];
        if (c->open && c->stage == WIRE_IN_FLIGHT && c->flight_due_ns == due_ns &&
            c->flight.n == n && memcmp(c->flight.v, bytes, n) == 0)
            return c;
    }
    return NULL;
}

void wire_deliver(struct wire *w, const struct wire_exchange *exchange, int64_t due_ns,
                  const void *bytes, size_t length) {
    struct wire_bytes reply = {0};
    int link = -1;
    struct wire_connection *c = waiting_for(w, due_ns, bytes, length);
    if (c != NULL) {
        wire_arrive(w, c, exchange);
        return;
    }
    wire_serve(w, exchange, &link, bytes, length, true, &reply);
    wire_hang_up(&link);
    wire_bytes_free(&reply);
}

uint64_t wire_served(const struct wire *w) {
    return w->http.served;
}

struct wire *wire_open(void) {
    struct wire *w = calloc(1, sizeof *w);
    shortage_install();
    if (w == NULL)
        return NULL;
    w->daemon = wire_http_start(&w->http, MHD_USE_SUPPRESS_DATE_NO_CLOCK);
    if (w->daemon == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

static void begin(struct wire *w, struct port *port, const struct wire_exchange *exchange,
                  bool outside) {
    assert(w->port == NULL);
    w->port = port;
    w->exchange = exchange;
    w->outside = outside;
    wire_new_call(w);
}

void wire_begin(struct wire *w, struct port *port, const struct wire_exchange *exchange) {
    begin(w, port, exchange, false);
    wire_link_clock(port);
}

void wire_begin_outside(struct wire *w, struct port *port, const struct wire_exchange *exchange) {
    begin(w, port, exchange, true);
}

/* Lets the server notice which connections are gone. */
static void sweep_server(struct wire *w) {
    for (unsigned turn = 0; turn < 3; turn++)
        MHD_run(w->daemon);
}

void wire_end(struct wire *w) {
    if (w->port == NULL)
        return;
    for (size_t i = 0; i < w->used; i++)
        wire_disconnect(&w->connections[i]);
    sweep_server(w);
    if (!w->outside)
        wire_link_clock(NULL);
    w->port = NULL;
}

void wire_close(struct wire *w) {
    if (w == NULL)
        return;
    wire_end(w);
    MHD_stop_daemon(w->daemon);
    for (size_t i = 0; i < w->used; i++) {
        wire_bytes_free(&w->connections[i].in);
        wire_bytes_free(&w->connections[i].out);
        wire_bytes_free(&w->connections[i].flight);
    }
    wire_link_forget();
    free(w);
}
