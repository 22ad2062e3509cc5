/* What was found before: differences that may be a matter of timing, and those that do not go away.
 *
 * A broker does not show all it did at one moment, so a difference that this life sees for the first
 * time proves nothing yet. It is INFO, and is looked at again once the profile's grace time is over;
 * what is still there then is what it looks like. */
#ifndef CORE_AGAIN_H
#define CORE_AGAIN_H

#include "core/engine.h"
#include "core/reconcile.h"

/* Makes INFO of what nothing explains and what this life has not yet seen for as long as the grace
 * time, and sets when to look again: until then nothing is sent if any of it was CRITICAL. False: no
 * memory; nothing was changed. */
bool again_give_grace(struct oms *oms, struct reconcile_found *found, int64_t now_ns);

/* Tells an ALARM about each difference that nothing explains and that as many comparisons in a row
 * have found now as are configured. Asked before the newest one is stored. */
enum oms_code again_tell_repeats(struct oms *oms, const struct reconcile_found *found,
                                 struct oms_error *error);

#endif
