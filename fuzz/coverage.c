/* Counting what came to pass. */
#include "fuzz/coverage.h"

#include "fuzz/timeline_tables.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <stdio.h>

enum { KIND_KILL, KIND_POWER, DEATHS };

/* Faults of the catalogue that a timeline can have, by their tally. */
static struct {
    size_t count;
    size_t tallies[COVERAGE_KINDS_MAX];
} known;

static void learn_kinds(void) {
    char name[FAULT_TALLY_SIZE];
    for (size_t tally = 0; known.count == 0 || tally < FAULT_TALLIES; tally++) {
        const struct fault_kind *row = catalogue_at(tally / FAULT_WORDS_MAX);
        CHECK(tally < FAULT_TALLIES);
        if (row == NULL || row->wire_only || !fault_tally_name(tally, name))
            continue;
        CHECK(DEATHS + known.count < COVERAGE_KINDS_MAX);
        known.tallies[known.count++] = tally;
    }
}

size_t coverage_kinds(void) {
    if (known.count == 0)
        learn_kinds();
    return DEATHS + known.count;
}

char *coverage_kind_name(size_t kind, char out[FAULT_TALLY_SIZE]) {
    CHECK(kind < coverage_kinds());
    if (kind < DEATHS)
        snprintf(out, FAULT_TALLY_SIZE, "%s", kind == KIND_KILL ? "kill" : "power");
    else
        CHECK(fault_tally_name(known.tallies[kind - DEATHS], out));
    return out;
}

bool coverage_kind_fault(size_t kind, uint8_t *row, uint8_t *word, bool *power) {
    CHECK(kind < coverage_kinds());
    *power = kind == KIND_POWER;
    if (kind < DEATHS)
        return false;
    *row = timeline_fault_value(catalogue_at(known.tallies[kind - DEATHS] / FAULT_WORDS_MAX));
    *word = (uint8_t)(known.tallies[kind - DEATHS] % FAULT_WORDS_MAX);
    return true;
}

bool coverage_reaches(const struct coverage *coverage, size_t kind) {
    CHECK(kind < coverage_kinds());
    return kind < DEATHS || coverage->sites[fault_tally_op(known.tallies[kind - DEATHS])] > 0;
}

static bool struck(const struct timeline_notes *notes, size_t kind) {
    if (kind < DEATHS)
        return kind == KIND_KILL ? notes->killed : notes->power_lost;
    return notes->tallies[known.tallies[kind - DEATHS]] > 0;
}

static void note_kinds(struct coverage *coverage, const struct timeline_notes *notes) {
    size_t here[COVERAGE_KINDS_MAX];
    size_t count = 0, kinds = coverage_kinds();
    for (size_t kind = 0; kind < kinds; kind++) {
        if (!struck(notes, kind))
            continue;
        coverage->kinds[kind]++;
        for (size_t i = 0; i < count; i++)
            coverage->pairs[here[i]][kind]++;
        here[count++] = kind;
    }
}

void coverage_note(struct coverage *coverage, uint64_t seed, const struct timeline *timeline,
                   const struct timeline_end *end, const struct timeline_notes *notes) {
    size_t profile = timeline->head[HEAD_PROFILE] % timeline_profiles();
    size_t disk = timeline->head[HEAD_DISK] % timeline_disks();
    CHECK(profile < COVERAGE_PROFILES_MAX && disk < COVERAGE_DISKS_MAX);
    coverage->timelines++;
    coverage->lives += end->counts.lives;
    coverage->crashes += end->counts.crashes;
    coverage->faults += end->counts.faults;
    coverage->port_calls += end->counts.port_calls;
    coverage->fingerprint += hash_u64(hash_u64(0, seed), end->fingerprint);
    coverage->profiles[profile]++;
    coverage->disks[disk]++;
    for (size_t op = 0; op < TIMELINE_OP_COUNT; op++)
        coverage->ops[op] += (notes->ops >> op) & 1u;
    for (size_t op = 0; op < SITE_OP_COUNT; op++)
        coverage->sites[op] += (notes->called >> op) & 1u;
    note_kinds(coverage, notes);
}

void coverage_add(struct coverage *sum, const struct coverage *part) {
    /* Nothing but counters of one size. */
    const uint64_t *from = (const uint64_t *)part;
    uint64_t *to = (uint64_t *)sum;
    _Static_assert(sizeof *sum % sizeof *to == 0, "counters of one size");
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

/* Waiting is no act, and a setting holds rather than happens. */
static bool op_counts(size_t op) {
    return op != TIMELINE_WAIT;
}

struct coverage_gaps coverage_gaps(const struct coverage *coverage) {
    struct coverage_gaps gaps = {0};
    for (size_t b = 0; b < coverage_kinds(); b++) {
        if (!coverage_reaches(coverage, b))
            continue;
        gaps.kinds++;
        gaps.kinds_missing += coverage->kinds[b] == 0;
        for (size_t a = 0; a < b; a++) {
            if (!coverage_reaches(coverage, a))
                continue;
            gaps.pairs++;
            gaps.pairs_missing += coverage->pairs[a][b] == 0;
        }
    }
    for (size_t op = 0; op < TIMELINE_OP_COUNT; op++) {
        gaps.ops += op_counts(op);
        gaps.ops_missing += op_counts(op) && coverage->ops[op] == 0;
    }
    return gaps;
}
