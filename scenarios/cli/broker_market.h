/* A market script: the broker's side of a scenario file, played by the real clock.
 *
 * The file is one scenario of the language (scenarios/README.md) that holds only lines about the
 * broker, and signals. Its times count from the moment the exchange is opened, which is the first time
 * the file writes. A signal gives no order: it says which orders D1 stands for (symbol, side,
 * quantity, price); lines about D1 wait for one. */
#ifndef SCENARIOS_CLI_BROKER_MARKET_H
#define SCENARIOS_CLI_BROKER_MARKET_H

#include "scenarios/lang/market.h"

#include <cjson/cJSON.h>

enum market_state { MARKET_DUE, MARKET_WAITS, MARKET_HAPPENED, MARKET_FAILED };

struct broker_market {
    struct scenario_file file;
    const struct scenario *scenario; /* NULL: there is no script */
    struct market_fills fills;
    struct market_line {
        enum market_state state;
        int64_t at_ns; /* DUE */
        char told[MARKET_TEXT_SIZE];
    } * lines;   /* one per line of the scenario */
    size_t seen; /* orders of the exchange that were looked at */
};

/* Reads a script; mistakes are written to standard error, with their places. False: there are some,
 * and *market is empty. Release with broker_market_close. */
bool broker_market_load(struct broker_market *market, const char *path);
/* The profile it names, or NULL when it names none, or several. */
const struct profile *broker_market_profile(const struct broker_market *market);
/* The exchange opens now: what the file gives it, and lines without a time. */
void broker_market_open(struct broker_market *market, struct world *world);
void broker_market_close(struct broker_market *market);

/* When something is due next; INT64_MAX: nothing is. */
int64_t broker_market_next(const struct broker_market *market);
/* Lets happen what is due at world->now_ns, and what waited for an order that is there now. */
void broker_market_run(struct broker_market *market, struct world *world);

/* [{"line": 12, "state": "happened", "told": "..."}, ...] for every line; the caller's. */
cJSON *broker_market_json(const struct broker_market *market);

#endif
