/* Port: time, the halt file, and the place where the core tells what it does. */
#ifndef CORE_ENV_H
#define CORE_ENV_H

#include <stdbool.h>
#include <stdint.h>

/* What the core tells. id, name, meaning. These are the production log and the points that
 * scenarios name; each is told with the phase OMS_BEFORE and OMS_AFTER where both make sense.
 * A BEFORE without its AFTER means the step did not happen, or nobody lived to say so. */
#define OMS_EVENTS(X)                                                                          \
    X(BOOT, "boot", "start; `text`: the guarantee; AFTER once ready for decisions")            \
    X(CHECK, "check", "looked a decision id up; `known` tells the answer (AFTER only)")        \
    X(DECIDE, "decide", "the intent's transaction")                                            \
    X(SKIP, "skip", "a decision already known was presented again: nothing to do (AFTER)")     \
    X(REFUSE, "refuse", "a decision was answered 'not taken'; `text` says why (AFTER)")        \
    X(SEND, "send", "an order leaves; BEFORE is told right before the request")                \
    X(RECORD, "record", "the outcome of a send or a resolved doubt becomes durable")           \
    X(FILL, "fill", "an execution is booked")                                                  \
    X(REJECT, "reject", "a broker's refusal becomes durable (inside RECORD)")                  \
    X(CANCEL, "cancel", "a cancel leaves")                                                     \
    X(RECONCILE, "reconcile", "comparison with the broker; AFTER once it is stored")           \
    X(INCONCLUSIVE, "inconclusive",                                                            \
      "a comparison could not be made whole, nothing was changed; `text` says why (AFTER)")    \
    X(DISCREPANCY, "discrepancy", "one difference found; `text` describes it (AFTER)")         \
    X(KILL_SWITCH, "kill-switch", "tripped or released, durable; `text` says by whom (AFTER)") \
    X(HOLD, "hold", "an order is held for a person; `text` says why (AFTER)")                  \
    X(ALARM, "alarm", "something a person should see; `text` says what (AFTER)")               \
    X(HALT, "halt", "fail-stop: nothing is sent or written from here on (AFTER)")              \
    X(RESOLVE, "resolve",                                                                      \
      "a person settled a held order, durable; `text` says how, who, why (AFTER)")             \
    X(ARCHIVE, "archive", "finished orders move to the archive, or back; `text`: how many")
enum oms_event_kind {
#define X(id, name, meaning) OMS_EVENT_##id,
    OMS_EVENTS(X)
#undef X
};
enum oms_phase { OMS_BEFORE, OMS_AFTER };

/* Text pointers are valid during emit only; those that do not apply are "". */
struct oms_event {
    enum oms_event_kind kind;
    enum oms_phase phase;
    const char *decision_id;
    const char *client_order_id;
    const char *text;
    bool known; /* CHECK: the decision was in the store */
};

enum oms_halt_file { OMS_HALT_ABSENT, OMS_HALT_PRESENT, OMS_HALT_UNREADABLE };

struct oms_env {
    void *ctx;
    int64_t (*now_ns)(void *ctx); /* wall clock, UTC, ns since 1970; may be set, back or forward */
    /* A clock that nobody sets: above 0, goes on evenly while the machine runs or sleeps, and means
     * nothing in another life. What this life sent counts as gone only when both clocks say so. NULL:
     * there is none, and a wall clock that is set forward shortens that wait. */
    int64_t (*steady_ns)(void *ctx);
    enum oms_halt_file (*halt_file)(void *ctx);             /* asked right before every send */
    void (*emit)(void *ctx, const struct oms_event *event); /* must not call back into the core */
};

const char *oms_event_name(enum oms_event_kind kind);

#endif
