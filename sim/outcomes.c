/* Picking outcomes, and sampling those that were not picked. */
#include "sim/outcomes.h"

#include "sim/check.h"
#include "sim/content.h"

#include <stdlib.h>

/* Whether what is at stake are plain writes to the log alone, too many to try all subsets. */
static bool is_long_log(const struct disk *disk, struct disk_pending_op ops[DISK_PENDING_MAX],
                        unsigned *count) {
    unsigned total = disk_power_outcomes(disk, NULL);
    *count = disk_pending(disk);
    if (*count <= OUTCOMES_ALL_BITS || *count > DISK_PENDING_MAX)
        return false;
    if (total != (*count > DISK_SUBSET_BITS ? 3 * *count - 1 : 1u << *count))
        return false; /* the disk knows damage too */
    disk_pending_ops(disk, ops, *count);
    for (unsigned i = 0; i < *count; i++) {
        if (ops[i].on != ON_WAL || !ops[i].is_write)
            return false;
    }
    return true;
}

static void add(struct outcomes *outcomes, unsigned which) {
    outcomes->which[outcomes->count++] = which;
}

static int by_number(const void *a, const void *b) {
    const unsigned *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* As subsets: bit i is write i. */
static void pick_few(unsigned count, struct outcomes *outcomes) {
    unsigned all = (1u << count) - 1, kept = 0;
    for (unsigned i = 0; i <= count; i++)
        add(outcomes, (1u << i) - 1);
    for (unsigned i = 0; i < count; i++) {
        add(outcomes, all & ~(1u << i));
        add(outcomes, 1u << i);
    }
    qsort(outcomes->which, outcomes->count, sizeof *outcomes->which, by_number);
    for (unsigned i = 0; i < outcomes->count; i++) {
        if (kept == 0 || outcomes->which[kept - 1] != outcomes->which[i])
            outcomes->which[kept++] = outcomes->which[i];
    }
    outcomes->count = kept;
}

void outcomes_pick(const struct disk *disk, struct outcomes *outcomes) {
    static struct disk_pending_op ops[DISK_PENDING_MAX]; /* large */
    unsigned total = 0, count = 0;
    bool reduced = false;
    *outcomes = (struct outcomes){0};
    total = disk_power_outcomes(disk, &reduced);
    outcomes->implied = is_long_log(disk, ops, &count);
    outcomes->reduced = reduced && !outcomes->implied;
    if (outcomes->implied && count <= DISK_SUBSET_BITS) {
        outcomes->which = check_alloc((3 * count + 1) * sizeof *outcomes->which);
        pick_few(count, outcomes);
        return;
    }
    CHECK(total <= OUTCOMES_MAX);
    outcomes->which = check_alloc(total * sizeof *outcomes->which);
    for (unsigned i = 0; i < total; i++)
        add(outcomes, i);
}

void outcomes_free(struct outcomes *outcomes) {
    free(outcomes->which);
    *outcomes = (struct outcomes){0};
}

/* ---- sampling ---- */

static bool covers_all_before(const struct disk_pending_op *ops, unsigned i) {
    for (unsigned j = 0; j < i; j++) {
        if (ops[j].offset < ops[i].offset || ops[j].end > ops[i].end)
            return false;
    }
    return true;
}

/* How many of the oldest writes count when these survive. */
static unsigned without_gap(const struct disk_pending_op *ops, unsigned count, unsigned mask) {
    unsigned reached = 0;
    for (unsigned i = count; i-- > 0 && reached == 0;) {
        if ((mask >> i & 1) != 0 && covers_all_before(ops, i))
            reached = i + 1;
    }
    while (reached < count && (mask >> reached & 1) != 0)
        reached++;
    return reached;
}

static bool look_after(const struct disk *disk, const char *path, unsigned which, uint64_t *hash) {
    struct disk *after = disk_copy(disk);
    bool known = false;
    disk_power(after, which);
    known = content_hash(after, path, hash);
    disk_free(after);
    return known;
}

bool outcomes_sample(const struct disk *disk, const char *path, uint64_t number) {
    static struct disk_pending_op ops[DISK_PENDING_MAX];
    unsigned count = 0, mask = 0;
    uint64_t found = 0, expected = 0;
    if (!is_long_log(disk, ops, &count) || count > DISK_SUBSET_BITS)
        return true;
    mask = (unsigned)(number % (1u << count));
    return look_after(disk, path, mask, &found) &&
           look_after(disk, path, (1u << without_gap(ops, count, mask)) - 1, &expected) &&
           found == expected;
}
