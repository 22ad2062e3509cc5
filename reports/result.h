/* What a command found, as plain data: the only thing reports know.
 *
 * The one who fills it owns all strings; reports read them during the call only. Every text may
 * hold anything (a broker's words, a file's title): each report escapes for its own form. */
#ifndef REPORTS_RESULT_H
#define REPORTS_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word for people, word for machines, meaning */
#define REPORT_VERDICTS(X)                                               \
    X(PASS, "PASS", "pass", "every run held")                            \
    X(FAIL, "FAIL", "fail", "an invariant or an expectation was broken") \
    X(ERROR, "ERROR", "error",                                           \
      "the scenario could not be judged: a crash or fault never "        \
      "happened, an event had nothing to happen to")                     \
    X(INCONCLUSIVE, "INCONCLUSIVE", "inconclusive", "a bound was hit before all was tried")
enum report_verdict {
#define X(id, word, key, meaning) REPORT_##id,
    REPORT_VERDICTS(X)
#undef X
        REPORT_VERDICT_COUNT
};
const char *report_verdict_word(enum report_verdict verdict); /* "PASS" */
const char *report_verdict_key(enum report_verdict verdict);  /* "pass" */

/* One line of a story. */
struct report_event {
    const char *time; /* "10:00:27.000" */
    int script_line;  /* of the scenario file; 0: none */
    const char *who;  /* "oms", "broker", "CRASH" */
    const char *what; /* "send D1 -> broker accepted O2" */
    int marked;       /* not 0: here it broke */
};

/* One way to fail (or to be an error), shown by its simplest run. */
struct report_finding {
    const char *code;     /* stable: "I1", or a check's code such as "finally" */
    const char *headline; /* "I1 broke at 10:00:27: 2 orders accepted for D1" */
    const struct report_event *events;
    size_t event_count;
    const char *plan;   /* the run's answers in words, or "" */
    const char *replay; /* the command that repeats it, or "" */
    uint64_t also;      /* other runs that fail the same way */
    int line;           /* of the scenario file that it is about; 0: the scenario's own */
    const char *shrunk; /* how the plan became as small as it is, or "" */
    /* What a baseline knows it by: the same for the same mistake, wherever its lines move; or "". */
    const char *fingerprint;
};

/* One scenario in one configuration: broker profile x kind of crash x door. */
struct report_run {
    const char *scenario;
    const char *file;
    int line;
    const char *oms;     /* what was tested: "core", "seed-protocol" */
    const char *profile; /* "alpaca" */
    const char *crash;   /* "kill", "power", "" when the scenario has no bare crash */
    const char *door;    /* "direct", "wire" */
    enum report_verdict verdict;
    const char *note;           /* why it is inconclusive or an error, in a line; "" otherwise */
    uint64_t runs, runs_failed; /* executions of the story, and how many of them failed */
    uint64_t crash_points, lives, faults_fired;
    uint64_t fingerprint;
    const struct report_finding *findings;
    size_t finding_count;
    const char *code; /* of the note: "inconclusive", "misfit"; "" or NULL without one */
    bool planted;     /* a planted bug: what it breaks is no finding, and being caught passes */
};

/* Frees the findings and their events; the texts stay. */
void report_run_free(struct report_run *run);

struct report_totals {
    uint64_t scenarios[REPORT_VERDICT_COUNT]; /* report_runs by verdict */
    uint64_t runs, crash_points, lives, faults_fired;
};
/* Adds one run to the totals. Start from all zero. */
void report_totals_add(struct report_totals *totals, const struct report_run *run);

#endif
