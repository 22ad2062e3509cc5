/* What is due next. oms_next tells it and oms_step does it, so both ask here and nowhere else. */
#include "core/archiving.h"
#include "core/engine.h"

/* The earliest wins; of equals the one offered first. */
static void offer(struct task *best, struct task task) {
    if (best->work == OMS_WORK_NONE || task.at_ns < best->at_ns) {
        *best = task;
    }
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static void offer_unsent(const struct oms *oms, struct order *order, struct task *best) {
    const int64_t expires_ns = order->pub.cancel_asked ? 0 : order->pub.decision.expires_ns;

    if (order->pub.cancel_asked || expires_ns > 0) {
        offer(best, (struct task){OMS_WORK_RESOLVE, expires_ns, order, resolve_expiry});
    }
    if (send_has_room(oms)) {
        offer(best, (struct task){OMS_WORK_SEND, send_from_ns(oms, order), order, send_order});
    }
}

static void offer_order(const struct oms *oms, struct order *order, struct task *best) {
    if (order->on_its_way) {
        return; /* its answer comes first */
    }
    if (order_is_unsent(order)) {
        offer_unsent(oms, order, best);
    } else if (order_is_doubtful(order) && oms->reconciled) {
        offer(best, (struct task){OMS_WORK_RESOLVE, later(order->query_ns, oms->slow_ns), order,
                                  resolve_doubt});
    } else if (order_is_working(order)) {
        if (order->pub.cancel_asked) {
            offer(best, (struct task){OMS_WORK_SEND, order->cancel_ns, order, send_cancel});
        }
        if (oms->reconciled) {
            offer(best, (struct task){OMS_WORK_POLL, later(oms->poll_ns, oms->slow_ns), NULL,
                                      follow_poll});
        }
    }
}

struct task agenda_next(struct oms *oms) {
    struct task best = {.work = OMS_WORK_NONE};

    if (oms->halted) {
        return best;
    }
    if (oms->outcome.order != NULL) {
        return (struct task){OMS_WORK_RECORD, oms->outcome.sent_ns, oms->outcome.order,
                             send_record};
    }
    if (oms->under_way_count > 0) {
        offer(&best, (struct task){OMS_WORK_COLLECT, oms->collect_ns, NULL, send_collect});
    }
    if (oms->clock_went_back) {
        return (struct task){OMS_WORK_RESOLVE, oms->mark_ns, NULL, resolve_clock};
    }
    if (archiving_is_wanted_back(oms)) {
        return (struct task){OMS_WORK_RECORD, oms->mark_ns, NULL, archiving_take_back};
    }
    if (compare_is_due(oms)) {
        const int64_t from_ns = !oms->reconciled || oms->compare_asked
                                    ? oms->compare_ns
                                    : later(oms->again_ns, oms->compare_ns);
        offer(&best,
              (struct task){OMS_WORK_RECONCILE, later(from_ns, oms->slow_ns), NULL, compare_books});
    }
    /* nothing is due before the beginning of time, and of equals the first one wins */
    for (size_t i = 0; i < oms->live_count && (best.work == OMS_WORK_NONE || best.at_ns > 0); i++) {
        offer_order(oms, oms->live[i], &best);
    }
    if (archiving_is_due(oms) &&
        (best.work == OMS_WORK_NONE || best.at_ns > oms->mark_ns || archiving_is_urgent(oms))) {
        return (struct task){OMS_WORK_RECORD, oms->mark_ns, NULL, archiving_step};
    }
    return best;
}
