/* The relay between libcurl and libmicrohttpd, and the virtual time they run in. */
#include "sim/wire.h"

#include "sim/check.h"
#include "sim/shortage.h"
#include "sim/wire_http.h"
#include "sim/wire_json.h"
#include "sim/wire_link.h"
#include "sim/wire_wrong.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 16 * 1024 * 1024,
    REQUEST_MAX = 256 * 1024, /* bytes of a client's that are kept until they are handled */
    SERVER_TURNS = 100000,    /* daemon turns for one answer; more is a hang */
    OUTSIDE_TURNS = 1000,     /* the same for clients that may send anything */
    IDLE_TURNS = 3,           /* turns libcurl gets with nothing to move before time may pass */
    MS_NS = 1000000,
    STATUS_CONTINUE = 100
};

struct bytes {
    char *v;
    size_t n, cap;
};

/* What a request carries, as the port is shown it: call.ref and call.request point into it. */
struct carried {
    struct port_call call;
    enum site_object on; /* ON_NONE: no broker call; the port is neither asked nor told */
    struct broker_request request;
    char ref[BROKER_CLIENT_ID_SIZE];
};

/* Where the one request of a connection stands. */
enum stage {
    LISTENING, /* for a request */
    ANSWERING, /* `out` is being written to the client, up to out_end */
    WITHHELD,  /* no answer will come */
    IN_FLIGHT, /* `flight` is on its way by itself; wire_deliver may bring an answer */
    HANGING,   /* a question in `flight` is held up on its way until flight_due_ns */
    ARRIVED    /* it did: `out` is about to travel */
};

/* A connection of the client's and its counterpart at the server. */
struct connection {
    bool open;
    int client; /* the link to libcurl */
    int server; /* the link to the server; -1: not connected yet */
    enum stage stage;
    struct bytes in;  /* what the client sent and we have not handled */
    struct bytes out; /* the answer */
    size_t out_at;    /* how much of it is written */
    size_t out_end;   /* where it is cut; out.n: not at all */
    enum act out_act; /* how it is cut */
    size_t out_stop;  /* where it pauses next, for pause_ns; SIZE_MAX: nowhere */
    int64_t pause_ns;
    bool drips;       /* and at every byte after that */
    int64_t go_on_ns; /* not a byte of it moves before */
    bool answered;    /* the exchange has acted, and `out` is its answer */
    bool found;       /* that answer, whatever became of it, was a 200 */
    bool is_last;     /* after it the server has hung up */
    bool is_told;     /* the client was told to go on with its request's body */
    int64_t copy_ns;  /* a proxy delivers the request a second time so much later; -1: none does */
    size_t served;    /* bytes of `flight` that the server has */
    struct bytes flight; /* the request, while IN_FLIGHT or HANGING */
    int64_t flight_due_ns;
    struct carried carried;
};

struct wire {
    struct MHD_Daemon *daemon;
    struct wire_http http;
    const struct wire_exchange *exchange;
    struct port *port; /* NULL: no life */
    bool outside;      /* the client is no part of this process */
    struct connection connections[WIRE_CONNECTIONS];
    size_t used;               /* of them, ever */
    unsigned posts;            /* order POSTs seen in this call */
    bool asked;                /* `answer` was asked for at begin and is not used up yet */
    struct port_answer answer; /* to broker.x */
    unsigned idle_turns;
};

/* ---- bytes and links ---- */

static void append(struct bytes *to, const void *from, size_t n) {
    assert(to->n + n <= MESSAGE_MAX);
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

static void drop_front(struct bytes *of, size_t n) {
    memmove(of->v, of->v + n, of->n - n);
    of->n -= n;
    of->v[of->n] = '\0';
}

static void release(struct bytes *bytes) {
    free(bytes->v);
    *bytes = (struct bytes){0};
}

static void hang_up(int *link) {
    if (*link >= 0)
        wire_link_hang_up(*link, false);
    *link = -1;
}

/* Reads what is there. Returns false at the end of the stream. */
static bool receive(int link, struct bytes *to, bool *moved) {
    const char *bytes = NULL;
    size_t n = 0;
    bool open = wire_link_take(link, &bytes, &n);
    append(to, bytes, n);
    *moved = *moved || n > 0 || !open;
    return open;
}

/* ---- HTTP messages, as far as a relay must understand them ---- */

/* The value of a header of the message whose head ends at `end`, or NULL. */
static const char *header(const char *message, const char *end, const char *name) {
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
        if (size > MESSAGE_MAX || n - at < size + 2)
            return 0;
        at += size + 2;
        if (size == 0)
            return at;
    }
}

/* Length of the message at the front, or 0 while it is not whole. */
static size_t message_length(const struct bytes *message) {
    if (message->n == 0)
        return 0;
    const char *end = strstr(message->v, "\r\n\r\n");
    if (end == NULL)
        return 0;
    const char *length = header(message->v, end, "Content-Length:");
    const char *coding = header(message->v, end, "Transfer-Encoding:");
    size_t head = (size_t)(end - message->v) + 4;
    size_t body = length != NULL ? strtoul(length, NULL, 10) : 0;
    if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0) {
        body = chunked_length(message->v + head, message->n - head);
        return body > 0 ? head + body : 0;
    }
    return message->n - head >= body ? head + body : 0;
}

static int status_of(const struct bytes *reply) {
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

/* False: the request is nothing of the broker's. */
static bool classify(const char *line, const char *body, size_t body_length, struct carried *out) {
    *out = (struct carried){.on = ON_NONE};
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

static bool classify_bytes(const struct bytes *message, size_t length, struct carried *out) {
    const char *end = strstr(message->v, "\r\n\r\n");
    size_t head = (size_t)(end - message->v) + 4;
    return classify(message->v, message->v + head, length - head, out);
}

bool wire_flight_order(const void *bytes, size_t length, struct broker_request *request) {
    struct bytes copy = {0};
    struct carried carried;
    append(&copy, bytes, length);
    bool whole = message_length(&copy) == length;
    bool ordered = whole && classify_bytes(&copy, length, &carried) && carried.call.request != NULL;
    if (ordered)
        *request = carried.request;
    release(&copy);
    return ordered;
}

bool wire_flight_cancel(const void *bytes, size_t length, char order_id[BROKER_ORDER_ID_SIZE]) {
    struct bytes copy = {0};
    struct carried carried;
    append(&copy, bytes, length);
    bool whole = message_length(&copy) == length;
    bool cancels = whole && classify_bytes(&copy, length, &carried) && carried.on == ON_CANCEL;
    if (cancels)
        snprintf(order_id, BROKER_ORDER_ID_SIZE, "%s", carried.ref);
    release(&copy);
    return cancels;
}

/* ---- the port ---- */

static bool is_dead(const struct wire *w) {
    return w->port->dead;
}

/* call->ref is NULL when the request carries no broker call. */
static struct port_answer ask(struct wire *w, const struct port_call *call) {
    if (call->ref == NULL)
        return (struct port_answer){.act = ACT_NONE};
    return w->port->before(w->port->ctx, call);
}

static void tell(struct wire *w, const struct port_call *call) {
    if (call->ref != NULL)
        w->port->after(w->port->ctx, call);
}

static struct port_call wire_call(const struct carried *carried, enum site_op op, size_t length) {
    struct port_call call = carried->call;
    call.site = (struct site){op, carried->on};
    call.length = (int64_t)length;
    return call;
}

/* What the client was given of the exchange's answer; nothing, when it has not acted. */
static void tell_replied(struct wire *w, const struct connection *c, bool delivered) {
    if (c->carried.on == ON_NONE)
        return;
    struct port_reply reply = {
        .call = &c->carried.call, .delivered = delivered && c->answered, .found = c->found};
    w->port->replied(w->port->ctx, &reply);
}

/* What the server answered is the exchange's answer. */
static void note_answer(struct connection *c) {
    c->answered = true;
    c->found = status_of(&c->out) == 200;
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

static void disconnect(struct connection *c) {
    if (!c->open)
        return;
    hang_up(&c->client);
    hang_up(&c->server);
    c->in.n = c->out.n = c->flight.n = 0;
    c->stage = LISTENING;
    c->open = false;
}

static void break_off(struct connection *c, enum act how) {
    if (how == ACT_RESET) {
        wire_link_hang_up(c->client, true);
        c->client = -1;
    }
    disconnect(c);
}

static bool connect_to_server(struct wire *w, int *link) {
    static const struct sockaddr nobody = {.sa_family = AF_INET};
    if (*link >= 0)
        return true;
    *link = wire_link_open(false);
    return *link >= 0 && MHD_add_connection(w->daemon, *link, &nobody, sizeof nobody) == MHD_YES;
}

/* "100 Continue" is no answer: the server says it before it has one. */
static void drop_interim(struct bytes *reply) {
    size_t n = message_length(reply);
    if (n > 0 && status_of(reply) == STATUS_CONTINUE)
        drop_front(reply, n);
}

/* An answer after which the server hangs up, though it may wait for the client to do so first. */
static bool says_last(const struct bytes *reply) {
    const char *end = message_length(reply) > 0 ? strstr(reply->v, "\r\n\r\n") : NULL;
    const char *word = end != NULL ? header(reply->v, end, "Connection:") : NULL;
    return word != NULL && strncasecmp(word, "close", 5) == 0;
}

/* Lets the server read n bytes and, when they are a whole request, act on it and answer. False: it
 * was whole, and the server has hung up instead (struct wire_exchange: admit). */
static bool serve(struct wire *w, const struct wire_exchange *exchange, int *link,
                  const char *bytes, size_t n, bool whole, struct bytes *reply) {
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
        if (message_length(reply) > 0 || (!whole && at == n && turn > 2))
            break;
    }
    w->http.exchange = NULL;
    assert(!whole || message_length(reply) > 0 || w->outside);
    if (!open || says_last(reply))
        hang_up(link);
    return !whole || message_length(reply) > 0;
}

/* ---- one request on its way, and its answer ---- */

static void finish_answer(struct wire *w, struct connection *c) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REPLY, c->out.n);
    tell_replied(w, c, c->out_end == c->out.n);
    c->stage = LISTENING;
    if (c->out_act != ACT_NONE)
        break_off(c, c->out_act);
    else if (c->is_last)
        disconnect(c);
    tell(w, &call);
}

static void pause_answer(struct wire *w, struct connection *c) {
    c->go_on_ns = w->port->now(w->port->ctx) + c->pause_ns;
    c->out_stop = c->drips ? c->out_stop + 1 : SIZE_MAX;
}

static bool write_answer(struct wire *w, struct connection *c) {
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
static void set_pace(struct connection *c, struct port_answer answer) {
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

static void start_answer(struct wire *w, struct connection *c) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REPLY, c->out.n);
    struct port_answer answer = ask(w, &call);
    if (is_dead(w))
        return;
    c->out_at = 0;
    c->out_end = cut_at(answer, c->out.n);
    c->out_act = cuts(answer) ? answer.act : ACT_NONE;
    set_pace(c, answer);
    c->stage = ANSWERING;
    write_answer(w, c);
}

/* Keeps the request for later: in the world when it is one that changes the broker's books. */
static void take_off(struct wire *w, struct connection *c, size_t length, size_t served,
                     int64_t delay_ns) {
    c->flight_due_ns = w->port->now(w->port->ctx) + delay_ns;
    c->flight.n = 0;
    c->served = served;
    append(&c->flight, c->in.v, length);
    c->stage = c->carried.on == ON_SUBMIT || c->carried.on == ON_CANCEL ? IN_FLIGHT : HANGING;
    if (c->stage == IN_FLIGHT)
        w->exchange->flight(w->exchange->ctx, c->flight_due_ns, false, c->flight.v, c->flight.n);
}

/* The exchange has acted on the whole request. */
static void exchange_acted(struct wire *w, struct connection *c, size_t length) {
    note_answer(c);
    if (c->copy_ns >= 0)
        w->exchange->flight(w->exchange->ctx, w->port->now(w->port->ctx) + c->copy_ns, true,
                            c->in.v, length);
    tell(w, &c->carried.call);
}

/* The whole request reaches the server, or what a cut or a stall leaves of it. False: that is all
 * for now. */
static bool request_travels(struct wire *w, struct connection *c, size_t length) {
    struct port_call call = wire_call(&c->carried, SITE_WIRE_REQUEST, length);
    struct port_answer answer = ask(w, &call);
    if (is_dead(w))
        return false;
    bool hangs = answer.act == ACT_HANG;
    size_t n =
        hangs && answer.arg[0] < (int64_t)length ? (size_t)answer.arg[0] : cut_at(answer, length);
    if (!serve(w, w->exchange, &c->server, c->in.v, n, n == length, &c->out)) {
        tell_replied(w, c, false);
        disconnect(c);
        return false;
    }
    c->is_last = n == length && c->server < 0;
    if (n == length)
        exchange_acted(w, c, length);
    if (is_dead(w))
        return false;
    if (hangs && n == length)
        c->go_on_ns = w->port->now(w->port->ctx) + answer.arg[1];
    else if (hangs)
        take_off(w, c, length, n, answer.arg[1]);
    tell(w, &call);
    if (is_dead(w) || !cuts(answer))
        return !is_dead(w) && c->stage == LISTENING;
    tell_replied(w, c, false);
    break_off(c, answer.act);
    return false;
}

/* `message` (taken over) goes to the client instead of what the exchange answered. */
static void replace_answer(struct connection *c, char *message, size_t length) {
    c->out.n = 0;
    append(&c->out, message, length);
    free(message);
    c->answered = false;
}

/* Something on the way answers, not the exchange. */
static void make_error(struct connection *c, const struct port_answer *answer) {
    size_t length = 0;
    char *message =
        wire_error_message((int)answer->arg[0], (enum error_body)answer->arg[1], &length);
    replace_answer(c, message, length);
}

static void make_wrong(struct connection *c, enum wrong wrong) {
    const char *head = strstr(c->out.v, "\r\n\r\n");
    bool list = c->carried.on != ON_SUBMIT && c->carried.on != ON_LOOKUP;
    bool answered = wrong == WRONG_UNKNOWN_STATUS; /* that is an answer still */
    size_t length = 0;
    CHECK(head != NULL);
    char *message = wire_wrong_message(wrong, status_of(&c->out), head + 4, list, &length);
    if (message != NULL)
        replace_answer(c, message, length);
    c->answered = answered;
}

/* The answer to broker.x: asked when the call began, or now for what libcurl sends by itself. */
static struct port_answer broker_answer(struct wire *w, const struct connection *c) {
    struct port_answer answer = w->asked ? w->answer : ask(w, &c->carried.call);
    w->asked = false;
    return answer;
}

static void handle_request(struct wire *w, struct connection *c, size_t length) {
    classify_bytes(&c->in, length, &c->carried);
    c->answered = c->found = c->is_last = c->is_told = false;
    c->go_on_ns = 0;
    struct port_answer answer = broker_answer(w, c);
    if (is_dead(w))
        return;
    if (c->carried.call.request != NULL)
        w->port->posted(w->port->ctx, c->carried.call.request, ++w->posts);
    if (is_dead(w))
        return;
    c->copy_ns = answer.act == ACT_TWICE ? answer.arg[0] : -1;
    switch (answer.act) {
    case ACT_REFUSED: /* too late for that: the connection stands */
    case ACT_LOST:
        tell_replied(w, c, false);
        disconnect(c);
        return;
    case ACT_DROPPED:
        w->exchange->dropped(w->exchange->ctx, c->carried.call.request);
        tell(w, &c->carried.call);
        tell_replied(w, c, false);
        c->stage = WITHHELD;
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
            tell_replied(w, c, false);
            disconnect(c);
        }
        return;
    case ACT_NO_REPLY:
        if (request_travels(w, c, length)) {
            tell_replied(w, c, false);
            c->stage = WITHHELD;
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

/* A request that was held up reaches the server, from its first byte or behind those it has. */
static void arrive(struct wire *w, struct connection *c, const struct wire_exchange *exchange) {
    if (!serve(w, exchange, &c->server, c->flight.v + c->served, c->flight.n - c->served, true,
               &c->out)) {
        tell_replied(w, c, false);
        disconnect(c);
        return;
    }
    c->is_last = c->server < 0;
    note_answer(c);
    c->stage = ARRIVED;
}

/* A client that asks first whether it may send the body. The relay says so, not the server, which
 * has nothing of the request yet. */
static void tell_to_go_on(struct connection *c) {
    static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *end = c->in.n > 0 ? strstr(c->in.v, "\r\n\r\n") : NULL;
    if (c->is_told || end == NULL || header(c->in.v, end, "Expect:") == NULL)
        return;
    c->is_told = true;
    wire_link_put(c->client, words, sizeof words - 1);
}

/* Moves what can move on one connection. */
static bool pump_connection(struct wire *w, struct connection *c) {
    bool moved = false;
    if (c->stage == HANGING && c->flight_due_ns <= w->port->now(w->port->ctx))
        arrive(w, c, w->exchange);
    if (c->stage == ARRIVED) {
        start_answer(w, c);
        return true;
    }
    if (c->stage == ANSWERING)
        return write_answer(w, c);
    if (c->in.n > REQUEST_MAX) {
        disconnect(c);
        return true;
    }
    if (!receive(c->client, &c->in, &moved)) {
        disconnect(c);
        return true;
    }
    size_t length = c->stage == LISTENING ? message_length(&c->in) : 0;
    if (length == 0 && c->stage == LISTENING && moved)
        tell_to_go_on(c);
    if (length == 0)
        return moved;
    handle_request(w, c, length);
    if (c->open)
        drop_front(&c->in, length);
    return true;
}

static bool pump(struct wire *w) {
    bool moved = false;
    for (size_t i = 0; i < w->used && !is_dead(w); i++)
        if (w->connections[i].open)
            moved = pump_connection(w, &w->connections[i]) || moved;
    return moved;
}

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
    struct carried carried;
    struct port_reply nothing = {.call = &carried.call};
    if (!port_alive(w->port))
        return false;
    wire_new_call(w);
    snprintf(line, sizeof line, "%s %s", method_name(request->method), request->path);
    if (!classify(line, request->body, request->body != NULL ? strlen(request->body) : 0, &carried))
        return true;
    w->answer = ask(w, &carried.call);
    w->asked = true;
    if (is_dead(w) || w->answer.act != ACT_REFUSED)
        return !is_dead(w);
    for (size_t i = 0; i < w->used; i++) /* whoever refuses has dropped the old ones too */
        disconnect(&w->connections[i]);
    w->port->replied(w->port->ctx, &nothing);
    return !is_dead(w);
}

static struct connection *free_slot(struct wire *w) {
    for (size_t i = 0; i < w->used; i++)
        if (!w->connections[i].open)
            return &w->connections[i];
    return w->used < WIRE_CONNECTIONS ? &w->connections[w->used++] : NULL;
}

int wire_client_open(struct wire *w) {
    struct connection *c = free_slot(w);
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
static void give_up(struct wire *w, struct connection *c) {
    if (!is_dead(w) && (c->stage == IN_FLIGHT || c->stage == HANGING || c->stage == ARRIVED ||
                        c->stage == ANSWERING))
        tell_replied(w, c, false);
    disconnect(c);
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
static int64_t moves_again_ns(const struct connection *c) {
    if (c->open && (c->stage == IN_FLIGHT || c->stage == HANGING))
        return c->flight_due_ns;
    return c->open && c->stage == ANSWERING ? c->go_on_ns : INT64_MAX;
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
    return pump(w);
}

int64_t wire_client_next_ns(const struct wire *w, int64_t now_ns) {
    return next_move_ns(w, now_ns, INT64_MAX);
}

/* Moves bytes; only when libcurl has had its turns and nothing moves does time pass. */
static bool io_wait(void *ctx, CURLM *multi, int64_t until_ns) {
    struct wire *w = ctx;
    if (!port_alive(w->port))
        return false;
    if (pump(w)) {
        w->idle_turns = 0;
        return !is_dead(w);
    }
    if (++w->idle_turns < IDLE_TURNS)
        return true;
    w->idle_turns = 0;
    long ms = -1;
    curl_multi_timeout(multi, &ms);
    int64_t now_ns = io_now_ns(w), wish_ns = now_ns + (ms > 0 ? ms : 1) * MS_NS;
    int64_t wait_ns = ms < 0 || wish_ns > until_ns ? until_ns : wish_ns;
    w->port->wait(w->port->ctx, next_move_ns(w, now_ns, wait_ns));
    return !is_dead(w);
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
static struct connection *waiting_for(struct wire *w, int64_t due_ns, const void *bytes, size_t n) {
    for (size_t i = 0; w->port != NULL && !is_dead(w) && i < w->used; i++) {
        struct connection *c = &w->connections[i];
        if (c->open && c->stage == IN_FLIGHT && c->flight_due_ns == due_ns && c->flight.n == n &&
            memcmp(c->flight.v, bytes, n) == 0)
            return c;
    }
    return NULL;
}

void wire_deliver(struct wire *w, const struct wire_exchange *exchange, int64_t due_ns,
                  const void *bytes, size_t length) {
    struct bytes reply = {0};
    int link = -1;
    struct connection *c = waiting_for(w, due_ns, bytes, length);
    if (c != NULL) {
        arrive(w, c, exchange);
        return;
    }
    serve(w, exchange, &link, bytes, length, true, &reply);
    hang_up(&link);
    release(&reply);
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
        disconnect(&w->connections[i]);
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
        release(&w->connections[i].in);
        release(&w->connections[i].out);
        release(&w->connections[i].flight);
    }
    wire_link_forget();
    free(w);
}
