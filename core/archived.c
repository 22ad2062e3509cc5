/* Recognising orders and executions that are in the archive, and noticing when the broker says
 * something new of one of them. */
#include "core/archiving.h"

#include <stdlib.h>
#include <string.h>

enum oms_code archiving_find(struct oms *oms, enum segment_id which, const char *id,
                             const struct order **order, struct oms_error *error) {
    struct oms_error why;
    const enum oms_code code =
        archive_find(&oms->book.archive, &oms->store, which, id, order, &why);
    return code == OMS_OK ? OMS_OK : engine_fail(oms, why.text, error);
}

enum oms_code archiving_order(struct oms *oms, const char *decision_id, const struct order **order,
                              struct oms_error *error) {
    char id[BROKER_CLIENT_ID_SIZE];
    enum oms_code code;

    oms_client_order_id(oms->config.account, decision_id, oms->config.profile->client_id_max, id);
    code = archiving_find(oms, SEGMENT_CLIENT_ID, id, order, error);
    if (*order != NULL && strcmp((*order)->pub.decision.id, decision_id) != 0) {
        *order = NULL;
    }
    return code;
}

/* Segments come back newest first, until this one has. */
static void want_back(struct oms *oms, int64_t id) {
    if (oms->wanted_back == 0 || id < oms->wanted_back) {
        oms->wanted_back = id;
    }
}

/* Is there anything in the broker's word that is not in the archive? */
static bool is_news(const struct oms *oms, const struct order *order,
                    const struct broker_order *listed) {
    char why[OMS_REASON_SIZE];

    if (order->pub.broker_order_id[0] == '\0') {
        return listed->filled_nanos > 0 || broker_status_is_open(listed->status);
    }
    return strcmp(order->pub.broker_order_id, listed->id) == 0 &&
           (listed->filled_nanos != order->pub.filled_nanos ||
            !order_matches(order, listed, oms->config.profile->knows_ids, why));
}

/* A listed order that is not live. */
static enum oms_code note_order(struct oms *oms, const struct broker_order *listed,
                                struct archived *archived, struct oms_error *error) {
    const struct order *order = NULL;
    struct archived_order *row = &archived->orders[archived->order_count];
    enum oms_code code = OMS_OK;

    if (listed->client_order_id[0] != '\0') {
        code = archiving_find(oms, SEGMENT_CLIENT_ID, listed->client_order_id, &order, error);
    }
    if (code == OMS_OK && order == NULL) {
        code = archiving_find(oms, SEGMENT_BROKER_ID, listed->id, &order, error);
    }
    if (code != OMS_OK || order == NULL) {
        return code;
    }
    memcpy(row->client_order_id, order->pub.client_order_id, sizeof row->client_order_id);
    memcpy(row->broker_order_id, order->pub.broker_order_id, sizeof row->broker_order_id);
    archived->order_count++;
    if (!index_put(&archived->by_client_id, row->client_order_id, row)) {
        return engine_fail(oms, "no memory to look into the archive", error);
    }
    if (is_news(oms, order, listed)) {
        want_back(oms, oms->book.archive.kept.id);
    }
    return OMS_OK;
}

static enum oms_code note_fill(struct oms *oms, const struct broker_fill *fill, bool *booked,
                               struct oms_error *error) {
    const struct order *order = NULL;
    const enum oms_code code =
        archiving_find(oms, SEGMENT_BROKER_ID, fill->order_id, &order, error);

    if (code == OMS_OK && order != NULL) {
        *booked = index_get(&oms->book.archive.kept.by_execution, fill->execution_id) != NULL;
        if (!*booked) {
            want_back(oms, oms->book.archive.kept.id);
        }
    }
    return code;
}

/* Whether it is of a live order, or of one that is about to be found by its id. */
static bool is_of_live(const struct oms *oms, const struct broker_orders *orders,
                       const struct broker_fill *fill) {
    for (size_t i = 0; i < orders->n; i++) {
        if (strcmp(orders->v[i].id, fill->order_id) == 0 &&
            book_by_client_id(&oms->book, orders->v[i].client_order_id) != NULL) {
            return true;
        }
    }
    return book_by_broker_id(&oms->book, fill->order_id) != NULL;
}

enum oms_code archiving_note(struct oms *oms, const struct broker_orders *orders,
                             const struct broker_fills *fills, bool booked[],
                             struct archived *archived, struct oms_error *error) {
    enum oms_code code = OMS_OK;

    if (oms->book.archive.count == 0) {
        return OMS_OK;
    }
    archived->orders = calloc(orders->n + 1, sizeof *archived->orders);
    if (archived->orders == NULL) {
        return engine_fail(oms, "no memory to look into the archive", error);
    }
    for (size_t i = 0; code == OMS_OK && i < orders->n; i++) {
        const struct broker_order *listed = &orders->v[i];
        if (book_by_client_id(&oms->book, listed->client_order_id) == NULL &&
            book_by_broker_id(&oms->book, listed->id) == NULL) {
            code = note_order(oms, listed, archived, error);
        }
    }
    for (size_t i = 0; code == OMS_OK && i < fills->n; i++) {
        if (!booked[i] && !ledger_is_correction(&fills->v[i]) &&
            book_is_past(&oms->book, &fills->v[i]) && is_of_live(oms, orders, &fills->v[i])) {
            want_back(oms, (int64_t)oms->book.archive.count);
        }
        if (!booked[i] && book_by_broker_id(&oms->book, fills->v[i].order_id) == NULL) {
            code = note_fill(oms, &fills->v[i], &booked[i], error);
        }
    }
    return code;
}

bool archived_has(const struct archived *archived, const char *client_order_id) {
    return index_get(&archived->by_client_id, client_order_id) != NULL;
}

void archived_free(struct archived *archived) {
    free(archived->orders);
    index_free(&archived->by_client_id);
    *archived = (struct archived){.orders = NULL};
}
