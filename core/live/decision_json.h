/* What strategies write to a running OMS, and what it answers: one JSON object a line.
 *
 *   {"id":"D1","side":"buy","qty":"100","symbol":"AAPL","type":"limit","limit_price":"150"}
 *   {"id":"D2","side":"sell","qty":"0.5","symbol":"SPY","type":"market"}
 *   {"cancel":"D1"}
 *
 * Optional: "time_in_force" ("day" when absent) and "expires_at" (RFC 3339). Decimals are strings,
 * because a JSON number is not exact. A field that is not known is refused, not ignored: it may be
 * a slip of one that matters. */
#ifndef CORE_LIVE_DECISION_JSON_H
#define CORE_LIVE_DECISION_JSON_H

#include "core/oms.h"

enum { DECISION_JSON_WHY_SIZE = 200, DECISION_JSON_SIZE = 1024 };

enum decision_json_kind {
    DECISION_JSON_WRONG,  /* neither; `why` names the field, the value and the rule */
    DECISION_JSON_DECIDE, /* *decision is filled in; the core judges the values further */
    DECISION_JSON_CANCEL  /* only decision->id is */
};

enum decision_json_kind decision_json_read(const char *line, struct oms_decision *decision,
                                           char why[DECISION_JSON_WHY_SIZE]);

/* Answers, without a newline. Return out. A decision's: "answer" is taken, known, not-taken or
 * unknown. A cancel's: asked, or refused with a reason (NULL: asked). A wrong line's: its number.
 */
char *decision_json_answer(const char *decision_id, const struct oms_answer *answer,
                           char out[DECISION_JSON_SIZE]);
char *decision_json_cancel(const char *decision_id, const char *refused,
                           char out[DECISION_JSON_SIZE]);
char *decision_json_wrong(unsigned long line, const char *why, char out[DECISION_JSON_SIZE]);

#endif
