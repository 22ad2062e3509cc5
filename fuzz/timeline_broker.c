/* What the broker and the market do in a timeline, and the settings of the OMS. */
#include "fuzz/timeline_decoder.h"
#include "fuzz/timeline_tables.h"

#include <stdio.h>
#include <string.h>

/* ---- executions ---- */

/* A quarter, half, all, or one more than all of the order. */
static int64_t part_of(int64_t qty_nanos, uint8_t which) {
    switch (which % 4) {
    case 0:
        return qty_nanos;
    case 1:
        return qty_nanos / 2;
    case 2:
        return qty_nanos / 4;
    default:
        return qty_nanos + TIMELINE_SECOND;
    }
}

/* Of the order of the decision, or of the oldest that is open in its symbol. */
void timeline_fill(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    bool oldest = arg[3] % 2 != 0;
    struct scn_args *args = decoder_about(d, oldest ? SCN_BROKER_FILLS_SYMBOL : SCN_BROKER_FILLS);
    const struct oms_decision *payload = NULL;
    if (args == NULL)
        return;
    payload = &d->s->decisions[args->decision].payload;
    d->fills[d->fill_count++] = (int)d->s->line_count - 1;
    args->has |= SLOT(QTY) | SLOT(PRICE);
    args->qty_nanos = part_of(payload->qty_nanos, arg[1]);
    args->price_nanos = payload->type == BROKER_LIMIT ? payload->limit_nanos : TIMELINE_PRICE;
    args->price_nanos += arg[2] % 4 * TIMELINE_TICK;
    if (!oldest)
        return;
    args->has = SLOT(QTY) | SLOT(PRICE) | SLOT(SYMBOL);
    args->symbol = decoder_symbol(d->s, payload->symbol);
    args->decision = SCN_NONE;
}

/* The execution that the first argument means, which gets a name; NULL: there is none yet. */
static struct scn_args *named_fill(struct decoder *d) {
    size_t place = 0;
    struct scn_args *args = NULL;
    if (d->fill_count == 0)
        return NULL;
    place = decoder_args(d)[0] % d->fill_count;
    args = &d->s->lines[d->fills[place]].args;
    args->has |= SLOT(FILL);
    snprintf(args->name, sizeof args->name, "F%zu", place + 1);
    return args;
}

static struct scn_args *about_fill(struct decoder *d, enum scn_statement statement,
                                   const struct scn_args *fill) {
    struct scn_args *args = &decoder_line(d, statement)->args;
    args->has = SLOT(FILL);
    memcpy(args->name, fill->name, sizeof args->name);
    return args;
}

void timeline_bust(struct decoder *d) {
    const struct scn_args *fill = named_fill(d);
    if (fill != NULL)
        about_fill(d, SCN_BROKER_BUSTS, fill);
}

void timeline_correct(struct decoder *d) {
    const struct scn_args *fill = named_fill(d);
    struct scn_args *args = NULL;
    if (fill == NULL)
        return;
    args = about_fill(d, SCN_BROKER_CORRECTS, fill);
    args->has |= SLOT(QTY) | SLOT(PRICE);
    args->qty_nanos = part_of(fill->qty_nanos, decoder_args(d)[1]);
    args->price_nanos = fill->price_nanos + decoder_args(d)[2] % 4 * TIMELINE_TICK;
}

void timeline_foreign(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    struct scn_args *args = &decoder_line(d, SCN_BROKER_FOREIGN)->args;
    args->has = SLOT(SIDE) | SLOT(QTY) | SLOT(SYMBOL) | SLOT(PRICE);
    args->symbol = decoder_symbol(d->s, timeline_symbols[arg[0] % TIMELINE_SYMBOLS]);
    args->side = arg[1] % 2 != 0 ? BROKER_SELL : BROKER_BUY;
    args->qty_nanos = (arg[2] % 16 + 1) * TIMELINE_SECOND;
    args->price_nanos = TIMELINE_PRICE;
}

/* ---- settings and habits ---- */

void timeline_option(struct scenario *s, enum scn_option option, int64_t value) {
    s->options[option] = (struct scn_option_value){true, value};
}

/* A line in force from the beginning; once is enough. NULL: it stands there already. */
static struct scn_args *habit(struct decoder *d, enum scn_statement statement) {
    struct scn_line *line = NULL;
    for (size_t i = 0; i < d->s->line_count; i++) {
        if (d->s->lines[i].statement == statement)
            return NULL;
    }
    line = decoder_line(d, statement);
    line->when = (struct scn_when){.base = SCN_FROM_BEGINNING, .anchor = SCN_NONE};
    return &line->args;
}

static void standing_fills(struct decoder *d, uint8_t value) {
    struct scn_args *args = habit(d, SCN_BROKER_FILLS_ALL);
    if (args == NULL)
        return;
    args->has = SLOT(DUR) | SLOT(PRICE);
    args->duration_ns = timeline_durations[value % (TIMELINE_DURATIONS - 1) + 1];
    args->price_nanos = TIMELINE_PRICE;
}

static void words_for_unknown(struct decoder *d, uint8_t value) {
    struct scn_args *args = habit(d, SCN_BROKER_SAYS);
    if (args == NULL)
        return;
    args->has = SLOT(TEXT);
    snprintf(args->text, sizeof args->text, "%s", timeline_words[value % TIMELINE_WORDS]);
}

void timeline_setting(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    enum timeline_setting which = (enum timeline_setting)(arg[0] % TIMELINE_SETTING_COUNT);
    switch (which) {
    case SETTING_BATCH:
        timeline_option(d->s, SCN_OPTION_BATCH, timeline_batches[arg[1] % TIMELINE_SIZES]);
        return;
    case SETTING_SELF_HEAL:
        timeline_option(d->s, SCN_OPTION_SELF_HEAL, timeline_percents[arg[1] % TIMELINE_SIZES]);
        return;
    case SETTING_ARCHIVE:
        timeline_option(d->s, SCN_OPTION_ARCHIVE_ORDERS,
                        timeline_archives[arg[1] % TIMELINE_SIZES]);
        return;
    case SETTING_STORE_VERSION:
        timeline_option(d->s, SCN_OPTION_STORE_VERSION, TIMELINE_OLD_STORE);
        return;
    case SETTING_BURNS_IDS: /* where an id is taken only while its order is open, none is burned */
        if (!d->s->profiles[0]->only_while_open)
            habit(d, SCN_BROKER_BURNS_IDS);
        return;
    case SETTING_KEEPS_IDS:
        habit(d, SCN_BROKER_KEEPS_IDS);
        return;
    case SETTING_SAYS:
        words_for_unknown(d, arg[1]);
        return;
    case SETTING_FILLS_ALL:
        standing_fills(d, arg[1]);
        return;
    case TIMELINE_SETTING_COUNT:
        return;
    }
}
