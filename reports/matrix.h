/* Which oracle sees which planted bug: every invariant by every bug, and what it took to find each. */
#ifndef REPORTS_MATRIX_H
#define REPORTS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One planted bug in its scenario. Texts belong to the caller; none is NULL. */
struct report_planted {
    const char *name, *fault;
    const char *file; /* of the scenario, ... */
    int line;
    const char *profile, *crash, *door; /* ... as in struct report_run */
    bool caught;
    const char *why;         /* not caught: why not */
    const char *first;       /* what broke first: "I9", or a check of the scenario: "finally" */
    bool explored;           /* then these are lives, else runs: */
    uint64_t needed, of;     /* until it was found, of how many that were made */
    const char *plan;        /* the smallest, or "none": no crash and no fault is needed */
    unsigned strikes;        /* the crashes and faults in it */
    const char *replay;      /* the command that shows it */
    unsigned judged, broken; /* invariants, each a bit 1 << number */
    const char *check;       /* what a line of the scenario breaks besides ("finally"), or "" */
    const char *met;   /* a fault that the core really had: what found it, such as "AFL++"; or "" */
    const char *swept; /* what its first seed breaks that breaks something: "I3"; "": none does */
    uint64_t seed;     /* and that seed */
};

struct report_matrix {
    const struct report_planted *bugs;
    size_t count;
    unsigned oracles;               /* the invariants 1 to `oracles`, at most 31 */
    bool has_sweep;                 /* every bug was asked of these seeds: */
    uint64_t first_seed, last_seed; /* both included */
};

/* Both write no times, so that the same program writes the same bytes everywhere. False: `out` could
 * not be written. */
bool report_matrix_markdown(FILE *out, const struct report_matrix *matrix);
/* One JSON object a line: {"type":"planted",...} for each bug, then {"type":"oracle",...},
 * {"type":"way",...} (reports/ways.h) and, if there was one, {"type":"sweep",...}. */
bool report_matrix_json(FILE *out, const struct report_matrix *matrix);

#endif
