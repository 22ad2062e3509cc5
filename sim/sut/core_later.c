/* A broker's door whose answers to sends come later than the sends. */
#include "sim/sut/core_later.h"

#include "core/check.h"

#include <string.h>

static int64_t now_ns(const struct later *later) {
    return later->env.now_ns(later->env.ctx);
}

static enum broker_sent submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct broker_reason *why) {
    struct later *later = ctx;
    struct waiting *place = &later->waiting[later->count];
    CHECK(later->count < OMS_SENDS_MAX);
    *place = (struct waiting){.answer = {.ticket = request->ticket}};
    place->answer.sent =
        later->inner.submit(later->inner.ctx, request, &place->answer.order, &place->answer.why);
    if (place->answer.sent == BROKER_NOT_SENT) { /* that is known at once */
        *order = place->answer.order;
        *why = place->answer.why;
        return BROKER_NOT_SENT;
    }
    place->due_ns = now_ns(later) + later->after_ns;
    later->count++;
    return BROKER_ON_ITS_WAY;
}

/* A clock that went back makes no answer later. */
static int64_t due_ns(const struct later *later, const struct waiting *waiting, int64_t now) {
    return waiting->due_ns - now > later->after_ns ? now : waiting->due_ns;
}

/* Of several that are there the newest comes first: nothing says that they come in the order of what they
 * answer. */
static bool collect(void *ctx, struct broker_answer *answer, int64_t *wait_ns) {
    struct later *later = ctx;
    int64_t now = now_ns(later);
    *wait_ns = later->after_ns;
    for (size_t i = later->count; i-- > 0;) {
        int64_t due = due_ns(later, &later->waiting[i], now);
        if (due <= now) {
            *answer = later->waiting[i].answer;
            later->count--;
            memmove(&later->waiting[i], &later->waiting[i + 1],
                    (later->count - i) * sizeof later->waiting[0]);
            return true;
        }
        *wait_ns = due - now < *wait_ns ? due - now : *wait_ns;
    }
    return false;
}

static void go_on(const struct later *later) {
    struct oms_error ignored; /* whoever stepped the OMS is told */
    if (later->oms != NULL)
        (void)oms_meanwhile(later->oms, &ignored);
}

static enum broker_found lookup(void *ctx, const char *client_order_id, struct broker_order *order,
                                struct broker_reason *why) {
    struct later *later = ctx;
    enum broker_found found = later->inner.lookup(later->inner.ctx, client_order_id, order, why);
    go_on(later);
    return found;
}

static bool orders(void *ctx, enum broker_scope scope, int64_t since_ns, struct broker_orders *list,
                   struct broker_reason *why) {
    struct later *later = ctx;
    bool whole = later->inner.orders(later->inner.ctx, scope, since_ns, list, why);
    go_on(later);
    return whole;
}

static bool fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                  struct broker_reason *why) {
    struct later *later = ctx;
    bool whole = later->inner.fills(later->inner.ctx, since_ns, list, why);
    go_on(later);
    return whole;
}

static bool positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    struct later *later = ctx;
    bool whole = later->inner.positions(later->inner.ctx, list, why);
    go_on(later);
    return whole;
}

static bool account(void *ctx, struct broker_account *account, struct broker_reason *why) {
    struct later *later = ctx;
    return later->inner.account(later->inner.ctx, account, why);
}

static enum broker_canceled cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    struct later *later = ctx;
    enum broker_canceled canceled = later->inner.cancel(later->inner.ctx, order_id, why);
    go_on(later);
    return canceled;
}

void later_broker(struct later *later, const struct broker *inner, const struct oms_env *env,
                  int64_t after_ns, struct broker *out) {
    *later = (struct later){.inner = *inner, .env = *env, .after_ns = after_ns};
    *out = (struct broker){.ctx = later,
                           .submit = submit,
                           .lookup = lookup,
                           .orders = orders,
                           .fills = fills,
                           .positions = positions,
                           .account = account,
                           .cancel = cancel,
                           .collect = collect};
}
