/* The simulated exchange: what a broker has accepted and executed, with books of its own.
 *
 * A value: it survives every crash of the OMS, and can be copied and compared. It knows nothing of
 * ports, wires or decisions; both doors (sim/direct.h, sim/wire.h) end here. Times are given in. */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H

#include "core/broker.h"
#include "core/decimal.h"
#include "core/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ceilings: far above what a scenario needs; reaching one is an internal error (CHECK). */
enum { EXCHANGE_ORDERS_MAX = 4096, EXCHANGE_FILLS_MAX = 16384, EXCHANGE_SYMBOLS_MAX = 256 };

struct exchange_order {
    struct broker_order told; /* as the broker tells it */
    decimal_wide cost;        /* of what was executed, unit 1e-18 */
    bool foreign;             /* not sent by the OMS under test */
    bool lost;                /* the broker knows nothing of it any more */
};

struct exchange_position {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t qty_nanos;         /* signed */
    decimal_wide cost;         /* exact cost basis, unit 1e-18, sign of qty */
    decimal_wide realized;     /* profit taken, unit 1e-18 */
    int64_t opening_qty_nanos; /* what the account started with */
    int64_t opening_price_nanos;
};

/* An order the broker is going to refuse, whenever it is delivered. */
struct exchange_refusal {
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos, limit_nanos;
    char message[BROKER_TEXT_SIZE];
};

/* An id whose order was refused, at a broker that burns such ids. */
struct exchange_burned {
    char client_order_id[BROKER_CLIENT_ID_SIZE];
    int64_t at_ns;
};

/* What no source settles about brokers: switches of this one, all off at first. */
struct exchange_habits {
    bool burns_refused_ids;           /* the id of a refused order counts as seen */
    bool never_forgets;               /* it remembers ids for ever, whatever its profile declares */
    bool chains_corrections;          /* a second correction refers to the first one, and so on */
    char not_found[BROKER_TEXT_SIZE]; /* its words for an order it does not know; "": its usual */
};

/* What became of a request for an order that reached the exchange. */
enum exchange_verdict {
    EXCHANGE_ACCEPTED,
    EXCHANGE_DUPLICATE,
    EXCHANGE_REFUSED,
    EXCHANGE_REPLAYED, /* the first answer, again */
    EXCHANGE_RESENT,   /* the order as it stands now */
    EXCHANGE_BUSY,     /* a request with this id is under way (world_submit) */
    EXCHANGE_DROPPED   /* neither accepted nor answered */
};
/* Whether it is answered with an order. */
bool exchange_tells_order(enum exchange_verdict verdict);
struct exchange_delivery {
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos, limit_nanos;
    enum exchange_verdict verdict;
    size_t order; /* ACCEPTED: its index */
};

struct exchange {
    const struct profile *profile;
    struct exchange_order *orders; /* in order of acceptance; index is the order's identity */
    size_t order_count, order_cap;
    struct broker_fill *fills; /* in order of execution */
    size_t fill_count, fill_cap;
    struct exchange_position *positions; /* by symbol, flat ones included */
    size_t position_count, position_cap;
    struct exchange_refusal *refusals;
    size_t refusal_count, refusal_cap;
    struct exchange_burned *burned;
    size_t burned_count, burned_cap;
    struct exchange_habits habits;
    struct exchange_delivery *deliveries; /* every request that arrived, in order */
    size_t delivery_count, delivery_cap;
    int64_t cash_nanos;
    uint64_t version; /* counts every change */
};

void exchange_init(struct exchange *exchange, const struct profile *profile);
void exchange_copy(struct exchange *to, const struct exchange *from); /* `to` is uninitialized */
void exchange_free(struct exchange *exchange);
/* Hash of the books: orders, fills, positions, cash, refusals. Equal on every machine. */
uint64_t exchange_hash(const struct exchange *exchange);

/* ---- what a client can ask ---- */

/* Delivers an order. ACCEPTED, REPLAYED, RESENT: *index is its place in orders. REFUSED: `message`
 * says why. */
enum exchange_verdict exchange_submit(struct exchange *exchange, int64_t now_ns,
                                      const struct broker_request *request, size_t *index,
                                      char message[BROKER_TEXT_SIZE]);
/* A request that arrived and of which nothing came; its sender hears nothing. */
void exchange_drop(struct exchange *exchange, const struct broker_request *request);
/* A request that arrived while another with its id is under way: it is told so, and that is all. */
void exchange_put_off(struct exchange *exchange, const struct broker_request *request);
/* The order that a submit is answered with. */
struct broker_order exchange_answer(const struct exchange *exchange, enum exchange_verdict verdict,
                                    size_t index);
/* The newest order with this client order id that a query shows now, or NULL; forgotten ids are not
 * found, nor are orders so fresh that a query misses them. */
const struct exchange_order *exchange_lookup(const struct exchange *exchange, int64_t now_ns,
                                             const char *client_order_id);
/* The order with this broker order id, or NULL. */
struct exchange_order *exchange_order_by_id(struct exchange *exchange, const char *order_id);

enum exchange_cancel { EXCHANGE_CANCELED, EXCHANGE_CANCEL_FINAL, EXCHANGE_CANCEL_UNKNOWN };
enum exchange_cancel exchange_cancel(struct exchange *exchange, const char *order_id);

/* What it tells a client, appended to lists: orders and executions from since_ns on, oldest first;
 * positions that are not flat, by symbol. An order that a query misses because it is fresh is
 * missing from all three, with all that it has done: queries see the books as they were. */
void exchange_tell_orders(const struct exchange *exchange, int64_t now_ns, enum broker_scope scope,
                          int64_t since_ns, struct broker_orders *list);
void exchange_tell_fills(const struct exchange *exchange, int64_t now_ns, int64_t since_ns,
                         struct broker_fills *list);
void exchange_tell_positions(const struct exchange *exchange, int64_t now_ns,
                             struct broker_positions *list);
void exchange_tell_account(const struct exchange *exchange, struct broker_account *account);

/* Average entry price as the broker tells it: cost / qty, half away from zero. */
int64_t exchange_average(const struct exchange_position *position);

/* ---- what the market and other people do ---- */

/* Executes part of an order. False when it is not open or has less left. `execution_id` "" makes
 * one in Alpaca's form (digits that are not UTC). */
bool exchange_fill(struct exchange *exchange, size_t index, int64_t now_ns, int64_t qty_nanos,
                   int64_t price_nanos, const char *execution_id);
/* An execution is corrected, or busted (quantity 0): the books are as if it had been so from the
 * beginning. An order that was filled and no longer is ends canceled. False: there is no execution of
 * that name, or the order would have executed more than was ordered. */
bool exchange_correct(struct exchange *exchange, const char *execution_id, int64_t now_ns,
                      int64_t qty_nanos, int64_t price_nanos);
/* From when on no query misses an order because it is fresh; INT64_MIN: none ever does. */
int64_t exchange_shows_all_ns(const struct exchange *exchange);
/* What counts of fills[index]: the newest correction's quantity and price, or its own. */
struct broker_fill exchange_execution(const struct exchange *exchange, size_t index);
/* The broker ends an order: CANCELED, EXPIRED or REJECTED. False when it is final already. */
bool exchange_end(struct exchange *exchange, size_t index, enum broker_status status);
/* The broker restarts from a backup and has lost an order that it had accepted: it is not listed,
 * not found, not refused a second time. False when something of it was executed (that it would have
 * to have lost, too). */
bool exchange_lose(struct exchange *exchange, size_t index);
/* From now on every delivery of such an order is refused. */
void exchange_refuse(struct exchange *exchange, const struct broker_request *like,
                     const char *message);
/* Somebody else trades on the account: an order and its execution that are not the OMS's. */
void exchange_foreign(struct exchange *exchange, int64_t now_ns, const char *symbol,
                      enum broker_side side, int64_t qty_nanos, int64_t price_nanos);
/* A position the account starts with. */
void exchange_open_position(struct exchange *exchange, const char *symbol, int64_t qty_nanos,
                            int64_t price_nanos);
const struct exchange_position *exchange_position(const struct exchange *exchange,
                                                  const char *symbol);

#endif
