/* The relay between a client and the server: requests and answers on their way, and what goes
 * wrong there. */
#include "sim/wire_parts.h"

#include "sim/check.h"
#include "sim/wire_link.h"
#include "sim/wire_wrong.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    REQUEST_MAX = 256 * 1024, /* bytes of a client's that are kept until they are handled */
    SERVER_TURNS = 100000,    /* daemon turns for one answer; more is a hang */
    OUTSIDE_TURNS = 1000,     /* the same for clients that may send anything */
    STATUS_CONTINUE = 100
};

/* ---- links ---- */

void wire_hang_up(int *link) {
    if (*link >= 0)
        wire_link_hang_up(*link, false);
    *link = -1;
}

/* Reads what is there. Returns false at the end of the stream. */
static bool receive(int link, struct wire_bytes *to, bool *moved) {
    const char *bytes = NULL;
    size_t n = 0;
    bool open = wire_link_take(link, &bytes, &n);
    wire_bytes_add(to, bytes, n);
    *moved = *moved || n > 0 || !open;
    return open;
}

/* ---- the port ---- */

bool wire_is_dead(const struct wire *w) {
    return w->port->dead;
}

struct port_answer wire_ask(struct wire *w, const struct port_call *call) {
    if (call->ref == NULL)
        return (struct port_answer){.act = ACT_NONE};
    return w->port->before(w->port->ctx, call);
}

static void tell(struct wire *w, const struct port_call *call) {
    if (call->ref != NULL)
        w->port->after(w->port->ctx, call);
}

static struct port_call wire_call(const struct wire_carried *carried, enum site_op op,
                                  size_t length) {
    struct port_call call = carried->call;
    call.site = (struct site){op, carried->on};
    call.length = (int64_t)length;
    return call;
}

void wire_tell_replied(struct wire *w, const struct wire_connection *c, bool delivered) {
    if (c->carried.on == ON_NONE)
        return;
    struct port_reply reply = {
        .call = &c->carried.call, .delivered = delivered && c->answered, .found = c->found};
    w->port->replied(w->port->ctx, &reply);
}

/* What the server answered is the exchange's answer. */
static void note_answer(struct wire_connection *c) {
    c->answered = true;
    c->found = wire_message_status(&c->out) == 200;
}

static bool cuts(struct port_answer answer) {
    return answer.act == ACT_CLOSE || answer.act == ACT_RESET;
}

static size_t cut_at(struct port_answer answer, size_t length) {
    if (!cuts(answer) || answer.arg[0] >= (int64_t)length)
        return length;
    return answer.arg[0] < 0 ? 0 : (size_t)answer.arg[0];
}

/* ---- connections ---- */

void wire_disconnect(struct wire_connection *c) {
    if (!c->open)
        return;
    wire_hang_up(&c->client);
    wire_hang_up(&c->server);
    c->in.n = c->out.n = c->flight.n = 0;
    c->stage = WIRE_LISTENING;
    c->open = false;
}

static void break_off(struct wire_connection *c, enum act how) {
    if (how == ACT_RESET) {
        wire_link_hang_up(c->client, true);
        c->client = -1;
    }
    wire_disconnect(c);
}

static bool connect_to_server(struct wire *w, int *link) {
    static const struct sockaddr nobody = {.sa_family = AF_INET};
    if (*link >= 0)
        return true;
    *link = wire_link_open(false);
    return *link >= 0 && MHD_add_connection(w->daemon, *link, &nobody, sizeof nobody) == MHD_YES;
}

/* "100 Continue" is no answer: the server says it before it has one. */
static void drop_interim(struct wire_bytes *reply) {
    size_t n = wire_message_length(reply);
    if (n > 0 && wire_message_status(reply) == STATUS_CONTINUE)
        wire_bytes_drop(reply, n);
}

/* An answer after which the server hangs up, though it may wait for the client to do so first. */
static bool says_last(const struct wire_bytes *reply) {
    const char *end = wire_message_length(reply) > 0 ? strstr(reply->v, "\r\n\r\n") : NULL;
    const char *word = end != NULL ? wire_message_header(reply->v, end, "Connection:") : NULL;
    return word != NULL && strncasecmp(word, "close", 5) == 0;
}

bool wire_serve(struct wire *w, const struct wire_exchange *exchange, int *link, const char *bytes,
                size_t n, bool whole, struct wire_bytes *reply) {
    bool open = connect_to_server(w, link), moved = false;
    size_t at = 0;
    reply->n = 0;
    w->http.exchange = exchange;
    unsigned turns = w->outside ? OUTSIDE_TURNS : SERVER_TURNS;
    for (unsigned turn = 0; open && turn < turns; turn++) {
        if (at < n)
            at += wire_link_put(*link, bytes + at, n - at);
        MHD_run(w->daemon);
        open = receive(*link, reply, &moved);
        drop_interim(reply);
        if (wire_message_length(reply) > 0 || (!whole && at == n && turn > 2))
            break;
    }
    w->http.exchange = NULL;
    assert(!whole || wire_message_length(reply) > 0 || w->outside);
    if (!open || says_last(reply))
        wire_hang_up(link);
    return !whole || wire_message_length(reply) > 0;
}

/* ---- one request on its way, and its answer ---- */

static void finish_answer(struct wire *w, struct wire_connection *c) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REPLY, c->out.n);
    wire_tell_replied(w, c, c->out_end == c->out.n);
    c->stage = WIRE_LISTENING;
    if (c->out_act != ACT_NONE)
        break_off(c, c->out_act);
    else if (c->is_last)
        wire_disconnect(c);
    tell(w, &call);
}

static void pause_answer(struct wire *w, struct wire_connection *c) {
    c->go_on_ns = w->port->now(w->port->ctx) + c->pause_ns;
    c->out_stop = c->drips ? c->out_stop + 1 : SIZE_MAX;
}

static bool write_answer(struct wire *w, struct wire_connection *c) {
    size_t before = c->out_at;
    while (c->out_at < c->out_end) {
        if (c->go_on_ns > w->port->now(w->port->ctx))
            return c->out_at > before;
        if (c->out_at == c->out_stop) {
            pause_answer(w, c);
            continue;
        }
        size_t end = c->out_stop < c->out_end ? c->out_stop : c->out_end;
        size_t n = wire_link_put(c->client, c->out.v + c->out_at, end - c->out_at);
        if (n == 0)
            return c->out_at > before;
        c->out_at += n;
    }
    finish_answer(w, c);
    return true;
}

/* How fast the answer moves. */
static void set_pace(struct wire_connection *c, struct port_answer answer) {
    c->out_stop = SIZE_MAX;
    c->drips = answer.act == ACT_DRIP;
    if (c->drips) {
        c->out_stop = 1;
        c->pause_ns = answer.arg[0];
    } else if (answer.act == ACT_HANG) {
        c->out_stop = (size_t)answer.arg[0];
        c->pause_ns = answer.arg[1];
    }
}

static void start_answer(struct wire *w, struct wire_connection *c) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REPLY, c->out.n);
    struct port_answer answer = wire_ask(w, &call);
    if (wire_is_dead(w))
        return;
    c->out_at = 0;
    c->out_end = cut_at(answer, c->out.n);
    c->out_act = cuts(answer) ? answer.act : ACT_NONE;
    set_pace(c, answer);
    c->stage = WIRE_ANSWERING;
    write_answer(w, c);
}

/* Keeps the request for later: in the world when it is one that changes the broker's books. */
static void take_off(struct wire *w, struct wire_connection *c, size_t length, size_t served,
                     int64_t delay_ns) {
    c->flight_due_ns = w->port->now(w->port->ctx) + delay_ns;
    c->flight.n = 0;
    c->served = served;
    wire_bytes_add(&c->flight, c->in.v, length);
    c->stage =
        c->carried.on == ON_SUBMIT || c->carried.on == ON_CANCEL ? WIRE_IN_FLIGHT : WIRE_HANGING;
    if (c->stage == WIRE_IN_FLIGHT)
        w->exchange->flight(w->exchange->ctx, c->flight_due_ns, false, c->flight.v, c->flight.n);
}

/* The exchange has acted on the whole request. */
static void exchange_acted(struct wire *w, struct wire_connection *c, size_t length) {
    note_answer(c);
    if (c->copy_ns >= 0)
        w->exchange->flight(w->exchange->ctx, w->port->now(w->port->ctx) + c->copy_ns, true,
                            c->in.v, length);
    tell(w, &c->carried.call);
}

/* The whole request reaches the server, or what a cut or a stall leaves of it. False: that is all
 * for now. */
static bool request_travels(struct wire *w, struct wire_connection *c, size_t length) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REQUEST, length);
    struct port_answer answer = wire_ask(w, &call);
    if (wire_is_dead(w))
        return false;
    bool hangs = answer.act == ACT_HANG;
    size_t n =
        hangs && answer.arg[0] < (int64_t)length ? (size_t)answer.arg[0] : cut_at(answer, length);
    if (!wire_serve(w, w->exchange, &c->server, c->in.v, n, n == length, &c->out)) {
        wire_tell_replied(w, c, false);
        wire_disconnect(c);
        return false;
    }
    c->is_last = n == length && c->server < 0;
    if (n == length)
        exchange_acted(w, c, length);
    if (wire_is_dead(w))
        return false;
    if (hangs && n == length)
        c->go_on_ns = w->port->now(w->port->ctx) + answer.arg[1];
    else if (hangs)
        take_off(w, c, length, n, answer.arg[1]);
    tell(w, &call);
    if (wire_is_dead(w) || !cuts(answer))
        return !wire_is_dead(w) && c->stage == WIRE_LISTENING;
    wire_tell_replied(w, c, false);
    break_off(c, answer.act);
    return false;
}

/* `message` (taken over) goes to the client instead of what the exchange answered. */
static void replace_answer(struct wire_connection *c, char *message, size_t length) {
    c->out.n = 0;
    wire_bytes_add(&c->out, message, length);
    free(message);
    c->answered = false;
}

/* Something on the way answers, not the exchange. */
static void make_error(struct wire_connection *c, const struct port_answer *answer) {
    size_t length = 0;
    char *message =
        wire_error_message((int)answer->arg[0], (enum error_body)answer->arg[1], &length);
    replace_answer(c, message, length);
}

static void make_wrong(struct wire_connection *c, enum wrong wrong) {
    const char *head = strstr(c->out.v, "\r\n\r\n");
    bool list = c->carried.on != ON_SUBMIT && c->carried.on != ON_LOOKUP;
    bool answered = wrong == WRONG_UNKNOWN_STATUS; /* that is an answer still */
    size_t length = 0;
    CHECK(head != NULL);
    char *message =
        wire_wrong_message(wrong, wire_message_status(&c->out), head + 4, list, &length);
    if (message != NULL)
        replace_answer(c, message, length);
    c->answered = answered;
}

/* The answer to broker.x: asked when the call began, or now for what libcurl sends by itself. */
static struct port_answer broker_answer(struct wire *w, const struct wire_connection *c) {
    struct port_answer answer = w->asked ? w->answer : wire_ask(w, &c->carried.call);
    w->asked = false;
    return answer;
}

static void handle_request(struct wire *w, struct wire_connection *c, size_t length) {
    wire_carried_by(&c->in, length, &c->carried);
    c->answered = c->found = c->is_last = c->is_told = false;
    c->go_on_ns = 0;
    struct port_answer answer = broker_answer(w, c);
    if (wire_is_dead(w))
        return;
    if (c->carried.call.request != NULL)
        w->port->posted(w->port->ctx, c->carried.call.request, ++w->posts);
    if (wire_is_dead(w))
        return;
    c->copy_ns = answer.act == ACT_TWICE ? answer.arg[0] : -1;
    switch (answer.act) {
    case ACT_REFUSED: /* too late for that: the connection stands */
    case ACT_LOST:
        wire_tell_replied(w, c, false);
        wire_disconnect(c);
        return;
    case ACT_DROPPED:
        w->exchange->dropped(w->exchange->ctx, c->carried.call.request);
        tell(w, &c->carried.call);
        wire_tell_replied(w, c, false);
        c->stage = WIRE_WITHHELD;
        return;
    case ACT_LATE:
        take_off(w, c, length, 0, answer.arg[0]);
        return;
    case ACT_ERROR:
        make_error(c, &answer);
        start_answer(w, c);
        return;
    case ACT_ERROR_AFTER:
        if (request_travels(w, c, length)) {
            make_error(c, &answer);
            start_answer(w, c);
        }
        return;
    case ACT_WRONG:
        if (request_travels(w, c, length)) {
            make_wrong(c, (enum wrong)answer.arg[0]);
            start_answer(w, c);
        }
        return;
    case ACT_LOST_REPLY:
        if (request_travels(w, c, length)) {
            wire_tell_replied(w, c, false);
            wire_disconnect(c);
        }
        return;
    case ACT_NO_REPLY:
        if (request_travels(w, c, length)) {
            wire_tell_replied(w, c, false);
            c->stage = WIRE_WITHHELD;
        }
        return;
    case ACT_NONE:
    case ACT_TWICE:
    case ACT_FAIL: /* the rest is for disks and for messages */
    case ACT_SYNC_DROPPED_CLEAN:
    case ACT_SYNC_KEPT_DIRTY:
    case ACT_SYNC_LATE:
    case ACT_SYNC_REVERTED:
    case ACT_SYNC_LIES:
    case ACT_FULL:
    case ACT_SHORT:
    case ACT_STALL:
    case ACT_FLIP:
    case ACT_CUT:
    case ACT_MISSING:
    case ACT_RESTORED:
    case ACT_HANG:
    case ACT_DRIP:
    case ACT_CLOSE:
    case ACT_RESET:
    case ACT_COUNT:
        if (request_travels(w, c, length))
            start_answer(w, c);
        return;
    }
}

void wire_arrive(struct wire *w, struct wire_connection *c, const struct wire_exchange *exchange) {
    if (!wire_serve(w, exchange, &c->server, c->flight.v + c->served, c->flight.n - c->served, true,
                    &c->out)) {
        wire_tell_replied(w, c, false);
        wire_disconnect(c);
        return;
    }
    c->is_last = c->server < 0;
    note_answer(c);
    c->stage = WIRE_ARRIVED;
}

/* A client that asks first whether it may send the body. The relay says so, not the server, which
 * has nothing of the request yet. */
static void tell_to_go_on(struct wire_connection *c) {
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *end = c->in.n > 0 ? strstr(c->in.v, "\r\n\r\n") : NULL;
    if (c->is_told || end == NULL || wire_message_header(c->in.v, end, "Expect:") == NULL)
        return;
    c->is_told = true;
    wire_link_put(c->client, words, sizeof words - 1);
}

/* Moves what can move on one connection. */
static bool pump_connection(struct wire *w, struct wire_connection *c) {
    bool moved = false;
    if (c->stage == WIRE_HANGING && c->flight_due_ns <= w->port->now(w->port->ctx))
        wire_arrive(w, c, w->exchange);
    if (c->stage == WIRE_ARRIVED) {
        start_answer(w, c);
        return true;
    }
    if (c->stage == WIRE_ANSWERING)
        return write_answer(w, c);
    if (c->in.n > REQUEST_MAX) {
        wire_disconnect(c);
        return true;
    }
    if (!receive(c->client, &c->in, &moved)) {
        wire_disconnect(c);
        return true;
    }
    size_t length = c->stage == WIRE_LISTENING ? wire_message_length(&c->in) : 0;
    if (length == 0 && c->stage == WIRE_LISTENING && moved)
        tell_to_go_on(c);
    if (length == 0)
        return moved;
    handle_request(w, c, length);
    if (c->open)
        wire_bytes_drop(&c->in, length);
    return true;
}

bool wire_pump(struct wire *w) {
    bool moved = false;
    for (size_t i = 0; i < w->used && !wire_is_dead(w); i++)
        if (w->connections[i].open)
            moved = pump_connection(w, &w->connections[i]) || moved;
    return moved;
}
