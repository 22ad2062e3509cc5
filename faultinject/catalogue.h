/* The fault catalogue: every way a simulated port can misbehave, by the name people write.
 *
 * One table serves scenario files, plans, the enumerators, the generated reference and the reports.
 */
#ifndef FAULTINJECT_CATALOGUE_H
#define FAULTINJECT_CATALOGUE_H

#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an argument is written: INT "17", DURATION "1.5s" (ns), WORD one of words (value: its index).
 */
enum fault_arg_type { FAULT_ARG_INT, FAULT_ARG_DURATION, FAULT_ARG_WORD };
enum { FAULT_ARGS_MAX = 2, FAULT_WORDS_MAX = 10, FAULT_NAME_SIZE = 32, FAULT_TEXT_SIZE = 96 };

struct fault_arg {
    const char *name; /* NULL: no such argument */
    enum fault_arg_type type;
    bool required;
    int64_t otherwise;                  /* value when it is not written */
    int64_t least, most;                /* inclusive range for INT and DURATION */
    const char *words[FAULT_WORDS_MAX]; /* for WORD, NULL-ended */
};

struct fault_kind {
    enum site_op op;  /* the operation it happens at; the objects it fits are all valid ones ... */
    unsigned objects; /* ... or only these: bit mask of 1u << enum site_object; 0: all valid */
    const char *name; /* "lost-reply" */
    struct fault_arg args[FAULT_ARGS_MAX];
    enum act act;        /* the mechanism; for "fails" on a sync the aftermath word picks it */
    unsigned suspends;   /* 1u << invariant number (I3 -> 1u << 3), see fault_suspends */
    bool wire_only;      /* exists only where there are bytes (the wire door) */
    const char *meaning; /* one line: what happens, what is true afterwards */
};

/* Rows in a fixed order; NULL once past the last. A row's index is its identity. */
const struct fault_kind *catalogue_at(size_t index);
size_t catalogue_count(void);

/* The row for a kind at a site, or NULL. */
const struct fault_kind *catalogue_find(struct site site, const char *kind);
bool catalogue_fits(const struct fault_kind *kind, struct site site);

/* One fault with its argument values, in the order of kind->args. */
struct fault {
    const struct fault_kind *kind;
    int64_t arg[FAULT_ARGS_MAX];
};

/* Faults are counted by row, and where the first argument is a word, by word. Numbers of counters
 * are below FAULT_TALLIES; some are of no fault. */
enum { FAULT_ROWS_MAX = 128, FAULT_TALLIES = FAULT_ROWS_MAX * FAULT_WORDS_MAX };
size_t fault_tally(const struct fault *fault);
/* "broker.submit lost-reply", "disk.sync fails(aftermath=reverted)"; false: of no fault. */
enum { FAULT_TALLY_SIZE = SITE_NAME_SIZE + FAULT_TEXT_SIZE };
bool fault_tally_name(size_t tally, char out[FAULT_TALLY_SIZE]);
/* The operation it strikes. */
enum site_op fault_tally_op(size_t tally);

/* What the port is told to do. */
struct port_answer fault_answer(const struct fault *fault);

/* The invariants no OMS can keep under this fault, as a bit mask; nothing else may break. */
unsigned fault_suspends(const struct fault *fault);

/* "lost-reply", "late(by=12s)": the form plans and scenario files use. Returns out. */
char *fault_format(const struct fault *fault, char out[FAULT_TEXT_SIZE]);
/* Parses one argument value; false, with `why` naming value and rule, when it is not one. */
bool fault_arg_parse(const struct fault_arg *arg, const char *text, int64_t *value, char *why,
                     size_t why_size);

#endif
