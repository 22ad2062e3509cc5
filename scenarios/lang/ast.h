/* What a scenario file says, checked and resolved: the form that runners, printers and fuzzers use.
 *
 * Everything is an index, an enum or an exact integer; no string has to be looked up again. A
 * scenario that came out of scenario_load()/scenario_parse() without a mistake keeps every rule of
 * the language (scenarios/README.md), so a consumer need not check again.
 *
 * Units: times are absolute virtual nanoseconds since 1970 UTC; durations nanoseconds; quantities
 * and prices nanos (core/decimal.h). */
#ifndef SCENARIOS_LANG_AST_H
#define SCENARIOS_LANG_AST_H

#include "core/oms.h"
#include "faultinject/catalogue.h"
#include "scenarios/lang/verbs.h"
#include "sim/disk_profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { /* ceilings; a file that exceeds one is refused with a message that names it */
       SCN_FILE_BYTES_MAX = 1 << 20,
       SCN_LINE_BYTES_MAX = 1000,
       SCN_SCENARIOS_MAX = 64,
       SCN_LINES_MAX = 1000,
       SCN_DECISIONS_MAX = 64,
       SCN_SYMBOLS_MAX = 32,
       SCN_WORKLOAD_SYMBOLS = 6, /* and those of a workload */
       SCN_TAGS_MAX = 16,
       SCN_PROFILES_MAX = 8,
       SCN_GIVENS_MAX = 32,
       SCN_TERMS_MAX = 8,
       SCN_USE_DEPTH_MAX = 4,
       SCN_NAME_SIZE = 32,  /* decision and fill names, tags */
       SCN_TEXT_SIZE = 200, /* texts in quotes, paths */
       SCN_NONE = -1        /* "not written": indices and enums below that may be absent */
};

/* Where something was written. `file` belongs to the scenario_file. */
struct scn_place {
    const char *file;
    int line, col; /* from 1; columns count bytes */
};

enum scn_crash_kind { SCN_KILL, SCN_POWER, SCN_CRASH_KIND_COUNT };

/* "record D1" */
struct scn_point {
    enum scn_point_kind kind;
    int decision; /* index, or SCN_NONE: any */
};

/* When a line happens. A line that was written without a time has that of the line above, resolved
 * here (written = SCN_TIME_INHERITED). */
enum scn_base {
    SCN_FROM_BEGINNING, /* no time above it: in force before the first life boots */
    SCN_AT,             /* at ns, absolute */
    SCN_AFTER_CRASH,    /* ns after the crash of line `anchor` */
    SCN_AFTER_RESTART,  /* ns after the restart of line `anchor` */
    SCN_BEFORE_POINT, /* when the next `point` from the line above on is about to happen, plus ns */
    SCN_AFTER_POINT   /* when it has happened, plus ns */
};
enum scn_written { /* how it was written; for printers only */
                   SCN_TIME_INHERITED,
                   SCN_TIME_CLOCK,
                   SCN_TIME_DATE_CLOCK,
                   SCN_TIME_PLUS,       /* "+DUR" */
                   SCN_TIME_START_PLUS, /* "start +DUR"; resolved to SCN_AT */
                   SCN_TIME_CRASH_PLUS,
                   SCN_TIME_RESTART_PLUS,
                   SCN_TIME_POINT
};
struct scn_when {
    enum scn_base base;
    int64_t ns;
    int anchor;             /* index into lines; SCN_NONE but for AFTER_CRASH and AFTER_RESTART */
    struct scn_point point; /* for the two POINT bases */
    enum scn_written written;
    int64_t plus_ns; /* the DUR as written */
};

/* Where a crash strikes. All but NOW are armed from the line's time on. */
enum scn_where {
    SCN_CRASH_NOW,
    SCN_CRASH_BEFORE, /* before `point` */
    SCN_CRASH_AFTER,
    SCN_CRASH_AT_SITE,   /* at call number `occurrence` of `site`, counted from the line */
    SCN_CRASH_AT_RANDOM, /* `occurrence` times, drawn from the seed; started again by themselves */
    SCN_CRASH_ANYWHERE,  /* for all crash points from the line to the next restart (or the end) */
    SCN_CRASH_ANYWHERE_BEFORE, /* ... until `point` is about to happen */
    SCN_CRASH_ANYWHERE_AFTER,  /* ... from when `point` has happened */
    SCN_CRASH_ANYWHERE_BETWEEN /* ... from `point` until `to` */
};
/* How many crashes an `anywhere` speaks of. */
enum scn_depth {
    SCN_ONCE,
    SCN_TWICE, /* all pairs: a second one anywhere in the life that the next restart begins */
    SCN_AGAIN  /* any number, until nothing new is reached: explored, not run */
};
struct scn_crash {
    int kind; /* enum scn_crash_kind, or SCN_NONE: each of the scenario's `crashes` in turn */
    enum scn_where where;
    enum scn_depth depth; /* ONCE but for the ANYWHERE ones */
    struct scn_point point, to;
    struct site site;
    int64_t occurrence; /* from 1 */
};

/* A fault line. */
enum scn_times {
    SCN_NEXT_CALL, /* the next call of the site (also when nothing was written) */
    SCN_ALL_CALLS, /* every call from here on */
    SCN_EACH_CALL, /* `anywhere`: one run for each call from here to the end (a quantifier); for
                      wire faults whose `at` was not written also one for each byte of the message
                    */
    SCN_ON_CALLS,  /* calls first..last, the next one being 1 */
    SCN_UNTIL      /* every call until until_ns */
};
struct scn_strike {
    struct site site;
    struct fault fault; /* kind row and argument values, ready for fault_answer() */
    enum scn_times times;
    int64_t first, last;
    int64_t until_ns;
    bool times_written; /* for printers: "once" stood there */
    bool arg_written[FAULT_ARGS_MAX];
};

/* The slots of a line. Which ones a statement has is its shape in verbs.h; bit 1u << SCN_SLOT_x of
 * `has` says which were written; the others are 0 (or SCN_NONE where an index). */
struct scn_args {
    uint64_t has;
    int decision; /* into scenario.decisions */
    int symbol;   /* into scenario.symbols */
    enum broker_side side;
    enum broker_tif tif; /* BROKER_DAY when not written */
    int64_t qty_nanos;
    int64_t price_nanos; /* SIGNAL: the limit */
    int64_t money_nanos;
    int64_t until_ns; /* SIGNAL: expiry, 0: none */
    int64_t duration_ns;
    int64_t count;
    enum scn_cmp cmp;
    bool present;    /* OMS_CHECKS */
    bool on;         /* KILL_SWITCH */
    int discrepancy; /* enum oms_discrepancy_type or SCN_NONE: any */
    int severity;    /* enum oms_severity or SCN_NONE: any */
    enum oms_state state;
    struct site site;
    struct scn_crash crash; /* CRASH, REACH_CRASH */
    struct scn_strike strike;
    char name[SCN_NAME_SIZE]; /* FILL */
    char text[SCN_TEXT_SIZE]; /* BROKER_REJECTS: the reason */
};
static inline bool scn_has(const struct scn_args *args, enum scn_slot slot) {
    return (args->has >> slot & 1u) != 0;
}

/* One alternative of a condition. A condition holds when any of its terms does. */
struct scn_term {
    enum scn_condition kind;
    struct scn_args args; /* DISCREPANCY: scn_has(SCN_SLOT_NO) negates */
};

struct scn_line {
    struct scn_place place;
    struct scn_when when;
    enum scn_statement statement;
    struct scn_args args;
    struct scn_term *terms; /* EXPECT, WITHIN (args.duration_ns), ALWAYS, FINALLY, REACH */
    size_t term_count;
};

/* What the file introduces with `decision`; the payload is that of its first signal. */
struct scn_decision {
    struct scn_place place;
    char name[SCN_NAME_SIZE];
    int first_signal;            /* index into lines, or SCN_NONE: never signalled */
    struct oms_decision payload; /* id always; the rest when first_signal >= 0 */
};

struct scn_given {
    struct scn_place place;
    enum scn_header kind; /* one of the SCN_HEADER_GIVEN_* */
    struct scn_args args; /* symbol, qty, price; or money */
};

struct scn_option_value {
    bool set;
    int64_t value; /* WORD options: index of the word */
};

struct scenario {
    struct scn_place place; /* the `scenario` line */
    char title[SCN_TEXT_SIZE];
    char origin[SCN_TEXT_SIZE]; /* "" when not written */
    char tags[SCN_TAGS_MAX][SCN_NAME_SIZE];
    size_t tag_count;
    int64_t date_ns; /* midnight of `date` */
    int64_t pace_ns;
    enum scn_crash_kind crashes[SCN_CRASH_KIND_COUNT]; /* as written; empty: none was */
    size_t crash_count;
    const struct profile
        *profiles[SCN_PROFILES_MAX]; /* never empty: "alpaca" when none was written */
    size_t profile_count;
    const struct disk_profile *disk; /* "simple" when none was written */
    uint64_t seed;
    struct scn_option_value options[SCN_OPTION_COUNT];
    struct scn_given givens[SCN_GIVENS_MAX];
    size_t given_count;
    struct scn_decision *decisions; /* room for SCN_DECISIONS_MAX */
    size_t decision_count;
    char symbols[SCN_SYMBOLS_MAX + SCN_WORKLOAD_SYMBOLS][BROKER_SYMBOL_SIZE];
    size_t symbol_count;

    struct scn_line *lines; /* in file order */
    size_t line_count;

    /* Derived. */
    int64_t start_ns; /* the first life boots here: the first time that is written, or date_ns */
    bool quantified;  /* has `crash anywhere`, `crash at random` or `fault ... anywhere` */
    enum scn_depth depth;    /* of its `crash anywhere` */
    bool uses_default_crash; /* some crash has no kind of its own: run once per `crashes` */
    bool wire_only; /* has a fault that exists at the wire door only, or option door = wire */
    bool written[SCN_HEADER_COUNT]; /* headers that were written; for printers */
};

/* A whole file. Owns everything in it. */
struct scenario_file {
    struct scenario *scenarios;
    size_t count;
    char **names; /* file names that places point at */
    size_t name_count;
};

struct diags; /* scenarios/lang/diag.h */

/* Reads, parses and checks a file (and those it uses). True: no mistakes, *file is whole. False:
 * the mistakes were appended to `diags`, all of them, and *file is empty. Release with
 * scenario_free. */
bool scenario_load(const char *path, struct scenario_file *file, struct diags *diags);
/* The same from memory; `name` is what messages call it, and `use` looks beside it. */
bool scenario_parse(const char *name, const char *text, size_t length, struct scenario_file *file,
                    struct diags *diags);
void scenario_free(struct scenario_file *file);

/* Writes the canonical form: comments and `use` are gone, everything else is kept. What it writes
 * parses to a scenario that scenario_equal() calls equal. */
void scenario_print(const struct scenario_file *file, FILE *out);
/* One line of it, for stories and messages ("crash before record D1"), without its time. */
void scenario_print_line(const struct scenario *scenario, const struct scn_line *line, FILE *out);
/* Everything but places (file, line, column), derived fields included. */
bool scenario_equal(const struct scenario *a, const struct scenario *b);

/* Words for messages. */
const char *scn_crash_kind_name(enum scn_crash_kind kind);
const char *scn_point_name(enum scn_point_kind kind);
const char *scn_depth_name(enum scn_depth depth); /* "", "twice", "again" */
enum scn_sort scn_statement_sort(enum scn_statement statement);

#endif
