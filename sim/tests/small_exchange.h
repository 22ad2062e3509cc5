/* An exchange just large enough to test the wire with: it takes orders and remembers them. */
#ifndef SIM_TESTS_SMALL_EXCHANGE_H
#define SIM_TESTS_SMALL_EXCHANGE_H

#include "sim/wire.h"

enum { SMALL_EXCHANGE_MAX = 64, SMALL_FLIGHT_SIZE = 4096 };

struct small_exchange {
    struct broker_order orders[SMALL_EXCHANGE_MAX];
    size_t orders_n;
    struct broker_fill fills[SMALL_EXCHANGE_MAX];
    size_t fills_n;
    struct broker_position positions[SMALL_EXCHANGE_MAX];
    size_t positions_n;
    int64_t now_ns;
    int64_t step_ns;                /* between the submitted times of orders */
    struct wire_refusal refusal;    /* status 0: takes orders */
    char flight[SMALL_FLIGHT_SIZE]; /* the newest one, flight_n bytes */
    size_t flight_n;
    int64_t flight_due_ns;
    bool flight_is_copy;
};

/* Fills the door, with the keys "key" and "secret"; `small` must outlive it. */
void small_exchange(struct small_exchange *small, struct wire_exchange *out);

#endif
