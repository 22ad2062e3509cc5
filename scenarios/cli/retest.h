/* Playing the bug base again. */
#ifndef SCENARIOS_CLI_RETEST_H
#define SCENARIOS_CLI_RETEST_H

#include "scenarios/cli/bug.h"
#include "scenarios/cli/trial.h"

/* id, word, meaning */
#define RETEST_ENDS(X)                                           \
    X(PASSES, "passes", "it was fixed, and does not fail")       \
    X(FIXED, "FIXED", "it was open, and does not fail any more") \
    X(SHOWS_NOTHING, "SHOWS NOTHING",                            \
      "it does not fail, but nothing of what goes wrong in it "  \
      "came to pass: promote it anew, or take it out")           \
    X(FAILS, "STILL FAILS", "it is open")                        \
    X(CAME_BACK, "CAME BACK", "it was fixed, and fails again")   \
    X(BROKEN, "NOT PLAYED", "the environment failed")
enum retest_end {
#define X(id, word, meaning) RETEST_##id,
    RETEST_ENDS(X)
#undef X
        RETEST_END_COUNT
};

/* What an end means, in a few words. */
const char *retest_meaning(enum retest_end end);

/* One bug, played again. */
struct retested {
    enum retest_end end;
    struct run_result result; /* free with run_result_free */
    char note[RUN_HEADLINE_SIZE + 100];
};
void retest_bug(const struct bug *bug, struct trial *trial, struct retested *retested);
/* A line for what became of it, and one that says more. */
void retest_tell(const struct bug *bug, const struct retested *retested);

struct retest {
    unsigned long ends[RETEST_END_COUNT]; /* bugs, by how they ended */
    unsigned long played, marked;
};

/* Plays every bug of a folder, cheapest first, prints a line for each and one for all, and writes to
 * `json` (NULL: not) a JSON object a line. `mark`: open bugs that no longer fail become fixed ones, in
 * their files. Returns an exit code: what fails weighs more than what shows nothing, and that more
 * than what was fixed (EXIT_FIXED). An empty base passes. */
int bugs_retest(const char *folder, struct trial *trial, bool mark, FILE *json,
                struct retest *retest);

#endif
