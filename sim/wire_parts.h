/* What the two files of the wire share: its connections, and the relay between their ends. */
#ifndef SIM_WIRE_PARTS_H
#define SIM_WIRE_PARTS_H

#include "sim/wire.h"
#include "sim/wire_http.h"
#include "sim/wire_message.h"

/* Where the one request of a connection stands. */
enum wire_stage {
    WIRE_LISTENING, /* for a request */
    WIRE_ANSWERING, /* `out` is being written to the client, up to out_end */
    WIRE_WITHHELD,  /* no answer will come */
    WIRE_IN_FLIGHT, /* `flight` is on its way by itself; wire_deliver may bring an answer */
    WIRE_HANGING,   /* a question in `flight` is held up on its way until flight_due_ns */
    WIRE_ARRIVED    /* it did: `out` is about to travel */
};

/* A connection of the client's and its counterpart at the server. */
struct wire_connection {
    bool open;
    int client; /* the link to libcurl */
    int server; /* the link to the server; -1: not connected yet */
    enum wire_stage stage;
    struct wire_bytes in;  /* what the client sent and we have not handled */
    struct wire_bytes out; /* the answer */
    size_t out_at;         /* how much of it is written */
    size_t out_end;        /* where it is cut; out.n: not at all */
    enum act out_act;      /* how it is cut */
    size_t out_stop;       /* where it pauses next, for pause_ns; SIZE_MAX: nowhere */
    int64_t pause_ns;
    bool drips;       /* and at every byte after that */
    int64_t go_on_ns; /* not a byte of it moves before */
    bool answered;    /* the exchange has acted, and `out` is its answer */
    bool found;       /* that answer, whatever became of it, was a 200 */
    bool is_last;     /* after it the server has hung up */
    bool is_told;     /* the client was told to go on with its request's body */
    int64_t copy_ns;  /* a proxy delivers the request a second time so much later; -1: none does */
    size_t served;    /* bytes of `flight` that the server has */
    struct wire_bytes flight; /* the request, while WIRE_IN_FLIGHT or WIRE_HANGING */
    int64_t flight_due_ns;
    struct wire_carried carried;
};

struct wire {
    struct MHD_Daemon *daemon;
    struct wire_http http;
    const struct wire_exchange *exchange;
    struct port *port; /* NULL: no life */
    bool outside;      /* the client is no part of this process */
    struct wire_connection connections[WIRE_CONNECTIONS];
    size_t used;               /* of them, ever */
    unsigned posts;            /* order POSTs seen in this call */
    bool asked;                /* `answer` was asked for at begin and is not used up yet */
    struct port_answer answer; /* to broker.x */
    unsigned idle_turns;
};

bool wire_is_dead(const struct wire *w);
/* What the port says to a call; nothing when call->ref is NULL: the request carries no broker call. */
struct port_answer wire_ask(struct wire *w, const struct port_call *call);
/* What the client was given of the exchange's answer; nothing, when it has not acted. */
void wire_tell_replied(struct wire *w, const struct wire_connection *c, bool delivered);

void wire_hang_up(int *link);
void wire_disconnect(struct wire_connection *c);
/* Moves what can move on all connections. False: nothing did. */
bool wire_pump(struct wire *w);
/* A request that was held up reaches the server, from its first byte or behind those it has. */
void wire_arrive(struct wire *w, struct wire_connection *c, const struct wire_exchange *exchange);
/* Lets the server read n bytes and, when they are a whole request, act on it and answer. False: it
 * was whole, and the server has hung up instead (struct wire_exchange: admit). */
bool wire_serve(struct wire *w, const struct wire_exchange *exchange, int *link, const char *bytes,
                size_t n, bool whole, struct wire_bytes *reply);

#endif
