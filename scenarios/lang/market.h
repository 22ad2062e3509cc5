/* What the lines about the broker do to the exchange; one meaning for runs of scenarios and for the
 * exchange that `crashgate broker` serves. Times are the world's. */
#ifndef SCENARIOS_LANG_MARKET_H
#define SCENARIOS_LANG_MARKET_H

#include "scenarios/lang/ast.h"
#include "sim/world.h"

enum market_end {
    MARKET_DONE,
    MARKET_NO_ORDER,   /* there is no such order (yet) */
    MARKET_NOT_FILLED, /* it is not open, or less of it is */
    MARKET_FINAL       /* it has ended already, or in a way that cannot be undone */
};

enum { MARKET_TEXT_SIZE = 240, MARKET_FILLS_MAX = 4096 };

/* Whether market_act knows the statement; `broker fills all` is a standing one, below. */
bool market_acts(enum scn_statement statement);

/* Lets a line happen now. `told` says what came of it ("": nothing to tell); of an end that is not
 * DONE, why. */
enum market_end market_act(struct world *world, const struct scenario *scenario,
                           const struct scn_line *line, char told[MARKET_TEXT_SIZE]);

/* The newest order that stands for a decision (by symbol, side, quantity and price), or -1. Foreign
 * orders and lost ones do not. */
int market_order_of(const struct scenario *scenario, const struct exchange *exchange, int decision);

/* The oldest open order in a symbol, or -1. */
int market_oldest_open(const struct exchange *exchange, const char *symbol);

/* At which price a line about fills executes an order: the one it says, else the order's limit; 0: a
 * market order, and the line says none. */
int64_t market_price(const struct scn_line *line, const struct broker_order *order);
/* The line `broker fills all after ...`, or NULL. */
const struct scn_line *market_standing_line(const struct scenario *scenario);

/* The positions and the cash that the headers give. */
void market_open(const struct scenario *scenario, struct exchange *exchange);

/* ---- `broker fills all after DUR` ---- */

struct standing_fill {
    size_t order;
    int64_t at_ns; /* INT64_MAX: it has been */
};
/* Start from all zero; release with market_fills_free, also a copy. */
struct market_fills {
    struct standing_fill *v;
    size_t n, cap;
};
/* An order was accepted: it is filled later, if the scenario says so. Once per order. */
void market_expect_fill(struct market_fills *fills, const struct scenario *scenario, size_t order,
                        int64_t now_ns);
/* The next one, an index, or -1. */
int market_next_fill(const struct market_fills *fills);
/* Lets it happen now. The line that says so. `told` as above; "": the order was not open. */
const struct scn_line *market_fill(struct market_fills *fills, size_t index, struct world *world,
                                   const struct scenario *scenario, char told[MARKET_TEXT_SIZE]);
struct market_fills market_fills_copy(const struct market_fills *fills);
void market_fills_free(struct market_fills *fills);

#endif
