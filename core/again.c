/* Findings against those of earlier comparisons: of this life in memory, of all lives in the store.
 */
#include "core/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than this back nobody looks: comparisons in which a difference was a matter of timing. */
enum { BACK_PER_REPEAT = 4, REPEATS_MAX = 1000 };

static bool acts(const struct oms_discrepancy *found) {
    return !found->explained && found->severity != OMS_INFO;
}

static bool is_same(const struct oms_discrepancy *a, const struct oms_discrepancy *b) {
    return a->type == b->type && strcmp(a->symbol, b->symbol) == 0 && strcmp(a->ref, b->ref) == 0;
}

/* ---- grace ---- */

/* Since when this life sees it. */
static int64_t first_seen(const struct oms *oms, const struct oms_discrepancy *found,
                          int64_t now_ns) {
    for (size_t i = 0; i < oms->suspect_count; i++) {
        const struct suspect *suspect = &oms->suspects[i];
        if (is_same(&suspect->found, found)) {
            return suspect->first_ns < now_ns ? suspect->first_ns : now_ns;
        }
    }
    return now_ns;
}

static void excuse(struct oms_discrepancy *found) {
    const size_t used = strlen(found->text);
    found->severity = OMS_INFO;
    (void)snprintf(found->text + used, sizeof found->text - used,
                   "; it may be timing and is looked at again");
}

bool again_give_grace(struct oms *oms, struct reconcile_found *found, int64_t now_ns) {
    const int64_t grace_ns = oms->config.profile->grace_ns;
    struct suspect *seen = calloc(found->n + 1, sizeof *seen);
    size_t count = 0;
    int64_t again_ns = INT64_MAX;
    bool barred = false;

    if (seen == NULL) {
        return false;
    }
    for (size_t i = 0; i < found->n; i++) {
        struct oms_discrepancy *row = &found->v[i];
        const int64_t first_ns = first_seen(oms, row, now_ns);
        if (!acts(row)) {
            continue;
        }
        seen[count++] = (struct suspect){.found = *row, .first_ns = first_ns};
        if (now_ns - first_ns < grace_ns) {
            again_ns = first_ns + grace_ns < again_ns ? first_ns + grace_ns : again_ns;
            barred = barred || row->severity == OMS_CRITICAL;
            excuse(row);
        }
    }
    free(oms->suspects);
    oms->suspects = seen;
    oms->suspect_count = count;
    oms->barred = barred;
    oms->again_ns = again_ns;
    return true;
}

/* ---- repeats ---- */

enum mark { MARK_ABSENT, MARK_TIMING, MARK_FOUND };

/* What the comparisons before said of each finding, newest first. */
struct record {
    int64_t *runs; /* their numbers */
    size_t run_count, run_max;
    unsigned char *marks; /* enum mark, by finding, then by run */
};

/* The numbers of the newest comparisons that were whole. */
static int read_runs(struct oms *oms, struct record *record) {
    struct oms_run run;
    int rc = SQLITE_DONE;

    while (record->run_count < record->run_max &&
           (rc = store_next_run_back(&oms->store, &run)) == SQLITE_ROW) {
        if (run.why[0] == '\0') {
            record->runs[record->run_count++] = run.id;
        }
    }
    store_rest(&oms->store, STORE_RUNS_BACK);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static void mark(struct record *record, const struct reconcile_found *found,
                 const struct oms_discrepancy *row) {
    for (size_t r = 0; r < record->run_count; r++) {
        for (size_t i = 0; record->runs[r] == row->run && i < found->n && i < REPEATS_MAX; i++) {
            if (is_same(&found->v[i], row)) {
                record->marks[i * record->run_max + r] =
                    row->severity == OMS_INFO ? MARK_TIMING : MARK_FOUND;
            }
        }
    }
}

static int read_marks(struct oms *oms, const struct reconcile_found *found, struct record *record) {
    struct oms_discrepancy row;
    int rc = SQLITE_DONE;

    while (record->run_count > 0 &&
           (rc = store_next_discrepancy(&oms->store, record->runs[record->run_count - 1], &row)) ==
               SQLITE_ROW) {
        mark(record, found, &row);
    }
    store_rest(&oms->store, STORE_FOUND);
    return rc;
}

/* How often in a row before now; comparisons in which it was timing do not count either way. */
static int in_a_row(const struct record *record, size_t finding) {
    const unsigned char *marks = &record->marks[finding * record->run_max];
    int count = 0;
    for (size_t r = 0; r < record->run_count && marks[r] != MARK_ABSENT; r++) {
        count += marks[r] == MARK_FOUND;
    }
    return count;
}

static void tell(struct oms *oms, const struct oms_discrepancy *found) {
    char text[OMS_REASON_SIZE];
    (void)snprintf(text, sizeof text, "found %d times in a row: %.180s", oms->config.repeat_alarm,
                   found->text);
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL, text);
}

static bool any_acts(const struct reconcile_found *found) {
    for (size_t i = 0; i < found->n; i++) {
        if (acts(&found->v[i])) {
            return true;
        }
    }
    return false;
}

enum oms_code again_tell_repeats(struct oms *oms, const struct reconcile_found *found,
                                 struct oms_error *error) {
    const size_t back = (size_t)oms->config.repeat_alarm * BACK_PER_REPEAT;
    const size_t rows = found->n < REPEATS_MAX ? found->n : REPEATS_MAX;
    struct record record = {.run_max = back};
    int rc = SQLITE_NOMEM;

    if (!any_acts(found)) {
        return OMS_OK;
    }
    record.runs = calloc(back, sizeof *record.runs);
    record.marks = calloc(rows, back);
    if (record.runs != NULL && record.marks != NULL) {
        rc = read_runs(oms, &record);
    }
    if (rc == SQLITE_DONE) {
        rc = read_marks(oms, found, &record);
    }
    for (size_t i = 0; rc == SQLITE_DONE && i < rows; i++) {
        if (acts(&found->v[i]) && in_a_row(&record, i) == oms->config.repeat_alarm - 1) {
            tell(oms, &found->v[i]);
        }
    }
    free(record.runs);
    free(record.marks);
    return rc == SQLITE_DONE ? OMS_OK : engine_fail(oms, "read earlier comparisons", error);
}
