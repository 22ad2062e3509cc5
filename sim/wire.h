/* The simulated wire: the real HTTP client (libcurl) and a real HTTP server (libmicrohttpd) in one
 * thread and in virtual time, with our relay between them instead of a network. Links are streams in
 * memory behind the libraries' own socket calls (sim/wire_link.h).
 *
 *      libcurl <-- link --> relay <-- link --> libmicrohttpd --> struct wire_exchange
 *
 * The relay holds every request until its last byte and every answer until its last byte, asks the
 * port what goes wrong, counts, and passes on, cuts, withholds or delays. Nothing here is part of
 * the world: what survives the client is handed out as bytes (`flight`).
 *
 * One HTTP request, in order (x is the broker call it carries):
 *   before(broker.x)      before libcurl connects; REFUSED means no byte leaves
 *   posted                the last byte of an order's POST has left the client
 *   before(wire.request(x)), bytes reach the server, the exchange acts
 *   after(broker.x)       right after the exchange has acted; not told when a fault kept it from
 *                         that, or held the request up (ACT_LATE, ACT_HANG)
 *   after(wire.request(x)) before(wire.reply(x)), bytes reach the client, after(wire.reply(x))
 *   replied               told what the client was given (also when the exchange never acted)
 * ACT_ERROR is answered by something on the way: no words of the broker's, so it proves nothing.
 * To the broker a request is there when its last byte is: an order or a cancel that hangs before is
 * in flight on its own, a question that hangs is asked as long as its client listens. A request that libcurl sends by itself a second time within one call goes through all of
 * it again (REFUSED then means LOST). The two wire sites are not asked when the answer for broker.x
 * already says that the message does not travel. After death nothing moves, and nothing is asked or
 * told.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "core/broker.h"
#include "core/live/transport.h"
#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the exchange takes an order. */
enum wire_submit { WIRE_TAKEN, WIRE_DUPLICATE, WIRE_REFUSED };
struct wire_refusal {
    int status; /* HTTP: 400, 403, 422 ... */
    int code;   /* Alpaca's number, e.g. 40310000 */
    char message[BROKER_TEXT_SIZE];
};

enum wire_admission {
    WIRE_ADMITTED,
    WIRE_TOO_MANY, /* answered 429 */
    WIRE_NOBODY    /* the connection is closed without an answer */
};

/* What an order's JSON says beyond struct broker_order. Times in ns since 1970; 0: null. */
struct wire_order_more {
    int64_t updated_ns, filled_ns, expired_ns, canceled_ns, failed_ns;
    char asset_id[40]; /* "": null */
};

/* An answer in JSON; `body` is malloced and taken over, NULL: none. */
struct wire_said {
    int status;
    char *body;
};

/* The exchange behind the server, as the HTTP handlers need it. Filters, paging and JSON are
 * theirs. Calls never fail: what they add to lists they add with broker_*_add. */
struct wire_exchange {
    void *ctx;
    enum wire_submit (*submit)(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct wire_refusal *refusal);
    bool (*lookup)(void *ctx, const char *client_order_id, struct broker_order *order);
    /* All orders that a query shows now, oldest first, ties by id. */
    void (*orders)(void *ctx, struct broker_orders *list);
    /* All executions that a query shows now, oldest first, ties by execution id. */
    void (*fills)(void *ctx, struct broker_fills *list);
    void (*positions)(void *ctx, struct broker_positions *list);
    void (*account)(void *ctx, struct broker_account *account);
    /* An order's request arrived and is dropped (ACT_DROPPED). */
    void (*dropped)(void *ctx, const struct broker_request *request);
    /* The broker's words for a client order id it does not know; "" or NULL: the usual ones. */
    const char *(*not_found)(void *ctx);
    /* TAKEN, TOO_LATE or ABSENT; an order that is canceled already is TAKEN. */
    enum broker_canceled (*cancel)(void *ctx, const char *order_id);
    /* A request is in flight on its own (ACT_LATE, ACT_HANG; ACT_TWICE: `copy`, a proxy's): deliver
     * it at due_ns with wire_deliver, whoever lives then. Copy the bytes. May be NULL where no
     * fault strikes. */
    void (*flight)(void *ctx, int64_t due_ns, bool copy, const void *bytes, size_t length);
    /* When not NULL: requests must carry these keys. */
    const char *key_id, *secret;

    /* What a real client may want to know besides. Each may be NULL: there is no such thing. */

    bool wants_keys; /* any keys will do, but keys it must be */
    /* Whether a request of the API is taken up, before anything else is looked at. */
    enum wire_admission (*admit)(void *ctx);
    int64_t (*now_ns)(void *ctx); /* for GET /v2/clock */
    /* Whether it could be an order id; what could not is answered 422. NULL: anything could. */
    bool (*is_order_id)(const char *text);
    void (*more)(void *ctx, const struct broker_order *order, struct wire_order_more *more);
    /* A request whose path is not the API's ("/v2..."). False: nobody knows it, 404. */
    bool (*beside)(void *ctx, const char *method, const char *path, const char *body, size_t length,
                   struct wire_said *said);
};

struct wire;

/* A wire with its server, without a client. Kept for many lives: starting a server is the dear
 * part. NULL without memory or descriptors. At most one life runs on any wire of a process at a
 * time. */
struct wire *wire_open(void);
void wire_close(struct wire *wire); /* NULL is allowed; ends the life first */

/* Starts a life: the client's port is `port`, the world's exchange is `exchange` (both borrowed
 * until wire_end). From here to wire_end the process's clock_gettime shows port->now. */
void wire_begin(struct wire *wire, struct port *port, const struct wire_exchange *exchange);
/* Ends it: every connection is gone without further effect. Close the client's transport before. */
void wire_end(struct wire *wire);

/* The client's side: give this to transport_open (or alpaca_open). Plain http, any loopback URL. */
void wire_io(struct wire *wire, struct transport_io *io);
/* For a client that is not our transport: the libcurl call `begin` of a new submit call. */
void wire_new_call(struct wire *wire);

/* Delivers the bytes of a flight over a fresh server connection; `exchange` acts. May be called
 * with or without a life. When the client that sent them still waits, the answer travels to it. */
void wire_deliver(struct wire *wire, const struct wire_exchange *exchange, int64_t due_ns,
                  const void *bytes, size_t length);

/* Requests that reached the server so far, over all lives. */
uint64_t wire_served(const struct wire *wire);

/* ---- clients of other processes (scenarios/cli/listener.h) ---- */

/* As wire_begin, but this process's clocks stay what they are: who calls the functions below plays
 * the client. port->now is asked, port->wait never; wire_end ends it. */
void wire_begin_outside(struct wire *wire, struct port *port, const struct wire_exchange *exchange);
/* The client's end of a new connection, to be used with send and recv, which never block; -1: there
 * are WIRE_CONNECTIONS already, or no descriptor is left. */
enum { WIRE_CONNECTIONS = 64 };
int wire_client_open(struct wire *wire);
/* The client hangs up. What it has asked for and is in flight goes on by itself. */
void wire_client_close(struct wire *wire, int link);
/* Moves what can move between clients and server. False: nothing could. */
bool wire_client_move(struct wire *wire);
/* When something moves by itself again; INT64_MAX: only when a client or a flight does. */
int64_t wire_client_next_ns(const struct wire *wire, int64_t now_ns);

#endif
