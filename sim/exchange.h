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
    bool foreign;             /* not sent by the OMS under test */
    bool lost;                /* the broker knows nothing of it any more */
};

struct exchange_position {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t qty_nanos; /* signed */
    decimal_wide cost; /* exact cost basis, unit 1e-18, sign of qty */
};

/* An order the broker is going to refuse, whenever it is delivered; the id is not burned. */
struct exchange_refusal {
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos, limit_nanos;
    char message[BROKER_TEXT_SIZE];
};

/* What became of a request for an order that reached the exchange. */
enum exchange_verdict { EXCHANGE_ACCEPTED, EXCHANGE_DUPLICATE, EXCHANGE_REFUSED };
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

/* Delivers an order. ACCEPTED: *index is its place in orders. REFUSED: `message` says why. */
enum exchange_verdict exchange_submit(struct exchange *exchange, int64_t now_ns,
                                      const struct broker_request *request, size_t *index,
                                      char message[BROKER_TEXT_SIZE]);
/* The newest order with this client order id, or NULL; forgotten ids are not found. */
const struct exchange_order *exchange_lookup(const struct exchange *exchange, int64_t now_ns,
                                             const char *client_order_id);
/* The order with this broker order id, or NULL. */
struct exchange_order *exchange_order_by_id(struct exchange *exchange, const char *order_id);

enum exchange_cancel { EXCHANGE_CANCELED, EXCHANGE_CANCEL_FINAL, EXCHANGE_CANCEL_UNKNOWN };
enum exchange_cancel exchange_cancel(struct exchange *exchange, const char *order_id);

/* What it tells a client, appended to lists: orders and executions from since_ns on, oldest first;
 * positions that are not flat, by symbol. */
void exchange_tell_orders(const struct exchange *exchange, enum broker_scope scope,
                          int64_t since_ns, struct broker_orders *list);
void exchange_tell_fills(const struct exchange *exchange, int64_t since_ns,
                         struct broker_fills *list);
void exchange_tell_positions(const struct exchange *exchange, struct broker_positions *list);
void exchange_tell_account(const struct exchange *exchange, struct broker_account *account);

/* Average entry price as the broker tells it: cost / qty, half away from zero. */
int64_t exchange_average(const struct exchange_position *position);

/* ---- what the market and other people do ---- */

/* Executes part of an order. False when it is not open or has less left. `execution_id` "" makes
 * one in Alpaca's form (digits that are not UTC). */
bool exchange_fill(struct exchange *exchange, size_t index, int64_t now_ns, int64_t qty_nanos,
                   int64_t price_nanos, const char *execution_id);
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
