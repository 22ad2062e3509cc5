/* Chains of events, and the first difference between two. */
#include "sim/chain.h"

#include "core/env.h"
#include "sim/check.h"
#include "sim/port.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    uint64_t base;
    const char *meaning;
} marks[] = {
#define X(id, base, meaning) {base, meaning},
    CHAIN_MARKS(X)
#undef X
};

void chain_add(struct chain *chain, const struct chain_event *event, const char *text) {
    struct chain_event *added = NULL;
    chain->cut = chain->cut || chain->n == CHAIN_MAX;
    if (chain->cut)
        return;
    CHECK_ROOM(chain->v, chain->n, chain->cap, CHAIN_MAX + 1);
    added = &chain->v[chain->n++];
    *added = *event;
    added->run = chain->run;
    snprintf(added->text, sizeof added->text, "%s", text != NULL ? text : "");
}

void chain_free(struct chain *chain) {
    free(chain->v);
    *chain = (struct chain){0};
}

/* A chain hashes all that was before: equal hashes are equal pasts. */
static bool same(const struct chain_event *a, const struct chain_event *b) {
    return a->run == b->run && a->event == b->event && a->at_ns == b->at_ns && a->hash == b->hash;
}

long chain_difference(const struct chain *a, const struct chain *b) {
    size_t least = a->n < b->n ? a->n : b->n;
    for (size_t i = 0; i < least; i++) {
        if (!same(&a->v[i], &b->v[i]))
            return (long)i;
    }
    return a->n == b->n ? -1 : (long)least;
}

char *chain_words(const struct chain_event *event, char out[CHAIN_WORDS_SIZE]) {
    size_t i = 0;
    if (event->what < SITE_COUNT) {
        char name[SITE_NAME_SIZE];
        struct site site = {(enum site_op)(event->what / SITE_OBJECT_COUNT),
                            (enum site_object)(event->what % SITE_OBJECT_COUNT)};
        snprintf(out, CHAIN_WORDS_SIZE, "call of %s, place and length %" PRIx64,
                 site_name(site, name), event->value);
        return out;
    }
    while (i + 1 < sizeof marks / sizeof marks[0] && event->what >= marks[i + 1].base)
        i++;
    if (marks[i].base == CHAIN_TOLD)
        snprintf(out, CHAIN_WORDS_SIZE, "%s %s %s: \"%s\"", marks[i].meaning,
                 (event->what - CHAIN_TOLD) % 2 == OMS_BEFORE ? "before" : "after",
                 oms_event_name((enum oms_event_kind)((event->what - CHAIN_TOLD) / 2)),
                 event->text);
    else
        snprintf(out, CHAIN_WORDS_SIZE, "%s (%" PRIu64 ": %" PRIx64 ")", marks[i].meaning,
                 event->what - marks[i].base, event->value);
    return out;
}
