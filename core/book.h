/* The book: what the store says, in memory, checked when it is read.
 *
 * The store has one writer, so the book equals it between transactions. It holds every live order,
 * which is how a decision presented again, or an order the broker lists, is recognised without
 * asking the disk; of finished orders in the archive it has filters. */
#ifndef CORE_BOOK_H
#define CORE_BOOK_H

#include "core/archive.h"
#include "core/index.h"
#include "core/ledger.h"
#include "core/store.h"

enum { BOOK_ORDERS_MAX = 1000000, BOOK_POSITIONS_MAX = 100000, BOOK_ORPHANS_MAX = 100000 };

struct book { /* all zero is empty */
    struct store_meta meta;
    struct order **orders; /* by id; each stays where it is until it leaves */
    size_t order_count, order_capacity;
    struct index by_client_id, by_broker_id;
    struct position *positions; /* by symbol */
    size_t position_count, position_capacity;
    char (*orphans)[BROKER_CLIENT_ID_SIZE];
    size_t orphan_count;
    struct ledger corrections;
    struct archive archive;
};

/* Reads it all. With `check` every domain rule is checked, executions are replayed, and the
 * positions become ready for more; without, it is for looking only. */
enum oms_code book_load(struct book *book, struct store *store, bool check,
                        struct oms_error *error);
void book_free(struct book *book);

/* What a row of `fills` that belongs to no order begins its id with: a comparison's adjustment. */
#define BOOK_ADJUSTMENT "adjust:"
bool book_is_adjustment(const struct broker_fill *fill, int64_t order_row);

/* A copy of *order, indexed. NULL: no memory, or BOOK_ORDERS_MAX. */
struct order *book_add_order(struct book *book, const struct order *order);
/* Makes room for that many more orders; false: no memory or the ceiling. */
bool book_reserve_orders(struct book *book, size_t more);
/* The row number of the next order; they are given without gaps. */
int64_t book_next_row(const struct book *book);
/* The place of a live order in `orders`; false: there is none of this row. */
bool book_find_row(const struct book *book, int64_t id, size_t *at);
/* Orders for which `leaves` is set (by place) are freed; the newest stays. */
void book_remove_orders(struct book *book, const bool leaves[]);
/* Orders that were in the archive are live again. False: no memory. */
bool book_take_back_orders(struct book *book, const struct order orders[], size_t count);
struct order *book_by_client_id(const struct book *book, const char *client_order_id);
struct order *book_by_broker_id(const struct book *book, const char *broker_order_id);
bool book_note_broker_id(struct book *book, struct order *order); /* false: no memory */

/* The position of a symbol, made flat when there is none; valid until the next call. NULL: no
 * memory or the ceiling. */
struct position *book_position(struct book *book, const char *symbol);
/* Does this execution come before one of its symbol that is in the archive? It is no correction. */
bool book_is_past(const struct book *book, const struct broker_fill *fill);

bool book_is_orphan(const struct book *book, const char *client_order_id);
bool book_add_orphan(struct book *book, const char *client_order_id); /* false: no memory */

#endif
