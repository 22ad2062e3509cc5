/* Playing a market script. */
#include "scenarios/cli/broker_market.h"

#include "scenarios/lang/diag.h"
#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bool belongs(const struct scn_line *line) {
    return line->statement == SCN_SIGNAL || line->statement == SCN_BROKER_FILLS_ALL ||
           market_acts(line->statement);
}

static bool has_moment(const struct scn_line *line) {
    return line->when.base == SCN_AT || line->when.base == SCN_FROM_BEGINNING;
}

/* Writes what a script may not have; the number of mistakes. */
static size_t find_strangers(const struct scenario *scenario) {
    size_t mistakes = 0;
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (belongs(line) && has_moment(line))
            continue;
        fprintf(stderr, "%s:%d:%d: error: ", line->place.file, line->place.line, line->place.col);
        if (belongs(line))
            fputs("a market script counts from its beginning only: nobody here is started, or "
                  "tells points",
                  stderr);
        else {
            fputc('\'', stderr);
            scenario_print_line(scenario, line, stderr);
            fputs("': a market script holds 'broker' lines, and signals that say which orders "
                  "they are about",
                  stderr);
        }
        fputc('\n', stderr);
        mistakes++;
    }
    return mistakes;
}

static bool is_script(const struct scenario_file *file, const char *path) {
    if (file->count != 1) {
        fprintf(stderr, "%s: error: a market script is one scenario; these are %zu\n", path,
                file->count);
        return false;
    }
    return find_strangers(&file->scenarios[0]) == 0;
}

bool broker_market_load(struct broker_market *market, const char *path) {
    struct diags diags = {0};
    *market = (struct broker_market){.scenario = NULL};
    bool read = scenario_load(path, &market->file, &diags);
    if (!read) {
        diags_write(&diags, DIAG_LONG, stderr);
        diags_summary(&diags, path, stderr);
    }
    diags_free(&diags);
    if (!read || !is_script(&market->file, path)) {
        scenario_free(&market->file);
        *market = (struct broker_market){.scenario = NULL};
        return false;
    }
    market->scenario = &market->file.scenarios[0];
    market->lines = check_zalloc(market->scenario->line_count + 1, sizeof *market->lines);
    return true;
}

const struct profile *broker_market_profile(const struct broker_market *market) {
    const struct scenario *scenario = market->scenario;
    if (scenario == NULL || !scenario->written[SCN_HEADER_PROFILE] || scenario->profile_count != 1)
        return NULL;
    return scenario->profiles[0];
}

void broker_market_close(struct broker_market *market) {
    market_fills_free(&market->fills);
    scenario_free(&market->file);
    free(market->lines);
    *market = (struct broker_market){.scenario = NULL};
}

/* ---- playing ---- */

static size_t line_count(const struct broker_market *market) {
    return market->scenario != NULL ? market->scenario->line_count : 0;
}

/* Nothing is executed for nothing: a market order needs a line with a price. */
static bool lacks_price(const struct broker_market *market, const struct scn_line *line,
                        const struct exchange *exchange) {
    int order = -1;
    if (line->statement == SCN_BROKER_FILLS)
        order = market_order_of(market->scenario, exchange, line->args.decision);
    else if (line->statement == SCN_BROKER_FILLS_SYMBOL)
        order = market_oldest_open(exchange, market->scenario->symbols[line->args.symbol]);
    return order >= 0 && market_price(line, &exchange->orders[order].told) == 0;
}

static void happen(struct broker_market *market, size_t index, struct world *world) {
    const struct scn_line *line = &market->scenario->lines[index];
    struct market_line *state = &market->lines[index];
    state->state = MARKET_HAPPENED;
    if (!market_acts(line->statement))
        return;
    if (lacks_price(market, line, &world->exchange)) {
        state->state = MARKET_FAILED;
        snprintf(state->told, sizeof state->told, "a market order is filled at a price: '@ PRICE'");
        return;
    }
    switch (market_act(world, market->scenario, line, state->told)) {
    case MARKET_DONE:
        return;
    case MARKET_NO_ORDER:
        state->state = line->statement == SCN_BROKER_FILLS_SYMBOL ? MARKET_FAILED : MARKET_WAITS;
        return;
    case MARKET_NOT_FILLED:
    case MARKET_FINAL:
        state->state = MARKET_FAILED;
        return;
    }
}

void broker_market_open(struct broker_market *market, struct world *world) {
    if (market->scenario == NULL)
        return;
    market_open(market->scenario, &world->exchange);
    for (size_t i = 0; i < line_count(market); i++) {
        const struct scn_when *when = &market->scenario->lines[i].when;
        int64_t after_ns = when->base == SCN_AT ? when->ns - market->scenario->start_ns : 0;
        market->lines[i].at_ns = world->now_ns + after_ns;
    }
    broker_market_run(market, world);
}

/* The next line that is due, an index, or -1; of equals the one that stands above. */
static int next_line(const struct broker_market *market) {
    int best = -1;
    for (size_t i = 0; i < line_count(market); i++) {
        const struct market_line *line = &market->lines[i];
        if (line->state == MARKET_DUE && (best < 0 || line->at_ns < market->lines[best].at_ns))
            best = (int)i;
    }
    return best;
}

int64_t broker_market_next(const struct broker_market *market) {
    int line = next_line(market), fill = market_next_fill(&market->fills);
    int64_t line_ns = line < 0 ? INT64_MAX : market->lines[line].at_ns;
    int64_t fill_ns = fill < 0 ? INT64_MAX : market->fills.v[fill].at_ns;
    return line_ns < fill_ns ? line_ns : fill_ns;
}

/* Orders that are new: their fills are expected, and lines that waited for one have it. */
static void look_at_orders(struct broker_market *market, struct world *world) {
    const struct scn_line *standing = market_standing_line(market->scenario);
    bool any = market->seen < world->exchange.order_count;
    for (; market->seen < world->exchange.order_count; market->seen++) {
        const struct exchange_order *order = &world->exchange.orders[market->seen];
        if (standing != NULL && !order->foreign && market_price(standing, &order->told) > 0)
            market_expect_fill(&market->fills, market->scenario, market->seen,
                               order->told.submitted_ns);
    }
    for (size_t i = 0; any && i < line_count(market); i++)
        if (market->lines[i].state == MARKET_WAITS)
            happen(market, i, world);
}

void broker_market_run(struct broker_market *market, struct world *world) {
    char told[MARKET_TEXT_SIZE];
    if (market->scenario == NULL)
        return;
    look_at_orders(market, world);
    while (broker_market_next(market) <= world->now_ns) {
        int line = next_line(market), fill = market_next_fill(&market->fills);
        if (line >= 0 && (fill < 0 || market->lines[line].at_ns <= market->fills.v[fill].at_ns))
            happen(market, (size_t)line, world);
        else
            market_fill(&market->fills, (size_t)fill, world, market->scenario, told);
    }
}

/* ---- JSON ---- */

cJSON *broker_market_json(const struct broker_market *market) {
    static const char *const states[] = {[MARKET_DUE] = "due",
                                         [MARKET_WAITS] = "waits for its order",
                                         [MARKET_HAPPENED] = "happened",
                                         [MARKET_FAILED] = "failed"};
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < line_count(market); i++) {
        const struct scn_line *line = &market->scenario->lines[i];
        char text[MARKET_TEXT_SIZE] = "";
        FILE *stream = fmemopen(text, sizeof text - 1, "w");
        CHECK(stream != NULL);
        scenario_print_line(market->scenario, line, stream);
        fclose(stream);
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "line", line->place.line);
        cJSON_AddStringToObject(o, "text", text);
        cJSON_AddStringToObject(o, "state", states[market->lines[i].state]);
        cJSON_AddStringToObject(o, "told", market->lines[i].told);
        cJSON_AddItemToArray(array, o);
    }
    return array;
}
