/* Port: what the core needs from a broker, and nothing else.
 *
 * Every answer says what the caller may do next. Calls block until the answer or the profile's
 * client time-out; the caller reads the clock again afterwards. Nothing here is retried inside. */
#ifndef CORE_BROKER_H
#define CORE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BROKER_CLIENT_ID_SIZE = 64, /* sizes of text fields, the closing zero included */
    BROKER_ORDER_ID_SIZE = 64,
    BROKER_EXECUTION_ID_SIZE = 96,
    BROKER_SYMBOL_SIZE = 24,
    BROKER_STATUS_SIZE = 32,
    BROKER_TEXT_SIZE = 200
};

enum broker_side { BROKER_BUY, BROKER_SELL };
enum broker_type { BROKER_MARKET, BROKER_LIMIT };

/* time in force: name as written by brokers */
#define BROKER_TIFS(X) \
    X(DAY, "day")      \
    X(GTC, "gtc")      \
    X(IOC, "ioc")      \
    X(FOK, "fok")      \
    X(OPG, "opg")      \
    X(CLS, "cls")
enum broker_tif {
#define X(id, name) BROKER_##id,
    BROKER_TIFS(X)
#undef X
};

/* Order statuses of Alpaca's Trading API v2: name, open (may still trade), final */
#define BROKER_STATUSES(X)                             \
    X(NEW, "new", 1)                                   \
    X(PARTIALLY_FILLED, "partially_filled", 1)         \
    X(FILLED, "filled", 0)                             \
    X(DONE_FOR_DAY, "done_for_day", 1)                 \
    X(CANCELED, "canceled", 0)                         \
    X(EXPIRED, "expired", 0)                           \
    X(REPLACED, "replaced", 0)                         \
    X(PENDING_CANCEL, "pending_cancel", 1)             \
    X(PENDING_REPLACE, "pending_replace", 1)           \
    X(ACCEPTED, "accepted", 1)                         \
    X(PENDING_NEW, "pending_new", 1)                   \
    X(ACCEPTED_FOR_BIDDING, "accepted_for_bidding", 1) \
    X(STOPPED, "stopped", 1)                           \
    X(REJECTED, "rejected", 0)                         \
    X(SUSPENDED, "suspended", 1)                       \
    X(CALCULATED, "calculated", 1)                     \
    X(HELD, "held", 1)
enum broker_status {
#define X(id, name, open) BROKER_STATUS_##id,
    BROKER_STATUSES(X)
#undef X
        BROKER_STATUS_UNKNOWN /* a word this list does not have: neither final nor filled; poll on
                               */
};

/* An order on its way out. Owned by the caller, read during the call only. */
struct broker_request {
    char client_order_id[BROKER_CLIENT_ID_SIZE]; /* "" for a broker that knows none */
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    enum broker_type type;
    enum broker_tif tif;
    int64_t qty_nanos;
    int64_t limit_nanos; /* 0 for a market order */
    /* It may have been sent before, under the same id: a broker that answers such marks (struct
     * profile) tells how that one stands. */
    bool possible_resend;
    /* Names this send to `collect`; no other under way has it. Never transmitted. */
    uint64_t ticket;
};

/* An order as the broker tells it. */
struct broker_order {
    char id[BROKER_ORDER_ID_SIZE];
    char client_order_id[BROKER_CLIENT_ID_SIZE]; /* "" at a broker that knows none */
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    enum broker_type type;
    enum broker_tif tif;
    int64_t qty_nanos;
    int64_t limit_nanos;
    int64_t filled_nanos;     /* cumulative executed quantity */
    int64_t filled_avg_nanos; /* its average price, rounded by the broker; 0 while nothing is */
    enum broker_status status;
    char status_text[BROKER_STATUS_SIZE]; /* the broker's own word, also when UNKNOWN */
    int64_t submitted_ns;                 /* UTC, nanoseconds since 1970 */
};

/* One execution. */
struct broker_fill {
    char execution_id[BROKER_EXECUTION_ID_SIZE]; /* unique for ever at this broker */
    char order_id[BROKER_ORDER_ID_SIZE];         /* the broker's id; there is no client id here */
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos; /* > 0; of a correction also 0: the execution is busted */
    int64_t price_nanos;
    int64_t at_ns;
    /* A correction: the execution (or correction) whose place this takes. "": none. Of several
     * corrections of one execution the one with the latest time counts; where times are equal, the
     * one whose id sorts last. */
    char refers[BROKER_EXECUTION_ID_SIZE];
};

struct broker_position {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t qty_nanos;       /* signed: shorts are negative; flat symbols are not listed */
    int64_t avg_price_nanos; /* average entry price, rounded by the broker */
};

struct broker_account {
    char number[BROKER_ORDER_ID_SIZE];
    int64_t cash_nanos;
    int64_t buying_power_nanos;
    bool trading_blocked;
};

/* Why an answer was what it was, for logs and recorded reasons. Never holds a secret. */
struct broker_reason {
    int http_status; /* 0: none; 429: ask and send less often, whatever the answer says besides */
    char text[BROKER_TEXT_SIZE];
};

/* What became of a submit. */
enum broker_sent {
    BROKER_ACCEPTED, /* the broker has it: *order is filled in and echoes our id. Record it. */
    BROKER_REJECTED, /* a refusal that proves non-acceptance. Final: record it, never send again. */
    BROKER_DUPLICATE, /* the broker knows this client id already: look it up, compare, adopt. */
    BROKER_NOT_SENT,  /* no byte of it left: may be sent again later under the same id. */
    BROKER_IN_DOUBT,  /* no usable answer, or one of a gateway's (429 and 5xx included): the order
                       * MAY be live. Do not send again; look it up. */
    BROKER_ON_ITS_WAY /* of submit only: it leaves, or has left, and the answer comes from `collect`,
                       * IN_DOUBT at the latest when the client time-out is over. Until then it MAY
                       * be live; do not send again, and do not look it up for that reason. */
};

/* The answer to a send that was on its way. */
struct broker_answer {
    uint64_t ticket; /* as in the request */
    enum broker_sent sent;
    struct broker_order order; /* ACCEPTED only */
    struct broker_reason why;
};

/* What a query for one order found. */
enum broker_found {
    BROKER_FOUND,       /* *order is filled in */
    BROKER_ABSENT,      /* the broker answered, completely, that it has no such order */
    BROKER_INCONCLUSIVE /* no answer, or not a whole one. Says nothing; ask again later. */
};

/* What became of a cancel. */
enum broker_canceled {
    BROKER_CANCEL_TAKEN, /* taken; the final state must still be seen (a fill may win the race) */
    BROKER_CANCEL_TOO_LATE, /* the order is final already: look it up */
    BROKER_CANCEL_ABSENT,   /* the broker knows no such order */
    BROKER_CANCEL_NOT_SENT, /* nothing left: may be repeated */
    BROKER_CANCEL_IN_DOUBT  /* repeat it later, cancels are idempotent; the final state decides */
};

/* Lists that answers are appended to. Start from all zero; release with broker_*_free.
 * At most BROKER_LIST_MAX rows; an answer that would exceed it is INCONCLUSIVE. */
enum { BROKER_LIST_MAX = 1000000 };
struct broker_orders {
    struct broker_order *v;
    size_t n, cap;
};
struct broker_fills {
    struct broker_fill *v;
    size_t n, cap;
};
struct broker_positions {
    struct broker_position *v;
    size_t n, cap;
};

enum broker_scope { BROKER_OPEN_ORDERS, BROKER_ALL_ORDERS };

/* The door. `ctx` is passed back to every call. All pointers are the caller's; `why` is never NULL.
 */
struct broker {
    void *ctx;
    enum broker_sent (*submit)(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct broker_reason *why);
    enum broker_found (*lookup)(void *ctx, const char *client_order_id, struct broker_order *order,
                                struct broker_reason *why);
    /* Orders submitted at or after since_ns, oldest first, ties by broker id; every page fetched.
     * True: complete. False: inconclusive, *list is to be ignored. The same for the next two. */
    bool (*orders)(void *ctx, enum broker_scope scope, int64_t since_ns, struct broker_orders *list,
                   struct broker_reason *why);
    /* Executions and corrections at or after since_ns, oldest first, ties by execution id. */
    bool (*fills)(void *ctx, int64_t since_ns, struct broker_fills *list,
                  struct broker_reason *why);
    /* Positions that are not flat, by symbol. */
    bool (*positions)(void *ctx, struct broker_positions *list, struct broker_reason *why);
    bool (*account)(void *ctx, struct broker_account *account, struct broker_reason *why);
    /* Cancels by the broker's order id (never empty). */
    enum broker_canceled (*cancel)(void *ctx, const char *order_id, struct broker_reason *why);
    /* The next answer that has come to a send that was on its way; never waits. False: none has, and
     * there is no use in asking again within *wait_ns, unless somebody is told that one came. NULL:
     * submit waits for every answer, nothing is ever on its way. */
    bool (*collect)(void *ctx, struct broker_answer *answer, int64_t *wait_ns);
    /* Trading has been stopped: of what is on its way, nothing may leave that has not left yet; it is
     * answered NOT_SENT. May be NULL. */
    void (*withdraw)(void *ctx);
};

/* Room for one more row, or NULL when BROKER_LIST_MAX or memory is exhausted. */
struct broker_order *broker_orders_add(struct broker_orders *list);
struct broker_fill *broker_fills_add(struct broker_fills *list);
struct broker_position *broker_positions_add(struct broker_positions *list);
void broker_orders_free(struct broker_orders *list);
void broker_fills_free(struct broker_fills *list);
void broker_positions_free(struct broker_positions *list);

/* Names both ways. The *_name calls never fail; the *_parse calls return false on no such word. */
const char *broker_side_name(enum broker_side side);
const char *broker_type_name(enum broker_type type);
const char *broker_tif_name(enum broker_tif tif);
const char *broker_status_name(enum broker_status status);
bool broker_side_parse(const char *word, enum broker_side *side);
bool broker_type_parse(const char *word, enum broker_type *type);
bool broker_tif_parse(const char *word, enum broker_tif *tif);
enum broker_status broker_status_parse(const char *word); /* UNKNOWN when there is no such word */
bool broker_status_is_open(enum broker_status status);    /* UNKNOWN counts as open */

#endif
