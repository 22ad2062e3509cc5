/* The list of corrections: few, so that it is searched from its end. */
#include "core/ledger.h"

#include <stdlib.h>
#include <string.h>

const char *ledger_root(const struct ledger *ledger, const char *execution_id) {
    for (size_t i = 0; i < ledger->n; i++) {
        if (strcmp(ledger->v[i].execution_id, execution_id) == 0) {
            return ledger->v[i].refers;
        }
    }
    return execution_id;
}

static bool is_after(const struct broker_fill *a, const struct broker_fill *b) {
    return a->at_ns != b->at_ns ? a->at_ns > b->at_ns
                                : strcmp(a->execution_id, b->execution_id) > 0;
}

bool ledger_add(struct ledger *ledger, const struct broker_fill *correction) {
    size_t at = ledger->n;

    if (ledger->n == ledger->cap) {
        const size_t wanted = ledger->cap ? ledger->cap * 2 : 4;
        void *grown = ledger->n < LEDGER_CORRECTIONS_MAX
                          ? realloc(ledger->v, wanted * sizeof *ledger->v)
                          : NULL;
        if (grown == NULL) {
            return false;
        }
        ledger->v = grown;
        ledger->cap = wanted;
    }
    while (at > 0 && is_after(&ledger->v[at - 1], correction)) {
        at--;
    }
    memmove(&ledger->v[at + 1], &ledger->v[at], (ledger->n - at) * sizeof *ledger->v);
    ledger->v[at] = *correction;
    ledger->n++;
    return true;
}

const struct broker_fill *ledger_newest(const struct ledger *ledger, const char *execution_id) {
    for (size_t i = ledger->n; i-- > 0;) {
        if (strcmp(ledger->v[i].refers, execution_id) == 0) {
            return &ledger->v[i];
        }
    }
    return NULL;
}

bool ledger_counts(const struct ledger *ledger, struct broker_fill *fill) {
    const struct broker_fill *newest;

    if (ledger_is_correction(fill)) {
        return false;
    }
    newest = ledger_newest(ledger, fill->execution_id);
    if (newest != NULL) {
        fill->qty_nanos = newest->qty_nanos;
        fill->price_nanos = newest->price_nanos;
    }
    return fill->qty_nanos > 0;
}

void ledger_free(struct ledger *ledger) {
    free(ledger->v);
    *ledger = (struct ledger){0};
}
