/* The life of an order, as one table of legal moves; what leads to each is in core/oms.h. */
#include "core/order.h"

#include "core/check.h"
#include "core/sha256.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define BIT(state) (1u << OMS_STATE_##state)
/* where the broker's word can take an order we did not know to be live */
#define FOUND_LIVE                                                                        \
    (BIT(WORKING) | BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) | BIT(REJECTED) | \
     BIT(EXPIRED))

/* from, to */
#define MOVES(X)                                                                                   \
    X(INTENT, BIT(IN_DOUBT) | FOUND_LIVE | BIT(HELD))                                              \
    X(IN_DOUBT, BIT(INTENT) | FOUND_LIVE | BIT(HELD))                                              \
    X(WORKING, BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) | BIT(REJECTED) | BIT(EXPIRED)) \
    /* back to WORKING, or from FILLED: executions were busted */                                  \
    X(PARTIALLY_FILLED, BIT(WORKING) | BIT(FILLED) | BIT(CANCELED) | BIT(EXPIRED))                 \
    X(FILLED, BIT(CANCELED) | BIT(EXPIRED))                                                        \
    X(CANCELED, 0)                                                                                 \
    X(REJECTED, 0)                                                                                 \
    X(EXPIRED, 0)                                                                                  \
    X(HELD, FOUND_LIVE)

static const unsigned legal[] = {
#define X(from, to) [OMS_STATE_##from] = (to) | BIT(from),
    MOVES(X)
#undef X
};

bool order_can_move(enum oms_state from, enum oms_state to) {
    return (legal[from] & 1u << to) != 0;
}

bool order_is_broken(const struct order *order, const char **why) {
    const struct oms_order *pub = &order->pub;
    const bool told = pub->state == OMS_STATE_REJECTED || pub->state == OMS_STATE_HELD;

    *why = pub->decision.qty_nanos <= 0                  ? "qty must be positive"
           : pub->filled_nanos < 0                       ? "filled must not be negative"
           : pub->filled_nanos > pub->decision.qty_nanos ? "filled exceeds qty"
           : pub->state == OMS_STATE_FILLED && pub->filled_nanos != pub->decision.qty_nanos
               ? "filled state needs filled = qty"
           : pub->sends < 0 || pub->sends > ORDER_SENDS_MAX ? "sends is out of range"
           : order->send_by_ns > 0 && pub->sends == 0       ? "a reservation without a send"
           : pub->state == OMS_STATE_IN_DOUBT && order->send_by_ns == 0 ? "in doubt without a send"
           : order_is_working(order) && pub->broker_order_id[0] == '\0' ? "live without a broker id"
           : told && pub->reason[0] == '\0'                             ? "ended without a reason"
                                                                        : NULL;
    return *why != NULL;
}

void order_check(const struct order *order) {
    const char *why;
    CHECK(!order_is_broken(order, &why));
}

void order_move(struct order *order, enum oms_state to, const char *reason) {
    CHECK(order_can_move(order->pub.state, to));
    order->pub.state = to;
    if (reason != NULL) {
        text_clean(order->pub.reason, sizeof order->pub.reason, reason);
    }
    if (to != OMS_STATE_INTENT) {
        order->fresh = false;
    }
    order_check(order);
}

bool order_is_doubtful(const struct order *order) {
    return order->pub.state == OMS_STATE_IN_DOUBT ||
           (order->pub.state == OMS_STATE_INTENT && order->send_by_ns > 0 && !order->fresh);
}

bool order_is_unsent(const struct order *order) {
    return order->pub.state == OMS_STATE_INTENT && !order_is_doubtful(order);
}

bool order_is_working(const struct order *order) {
    return order->pub.state == OMS_STATE_WORKING || order->pub.state == OMS_STATE_PARTIALLY_FILLED;
}

enum oms_state order_target(const struct order *order, enum broker_status status,
                            int64_t filled_nanos) {
    const int64_t booked = order->pub.filled_nanos;
    const enum oms_state live = booked > 0 ? OMS_STATE_PARTIALLY_FILLED : OMS_STATE_WORKING;

    if (booked == order->pub.decision.qty_nanos) {
        return OMS_STATE_FILLED;
    }
    if (booked != filled_nanos) {
        return live;
    }
    switch (status) {
    case BROKER_STATUS_CANCELED:
    case BROKER_STATUS_REPLACED:
        return OMS_STATE_CANCELED;
    case BROKER_STATUS_EXPIRED:
        return OMS_STATE_EXPIRED;
    case BROKER_STATUS_REJECTED:
        /* with executions booked, busted since or not, it did live: it was ended, not refused */
        return booked > 0 || order->pub.state == OMS_STATE_PARTIALLY_FILLED ? OMS_STATE_CANCELED
                                                                            : OMS_STATE_REJECTED;
    case BROKER_STATUS_FILLED:
    case BROKER_STATUS_NEW:
    case BROKER_STATUS_PARTIALLY_FILLED:
    case BROKER_STATUS_DONE_FOR_DAY:
    case BROKER_STATUS_PENDING_CANCEL:
    case BROKER_STATUS_PENDING_REPLACE:
    case BROKER_STATUS_ACCEPTED:
    case BROKER_STATUS_PENDING_NEW:
    case BROKER_STATUS_ACCEPTED_FOR_BIDDING:
    case BROKER_STATUS_STOPPED:
    case BROKER_STATUS_SUSPENDED:
    case BROKER_STATUS_CALCULATED:
    case BROKER_STATUS_HELD:
    case BROKER_STATUS_UNKNOWN:
        break;
    }
    return live;
}

const char *order_ending(enum oms_state state, const struct broker_order *theirs) {
    switch (state) {
    case OMS_STATE_CANCELED:
        return theirs->status == BROKER_STATUS_REPLACED   ? "replaced at the broker"
               : theirs->status == BROKER_STATUS_REJECTED ? "ended by the broker after executions"
                                                          : "canceled at the broker";
    case OMS_STATE_EXPIRED:
        return "expired at the broker";
    case OMS_STATE_REJECTED:
        return "rejected by the broker after it had taken it";
    case OMS_STATE_INTENT:
    case OMS_STATE_IN_DOUBT:
    case OMS_STATE_WORKING:
    case OMS_STATE_PARTIALLY_FILLED:
    case OMS_STATE_FILLED:
    case OMS_STATE_HELD:
        break;
    }
    return "";
}

bool order_matches(const struct order *order, const struct broker_order *theirs, bool by_id,
                   char *why) {
    const struct oms_decision *ours = &order->pub.decision;
    char a[DECIMAL_TEXT_MAX], b[DECIMAL_TEXT_MAX];
    const char *field = "", *mine = a, *other = b;

    if (by_id && strcmp(order->pub.client_order_id, theirs->client_order_id) != 0) {
        field = "client order id";
        mine = order->pub.client_order_id;
        other = theirs->client_order_id;
    } else if (strcmp(ours->symbol, theirs->symbol) != 0) {
        field = "symbol";
        mine = ours->symbol;
        other = theirs->symbol;
    } else if (ours->side != theirs->side) {
        field = "side";
        mine = broker_side_name(ours->side);
        other = broker_side_name(theirs->side);
    } else if (ours->qty_nanos != theirs->qty_nanos) {
        field = "qty";
        (void)decimal_format(ours->qty_nanos, 0, a);
        (void)decimal_format(theirs->qty_nanos, 0, b);
    } else if (ours->limit_nanos != theirs->limit_nanos) {
        field = "limit";
        (void)decimal_format(ours->limit_nanos, 0, a);
        (void)decimal_format(theirs->limit_nanos, 0, b);
    } else if (theirs->id[0] == '\0') {
        field = "broker order id";
        mine = "an id";
        other = "empty";
    } else {
        return true;
    }
    (void)snprintf(why, OMS_REASON_SIZE, "the broker's order %s differs: %s is %s, not %s",
                   by_id ? "under our id" : "we took for ours", field, other, mine);
    return false;
}

bool order_same_payload(const struct oms_decision *a, const struct oms_decision *b) {
    return strcmp(a->id, b->id) == 0 && strcmp(a->symbol, b->symbol) == 0 && a->side == b->side &&
           a->type == b->type && a->tif == b->tif && a->qty_nanos == b->qty_nanos &&
           a->limit_nanos == b->limit_nanos && a->expires_ns == b->expires_ns;
}

/* The closing zero ends each text, so that no other fields give the same bytes. */
static void add_text(struct sha256 *sha, const char *text) {
    sha256_add(sha, text, strlen(text) + 1);
}

static void add_number(struct sha256 *sha, int64_t number) {
    unsigned char bytes[sizeof number];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * (sizeof bytes - 1 - i));
    }
    sha256_add(sha, bytes, sizeof bytes);
}

int64_t order_seal(const struct oms_decision *decision) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 sha;
    uint64_t seal = 0;

    sha256_start(&sha);
    add_text(&sha, decision->id);
    add_text(&sha, decision->symbol);
    add_text(&sha, broker_side_name(decision->side));
    add_text(&sha, broker_type_name(decision->type));
    add_text(&sha, broker_tif_name(decision->tif));
    add_number(&sha, decision->qty_nanos);
    add_number(&sha, decision->limit_nanos);
    add_number(&sha, decision->expires_ns);
    sha256_finish(&sha, digest);
    for (size_t i = 0; i < sizeof seal; i++) {
        seal = seal << 8 | digest[i];
    }
    return (int64_t)seal;
}

/* One to one in both, so that a single change cannot cancel out. */
static uint64_t mark_number(uint64_t mark, int64_t number) {
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    mark = (mark ^ (uint64_t)number) * odd;
    return mark ^ mark >> 29;
}

static uint64_t mark_text(uint64_t mark, const char *text) {
    do {
        mark = mark_number(mark, (unsigned char)*text);
    } while (*text++ != '\0');
    return mark;
}

int64_t order_mark(const struct order *order) {
    const struct oms_order *pub = &order->pub;
    uint64_t mark = mark_number(0, order->id);

    mark = mark_text(mark, oms_state_name(pub->state));
    mark = mark_text(mark, pub->reason);
    mark = mark_text(mark, pub->broker_order_id);
    mark = mark_number(mark, pub->filled_nanos);
    mark = mark_number(mark, pub->sends);
    mark = mark_number(mark, order->first_send_ns);
    mark = mark_number(mark, order->send_by_ns);
    mark = mark_number(mark, pub->cancel_asked);
    return (int64_t)mark_number(mark, pub->created_ns);
}

bool order_is_sealed(const struct order *order) {
    return order->seal == order_seal(&order->pub.decision);
}

void order_back_off(int64_t *at_ns, int64_t *step_ns, int64_t now_ns) {
    const int64_t first = PROFILE_SECOND_NS, most = 60 * PROFILE_SECOND_NS;
    *step_ns = *step_ns == 0 ? first : *step_ns * 2 > most ? most : *step_ns * 2;
    *at_ns = now_ns + *step_ns;
}
