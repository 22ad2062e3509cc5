/* Reading: a copy of what the store says, from a running instance or from a store at rest. */
#include "core/archiving.h"
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

/* ---- copying the book ---- */

/* Live orders whose row comes before this one. */
static void copy_live_before(const struct book *book, int64_t id, size_t *at,
                             struct oms_view *view) {
    while (*at < book->order_count && book->orders[*at]->id < id) {
        view->orders[view->order_count++] = book->orders[(*at)++]->pub;
    }
}

static int by_row(const void *a, const void *b) {
    const struct order *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Segments overlap: an order that took long to end is archived after younger ones. */
static enum oms_code copy_archived(struct book *book, struct store *store, struct order **archived,
                                   struct oms_error *error) {
    const size_t count = (size_t)book->archive.orders;
    struct order *all = calloc(count + 1, sizeof *all);
    enum oms_code code = OMS_OK;
    size_t copied = 0;

    *archived = all;
    if (all == NULL) {
        text_error(error, "no memory for a view");
        return OMS_INVALID;
    }
    for (size_t i = 0; code == OMS_OK && i < book->archive.count; i++) {
        const struct segment *segment = NULL;
        code = archive_read(&book->archive, store, (int64_t)i + 1, &segment, error);
        for (size_t j = 0; code == OMS_OK && j < segment->order_count && copied < count; j++) {
            all[copied++] = segment->orders[j];
        }
    }
    qsort(all, copied, sizeof *all, by_row);
    return code;
}

/* With `whole` those in the archive too. */
static enum oms_code copy_orders(struct book *book, struct store *store, bool whole,
                                 struct oms_view *view, struct oms_error *error) {
    const size_t archived_count = whole ? (size_t)book->archive.orders : 0;
    struct order *archived = NULL;
    enum oms_code code = OMS_OK;
    size_t at = 0;

    view->orders = calloc(book->order_count + archived_count + 1, sizeof *view->orders);
    if (view->orders == NULL) {
        text_error(error, "no memory for a view");
        return OMS_INVALID;
    }
    if (archived_count > 0) {
        code = copy_archived(book, store, &archived, error);
    }
    for (size_t i = 0; code == OMS_OK && i < archived_count; i++) {
        copy_live_before(book, archived[i].id, &at, view);
        view->orders[view->order_count++] = archived[i].pub;
    }
    if (code == OMS_OK) {
        copy_live_before(book, INT64_MAX, &at, view);
    }
    free(archived);
    return code;
}

static bool copy_positions(const struct book *book, struct oms_view *view) {
    view->positions = calloc(book->position_count + 1, sizeof *view->positions);
    if (view->positions == NULL) {
        return false;
    }
    for (size_t i = 0; i < book->position_count; i++) {
        const struct position *from = &book->positions[i];
        struct oms_position *to = &view->positions[view->position_count];
        if (from->qty == 0) {
            continue;
        }
        memcpy(to->symbol, from->symbol, sizeof to->symbol);
        to->qty_nanos = from->qty;
        to->cost = from->cost;
        to->avg_price_nanos = position_average(from->qty, from->cost);
        view->position_count++;
    }
    return true;
}

static int copy_profits(const struct book *book, struct store *store, struct oms_view *view) {
    view->profits = calloc(book->position_count + 1, sizeof *view->profits);
    if (view->profits == NULL) {
        return SQLITE_NOMEM;
    }
    for (size_t i = 0; i < book->position_count; i++) {
        const struct position *from = &book->positions[i];
        struct oms_profit *to = &view->profits[view->profit_count++];
        int rc = SQLITE_DONE;
        memcpy(to->symbol, from->symbol, sizeof to->symbol);
        to->realized = from->realized;
        if (book->meta.adjustments > 0 && !from->base.adjusted) {
            rc = store_is_adjusted(store, from->symbol);
        }
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            return rc;
        }
        to->adjusted = from->base.adjusted || rc == SQLITE_ROW;
    }
    return SQLITE_DONE;
}

/* ---- reading the runs ---- */

static bool add_row(void **rows, size_t count, size_t size) {
    void *grown;
    if (*rows != NULL && (count & (count - 1)) != 0) {
        return true; /* room up to the next power of two */
    }
    grown = realloc(*rows, (count == 0 ? 1 : count * 2) * size);
    if (grown == NULL)
        return false;
    *rows = grown;
    return true;
}

static void reverse_runs(struct oms_view *view) {
    for (size_t i = 0, j = view->run_count; i + 1 < j; i++, j--) {
        const struct oms_run run = view->runs[i];
        view->runs[i] = view->runs[j - 1];
        view->runs[j - 1] = run;
    }
}

/* The newest `last`; with 0 the newest start's, read from the newest back until another start's
 * comes. */
static int read_runs(struct store *store, size_t last, struct oms_view *view) {
    struct oms_run run;
    void *rows = NULL;
    int rc;

    while ((rc = store_next_run_back(store, &run)) == SQLITE_ROW) {
        if (last > 0 ? view->run_count == last
                     : view->run_count > 0 && run.boot != view->runs[0].boot) {
            rc = SQLITE_DONE;
            break;
        }
        if (!add_row(&rows, view->run_count, sizeof run)) {
            rc = SQLITE_NOMEM;
            break;
        }
        view->runs = rows;
        view->runs[view->run_count++] = run;
    }
    store_rest(store, STORE_RUNS_BACK);
    reverse_runs(view);
    return rc;
}

static int read_discrepancies(struct store *store, struct oms_view *view) {
    struct oms_discrepancy found;
    void *rows = NULL;
    int rc = SQLITE_DONE;

    while (view->run_count > 0 &&
           (rc = store_next_discrepancy(store, view->runs[0].id, &found)) == SQLITE_ROW) {
        if (!add_row(&rows, view->discrepancy_count, sizeof found)) {
            rc = SQLITE_NOMEM;
            break;
        }
        view->discrepancies = rows;
        view->discrepancies[view->discrepancy_count++] = found;
    }
    store_rest(store, STORE_FOUND);
    return rc;
}

static int fill_view(const struct book *book, struct store *store, struct oms_view *view) {
    int rc;

    if (!copy_positions(book, view)) {
        return SQLITE_NOMEM;
    }
    view->archived_count = book->archive.orders;
    view->kill_switch = book->meta.kill_switch;
    memcpy(view->kill_reason, book->meta.kill_reason, sizeof view->kill_reason);
    memcpy(view->account, book->meta.account, sizeof view->account);
    view->boots = book->meta.boots;
    rc = copy_profits(book, store, view);
    if (rc != SQLITE_DONE || book->meta.last_run == 0) {
        return rc;
    }
    rc = read_runs(store, 0, view);
    return rc == SQLITE_DONE ? read_discrepancies(store, view) : rc;
}

static int fill_history(struct store *store, size_t last, struct oms_view *view) {
    const int rc = read_runs(store, last, view);
    return rc == SQLITE_DONE ? read_discrepancies(store, view) : rc;
}

/* ---- the two ways in ---- */

/* How reading from a running instance went. */
static enum oms_code was_read(struct oms *oms, int rc, struct oms_error *error) {
    if (rc == SQLITE_NOMEM) {
        text_error(error, "no memory for a view");
        return OMS_INVALID;
    }
    return rc == SQLITE_DONE ? OMS_OK : engine_fail(oms, "read comparisons", error);
}

static enum oms_code view_running(struct oms *oms, bool whole, struct oms_view *view,
                                  struct oms_error *error) {
    struct oms_error why;
    enum oms_code code;

    *view = (struct oms_view){.orders = NULL};
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    view->reconciled = oms->reconciled;
    view->looks_again = compare_is_due(oms);
    code = copy_orders(&oms->book, &oms->store, whole, view, &why);
    if (code != OMS_OK) {
        text_error(error, "%s", why.text);
        return code == OMS_INVALID ? code : engine_fail(oms, why.text, error);
    }
    return was_read(oms, fill_view(&oms->book, &oms->store, view), error);
}

enum oms_code oms_view(struct oms *oms, struct oms_view *view, struct oms_error *error) {
    return view_running(oms, false, view, error);
}

enum oms_code oms_view_whole(struct oms *oms, struct oms_view *view, struct oms_error *error) {
    return view_running(oms, true, view, error);
}

enum oms_code oms_history(struct oms *oms, size_t last, struct oms_view *view,
                          struct oms_error *error) {
    *view = (struct oms_view){.orders = NULL};
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return was_read(oms, fill_history(&oms->store, last, view), error);
}

enum oms_code oms_history_at(const struct oms_place *place, size_t last, struct oms_view *view,
                             struct oms_error *error) {
    struct store store = {0};
    enum oms_code code;

    *view = (struct oms_view){.orders = NULL};
    code = store_peek(&store, place, false, error);
    if (code == OMS_OK) {
        code = store_identity(&store, error);
    }
    if (code == OMS_OK) {
        code = store_was_read(&store, fill_history(&store, last, view), error);
    }
    store_close(&store);
    return code;
}

/* There is room for one more order than there are. */
enum oms_code oms_view_with(struct oms *oms, const char *decision_id, struct oms_view *view,
                            struct oms_error *error) {
    const struct order *archived = NULL;
    enum oms_code code = oms_view(oms, view, error);

    if (code == OMS_OK && decision_id[0] != '\0' && engine_order(oms, decision_id) == NULL) {
        code = archiving_order(oms, decision_id, &archived, error);
    }
    if (code == OMS_OK && archived != NULL) {
        view->orders[view->order_count++] = archived->pub;
    }
    return code;
}

static enum oms_code view_at(const struct oms_place *place, bool check, bool whole,
                             struct oms_view *view, struct oms_error *error) {
    struct store store = {0};
    struct book book = {.orders = NULL};
    enum oms_code code;

    *view = (struct oms_view){.orders = NULL};
    code = store_peek(&store, place, check, error);
    if (code == OMS_OK) {
        code = book_load(&book, &store, check, error);
        if (code == OMS_STORAGE && !check) { /* is it one of ours at all? */
            const enum oms_code other = store_identity(&store, error);
            code = other == OMS_OK ? code : other;
        }
    }
    if (code == OMS_OK) {
        code = copy_orders(&book, &store, whole, view, error);
        code = code == OMS_INVALID ? OMS_STORAGE : code; /* no memory */
    }
    if (code == OMS_OK) {
        code = store_was_read(&store, fill_view(&book, &store, view), error);
    }
    book_free(&book);
    store_close(&store);
    return code;
}

enum oms_code oms_view_at(const struct oms_place *place, bool check, struct oms_view *view,
                          struct oms_error *error) {
    return view_at(place, check, false, view, error);
}

enum oms_code oms_view_whole_at(const struct oms_place *place, bool check, struct oms_view *view,
                                struct oms_error *error) {
    return view_at(place, check, true, view, error);
}

void oms_view_free(struct oms_view *view) {
    free(view->orders);
    free(view->positions);
    free(view->profits);
    free(view->runs);
    free(view->discrepancies);
    *view = (struct oms_view){.orders = NULL};
}
