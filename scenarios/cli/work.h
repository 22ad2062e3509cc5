/* What a gate is to do, as a list of units that can be done anywhere, in any order.
 *
 * (1) The list depends on the scenarios, the planted bugs, the options and the sources of this
 *     program, and on nothing else: whoever makes it again gets the same list and the same digest.
 * (2) A unit belongs to one shard of n by its place in the list. */
#ifndef SCENARIOS_CLI_WORK_H
#define SCENARIOS_CLI_WORK_H

#include "scenarios/cli/manifest.h"
#include "scenarios/cli/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word, meaning */
#define WORK_KINDS(X)                                                           \
    X(BUG, "bug", "a bug of the base, by its plan: does it fail?")              \
    X(RUN, "run", "a scenario in one configuration, all its runs")              \
    X(REPEAT, "repeat", "the same once more: does it go the same way?")         \
    X(EXPLORE, "explore", "a scenario's crashes at every depth")                \
    X(SWEEP, "sweep", "a scenario with every allocation and port call failing") \
    X(SEEDS, "seeds", "some of the fixed seeds, a timeline each")               \
    X(KNOWN_BAD, "known-bad", "a planted bug that must be caught")
enum work_kind {
#define X(id, word, meaning) WORK_##id,
    WORK_KINDS(X)
#undef X
        WORK_KIND_COUNT
};
const char *work_kind_word(enum work_kind kind);

enum { WORK_SHARDS_MAX = 1000 };

/* Part `index` (from 1) of `of`. */
struct work_shard {
    unsigned index, of;
};
/* Reads "2/3". False: it is none. */
bool work_shard_parse(const char *text, struct work_shard *shard);

struct work_unit {
    enum work_kind kind;
    const char *id;   /* "run scenarios/a.scn:3 [alpaca, kill, direct]": no other unit has it */
    const char *path; /* of the file it is about */
    int line;         /* of the scenario; 0: it is no scenario */
    unsigned turn;    /* whose turn it is: shard turn % n + 1 */
};

struct work {
    struct work_unit *v;
    size_t n, cap;
    uint64_t digest; /* of all that (1) names */
};

/* What a gate is made from. */
struct work_sources {
    const struct suite_paths *paths; /* scenario files */
    const char *base;                /* the bug base; a folder that is not there is an empty one */
    const char *manifest_path;
    const struct manifest *manifest;
};

/* Lists what is to be done. False: a mistake in a file, or bugs that cannot be listed; said on
 * standard error, the suite's exit code is set. Release with work_free. */
bool work_list(struct suite *suite, const struct work_sources *from, struct work *work);
void work_free(struct work *work);

/* Adds a unit that was listed elsewhere; its texts are copied. */
void work_add_read(struct work *work, struct work_unit unit);

/* The unit that this configuration is, or that planted bug; NULL: it is none. */
const struct work_unit *work_find(const struct work *work, enum work_kind kind, const char *path,
                                  const struct scenario *scenario, const struct run_config *config);
const struct work_unit *work_find_id(const struct work *work, const char *id);
/* The seeds of a unit of that kind, both included. False: it is none. */
bool work_seeds(const struct work_unit *unit, uint64_t *first, uint64_t *last);
bool work_is_of(const struct work_unit *unit, struct work_shard shard);

#endif
