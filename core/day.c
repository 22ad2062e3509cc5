/* Gathering a whole day: our books as they will stand once this comparison has booked what it found,
 * and the broker's. */
#include "core/day.h"

#include "core/daily.h"
#include "core/threshold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (INT64_C(86400) * PROFILE_SECOND_NS)

/* ---- which day ---- */

int64_t day_since(const struct oms *oms, int64_t since_ns) {
    const int64_t from_ns = oms->daily_from_ns - THRESHOLD_LOOK_BACK_NS;
    return oms->daily_asked && from_ns < since_ns ? from_ns : since_ns;
}

bool day_has(const struct oms *oms, int64_t at_ns) {
    return at_ns >= oms->daily_from_ns && at_ns < oms->daily_to_ns;
}

bool day_expects(const struct oms *oms, const struct order *order) {
    return oms->daily_asked && order->pub.broker_order_id[0] != '\0' &&
           day_has(oms, order->pub.created_ns);
}

enum oms_code oms_request_daily(struct oms *oms, int64_t day, struct oms_error *error) {
    const int64_t today = engine_now(oms) / DAY_NS;

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    if (day != OMS_TODAY && (day < 0 || day > today)) {
        text_error(error, "day %lld since 1970 must have begun: today is %lld", (long long)day,
                   (long long)today);
        return OMS_INVALID;
    }
    oms->daily_asked = true;
    oms->daily_from_ns = (day == OMS_TODAY ? today : day) * DAY_NS;
    oms->daily_to_ns = oms->daily_from_ns + DAY_NS;
    return oms_request_reconcile(oms);
}

/* ---- what belongs to it ---- */

struct gathered {
    struct broker_fills ours, theirs;
    struct position *begins; /* one per symbol of the book, or met in the picture */
    size_t begin_count, begin_cap;
    struct daily_order *orders;
    size_t order_count;
    struct ledger corrections, their_corrections;
};

static void forget(struct gathered *all) {
    broker_fills_free(&all->ours);
    broker_fills_free(&all->theirs);
    free(all->begins);
    free(all->orders);
    ledger_free(&all->corrections);
    ledger_free(&all->their_corrections);
}

/* The order of ours that was executed: known by its id at the broker, or found in this look. */
static const struct order *order_of(const struct oms *oms, const struct broker_fill *fill) {
    const struct order *order = book_by_broker_id(&oms->book, fill->order_id);
    for (size_t i = 0; order == NULL && i < oms->live_count; i++) {
        const struct broker_order *listed = oms->live[i]->listed;
        order = listed != NULL && strcmp(listed->id, fill->order_id) == 0 ? oms->live[i] : NULL;
    }
    return order;
}

/* An execution of an order of ours that this comparison is going to book. */
static bool will_be_booked(const struct oms *oms, const struct day_picture *picture, size_t i) {
    const struct broker_fill *fill = &picture->fills->v[i];
    const struct order *order = picture->booked[i] ? NULL : order_of(oms, fill);
    return order != NULL && order->pub.state != OMS_STATE_HELD &&
           (!ledger_is_correction(fill) || picture->corrected[i].execution_id[0] != '\0');
}

static bool add_correction(struct ledger *ledger, const struct broker_fill *fill,
                           const char *root) {
    struct broker_fill correction = *fill;
    (void)snprintf(correction.refers, sizeof correction.refers, "%s", root);
    return ledger_add(ledger, &correction);
}

/* Ours as they will be, and the broker's as it tells them. */
static bool gather_corrections(const struct oms *oms, const struct day_picture *picture,
                               struct gathered *all) {
    bool ok = true;

    for (size_t i = 0; ok && i < oms->book.corrections.n; i++) {
        ok = ledger_add(&all->corrections, &oms->book.corrections.v[i]);
    }
    for (size_t i = 0; ok && i < picture->fills->n; i++) {
        const struct broker_fill *fill = &picture->fills->v[i];
        if (!ledger_is_correction(fill)) {
            continue;
        }
        ok = add_correction(&all->their_corrections, fill,
                            ledger_root(&all->their_corrections, fill->refers));
        if (ok && will_be_booked(oms, picture, i)) {
            ok = add_correction(&all->corrections, fill, picture->corrected[i].execution_id);
        }
    }
    return ok;
}

static bool add_fill(struct broker_fills *fills, const struct broker_fill *fill) {
    struct broker_fill *row = broker_fills_add(fills);
    if (row != NULL) {
        *row = *fill;
    }
    return row != NULL;
}

static bool add_fills(struct broker_fills *fills, const struct broker_fills *more) {
    bool ok = true;
    for (size_t i = 0; ok && i < more->n; i++) {
        ok = add_fill(fills, &more->v[i]);
    }
    return ok;
}

static int by_symbol_and_time(const void *a_, const void *b_) {
    const struct broker_fill *a = a_, *b = b_;
    const int symbol = strcmp(a->symbol, b->symbol);
    if (symbol != 0 || a->at_ns != b->at_ns) {
        return symbol != 0 ? symbol : a->at_ns < b->at_ns ? -1 : 1;
    }
    return strcmp(a->execution_id, b->execution_id);
}

/* All executions of ours: archived ones of the day, then, whatever their day, those that are booked,
 * then those that will be. */
static int gather_ours(struct oms *oms, const struct day_picture *picture, struct gathered *all) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    if (!add_fills(&all->ours, &picture->past->fills) ||
        !add_fills(&all->theirs, &picture->past->adjustments)) {
        return SQLITE_NOMEM;
    }
    while ((rc = store_next_fill(&oms->store, NULL, &fill, &row)) == SQLITE_ROW) {
        if (ledger_counts(&all->corrections, &fill) && !add_fill(&all->ours, &fill)) {
            store_rest(&oms->store, STORE_FILLS);
            return SQLITE_NOMEM;
        }
        if (book_is_adjustment(&fill, row) && day_has(oms, fill.at_ns) &&
            !add_fill(&all->theirs, &fill)) { /* it stands for what the broker has */
            store_rest(&oms->store, STORE_FILLS);
            return SQLITE_NOMEM;
        }
    }
    for (size_t i = 0; rc == SQLITE_DONE && i < picture->fills->n; i++) {
        fill = picture->fills->v[i];
        if (will_be_booked(oms, picture, i) && ledger_counts(&all->corrections, &fill) &&
            !add_fill(&all->ours, &fill)) {
            rc = SQLITE_NOMEM;
        }
    }
    if (rc == SQLITE_DONE && all->ours.n > 0) {
        qsort(all->ours.v, all->ours.n, sizeof *all->ours.v, by_symbol_and_time);
    }
    return rc;
}

/* Is it of an order of ours that nobody has to look into first? One that is booked and has no live
 * order is in the archive with it. */
static bool is_told_of_ours(const struct oms *oms, const struct day_picture *picture, size_t i) {
    const struct order *order = order_of(oms, &picture->fills->v[i]);
    return order != NULL ? order->pub.state != OMS_STATE_HELD : picture->booked[i];
}

/* Those of the day. */
static bool gather_theirs(const struct oms *oms, const struct day_picture *picture,
                          struct gathered *all) {
    bool ok = true;

    for (size_t i = 0; ok && i < picture->fills->n; i++) {
        struct broker_fill fill = picture->fills->v[i];
        if (day_has(oms, fill.at_ns) && is_told_of_ours(oms, picture, i) &&
            ledger_counts(&all->their_corrections, &fill)) {
            ok = add_fill(&all->theirs, &fill);
        }
    }
    if (ok && all->theirs.n > 0) {
        qsort(all->theirs.v, all->theirs.n, sizeof *all->theirs.v, by_symbol_and_time);
    }
    return ok;
}

static int by_symbol(const void *a, const void *b) {
    return strcmp(((const struct position *)a)->symbol, ((const struct position *)b)->symbol);
}

static const struct position *position_in(const struct position *list, size_t count,
                                          const char *symbol) {
    struct position key = {.symbol = ""};
    text_clean(key.symbol, sizeof key.symbol, symbol);
    return count == 0 ? NULL : bsearch(&key, list, count, sizeof *list, by_symbol);
}

/* The position in a symbol as the archive leaves it for the day; the list is by symbol, and so is
 * what asks. */
static struct position *begin_of(const struct oms *oms, const struct day_past *past,
                                 struct gathered *all, const char *symbol) {
    struct position *last = all->begin_count > 0 ? &all->begins[all->begin_count - 1] : NULL;
    const struct position *known;

    if (last != NULL && strcmp(last->symbol, symbol) == 0) {
        return last;
    }
    last = &all->begins[all->begin_count++];
    known = position_in(past->begins, past->begin_count, symbol);
    if (known != NULL) {
        *last = *known;
        return last;
    }
    known = position_in(oms->book.positions, oms->book.position_count, symbol);
    *last = known != NULL ? *known : (struct position){.symbol = ""};
    text_clean(last->symbol, sizeof last->symbol, symbol);
    position_open(last);
    return last;
}

/* Takes what came before the day out of our executions and into the positions it begins with, and
 * what comes after it out. */
static bool begin_day(const struct oms *oms, const struct day_past *past, struct gathered *all) {
    size_t kept = 0;

    all->begins = calloc(all->ours.n + all->theirs.n + 1, sizeof *all->begins);
    for (size_t i = 0; all->begins != NULL && i < all->ours.n; i++) {
        const struct broker_fill *fill = &all->ours.v[i];
        struct position *begin = begin_of(oms, past, all, fill->symbol);
        if (fill->at_ns < oms->daily_from_ns) {
            (void)position_apply(begin, fill->side, fill->qty_nanos, fill->price_nanos);
        } else if (day_has(oms, fill->at_ns)) {
            all->ours.v[kept++] = *fill;
        }
    }
    all->ours.n = kept;
    return all->begins != NULL;
}

/* A symbol in which only the broker has executions begins as our books have it. */
static void begin_theirs(const struct oms *oms, const struct day_past *past, struct gathered *all) {
    const size_t known = all->begin_count;

    for (size_t i = 0; i < all->theirs.n; i++) {
        const char *symbol = all->theirs.v[i].symbol;
        if (position_in(all->begins, known, symbol) == NULL) {
            (void)begin_of(oms, past, all, symbol);
        }
    }
    qsort(all->begins, all->begin_count, sizeof *all->begins, by_symbol);
}

/* What will be booked of an order beyond what is; `coming`: something will be of some order. */
static int64_t yet_to_book(const struct oms *oms, const struct day_picture *picture,
                           const struct order *order, bool coming) {
    int64_t sum = 0;
    for (size_t i = 0; coming && i < picture->fills->n; i++) {
        const struct broker_fill *fill = &picture->fills->v[i];
        if (will_be_booked(oms, picture, i) && order_of(oms, fill) == order) {
            sum += fill->qty_nanos -
                   (ledger_is_correction(fill) ? picture->corrected[i].qty_nanos : 0);
        }
    }
    return sum;
}

/* The archived ones, each with the broker's word of it. False: no memory. */
static bool gather_archived(const struct day_picture *picture, struct gathered *all) {
    const struct broker_orders *listed = picture->orders;
    struct index by_id = {.slots = NULL};
    bool ok = true;

    for (size_t i = 0; ok && picture->past->order_count > 0 && i < listed->n; i++) {
        ok = index_put(&by_id, listed->v[i].id, &listed->v[i]);
    }
    for (size_t i = 0; ok && i < picture->past->order_count; i++) {
        const struct day_order *order = &picture->past->orders[i];
        all->orders[all->order_count++] =
            (struct daily_order){.symbol = order->symbol,
                                 .broker_order_id = order->broker_order_id,
                                 .filled_nanos = order->filled_nanos,
                                 .ended = true,
                                 .listed = index_get(&by_id, order->broker_order_id)};
    }
    index_free(&by_id);
    return ok;
}

static bool gather_orders(const struct oms *oms, const struct day_picture *picture,
                          struct gathered *all) {
    bool coming = false;

    for (size_t i = 0; !coming && i < picture->fills->n; i++) {
        coming = !picture->booked[i];
    }
    all->orders =
        calloc(picture->past->order_count + oms->book.order_count + 1, sizeof *all->orders);
    if (all->orders == NULL || !gather_archived(picture, all)) {
        return false;
    }
    for (size_t i = 0; i < oms->book.order_count; i++) {
        const struct order *order = oms->book.orders[i];
        const struct oms_order *pub = &order->pub;
        if (!day_expects(oms, order) || pub->state == OMS_STATE_HELD) {
            continue;
        }
        all->orders[all->order_count++] = (struct daily_order){
            .symbol = pub->decision.symbol,
            .broker_order_id = pub->broker_order_id,
            .filled_nanos = pub->filled_nanos + yet_to_book(oms, picture, order, coming),
            .ended = oms_state_is_final(pub->state),
            .listed = order->listed};
    }
    return true;
}

/* SQLITE_DONE, SQLITE_NOMEM, or what the store said. */
static int gather(struct oms *oms, const struct day_picture *picture, struct gathered *all) {
    const bool told = oms->config.profile->tells_executions;
    int rc = gather_orders(oms, picture, all) ? SQLITE_DONE : SQLITE_NOMEM;

    if (rc == SQLITE_DONE && told && !gather_corrections(oms, picture, all)) {
        rc = SQLITE_NOMEM;
    }
    if (rc == SQLITE_DONE && told) {
        rc = gather_ours(oms, picture, all);
    }
    if (rc == SQLITE_DONE && told && !gather_theirs(oms, picture, all)) {
        rc = SQLITE_NOMEM;
    }
    if (rc == SQLITE_DONE && !begin_day(oms, picture->past, all)) {
        rc = SQLITE_NOMEM;
    }
    if (rc == SQLITE_DONE) {
        begin_theirs(oms, picture->past, all);
    }
    return rc;
}

/* ---- the comparison ---- */

static size_t orders_of_day(const struct oms *oms, const struct day_past *past) {
    size_t count = past->decided;
    for (size_t i = 0; i < oms->book.order_count; i++) {
        count += day_has(oms, oms->book.orders[i]->pub.created_ns);
    }
    return count;
}

static char *day_name(const struct oms *oms, char out[TEXT_TIME_SIZE]) {
    text_time(oms->daily_from_ns, out);
    out[strcspn(out, "T")] = '\0';
    return out;
}

bool day_compare(struct oms *oms, const struct day_picture *picture, struct day *day,
                 struct reconcile_found *found, enum oms_code *code, struct oms_error *error) {
    struct gathered all = {.begins = NULL};
    char name[TEXT_TIME_SIZE];
    int rc = gather(oms, picture, &all);

    if (rc == SQLITE_DONE) {
        const struct daily_sides sides = {.orders = all.orders,
                                          .order_count = all.order_count,
                                          .ours = all.ours.v,
                                          .our_count = all.ours.n,
                                          .theirs = all.theirs.v,
                                          .their_count = all.theirs.n,
                                          .begins = all.begins,
                                          .begin_count = all.begin_count,
                                          .name = day_name(oms, name)};
        day->orders = orders_of_day(oms, picture->past);
        day->symbols = calloc(all.begin_count + 1, sizeof *day->symbols);
        if (day->symbols == NULL ||
            !daily_compare(&sides, found, day->symbols, &day->symbol_count)) {
            rc = SQLITE_NOMEM;
        }
    }
    forget(&all);
    if (rc != SQLITE_DONE && rc != SQLITE_NOMEM) {
        *code = engine_fail(oms, "read executions", error);
    }
    return rc == SQLITE_DONE;
}

void day_free(struct day *day) {
    free(day->symbols);
    *day = (struct day){.symbols = NULL};
}

/* ---- afterwards ---- */

char *day_summary(const struct oms *oms, const struct day *day, char out[OMS_REASON_SIZE]) {
    char name[TEXT_TIME_SIZE], earned[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    size_t ours = 0, others = 0;
    decimal_wide realized = 0, broker = 0;

    for (size_t i = 0; i < day->symbol_count; i++) {
        ours += day->symbols[i].oms_executions;
        others += day->symbols[i].broker_executions;
        realized += day->symbols[i].oms_realized;
        broker += day->symbols[i].broker_realized;
    }
    (void)snprintf(
        out, OMS_REASON_SIZE,
        "%.10s: %zu orders; executions: OMS %zu, broker %zu; realized: OMS %s, broker %s",
        day_name(oms, name), day->orders, ours, others, decimal_format_wide(realized, 0, earned),
        decimal_format_wide(broker, 0, theirs));
    return out;
}

/* What has ended is not among these. */
static void count_orders(const struct oms *oms, struct oms_daily *daily) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        const struct order *order = oms->book.orders[i];
        if (!day_has(oms, order->pub.created_ns)) {
            continue;
        }
        daily->open += order_is_working(order);
        daily->held += order->pub.state == OMS_STATE_HELD;
        daily->in_doubt +=
            order->pub.state == OMS_STATE_INTENT || order->pub.state == OMS_STATE_IN_DOUBT;
    }
}

/* Without memory there are none. */
static void copy_found(struct oms_daily *daily, const struct oms_discrepancy *found, size_t count) {
    daily->found = calloc(count + 1, sizeof *daily->found);
    for (size_t i = 0; daily->found != NULL && i < count; i++) {
        daily->found[daily->found_count++] = found[i];
    }
}

void day_done(struct oms *oms, const struct oms_run *run, struct day *day,
              const struct reconcile_found *found) {
    struct oms_daily *daily = &oms->daily;

    if (!oms->daily_asked) {
        return;
    }
    oms_daily_free(daily);
    *daily = (struct oms_daily){.run = run->id,
                                .at_ns = run->at_ns,
                                .day = oms->daily_from_ns / DAY_NS,
                                .orders = day->orders,
                                .tells_executions = oms->config.profile->tells_executions,
                                .symbols = day->symbols,
                                .symbol_count = day->symbol_count};
    *day = (struct day){.symbols = NULL};
    count_orders(oms, daily);
    copy_found(daily, found->v, found->n);
    for (size_t i = 0; i < daily->found_count; i++) {
        daily->found[i].run = run->id;
    }
    oms->daily_asked = oms->again_ns != INT64_MAX;
}

enum oms_code oms_daily(const struct oms *oms, struct oms_daily *daily, struct oms_error *error) {
    const struct oms_daily *from = &oms->daily;

    *daily = *from;
    daily->symbols = calloc(from->symbol_count + 1, sizeof *daily->symbols);
    daily->found = NULL;
    daily->found_count = 0;
    copy_found(daily, from->found, from->found_count);
    for (size_t i = 0; daily->symbols != NULL && i < from->symbol_count; i++) {
        daily->symbols[i] = from->symbols[i];
    }
    if (daily->symbols == NULL || daily->found == NULL) {
        oms_daily_free(daily);
        text_error(error, "no memory for a day");
        return OMS_INVALID;
    }
    return OMS_OK;
}

void oms_daily_free(struct oms_daily *daily) {
    free(daily->symbols);
    free(daily->found);
    *daily = (struct oms_daily){.run = 0};
}
