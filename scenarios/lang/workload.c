/* Drawing trading days. */
#include "scenarios/lang/workload.h"

#include "sim/check.h"
#include "sim/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)
#define CENT      INT64_C(10000000)
#define UNIT      INT64_C(1000000000)
#define SLOT(id)  (UINT64_C(1) << SCN_SLOT_##id)

enum {
    LINES_PER_DECISION = 10, /* at most */
    LINES_PER_DAY = 12,
    FIRST_QUANTITY = 101, /* one more for each decision: no two are alike */
    PERCENT = 100,
    SESSION_MINUTES = 380,
    OUTAGES = 2,
    DECISIONS_A_DAY = 40 /* when nothing else is said */
};

static const char *const symbols[] = {"AMZN", "IWM", "META", "NVDA", "QQQ", "SPY"};
enum { SYMBOLS = sizeof symbols / sizeof symbols[0] };
static_assert((int)SYMBOLS == (int)SCN_WORKLOAD_SYMBOLS, "the scenario has room for them");

struct drawing {
    struct scenario *s;
    uint64_t state;
    int symbol[SYMBOLS]; /* their places in the scenario */
    size_t room;         /* for lines */
};

static int64_t below(struct drawing *d, int64_t n) {
    return (int64_t)(random_next(&d->state) % (uint64_t)n);
}

static bool chance(struct drawing *d, int64_t percent) {
    return below(d, PERCENT) < percent;
}

/* Milliseconds, so that few things happen at one moment. */
static int64_t up_to(struct drawing *d, int64_t ns) {
    return below(d, ns / (SECOND_NS / 1000)) * (SECOND_NS / 1000);
}

static struct scn_args *add_line(struct drawing *d, enum scn_statement statement, int64_t at_ns) {
    struct scn_line *line = &d->s->lines[d->s->line_count];
    CHECK(d->s->line_count < d->room);
    d->s->line_count++;
    *line = (struct scn_line){.place = d->s->place,
                              .when = {.base = SCN_AT, .ns = at_ns, .anchor = SCN_NONE},
                              .statement = statement,
                              .args = {.decision = SCN_NONE, .symbol = SCN_NONE}};
    return &line->args;
}

static struct scn_args *about(struct drawing *d, enum scn_statement statement, int64_t at_ns,
                              int decision) {
    struct scn_args *args = add_line(d, statement, at_ns);
    args->has = SLOT(DECISION);
    args->decision = decision;
    return args;
}

/* ---- one decision ---- */

/* The quantity tells them from each other; that of a written decision may be the same. */
static bool is_taken(const struct scenario *s, const struct oms_decision *payload) {
    for (size_t i = 0; i + 1 < s->decision_count; i++) {
        const struct oms_decision *other = &s->decisions[i].payload;
        if (other->qty_nanos == payload->qty_nanos && other->limit_nanos == payload->limit_nanos &&
            other->side == payload->side && strcmp(other->symbol, payload->symbol) == 0)
            return true;
    }
    return false;
}

static int decide(struct drawing *d) {
    struct scenario *s = d->s;
    int index = (int)s->decision_count++, which = (int)below(d, SYMBOLS);
    struct scn_decision *decision = &s->decisions[index];
    decision->place = s->place;
    decision->first_signal = (int)s->line_count;
    snprintf(decision->name, sizeof decision->name, "W%d", index + 1);
    decision->payload = (struct oms_decision){.side = chance(d, 55) ? BROKER_BUY : BROKER_SELL,
                                              .type = BROKER_LIMIT,
                                              .tif = BROKER_DAY,
                                              .qty_nanos = (FIRST_QUANTITY + (int64_t)index) * UNIT,
                                              .limit_nanos = (100 + 40 * (int64_t)which) * UNIT +
                                                             below(d, 200) * CENT};
    snprintf(decision->payload.id, sizeof decision->payload.id, "WORKLOAD_%d", index + 1);
    memcpy(decision->payload.symbol, s->symbols[d->symbol[which]], sizeof decision->payload.symbol);
    while (is_taken(s, &decision->payload))
        decision->payload.limit_nanos += CENT;
    return index;
}

static void signal_at(struct drawing *d, int decision, int64_t at_ns) {
    const struct oms_decision *payload = &d->s->decisions[decision].payload;
    struct scn_args *args = about(d, SCN_SIGNAL, at_ns, decision);
    args->has |= SLOT(SIDE) | SLOT(QTY) | SLOT(SYMBOL) | SLOT(PRICE);
    for (int i = 0; i < SYMBOLS; i++)
        if (strcmp(d->s->symbols[d->symbol[i]], payload->symbol) == 0)
            args->symbol = d->symbol[i];
    args->side = payload->side;
    args->tif = payload->tif;
    args->qty_nanos = payload->qty_nanos;
    args->price_nanos = payload->limit_nanos;
}

/* At the limit or some cents better. `first` gives the execution a name. */
static void fill_at(struct drawing *d, int decision, int64_t at_ns, int64_t qty_nanos, bool first) {
    const struct oms_decision *payload = &d->s->decisions[decision].payload;
    struct scn_args *args = about(d, SCN_BROKER_FILLS, at_ns, decision);
    int64_t better = below(d, 20) * CENT;
    args->has |= SLOT(QTY) | SLOT(PRICE);
    args->qty_nanos = qty_nanos;
    args->price_nanos = payload->limit_nanos + (payload->side == BROKER_BUY ? -better : better);
    if (!first)
        return;
    args->has |= SLOT(FILL);
    snprintf(args->name, sizeof args->name, "WF%d", decision + 1);
}

/* Up to `parts` parts that are the order's first `percent` hundredths. Returns when the last is. */
static int64_t fill_parts(struct drawing *d, int decision, int64_t at_ns, int64_t parts,
                          int64_t percent) {
    int64_t units = d->s->decisions[decision].payload.qty_nanos / UNIT * percent / PERCENT;
    for (int64_t i = 0; i < parts; i++) {
        int64_t qty = i == parts - 1 ? units - units / parts * i : units / parts;
        at_ns += SECOND_NS + up_to(d, 20 * SECOND_NS);
        fill_at(d, decision, at_ns, qty * UNIT, i == 0);
    }
    return at_ns;
}

/* An execution is taken back, or turns out to have been another. */
static void correct(struct drawing *d, int decision, int64_t at_ns) {
    enum scn_statement statement = chance(d, 50) ? SCN_BROKER_BUSTS : SCN_BROKER_CORRECTS;
    const struct oms_decision *payload = &d->s->decisions[decision].payload;
    struct scn_args *args = add_line(d, statement, at_ns);
    args->has = SLOT(FILL);
    snprintf(args->name, sizeof args->name, "WF%d", decision + 1);
    if (statement == SCN_BROKER_BUSTS)
        return;
    args->has |= SLOT(QTY) | SLOT(PRICE);
    args->qty_nanos = (1 + below(d, 30)) * UNIT;
    args->price_nanos = payload->limit_nanos;
}

static void market(struct drawing *d, int decision, int64_t at_ns) {
    int64_t fate = below(d, PERCENT), end_ns = at_ns + SECOND_NS;
    if (fate < 6) {
        struct scn_args *args = about(d, SCN_BROKER_REJECTS, at_ns - SECOND_NS, decision);
        args->has |= SLOT(TEXT);
        snprintf(args->text, sizeof args->text, "insufficient buying power");
    } else if (fate < 12) {
        about(d, SCN_BROKER_EXPIRES, at_ns + MINUTE_NS + up_to(d, HOUR_NS), decision);
    } else if (fate < 18) { /* a race */
        about(d, SCN_CANCEL, at_ns + up_to(d, 3 * SECOND_NS), decision);
        fill_parts(d, decision, at_ns, 1, 100);
    } else if (fate < 30) {
        end_ns = fill_parts(d, decision, at_ns, 1 + below(d, 2), 40);
        about(d, SCN_CANCEL, end_ns + up_to(d, MINUTE_NS), decision);
    } else if (fate < 40) {
        struct scn_args *args = NULL;
        end_ns = fill_parts(d, decision, at_ns, 1 + below(d, 2), 60);
        args = about(d, SCN_BROKER_CANCELS, end_ns + up_to(d, MINUTE_NS), decision);
        args->has |= SLOT(REST);
    } else {
        end_ns = fill_parts(d, decision, at_ns, 1 + below(d, 3), 100);
    }
    if (fate >= 18 && chance(d, 8))
        correct(d, decision, end_ns + up_to(d, HOUR_NS));
}

static void trade(struct drawing *d, int64_t day_ns) {
    int64_t at_ns = day_ns + 14 * HOUR_NS + 30 * MINUTE_NS + up_to(d, SESSION_MINUTES * MINUTE_NS);
    int decision = decide(d);
    signal_at(d, decision, at_ns);
    signal_at(d, decision, at_ns + MINUTE_NS);
    signal_at(d, decision, at_ns + 15 * MINUTE_NS);
    market(d, decision, at_ns);
    about(d, SCN_BROKER_EXPIRES, day_ns + 21 * HOUR_NS, decision); /* what is open at the close */
}

/* ---- one day ---- */

static void outage(struct drawing *d, int64_t day_ns) {
    int64_t at_ns = day_ns + 15 * HOUR_NS + up_to(d, 5 * HOUR_NS);
    add_line(d, SCN_BROKER_DOWN, at_ns);
    add_line(d, SCN_BROKER_BACK, at_ns + 5 * SECOND_NS + up_to(d, 2 * MINUTE_NS));
}

static void drill(struct drawing *d, int64_t day_ns) {
    int64_t at_ns = day_ns + 16 * HOUR_NS + up_to(d, HOUR_NS);
    add_line(d, SCN_KILL_SWITCH_TRIPS, at_ns);
    add_line(d, SCN_KILL_SWITCH_RELEASES, at_ns + 5 * MINUTE_NS);
}

static void trading_day(struct drawing *d, int64_t day_ns, int64_t decisions, bool drills) {
    struct scn_args *daily = NULL;
    add_line(d, SCN_RECONCILE, day_ns + 12 * HOUR_NS);
    for (int64_t i = 0; i < decisions; i++)
        trade(d, day_ns);
    for (int i = 0; i < OUTAGES; i++)
        outage(d, day_ns);
    if (drills)
        drill(d, day_ns);
    daily = add_line(d, SCN_RECONCILE, day_ns + 21 * HOUR_NS + 5 * MINUTE_NS);
    daily->has = SLOT(DAILY);
}

/* ---- all of it ---- */

static void name_symbols(struct drawing *d) {
    struct scenario *s = d->s;
    for (int i = 0; i < SYMBOLS; i++) {
        d->symbol[i] = SCN_NONE;
        for (size_t k = 0; k < s->symbol_count; k++)
            if (strcmp(s->symbols[k], symbols[i]) == 0)
                d->symbol[i] = (int)k;
        if (d->symbol[i] != SCN_NONE)
            continue;
        CHECK(s->symbol_count < SCN_SYMBOLS_MAX + SCN_WORKLOAD_SYMBOLS);
        d->symbol[i] = (int)s->symbol_count;
        snprintf(s->symbols[s->symbol_count++], sizeof s->symbols[0], "%s", symbols[i]);
    }
}

bool workload_is_asked(const struct scenario *scenario) {
    return scenario->options[SCN_OPTION_TRADING_DAYS].set ||
           scenario->options[SCN_OPTION_DECISIONS_A_DAY].set;
}

static int64_t asked(const struct scenario *scenario, enum scn_option option, int64_t otherwise) {
    const struct scn_option_value *value = &scenario->options[option];
    return value->set ? value->value : otherwise;
}

struct scenario *workload_write_out(const struct scenario *scenario, uint64_t seed) {
    struct drawing d = {.state = seed_named(seed, "workload")};
    int64_t days = asked(scenario, SCN_OPTION_TRADING_DAYS, 1);
    int64_t decisions = asked(scenario, SCN_OPTION_DECISIONS_A_DAY, DECISIONS_A_DAY);
    if (!workload_is_asked(scenario))
        return NULL;
    d.s = check_alloc(sizeof *d.s);
    *d.s = *scenario;
    d.room =
        scenario->line_count + (size_t)(days * (decisions * LINES_PER_DECISION + LINES_PER_DAY));
    d.s->lines = check_zalloc(d.room, sizeof *d.s->lines);
    if (scenario->line_count > 0)
        memcpy(d.s->lines, scenario->lines, scenario->line_count * sizeof *d.s->lines);
    d.s->decisions =
        check_zalloc(scenario->decision_count + (size_t)(days * decisions), sizeof *d.s->decisions);
    if (scenario->decision_count > 0)
        memcpy(d.s->decisions, scenario->decisions,
               scenario->decision_count * sizeof *d.s->decisions);
    name_symbols(&d);
    for (int64_t day = 0; day < days; day++)
        trading_day(&d, scenario->date_ns + day * DAY_NS, decisions, day == days / 2);
    return d.s;
}

void workload_free(struct scenario *scenario) {
    if (scenario == NULL)
        return;
    free(scenario->lines);
    free(scenario->decisions);
    free(scenario);
}
