/* Planted bugs: what is known of each, and seeing each one caught.
 *
 * A planted bug is a file in one folder: NAME.patch against the core, built to a loadable OMS
 * NAME.so, or NAME.known for a built-in OMS of that name. Its first lines say what must catch it:
 *
 *   Fault: one sentence
 *   Breaks: I14                  the invariant that must break first, or the check of a line of the
 *                                scenario: finally, always, expect, within, observed
 *   Scenario: FILE.scn:LINE      or FILE.scn: TEXT of the title
 *   Profile: alpaca
 *   Crashes: power               only when the scenario has a bare crash
 *   Door: direct                 or wire
 *   Explore: at-once, plan 2     explored instead of run: restarts, and how many crashes and faults
 *                                its plan may have; ", faults 1" allows so many faults a life;
 *                                ", hidden whole-seconds": with those restarts it must not be found
 *   Gate: yes                    it is of the sample that the gate tries
 *   Found: sweep seed 7          the core really had it, and no scenario found it: what did, sweep
 *                                (seed N) or AFL++
 *
 * up to the patch itself (a line that begins with "---") or the end of the file. */
#ifndef SCENARIOS_CLI_KNOWN_BAD_H
#define SCENARIOS_CLI_KNOWN_BAD_H

#include "reports/matrix.h"
#include "scenarios/cli/known_bad_sweep.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/explore.h"

enum {
    KNOWN_BAD_NAME_SIZE = 64,
    KNOWN_BAD_MET_SIZE = 40,
    KNOWN_BAD_TEXT_SIZE = 400,
    KNOWN_BAD_WHY_SIZE = 600
};
enum { KNOWN_BAD_PLAN_MAX = 3 }; /* longer plans convince nobody */

#define KNOWN_BAD_FOLDER   "fuzz/known_bad"
#define KNOWN_BAD_VARIANTS "build/known_bad"

struct known_bad {
    char name[KNOWN_BAD_NAME_SIZE];
    bool built_in; /* a .known file */
    char fault[KNOWN_BAD_TEXT_SIZE];
    int invariant;              /* 0: a check of the scenario breaks first */
    char breaks[RUN_CODE_SIZE]; /* as written: "I14", "finally" */
    char file[KNOWN_BAD_TEXT_SIZE];
    int line;                        /* of the scenario; 0: by its title */
    char title[KNOWN_BAD_TEXT_SIZE]; /* "": by its line */
    const struct profile *profile;
    int crash_kind; /* enum scn_crash_kind, or SCN_NONE */
    enum stage_door door;
    bool explored; /* the scenario's `crash again anywhere`, and then: */
    enum explore_delays restarts;
    unsigned plan_most; /* crashes and faults in the plan that is found */
    unsigned faults;    /* a life */
    bool has_hidden;    /* restarts with which its exploration must close, falsely: */
    enum explore_delays hidden;
    bool in_gate;                 /* of the sample */
    char met[KNOWN_BAD_MET_SIZE]; /* what found it in the core, as written; "": it was thought of */
};

/* Reads the head of a planted bug from `text`; `path` gives its name. False: `why` names the line
 * and the rule, or what is missing. */
bool known_bad_parse(const char *path, const char *text, struct known_bad *bad,
                     char why[KNOWN_BAD_WHY_SIZE]);
/* The same from the file itself. */
bool known_bad_read(const char *path, struct known_bad *bad, char why[KNOWN_BAD_WHY_SIZE]);

/* Says why something failed. Returns false. */
__attribute__((format(printf, 2, 3))) bool known_bad_because(char why[KNOWN_BAD_WHY_SIZE],
                                                             const char *format, ...);
/* The word of a head for when the OMS is started again. */
const char *known_bad_restarts(enum explore_delays delays);

struct known_bad_counts {
    size_t planted, caught;
};
/* For whoever does not want all of them, or each by itself. wanted() is called with every file, in
 * order of names; where it says so, the bug is tried, and done() is called right after. */
struct known_bad_each {
    bool (*wanted)(void *ctx, const char *path);
    void (*done)(void *ctx, const char *path, const struct report_planted *bug);
    void *ctx;
};
/* What is asked of a folder of planted bugs. */
struct known_bad_ask {
    const char *folder, *variants; /* NULL: KNOWN_BAD_FOLDER, KNOWN_BAD_VARIANTS */
    bool sample;                   /* those with 'Gate: yes' only */
    bool
        alone; /* each until it is found, and nothing besides: no core beside it, and no row of a bug
                   that is caught */
    const struct known_bad_each *each; /* NULL: all of them, as a table with a head */
    const char *matrix; /* not NULL: MATRIX.md and MATRIX.json are written, which takes
                                      another pass for every invariant that breaks */
    const struct known_bad_seeds *seeds; /* not NULL: the sweep is asked of every bug, too */
};
/* Runs or explores planted bugs, and the core beside each, in the bug's scenario: the core must
 * pass, or close; what the head names must be the first that breaks in the bug, by no longer a plan
 * than its head allows. Prints one row for each, adds it to the reports, and sets the suite's exit
 * code. With seeds the core must pass them all; what they find of the bugs goes into the matrix, and
 * decides nothing. */
struct known_bad_counts known_bad_run(struct suite *suite, const struct known_bad_ask *ask);

#endif
