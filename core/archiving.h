/* Moving finished orders to the archive and back, and recognising those that are there. */
#ifndef CORE_ARCHIVING_H
#define CORE_ARCHIVING_H

#include "core/engine.h"

/* Is there enough that is finished? */
bool archiving_is_due(const struct oms *oms);
/* So much that what else is due waits for it? */
bool archiving_is_urgent(const struct oms *oms);
/* Moves one piece, in one segment and one transaction. Work for the agenda. */
enum oms_code archiving_step(struct oms *oms, struct order *order, struct oms_error *error);
/* Takes the newest segment back. Work for the agenda, as long as archiving_is_wanted_back. */
enum oms_code archiving_take_back(struct oms *oms, struct order *order, struct oms_error *error);
bool archiving_is_wanted_back(const struct oms *oms);

/* The archived order with this id, borrowed until the next look into the archive; NULL: there is
 * none. An archive that cannot be read stops everything: a decision in it might be taken again. */
enum oms_code archiving_find(struct oms *oms, enum segment_id which, const char *id,
                             const struct order **order, struct oms_error *error);
/* The same for a decision. */
enum oms_code archiving_order(struct oms *oms, const char *decision_id, const struct order **order,
                              struct oms_error *error);

/* What the archive says of what the broker shows. */
struct archived { /* all zero is empty; release with archived_free */
    struct archived_order {
        char client_order_id[BROKER_CLIENT_ID_SIZE];
        char broker_order_id[BROKER_ORDER_ID_SIZE];
    } * orders; /* archived orders that are listed */
    size_t order_count;
    struct index by_client_id;
};
void archived_free(struct archived *archived);
/* Notes the archived orders among the listed ones, and which executions are booked in the archive
 * (`booked`: one for each). When the broker says something new of one of them, it is wanted back, and
 * so is what comes after an execution of a live order: archiving_is_wanted_back, and the rest must
 * wait until it is there. */
enum oms_code archiving_note(struct oms *oms, const struct broker_orders *orders,
                             const struct broker_fills *fills, bool booked[],
                             struct archived *archived, struct oms_error *error);
bool archived_has(const struct archived *archived, const char *client_order_id);

#endif
