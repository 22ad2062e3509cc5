/* Greedy, in a fixed order, until a whole round changes nothing. */
#include "fuzz/timeline_shrink.h"

#include "fuzz/finding.h"

#include <string.h>

/* Arguments of the records that die, as timeline.h lists them. */
enum { DEATH_KIND, DEATH_POINT = 3, DEATH_SIDE = 4 };
enum { SIDES = 2 };

struct shrinking {
    struct timeline *timeline; /* the smallest so far */
    const struct sut *sut;
    int invariant;
    struct timeline_shrunk *shrunk;
};

static bool breaks(struct shrinking *s, const struct timeline *timeline) {
    struct timeline_end end;
    s->shrunk->bound = s->shrunk->bound || s->shrunk->played >= SHRINK_TIMELINES_MAX;
    if (s->shrunk->bound)
        return false;
    s->shrunk->played++;
    return timeline_play(timeline, s->sut, &end) && end.invariant == s->invariant;
}

/* True: it breaks the same, and is kept. */
static bool keeps(struct shrinking *s, const struct timeline *timeline) {
    if (!breaks(s, timeline))
        return false;
    *s->timeline = *timeline;
    return true;
}

static enum timeline_op op_at(const struct timeline *timeline, size_t index) {
    return (enum timeline_op)(timeline->records[index].op % TIMELINE_OP_COUNT);
}

static bool is_death(enum timeline_op op) {
    return op == TIMELINE_CRASH || op == TIMELINE_CRASH_AT || op == TIMELINE_CRASH_BY;
}

/* ---- fewer records ---- */

static void without(const struct timeline *from, size_t first, size_t count, struct timeline *to) {
    *to = *from;
    memmove(to->records + first, to->records + first + count,
            (from->count - first - count) * sizeof *to->records);
    to->count -= count;
}

/* A life: from behind one restart to behind the next. The last first. */
static bool drop_lives(struct shrinking *s) {
    bool dropped = false;
    for (size_t end = s->timeline->count; end > 0;) {
        struct timeline less;
        size_t first = end - 1;
        while (first > 0 && op_at(s->timeline, first - 1) != TIMELINE_RESTART)
            first--;
        without(s->timeline, first, end - first, &less);
        dropped = keeps(s, &less) || dropped;
        end = first;
    }
    return dropped;
}

/* Halves, quarters ... single records, from the end; true when something went. */
static bool drop_records(struct shrinking *s) {
    bool dropped = false;
    for (size_t size = s->timeline->count; size > 0; size /= 2) {
        for (size_t end = s->timeline->count; end >= size;) {
            struct timeline less;
            without(s->timeline, end - size, size, &less);
            dropped = keeps(s, &less) || dropped;
            end = end > size && end - size < s->timeline->count ? end - size : 0;
        }
    }
    return dropped;
}

static void drop(struct shrinking *s) {
    while (drop_lives(s) || drop_records(s)) {
    }
}

/* ---- smaller values ---- */

static bool put_value(struct shrinking *s, size_t offset, uint8_t value) {
    struct timeline other = *s->timeline;
    ((uint8_t *)&other.records)[offset] = value;
    return keeps(s, &other);
}

/* The smallest of a few first, then ever smaller steps down from the value that is known to break
 * it. */
static bool lower(struct shrinking *s, size_t offset, uint8_t least) {
    enum { FEW = 4 };
    uint8_t known = ((const uint8_t *)&s->timeline->records)[offset];
    bool changed = false;
    for (uint8_t value = least; value < known && value < least + FEW; value++) {
        if (put_value(s, offset, value))
            return true;
    }
    for (uint8_t step = (uint8_t)(known / 2); step > 0; step /= 2) {
        if (known > least + FEW && known - step >= least + FEW &&
            put_value(s, offset, (uint8_t)(known - step))) {
            known = (uint8_t)(known - step);
            changed = true;
        }
    }
    return changed;
}

static bool lower_head(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < TIMELINE_UNIT; i++) {
        struct timeline other = *s->timeline;
        other.head[i] = 0;
        if (s->timeline->head[i] != 0 && keeps(s, &other))
            changed = true;
    }
    return changed;
}

/* A kill says 1 where a power loss, which can do more, says 0. Everything else has its simplest
 * value first in its table. */
static bool lower_records(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < s->timeline->count; i++) {
        bool death = is_death(op_at(s->timeline, i));
        size_t offset = i * sizeof(struct timeline_record) + 1;
        if (death && s->timeline->records[i].arg[DEATH_KIND] != 1)
            changed = put_value(s, offset + DEATH_KIND, 1) || changed;
        for (size_t k = death ? DEATH_KIND + 1 : 0; k < TIMELINE_ARGS; k++)
            changed = lower(s, offset + k, 0) || changed;
    }
    return changed;
}

/* ---- deaths at points that have a name, and earlier ---- */

static bool name_death(struct shrinking *s, size_t index) {
    struct timeline other = *s->timeline;
    struct timeline_record *record = &other.records[index];
    record->op = TIMELINE_CRASH_BY;
    for (size_t k = DEATH_POINT; k < TIMELINE_ARGS; k++)
        record->arg[k] = 0;
    for (unsigned point = 0; point < SCN_POINT_COUNT; point++) {
        for (unsigned side = 0; side < SIDES; side++) {
            record->arg[DEATH_POINT] = (uint8_t)point;
            record->arg[DEATH_SIDE] = (uint8_t)side;
            if (keeps(s, &other))
                return true;
        }
    }
    return false;
}

static bool name_deaths(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < s->timeline->count; i++) {
        if (op_at(s->timeline, i) == TIMELINE_CRASH_AT)
            changed = name_death(s, i) || changed;
    }
    return changed;
}

/* The earliest place first, but behind the death above it: two that changed places could do so for
 * ever. */
static bool move_up(struct shrinking *s, size_t index) {
    size_t first = index;
    while (first > 0 && !is_death(op_at(s->timeline, first - 1)))
        first--;
    for (size_t to = first; to < index; to++) {
        struct timeline other = *s->timeline;
        struct timeline_record moved = other.records[index];
        memmove(other.records + to + 1, other.records + to, (index - to) * sizeof moved);
        other.records[to] = moved;
        if (keeps(s, &other))
            return true;
    }
    return false;
}

static bool earlier_deaths(struct shrinking *s) {
    bool changed = false;
    for (size_t i = 0; i < s->timeline->count; i++) {
        if (is_death(op_at(s->timeline, i)))
            changed = move_up(s, i) || changed;
    }
    return changed;
}

/* ---- all of it ---- */

static void mark(struct shrinking *s) {
    for (size_t i = 0; i < s->timeline->count; i++) {
        struct timeline less;
        without(s->timeline, i, 1, &less);
        s->shrunk->necessary[i] = !breaks(s, &less) && !s->shrunk->bound;
    }
}

void timeline_shrink(struct timeline *timeline, const struct sut *sut, int invariant,
                     struct timeline_shrunk *shrunk) {
    struct shrinking s = {timeline, sut, invariant, shrunk};
    bool changed = true;
    *shrunk = (struct timeline_shrunk){.records_before = timeline->count};
    if (!breaks(&s, timeline))
        return;
    while (changed && !shrunk->bound) {
        drop(&s);
        changed = lower_head(&s);
        changed = lower_records(&s) || changed;
        changed = name_deaths(&s) || changed;
        changed = earlier_deaths(&s) || changed;
    }
    mark(&s);
}
