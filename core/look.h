/* What the broker shows at one moment, and which of our orders it shows. */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H

#include "core/day_past.h"
#include "core/engine.h"

struct picture { /* all zero is empty; release with look_free, which leaves it so */
    struct broker_orders orders;
    struct broker_fills fills;
    struct broker_positions positions;
    char why[BROKER_TEXT_SIZE]; /* why it is not whole */
};
void look_free(struct picture *picture);

/* Everything of ours that can still change happened after this, and after `newest_ns`. */
int64_t look_since(const struct oms *oms, int64_t newest_ns);

/* All orders since then, and those of ours that should be there besides: working ones, and held
 * ones when `held`. `listed` is set on every order of ours, until look_forget. False: no whole
 * answer. */
bool look_at_orders(struct oms *oms, int64_t since_ns, bool held, struct picture *picture);

/* The executions since then, as the broker lists them or as its orders imply them. False: no whole
 * answer. */
bool look_at_executions(struct oms *oms, int64_t since_ns, struct picture *picture);

/* Orders, those of *past that should be there included, executions, positions: all that a comparison
 * needs. False: no whole answer, and
 * picture->why says why. */
bool look_at_all(struct oms *oms, const struct day_past *past, struct picture *picture);

/* Do two pictures show the same? */
bool look_is_same(const struct picture *a, const struct picture *b);

void look_forget(struct oms *oms);

#endif
