/* What somebody found, made as small as it can be: from a scenario file with a plan, or from the
 * bytes that a fuzzer saved. */
#ifndef SCENARIOS_CLI_FOUND_H
#define SCENARIOS_CLI_FOUND_H

#include "scenarios/cli/sentence.h"
#include "scenarios/cli/trial.h"

enum { FOUND_LINES_MAX = 1000, FOUND_NOTE_SIZE = 200, FOUND_WHY_SIZE = 700 };

struct found {
    char *text; /* one scenario in canonical form; its title is the sentence */
    size_t length;
    struct plan plan;           /* of what the language cannot say */
    struct run_finding finding; /* without its story */
    char fingerprint[FINGERPRINT_SIZE];
    char sentence[SENTENCE_SIZE];
    char origin[FOUND_NOTE_SIZE]; /* what the file says about where it comes from, or "" */
    unsigned events;              /* lines that are left, and items of the plan */
    bool needed[FOUND_LINES_MAX]; /* of each line of the text: without it something else is found */
    bool bound;                   /* it could perhaps be smaller */
};

enum found_how {
    FOUND_READY,
    FOUND_NOTHING /* it breaks nothing; why */,
    FOUND_MISTAKE /* why, or said */
};

/* "FILE", or "FILE:LINE" for one of several scenarios. A name that does not end in ".scn" is a
 * timeline in bytes (fuzz/timeline.h). `plan`: what goes wrong; NULL: what the file's head says, or
 * nothing. `profile` and `crashes` (an enum scn_crash_kind) pick one of several; NULL and SCN_NONE: the
 * first. Release with found_free, whatever the answer. */
enum found_how found_open(struct trial *trial, const char *path, const struct plan *plan,
                          const char *profile, int crashes, struct found *found,
                          char why[FOUND_WHY_SIZE]);
void found_free(struct found *found);

#endif
