/* The control endpoint of a served exchange: what the market and other people do, as HTTP requests
 * with JSON in and out. The table of controls is what `GET /control` shows and README.md prints. */
#ifndef SCENARIOS_CLI_BROKER_CONTROL_H
#define SCENARIOS_CLI_BROKER_CONTROL_H

#include "scenarios/cli/broker_books.h"
#include "scenarios/cli/broker_faults.h"
#include "scenarios/cli/broker_market.h"

/* All that a served exchange is made of. */
struct broker_control {
    struct broker_books books;
    struct broker_faults faults;
    struct broker_market market;
};

/* Answers a request whose path is not the API's. False: no such path. *said is the caller's. */
bool control_answer(struct broker_control *control, const char *method, const char *path,
                    const char *body, size_t length, struct wire_said *said);

#endif
