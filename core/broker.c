/* Words and lists of the broker port. */
#include "core/broker.h"

#include <stdlib.h>
#include <string.h>

const char *broker_side_name(enum broker_side side) {
    switch (side) {
    case BROKER_BUY:
        return "buy";
    case BROKER_SELL:
        return "sell";
    }
    return "?";
}

const char *broker_type_name(enum broker_type type) {
    switch (type) {
    case BROKER_MARKET:
        return "market";
    case BROKER_LIMIT:
        return "limit";
    }
    return "?";
}

const char *broker_tif_name(enum broker_tif tif) {
    switch (tif) {
#define X(id, name)   \
    case BROKER_##id: \
        return name;
        BROKER_TIFS(X)
#undef X
    }
    return "?";
}

const char *broker_status_name(enum broker_status status) {
    switch (status) {
#define X(id, name, open)    \
    case BROKER_STATUS_##id: \
        return name;
        BROKER_STATUSES(X)
#undef X
    case BROKER_STATUS_UNKNOWN:
        break;
    }
    return "unknown";
}

bool broker_side_parse(const char *word, enum broker_side *side) {
    const bool buy = strcmp(word, "buy") == 0;
    if (!buy && strcmp(word, "sell") != 0) {
        return false;
    }
    *side = buy ? BROKER_BUY : BROKER_SELL;
    return true;
}

bool broker_type_parse(const char *word, enum broker_type *type) {
    const bool market = strcmp(word, "market") == 0;
    if (!market && strcmp(word, "limit") != 0) {
        return false;
    }
    *type = market ? BROKER_MARKET : BROKER_LIMIT;
    return true;
}

bool broker_tif_parse(const char *word, enum broker_tif *tif) {
#define X(id, name)                \
    if (strcmp(word, name) == 0) { \
        *tif = BROKER_##id;        \
        return true;               \
    }
    BROKER_TIFS(X)
#undef X
    return false;
}

enum broker_status broker_status_parse(const char *word) {
#define X(id, name, open)          \
    if (strcmp(word, name) == 0) { \
        return BROKER_STATUS_##id; \
    }
    BROKER_STATUSES(X)
#undef X
    return BROKER_STATUS_UNKNOWN;
}

bool broker_status_is_open(enum broker_status status) {
    switch (status) {
#define X(id, name, open)    \
    case BROKER_STATUS_##id: \
        return open;
        BROKER_STATUSES(X)
#undef X
    case BROKER_STATUS_UNKNOWN:
        break;
    }
    return true;
}

/* Makes room for one more row of `size` bytes; rows are zeroed. */
static void *add_row(void **rows, size_t *count, size_t *capacity, size_t size) {
    if (*count == BROKER_LIST_MAX) {
        return NULL;
    }
    if (*count == *capacity) {
        const size_t wanted = *capacity ? *capacity * 2 : 8;
        void *grown = realloc(*rows, wanted * size);
        if (grown == NULL) {
            return NULL;
        }
        *rows = grown;
        *capacity = wanted;
    }
    return memset((char *)*rows + (*count)++ * size, 0, size);
}

struct broker_order *broker_orders_add(struct broker_orders *list) {
    void *rows = list->v;
    struct broker_order *row = add_row(&rows, &list->n, &list->cap, sizeof *list->v);
    list->v = rows;
    return row;
}

struct broker_fill *broker_fills_add(struct broker_fills *list) {
    void *rows = list->v;
    struct broker_fill *row = add_row(&rows, &list->n, &list->cap, sizeof *list->v);
    list->v = rows;
    return row;
}

struct broker_position *broker_positions_add(struct broker_positions *list) {
    void *rows = list->v;
    struct broker_position *row = add_row(&rows, &list->n, &list->cap, sizeof *list->v);
    list->v = rows;
    return row;
}

void broker_orders_free(struct broker_orders *list) {
    free(list->v);
    *list = (struct broker_orders){0};
}

void broker_fills_free(struct broker_fills *list) {
    free(list->v);
    *list = (struct broker_fills){0};
}

void broker_positions_free(struct broker_positions *list) {
    free(list->v);
    *list = (struct broker_positions){0};
}
