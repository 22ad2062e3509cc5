/* What came to pass in many timelines: kinds of faults and deaths, pairs of them in one run, kinds of
 * records. Sums only, so that it does not matter who counted what, nor in which order. */
#ifndef FUZZ_COVERAGE_H
#define FUZZ_COVERAGE_H

#include "fuzz/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds are the ways to die, then every fault of the catalogue that needs no wire, by word where the
 * word picks the mechanism (faultinject/catalogue.h). */
enum { COVERAGE_KINDS_MAX = 160, COVERAGE_PROFILES_MAX = 32, COVERAGE_DISKS_MAX = 16 };

struct coverage {
    uint64_t timelines;
    uint64_t lives, crashes, faults, port_calls;
    uint64_t fingerprint;                                   /* of all fingerprints, in no order */
    uint64_t kinds[COVERAGE_KINDS_MAX];                     /* timelines in which it struck */
    uint64_t pairs[COVERAGE_KINDS_MAX][COVERAGE_KINDS_MAX]; /* in which both did; [a][b], a < b */
    uint64_t ops[TIMELINE_OP_COUNT];
    uint64_t sites[SITE_OP_COUNT]; /* in which the OMS made such a call */
    uint64_t profiles[COVERAGE_PROFILES_MAX], disks[COVERAGE_DISKS_MAX];
};

size_t coverage_kinds(void);
/* "kill", "broker.submit lost-reply". Returns out. */
char *coverage_kind_name(size_t kind, char out[FAULT_TALLY_SIZE]);

/* The fault of a kind, as a record's values; false: it is a way to die, and *power tells which. */
bool coverage_kind_fault(size_t kind, uint8_t *row, uint8_t *word, bool *power);
/* Whether a fault of this kind had something to strike: an OMS that never deletes a file is never told
 * that it cannot. */
bool coverage_reaches(const struct coverage *coverage, size_t kind);

/* Counts one timeline. */
void coverage_note(struct coverage *coverage, uint64_t seed, const struct timeline *timeline,
                   const struct timeline_end *end, const struct timeline_notes *notes);
void coverage_add(struct coverage *sum, const struct coverage *part);

/* How many kinds, and pairs of kinds, are within reach, and how many of those never struck. */
struct coverage_gaps {
    size_t kinds, kinds_missing;
    size_t pairs, pairs_missing;
    size_t ops, ops_missing;
};
struct coverage_gaps coverage_gaps(const struct coverage *coverage);

#endif
