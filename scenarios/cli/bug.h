/* A bug of the base: a scenario file that broke an invariant once, and what is known of it in
 * comments at its head, a fact a line, before the line 'crashgate 1':
 *
 *   # state: open                                it is expected to fail; or: fixed, it must pass
 *   # breaks: I1                                 the first invariant that broke
 *   # fingerprint: I1; power after send; ...     as scenarios/cli/sentence.h makes it
 *   # found: seed-protocol, crashgate 0.1.0      the OMS and version that broke it, and where it is from
 *   # plan: 1/line@17=power(keep=0b1)            what the language cannot say; or: none
 *
 * Line numbers in the plan are those of the file. */
#ifndef SCENARIOS_CLI_BUG_H
#define SCENARIOS_CLI_BUG_H

#include "scenarios/cli/sentence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BUG_FOLDER "scenarios/found"

enum { BUG_NAME_SIZE = 160, BUG_NOTE_SIZE = 400 };

/* id, word, meaning */
#define BUG_STATES(X)                         \
    X(UNKNOWN, "", "the file says nothing")   \
    X(OPEN, "open", "it is expected to fail") \
    X(FIXED, "fixed", "it must not fail any more")
enum bug_state {
#define X(id, word, meaning) BUG_##id,
    BUG_STATES(X)
#undef X
        BUG_STATE_COUNT
};
const char *bug_state_word(enum bug_state state);

struct bug_head {
    enum bug_state state;
    char breaks[RUN_CODE_SIZE]; /* "" when not written, as all below */
    char fingerprint[FINGERPRINT_SIZE];
    char found[BUG_NOTE_SIZE];
    bool has_plan;
    struct plan plan;
};

/* Reads the head of a file's text. Other comments are nobody's business. False: `why` names the line
 * and the rule. */
bool bug_head_read(const char *text, struct bug_head *head, char why[PLAN_WHY_SIZE + 40]);
/* Writes what is known. Line numbers of the plan are written as they stand. */
void bug_head_write(const struct bug_head *head, FILE *out);
/* The number of lines it would write. */
int bug_head_lines(const struct bug_head *head);
/* The plan with all line numbers moved. */
void bug_plan_move(struct plan *plan, int lines);

/* One bug of the base, loaded. */
struct bug {
    char path[4096];
    char name[BUG_NAME_SIZE]; /* the file's, without folder and ".scn" */
    struct bug_head head;
    struct scenario_file file; /* one scenario */
    unsigned events;           /* lines, and items of the plan: what retesting costs */
};
struct bugs {
    struct bug *v;
    size_t n, cap;
};
/* All of a folder, cheapest first, then by name. A folder that does not exist is an empty base. False:
 * a file cannot be read, has mistakes or no head; said on standard error. Release with bugs_free. */
bool bugs_load(const char *folder, struct bugs *bugs);
void bugs_free(struct bugs *bugs);
/* Writes the state into the file's head. False: said on standard error. */
bool bug_set_state(const struct bug *bug, enum bug_state state);

#endif
