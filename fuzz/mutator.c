/* Edits of timelines, and making them shorter. */
#include "fuzz/mutator.h"

#include "sim/hash.h"

#include <stdio.h>
#include <string.h>

enum { CALLS_NUDGED = 3, WAIT_STEP = 2, FAULT_ARG_FROM = 1, CRASH_SITE = 3, CRASH_CALL = 4 };

/* ---- the generator ---- */

static uint64_t below(struct mutator *mutator, uint64_t n) {
    return random_next(&mutator->state) % n;
}

/* Small values pick the first rows of a table, and are as likely as all others together. */
static uint8_t any_byte(struct mutator *mutator) {
    uint64_t most = below(mutator, 2) == 0 ? 8 : 256;
    return (uint8_t)below(mutator, most);
}

struct mutator mutator_seeded(uint64_t seed) {
    return (struct mutator){.state = seed_named(seed, "mutator")};
}

/* ---- records ---- */

struct editing {
    struct mutator *mutator;
    struct timeline *timeline;
    const struct timeline *other;
    size_t max;
};

static enum timeline_op op_of(const struct timeline_record *record) {
    return (enum timeline_op)(record->op % TIMELINE_OP_COUNT);
}

static bool is_crash(const struct timeline_record *record) {
    enum timeline_op op = op_of(record);
    return op == TIMELINE_CRASH || op == TIMELINE_CRASH_AT || op == TIMELINE_CRASH_BY;
}

static bool is_fault(const struct timeline_record *record) {
    return op_of(record) == TIMELINE_FAULT;
}

static bool is_wait(const struct timeline_record *record) {
    return op_of(record) == TIMELINE_WAIT;
}

static struct timeline_record new_record(struct mutator *mutator, enum timeline_op op) {
    struct timeline_record record = {.op = (uint8_t)op};
    for (size_t i = 0; i < TIMELINE_ARGS; i++)
        record.arg[i] = any_byte(mutator);
    return record;
}

/* False: it is full. */
static bool put(struct editing *e, size_t at, const struct timeline_record *record) {
    struct timeline *t = e->timeline;
    struct timeline_record copy = *record;
    if (t->count >= e->max || at > t->count)
        return false;
    memmove(&t->records[at + 1], &t->records[at], (t->count - at) * sizeof t->records[0]);
    t->records[at] = copy;
    t->count++;
    return true;
}

static struct timeline_record take(struct timeline *t, size_t at, size_t run) {
    struct timeline_record first = t->records[at];
    memmove(&t->records[at], &t->records[at + run], (t->count - at - run) * sizeof t->records[0]);
    t->count -= run;
    return first;
}

static size_t any_place(struct editing *e) {
    return (size_t)below(e->mutator, e->timeline->count + 1);
}

/* One of those that `fits`, all as likely; NULL: there is none. */
static struct timeline_record *any_of(struct editing *e,
                                      bool (*fits)(const struct timeline_record *)) {
    struct timeline_record *found = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < e->timeline->count; i++) {
        if (fits(&e->timeline->records[i]) && below(e->mutator, ++seen) == 0)
            found = &e->timeline->records[i];
    }
    return found;
}

/* ---- edits; each is false when there was nothing to do it to ---- */

static bool insert(struct editing *e) {
    enum timeline_op op = (enum timeline_op)below(e->mutator, TIMELINE_OP_COUNT);
    struct timeline_record record = new_record(e->mutator, op);
    return put(e, any_place(e), &record);
}

static bool drop(struct editing *e) {
    if (e->timeline->count == 0)
        return false;
    take(e->timeline, (size_t)below(e->mutator, e->timeline->count), 1);
    return true;
}

static bool repeat(struct editing *e) {
    if (e->timeline->count == 0)
        return false;
    return put(e, any_place(e), &e->timeline->records[below(e->mutator, e->timeline->count)]);
}

static bool swap(struct editing *e) {
    struct timeline *t = e->timeline;
    size_t a = 0, b = 0;
    struct timeline_record kept;
    if (t->count < 2)
        return false;
    a = (size_t)below(e->mutator, t->count);
    b = (a + 1 + (size_t)below(e->mutator, t->count - 1)) % t->count;
    kept = t->records[a];
    t->records[a] = t->records[b];
    t->records[b] = kept;
    return true;
}

/* A death, and a start at its side: without it the rest of the timeline happens to nobody. */
static bool new_crash(struct editing *e) {
    static const enum timeline_op deaths[] = {TIMELINE_CRASH, TIMELINE_CRASH_AT, TIMELINE_CRASH_BY};
    struct timeline_record death =
        new_record(e->mutator, deaths[below(e->mutator, sizeof deaths / sizeof deaths[0])]);
    struct timeline_record start = {.op = TIMELINE_RESTART};
    size_t at = any_place(e);
    if (!put(e, at, &death))
        return false;
    put(e, at + 1 + (size_t)below(e->mutator, e->timeline->count - at), &start);
    return true;
}

static bool move_crash(struct editing *e) {
    struct timeline_record *crash = any_of(e, is_crash);
    struct timeline_record kept;
    if (crash == NULL)
        return new_crash(e);
    if (op_of(crash) == TIMELINE_CRASH_AT && below(e->mutator, 2) == 0) {
        int by = (int)below(e->mutator, 2 * CALLS_NUDGED) - CALLS_NUDGED;
        crash->arg[CRASH_CALL] = (uint8_t)(crash->arg[CRASH_CALL] + (by >= 0 ? by + 1 : by));
        return true;
    }
    kept = take(e->timeline, (size_t)(crash - e->timeline->records), 1);
    return put(e, any_place(e), &kept);
}

static bool change_crash(struct editing *e) {
    struct timeline_record *crash = any_of(e, is_crash);
    if (crash == NULL)
        return new_crash(e);
    switch (below(e->mutator, 4)) {
    case 0:
        crash->arg[0] ^= 1; /* kill or power */
        return true;
    case 1:
        crash->arg[1] = any_byte(e->mutator); /* what survives */
        crash->arg[2] = any_byte(e->mutator);
        return true;
    case 2:
        crash->arg[CRASH_SITE + below(e->mutator, 3)] = any_byte(e->mutator);
        return true;
    default:
        crash->op = (uint8_t)(TIMELINE_CRASH + below(e->mutator, 3));
        return true;
    }
}

static bool change_fault(struct editing *e) {
    struct timeline_record *fault = any_of(e, is_fault);
    struct timeline_record made = new_record(e->mutator, TIMELINE_FAULT);
    if (fault == NULL)
        return put(e, any_place(e), &made);
    if (below(e->mutator, 3) == 0)
        fault->arg[0] = (uint8_t)below(e->mutator, 256); /* kind: all rows of the table alike */
    else
        fault->arg[FAULT_ARG_FROM + below(e->mutator, TIMELINE_ARGS - FAULT_ARG_FROM)] =
            any_byte(e->mutator);
    return true;
}

static bool change_time(struct editing *e) {
    struct timeline_record *wait = any_of(e, is_wait);
    struct timeline_record made = new_record(e->mutator, TIMELINE_WAIT);
    made.arg[0] = (uint8_t)below(e->mutator, 256);
    if (wait == NULL || below(e->mutator, 4) == 0)
        return put(e, any_place(e), &made);
    switch (below(e->mutator, 3)) {
    case 0:
        wait->arg[0] = made.arg[0];
        return true;
    case 1:
        wait->arg[0] = (uint8_t)(wait->arg[0] + below(e->mutator, 2) * WAIT_STEP - 1);
        return true;
    default:
        wait->arg[1] = (uint8_t)(wait->arg[1] + 1 + below(e->mutator, 2)); /* to either side */
        return true;
    }
}

static bool change_argument(struct editing *e) {
    if (e->timeline->count == 0)
        return false;
    e->timeline->records[below(e->mutator, e->timeline->count)]
        .arg[below(e->mutator, TIMELINE_ARGS)] = any_byte(e->mutator);
    return true;
}

static bool change_op(struct editing *e) {
    if (e->timeline->count == 0)
        return false;
    e->timeline->records[below(e->mutator, e->timeline->count)].op =
        (uint8_t)below(e->mutator, TIMELINE_OP_COUNT);
    return true;
}

static bool change_head(struct editing *e) {
    e->timeline->head[below(e->mutator, TIMELINE_UNIT)] = any_byte(e->mutator);
    return true;
}

static bool splice(struct editing *e) {
    const struct timeline *other = e->other;
    size_t from = 0, run = 0, at = any_place(e);
    if (other->count == 0 || e->timeline->count >= e->max)
        return false;
    from = (size_t)below(e->mutator, other->count);
    run = 1 + (size_t)below(e->mutator, other->count - from);
    for (size_t i = 0; i < run; i++) {
        if (!put(e, at + i, &other->records[from + i]))
            break;
    }
    return true;
}

static bool cross(struct editing *e) {
    const struct timeline *other = e->other;
    size_t at = any_place(e), from = 0;
    if (other->count == 0)
        return false;
    from = (size_t)below(e->mutator, other->count);
    e->timeline->count = at;
    while (from < other->count && put(e, e->timeline->count, &other->records[from]))
        from++;
    return true;
}

static bool perform(struct editing *e, enum mutator_edit edit) {
    switch (edit) {
    case MUTATOR_INSERT:
        return insert(e);
    case MUTATOR_DROP:
        return drop(e);
    case MUTATOR_REPEAT:
        return repeat(e);
    case MUTATOR_SWAP:
        return swap(e);
    case MUTATOR_MOVE_CRASH:
        return move_crash(e);
    case MUTATOR_CRASH:
        return change_crash(e);
    case MUTATOR_FAULT:
        return change_fault(e);
    case MUTATOR_TIME:
        return change_time(e);
    case MUTATOR_ARGUMENT:
        return change_argument(e);
    case MUTATOR_OP:
        return change_op(e);
    case MUTATOR_HEAD:
        return change_head(e);
    case MUTATOR_SPLICE:
        return splice(e);
    case MUTATOR_CROSS:
        return cross(e);
    case MUTATOR_EDIT_COUNT:
        break;
    }
    return false;
}

/* Mostly one edit, sometimes several; one that finds nothing to be done to is not counted. */
void mutator_edit(struct mutator *mutator, struct timeline *timeline, const struct timeline *other,
                  size_t max) {
    struct timeline itself = *timeline;
    struct editing e = {mutator, timeline, other != NULL ? other : &itself,
                        max < TIMELINE_RECORDS_MAX ? max : TIMELINE_RECORDS_MAX};
    size_t wanted = 1;
    while (wanted < MUTATOR_STACK_MAX && below(mutator, 2) == 0)
        wanted++;
    if (timeline->count > e.max)
        timeline->count = e.max;
    mutator->edit_count = 0;
    while (mutator->edit_count < wanted) {
        enum mutator_edit edit = (enum mutator_edit)below(mutator, MUTATOR_EDIT_COUNT);
        if (perform(&e, edit)) /* the head can always be changed, so this ends */
            mutator->edits[mutator->edit_count++] = edit;
    }
}

char *mutator_describe(const struct mutator *mutator, char *out, size_t size) {
    static const char *const words[] = {
#define X(id, word, meaning) word,
        MUTATOR_EDITS(X)
#undef X
    };
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < mutator->edit_count; i++) {
        const char *word = words[mutator->edits[i]];
        size_t length = strlen(word) + (i > 0);
        if (used + length >= size)
            break;
        snprintf(out + used, size - used, "%s%s", i > 0 ? "+" : "", word);
        used += length;
    }
    return out;
}

/* ---- shorter ---- */

/* The next run that lies inside the timeline; a run of none: there is nothing left to try. */
static void go_on(struct trimmer *trimmer) {
    while (trimmer->run > 0 && trimmer->at >= trimmer->whole.count) {
        trimmer->at = 0;
        trimmer->run /= 2;
    }
}

unsigned trimmer_begin(struct trimmer *trimmer, const struct timeline *timeline) {
    *trimmer = (struct trimmer){.whole = *timeline, .run = (timeline->count + 1) / 2};
    /* Every run begins behind the end of the last one or in its place, so that no size of them is
     * tried more often than it fits. */
    for (size_t run = trimmer->run; run > 0; run /= 2)
        trimmer->limit += (unsigned)((timeline->count + run - 1) / run);
    go_on(trimmer);
    return trimmer->limit;
}

static size_t run_at(const struct trimmer *trimmer) {
    size_t left = trimmer->whole.count - trimmer->at;
    return trimmer->run < left ? trimmer->run : left;
}

void trimmer_trial(const struct trimmer *trimmer, struct timeline *trial) {
    *trial = trimmer->whole;
    if (trimmer->run > 0)
        take(trial, trimmer->at, run_at(trimmer));
}

unsigned trimmer_tell(struct trimmer *trimmer, bool good) {
    if (trimmer->run == 0)
        return trimmer->limit;
    if (good)
        take(&trimmer->whole, trimmer->at, run_at(trimmer));
    else
        trimmer->at += trimmer->run;
    go_on(trimmer);
    trimmer->steps++;
    return trimmer->run == 0 ? trimmer->limit : trimmer->steps;
}
