/* What moves, and how.
 *
 * (1) Only what has ended moves, and never the newest order: its time and number are the store's.
 * (2) Of each symbol the executions that move are the oldest ones, in the order in which they count:
 *     what they add up to takes their place as the base of the position, and is what replaying them
 *     would give. An order that is executed in part and still open keeps what came after it.
 * (3) The segment is on the device before anything leaves the database (core/store_archive.c).
 * (4) What moved comes back the other way round, newest segment first, and is then as it was.
 */
#include "core/archiving.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece under way. */
struct piece {
    bool *leaves;               /* for each live order */
    struct segment_fill *fills; /* all live ones, in the order in which they count */
    size_t fill_count, fill_capacity;
    bool *fill_leaves; /* for each of them */
    struct segment segment;
    struct segment_row row;
    struct position *positions; /* those that get another base, as they will be */
    size_t position_count;
};

static void piece_free(struct piece *piece) {
    free(piece->leaves);
    free(piece->fills);
    free(piece->fill_leaves);
    free(piece->positions);
    free(piece->row.filter);
    segment_free(&piece->segment);
    *piece = (struct piece){.leaves = NULL};
}

/* Held orders are in it too; there are few. */
static size_t finished_count(const struct oms *oms) {
    return oms->book.order_count - oms->live_count;
}

/* Not while a comparison is to be made: what came back for it must be there. */
bool archiving_is_due(const struct oms *oms) {
    return !compare_is_due(oms) && (oms->archive_asked || finished_count(oms) > oms->archive_above);
}

bool archiving_is_urgent(const struct oms *oms) {
    return finished_count(oms) / 2 > oms->archive_above;
}

/* ---- choosing ---- */

static bool may_leave(const struct order *order) {
    return oms_state_is_final(order->pub.state) && order->pub.state != OMS_STATE_HELD &&
           !order->on_its_way;
}

/* The oldest ones, until half as many as may stay do; `most` of them. Returns how many. */
static size_t choose_orders(const struct oms *oms, struct piece *piece, size_t most) {
    const size_t stay = oms->archive_asked ? 0 : (size_t)oms->config.archive_orders / 2;
    const size_t finished = finished_count(oms);
    size_t wanted = finished > stay ? finished - stay : 0, chosen = 0;

    wanted = wanted < most ? wanted : most;
    for (size_t i = 0; i + 1 < oms->book.order_count && chosen < wanted; i++) {
        piece->leaves[i] = may_leave(oms->book.orders[i]);
        chosen += piece->leaves[i];
    }
    return chosen;
}

static int read_fills(struct oms *oms, struct piece *piece) {
    struct segment_fill row;
    int rc;

    while ((rc = store_next_fill(&oms->store, NULL, &row.fill, &row.order_row)) == SQLITE_ROW) {
        if (piece->fill_count == piece->fill_capacity) {
            const size_t wanted = piece->fill_capacity ? piece->fill_capacity * 2 : 64;
            void *grown = realloc(piece->fills, wanted * sizeof *piece->fills);
            if (grown == NULL) {
                store_rest(&oms->store, STORE_FILLS);
                return SQLITE_NOMEM;
            }
            piece->fills = grown;
            piece->fill_capacity = wanted;
        }
        piece->fills[piece->fill_count++] = row;
    }
    piece->fill_leaves = calloc(piece->fill_count + 1, sizeof *piece->fill_leaves);
    return rc == SQLITE_DONE && piece->fill_leaves == NULL ? SQLITE_NOMEM : rc;
}

/* Does the order of this execution leave? Adjustments go with what is around them. */
static bool order_leaves(const struct oms *oms, const struct piece *piece,
                         const struct segment_fill *row) {
    size_t at;
    return row->order_row == 0 ||
           (book_find_row(&oms->book, row->order_row, &at) && piece->leaves[at]);
}

/* Of one symbol's executions first .. end: those before the first that stays leave. Orders that have
 * any behind it stay too, which may bring it forward; corrections have no place of their own. */
static void choose_of_symbol(const struct oms *oms, struct piece *piece, size_t first, size_t end,
                             size_t *chosen) {
    size_t cut, i, at;
    bool again = true;

    while (again) {
        again = false;
        for (cut = first; cut < end && (ledger_is_correction(&piece->fills[cut].fill) ||
                                        order_leaves(oms, piece, &piece->fills[cut]));) {
            cut++;
        }
        for (i = cut; i < end; i++) {
            const struct segment_fill *row = &piece->fills[i];
            if (row->order_row != 0 && !ledger_is_correction(&row->fill) &&
                order_leaves(oms, piece, row)) {
                (void)book_find_row(&oms->book, row->order_row, &at);
                piece->leaves[at] = false;
                (*chosen)--;
                again = true;
            }
        }
    }
    for (i = first; i < end; i++) {
        const bool correction = ledger_is_correction(&piece->fills[i].fill);
        piece->fill_leaves[i] =
            (i < cut || correction) && order_leaves(oms, piece, &piece->fills[i]);
    }
}

static size_t end_of_symbol(const struct piece *piece, size_t first) {
    size_t end = first;
    while (end < piece->fill_count &&
           strcmp(piece->fills[end].fill.symbol, piece->fills[first].fill.symbol) == 0) {
        end++;
    }
    return end;
}

static size_t choose(struct oms *oms, struct piece *piece, size_t most, int *rc) {
    size_t chosen = 0;

    piece->leaves = calloc(oms->book.order_count + 1, sizeof *piece->leaves);
    *rc = piece->leaves == NULL ? SQLITE_NOMEM : SQLITE_DONE;
    if (*rc == SQLITE_DONE) {
        chosen = choose_orders(oms, piece, most);
        *rc = chosen > 0 ? read_fills(oms, piece) : SQLITE_DONE;
    }
    for (size_t first = 0; *rc == SQLITE_DONE && first < piece->fill_count;) {
        const size_t end = end_of_symbol(piece, first);
        choose_of_symbol(oms, piece, first, end, &chosen);
        first = end;
    }
    return *rc == SQLITE_DONE ? chosen : 0;
}

/* As many orders as fit with their executions. */
static size_t choose_what_fits(struct oms *oms, struct piece *piece, int *rc) {
    size_t most = SEGMENT_ORDERS_MAX, chosen, fills;

    do {
        piece_free(piece);
        chosen = choose(oms, piece, most, rc);
        most /= 2;
        fills = 0;
        for (size_t i = 0; i < piece->fill_count; i++) {
            fills += piece->fill_leaves != NULL && piece->fill_leaves[i];
        }
    } while (chosen > 1 && fills > SEGMENT_FILLS_MAX);
    return chosen;
}

/* ---- putting together ---- */

/* What the executions that leave make of their position's base. */
static bool move_base(const struct oms *oms, const struct piece *piece, size_t first, size_t end,
                      struct position *position) {
    struct position_base *base = &position->base;
    struct position sum = *position;
    bool adjusted = base->set && base->adjusted;

    position_reset(&sum);
    for (size_t i = first; i < end; i++) {
        struct broker_fill fill = piece->fills[i].fill;
        if (!piece->fill_leaves[i] || !ledger_counts(&oms->book.corrections, &fill)) {
            continue;
        }
        if (!position_apply(&sum, fill.side, fill.qty_nanos, fill.price_nanos)) {
            return false;
        }
        position_note(&sum, &fill);
        adjusted = adjusted || piece->fills[i].order_row == 0;
    }
    *base = (struct position_base){.set = true,
                                   .adjusted = adjusted,
                                   .qty = sum.qty,
                                   .cost = sum.cost,
                                   .realized = sum.realized,
                                   .last_ns = sum.last_ns};
    memcpy(base->last_execution, sum.last_execution, sizeof base->last_execution);
    return true;
}

static bool any_leaves(const struct piece *piece, size_t first, size_t end) {
    while (first < end && !piece->fill_leaves[first]) {
        first++;
    }
    return first < end;
}

static bool put_fills(struct oms *oms, struct piece *piece) {
    struct segment *segment = &piece->segment;

    for (size_t first = 0, end; first < piece->fill_count; first = end) {
        struct position *position;
        end = end_of_symbol(piece, first);
        if (!any_leaves(piece, first, end)) {
            continue;
        }
        position = book_position(&oms->book, piece->fills[first].fill.symbol);
        if (position == NULL) {
            return false;
        }
        struct segment_before *before = &segment->befores[segment->before_count++];
        memcpy(before->symbol, position->symbol, sizeof before->symbol);
        before->base = position->base;
        piece->positions[piece->position_count] = *position;
        if (!move_base(oms, piece, first, end, &piece->positions[piece->position_count++])) {
            return false;
        }
        for (size_t i = first; i < end; i++) {
            if (piece->fill_leaves[i]) {
                segment->fills[segment->fill_count++] = piece->fills[i];
            }
        }
    }
    return true;
}

/* False: no memory. */
static bool assemble(struct oms *oms, struct piece *piece, size_t chosen) {
    struct segment *segment = &piece->segment;

    piece->positions = calloc(oms->book.position_count + 1, sizeof *piece->positions);
    piece->row =
        (struct segment_row){.id = (int64_t)oms->book.archive.count + 1, .orders = (int64_t)chosen};
    piece->row.filter = malloc(segment_filter_size(piece->row.orders));
    if (piece->positions == NULL || piece->row.filter == NULL ||
        !segment_make(segment, chosen, piece->fill_count, oms->book.position_count)) {
        return false;
    }
    segment->id = piece->row.id;
    for (size_t i = 0; i < oms->book.order_count; i++) {
        if (piece->leaves[i]) {
            segment->orders[segment->order_count++] = *oms->book.orders[i];
        }
    }
    CHECK(segment->order_count == chosen);
    return put_fills(oms, piece);
}

/* ---- moving ---- */

enum moved { MOVED, MOVED_NOT, MOVED_UNKNOWN };

static int write_segment(struct oms *oms, struct piece *piece) {
    size_t size = 0;
    unsigned char *bytes = segment_pack(&piece->segment, &size);
    struct sha256 sha;
    int rc = SQLITE_NOMEM;

    if (bytes != NULL) {
        piece->row.size = (int64_t)size;
        sha256_start(&sha);
        sha256_add(&sha, bytes, size);
        sha256_finish(&sha, piece->row.digest);
        segment_filter(&piece->segment, &piece->row);
        piece->row.seal = segment_seal(&piece->row);
        rc = store_segment_write(&oms->store, piece->row.id, bytes, size);
    }
    free(bytes);
    return rc;
}

/* One transaction: the segment is named, and what is in it leaves. */
static enum moved name_segment(struct oms *oms, const struct piece *piece) {
    int rc = store_begin(&oms->store);

    if (rc == SQLITE_OK) {
        rc = store_put_segment(&oms->store, &piece->segment, &piece->row);
    }
    for (size_t i = 0; rc == SQLITE_OK && i < piece->position_count; i++) {
        rc = store_put_position(&oms->store, &piece->positions[i]);
    }
    if (rc == SQLITE_OK) {
        const enum store_commit done = store_commit(&oms->store);
        return done == STORE_COMMITTED ? MOVED : done == STORE_NO_SPACE ? MOVED_NOT : MOVED_UNKNOWN;
    }
    return (rc & 0xff) == SQLITE_FULL && store_rollback(&oms->store) == SQLITE_OK ? MOVED_NOT
                                                                                  : MOVED_UNKNOWN;
}

/* The corrections that are live now. False: no memory. */
static bool keep_corrections(struct oms *oms, const struct piece *piece) {
    struct ledger rest = {.v = NULL};
    bool ok = true;

    for (size_t i = 0; ok && i < piece->fill_count; i++) {
        const struct broker_fill *fill = &piece->fills[i].fill;
        if (ledger_is_correction(fill) && !piece->fill_leaves[i]) {
            ok = ledger_add(&rest, fill);
        }
    }
    ledger_free(&oms->book.corrections);
    oms->book.corrections = rest;
    oms->book.meta.corrections = (int64_t)rest.n;
    return ok;
}

/* Memory follows the store. */
static bool forget(struct oms *oms, struct piece *piece) {
    struct book *book = &oms->book;
    bool ok = archive_push(&book->archive, &piece->row);

    if (ok) {
        piece->row.filter = NULL; /* taken over */
    }
    book->meta.segments = piece->row.id;
    for (size_t i = 0; i < piece->position_count; i++) {
        struct position *position = book_position(book, piece->positions[i].symbol);
        CHECK(position != NULL);
        position->base = piece->positions[i].base;
    }
    for (size_t i = 0; i < piece->segment.fill_count; i++) {
        book->meta.adjustments -= piece->segment.fills[i].order_row == 0;
    }
    for (size_t i = 0; i < book->order_count; i++) {
        oms->ids_sent -= piece->leaves[i] && book->orders[i]->passed_door;
    }
    ok = ok && keep_corrections(oms, piece);
    book_remove_orders(book, piece->leaves);
    return ok;
}

/* Not before there is more: what could not move now stays for a while. */
static void try_later(struct oms *oms) {
    oms->archive_asked = false;
    oms->archive_above = finished_count(oms) + (size_t)oms->config.archive_orders / 2 + 1;
}

static void tell(struct oms *oms, enum oms_phase phase, size_t orders, const char *where) {
    char text[OMS_REASON_SIZE];
    (void)snprintf(text, sizeof text, "%zu finished orders %s", orders, where);
    engine_tell(oms, OMS_EVENT_ARCHIVE, phase, NULL, text);
}

static enum oms_code move(struct oms *oms, struct piece *piece, struct oms_error *error) {
    const size_t count = piece->segment.order_count;
    char why[OMS_REASON_SIZE];
    enum moved moved;
    int rc;

    tell(oms, OMS_BEFORE, count, "leave for the archive");
    rc = write_segment(oms, piece);
    moved = rc == SQLITE_OK              ? name_segment(oms, piece)
            : (rc & 0xff) == SQLITE_FULL ? MOVED_NOT
                                         : MOVED_UNKNOWN;
    switch (moved) {
    case MOVED:
        if (!forget(oms, piece)) {
            return engine_fail(oms, "no memory to follow the archive", error);
        }
        tell(oms, OMS_AFTER, count, "are in the archive");
        return OMS_OK;
    case MOVED_NOT:
        try_later(oms);
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL,
                    "no space to archive finished orders; it will be tried again");
        return OMS_OK;
    case MOVED_UNKNOWN:
        break;
    }
    (void)snprintf(why, sizeof why, "archive finished orders: %s", sqlite3_errstr(rc));
    return engine_fail(oms, rc == SQLITE_OK ? "archive finished orders" : why, error);
}

enum oms_code archiving_step(struct oms *oms, struct order *order, struct oms_error *error) {
    struct piece piece = {.leaves = NULL};
    int rc = SQLITE_DONE;
    const size_t chosen = choose_what_fits(oms, &piece, &rc);
    enum oms_code code = OMS_OK;

    (void)order;
    if (rc != SQLITE_DONE) {
        code = engine_fail(oms, "read executions", error);
    } else if (chosen == 0) {
        try_later(oms);
    } else if (!assemble(oms, &piece, chosen)) {
        code = engine_fail(oms, "no memory to archive finished orders", error);
    } else {
        oms->archive_above = (size_t)oms->config.archive_orders;
        code = move(oms, &piece, error);
    }
    piece_free(&piece);
    return code;
}

/* ---- back ---- */

bool archiving_is_wanted_back(const struct oms *oms) {
    return oms->wanted_back > 0 && oms->wanted_back <= (int64_t)oms->book.archive.count;
}

/* The positions as they were before the segment. */
static int put_bases_back(struct oms *oms, const struct segment *segment) {
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < segment->before_count; i++) {
        struct position *position = book_position(&oms->book, segment->befores[i].symbol);
        if (position == NULL) {
            return SQLITE_NOMEM;
        }
        position->base = segment->befores[i].base;
        rc = store_put_position(&oms->store, position);
    }
    return rc;
}

/* Memory follows the store. */
static bool remember(struct oms *oms, const struct segment *segment) {
    struct book *book = &oms->book;
    bool ok = book_take_back_orders(book, segment->orders, segment->order_count);

    for (size_t i = 0; ok && i < segment->fill_count; i++) {
        book->meta.adjustments += segment->fills[i].order_row == 0;
        if (ledger_is_correction(&segment->fills[i].fill)) {
            book->meta.corrections++;
            ok = ledger_add(&book->corrections, &segment->fills[i].fill);
        }
    }
    for (size_t i = 0; ok && i < segment->order_count; i++) {
        struct order *order = book_by_client_id(book, segment->orders[i].pub.client_order_id);
        order->passed_door = order->pub.sends > 0;
        oms->ids_sent += order->passed_door;
    }
    book->meta.segments--;
    archive_pop(&book->archive);
    if ((int64_t)book->archive.count < oms->wanted_back) {
        oms->wanted_back = 0;
    }
    return ok;
}

enum oms_code archiving_take_back(struct oms *oms, struct order *order, struct oms_error *error) {
    const int64_t newest = (int64_t)oms->book.archive.count;
    const struct segment *segment = NULL;
    struct oms_error why;
    size_t count;
    enum oms_code code = archive_read(&oms->book.archive, &oms->store, newest, &segment, &why);

    (void)order;
    if (code != OMS_OK) {
        return engine_fail(oms, why.text, error);
    }
    count = segment->order_count;
    if (!book_reserve_orders(&oms->book, count)) {
        return engine_fail(oms, "no room for orders from the archive", error);
    }
    tell(oms, OMS_BEFORE, count, "come back from the archive");
    code = engine_begin(oms, error);
    if (code == OMS_OK && (store_take_back_segment(&oms->store, segment) != SQLITE_OK ||
                           put_bases_back(oms, segment) != SQLITE_OK)) {
        code = engine_fail(oms, "take orders back from the archive", error);
    }
    if (code == OMS_OK) {
        code = engine_commit(oms, error);
    }
    if (code == OMS_OK && !remember(oms, segment)) {
        code = engine_fail(oms, "no memory for orders from the archive", error);
    }
    if (code == OMS_OK) {
        tell(oms, OMS_AFTER, count, "are back from the archive");
    }
    return code;
}
