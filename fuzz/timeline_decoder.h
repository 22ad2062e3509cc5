/* Reading a timeline, record by record: what the parts of that share; nobody outside fuzz includes
 * it. */
#ifndef FUZZ_TIMELINE_DECODER_H
#define FUZZ_TIMELINE_DECODER_H

#include "fuzz/timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_PRICE (100 * INT64_C(1000000000)) /* of what has none of its own */
#define TIMELINE_TICK  (INT64_C(1000000000) / 100)
#define SLOT(id)       (UINT64_C(1) << SCN_SLOT_##id)

struct decoder {
    struct timeline_story *story;
    struct scenario *s;
    const struct timeline_record *record; /* that is being read ... */
    size_t index;                         /* ... and its place */
    int64_t now_ns;
    int64_t day_ns; /* of the line above */
    bool began;     /* some line has a time */
    bool crash_seen;
    bool has_moment; /* the record above says at which point this one happens ... */
    struct scn_when moment;
    int fills[TIMELINE_RECORDS_MAX]; /* lines that execute something, by their place */
    size_t fill_count;
};

/* The next line, at the decoder's time, or, where that goes with the statement, at the point that
 * the record above named. */
struct scn_line *decoder_line(struct decoder *d, enum scn_statement statement);
/* What the record at hand picks with. */
const uint8_t *decoder_args(const struct decoder *d);
/* The decision that an argument of the record means, or -1 when there is none yet. */
int decoder_decision(const struct decoder *d, size_t arg);
/* A line about the decision that the first argument means; NULL: there is none yet, and no line. */
struct scn_args *decoder_about(struct decoder *d, enum scn_statement statement);
/* The place of a symbol; symbols stand in the order in which a reader of the file meets them. */
int decoder_symbol(struct scenario *s, const char *name);
/* A point of the OMS's own work, named by two arguments from `arg` on: kind, decision. */
struct scn_point decoder_point(const struct decoder *d, size_t kind, size_t decision);

/* What the broker does (timeline_broker.c). */
void timeline_fill(struct decoder *d);
void timeline_bust(struct decoder *d);
void timeline_correct(struct decoder *d);
void timeline_foreign(struct decoder *d);
/* A setting or a habit; read before all other records. */
void timeline_setting(struct decoder *d);
void timeline_option(struct scenario *s, enum scn_option option, int64_t value);

/* Deaths and faults (timeline_fault.c). */
void timeline_crash(struct decoder *d);
void timeline_crash_at(struct decoder *d);
void timeline_crash_by(struct decoder *d);
void timeline_strike(struct decoder *d);

#endif
