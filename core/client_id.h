/* What may be asked of a client order id besides making one (oms_client_order_id). */
#ifndef CORE_CLIENT_ID_H
#define CORE_CLIENT_ID_H

#include "core/oms.h"

#define CLIENT_ID_PREFIX "cg-"
enum { CLIENT_ID_SHORTEST = 29 }; /* the prefix and 26 characters: at least 128 bits of digest */

/* Is it this account's id for this decision? */
bool client_id_is_derived(const char *account, const struct oms_order *order);
/* Does it look like one an OMS of this kind made? */
bool client_id_is_ours(const char *client_order_id);

#endif
