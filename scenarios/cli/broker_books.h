/* The exchange that `crashgate broker` serves: its books, and the door through which a listener and
 * the control endpoint reach them.
 *
 * Orders are "O1", "O2" ... inside; whoever asks over HTTP sees UUIDs, as at Alpaca (many SDKs read
 * nothing else). Times are given in: books->world.now_ns is set before anything happens. */
#ifndef SCENARIOS_CLI_BROKER_BOOKS_H
#define SCENARIOS_CLI_BROKER_BOOKS_H

#include "sim/wire.h"
#include "sim/world.h"

#include <cjson/cJSON.h>

enum { BOOKS_FLIGHTS_MAX = EXCHANGE_FILLS_MAX };

/* A request on its way to the exchange by itself. */
struct books_flight {
    int64_t due_ns;
    bool is_copy;
    char *bytes; /* malloced */
    size_t length;
};

struct broker_books {
    struct world world;         /* clock, exchange, whether it is down; the rest is not used */
    struct wire_exchange inner; /* the door with the exchange's own ids */
    int64_t *ended_ns;          /* by order: when it was first seen to have ended; 0: it has not */
    size_t ended_cap;
    struct books_flight *flights; /* in the order in which they left */
    size_t flight_count, flight_cap;
    bool delivers;       /* a flight is delivered: it is past the door */
    unsigned rate_limit; /* requests a minute; 0: any number */
    int64_t minute_ns;   /* when the minute began in which `in_minute` were counted */
    unsigned in_minute;
};

void books_open(struct broker_books *books, const struct profile *profile, int64_t now_ns);
void books_close(struct broker_books *books);
/* The door: everything of struct wire_exchange but keys and `beside`. `books` must outlive it. */
void books_door(struct broker_books *books, struct wire_exchange *door);
/* Something may have happened: remembers when orders ended. */
void books_note(struct broker_books *books);

/* When the next flight arrives; INT64_MAX: none is under way. */
int64_t books_next_flight(const struct broker_books *books);
/* Takes it out; its bytes are the caller's. */
struct books_flight books_take_flight(struct broker_books *books);

/* Why the books have no room for such an order, or NULL: they have. */
const char *books_refuse(const struct broker_books *books, const char *symbol, int64_t qty_nanos,
                         int64_t price_nanos);
/* Whether there is room for an execution, at that price, of an order that was taken. */
bool books_take_fill(const struct broker_books *books, int64_t price_nanos);

/* ---- orders, as people and JSON name them ---- */

/* By public id, or by client order id (the newest that has it); -1: no such order. */
int books_find(const struct broker_books *books, const char *name);
/* New objects, the caller's. */
cJSON *books_order_json(const struct broker_books *books, size_t index);
cJSON *books_json(const struct broker_books *books);

#endif
